//! The stack traces of an event as the source maps of its scripts have them, and which maps are missing.
use super::lookup::{Token, lookup};
use super::map;
use super::missing::{self, Note};
use super::turn::Turns;
use crate::domain::StoredEvent;
use crate::event::frame::Frame;
use crate::event::{json, library};
use crate::grouping;
use crate::store::{Error, Reader, SourceMapInfo, file_name};
use crate::text::cut;
use crate::time::Time;
use flate2::write::DeflateDecoder;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::time::Duration;

/// Scripts of an event that are looked at, in the order of its frames.
const MAX_SCRIPTS: usize = 10;
/// Entries of an event's `debug_meta.images` that are read.
const MAX_IMAGES: usize = 1000;
/// Frames of an event that get their source, lines of it on each side, and characters of a line.
const MAX_SOURCES: usize = 250;
const AROUND: usize = 5;
const WIDTH: usize = 400;
/// How long a page waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a page records that it used a map, in ms.
const DAY: i64 = 24 * 3600 * 1000;

/// What an event's maps said.
#[derive(Default)]
pub struct Resolved {
    pub notes: Vec<Note>,
    /// The maps whose use is to be recorded.
    pub used: Vec<i64>,
}

/// A frame, by its stack and its place there.
type At = (usize, usize);

/// Replaces what is minified in the frames of an event, given as one slice for each stack, most recent call first.
/// `origin` is the URL at which the reader reaches obs.
pub fn resolve(
    reader: &Reader,
    turns: &Turns,
    event: &StoredEvent,
    stacks: &mut [&mut [Frame]],
    origin: &str,
) -> Result<Resolved, Error> {
    let mut scripts: Vec<(String, Vec<At>)> = Vec::new();
    for (stack, frames) in stacks.iter().enumerate() {
        for (at, frame) in frames.iter().enumerate().filter(|(_, frame)| place(frame).is_some()) {
            match scripts.iter().position(|(script, _)| *script == frame.filename) {
                Some(known) => scripts[known].1.push((stack, at)),
                None if scripts.len() < MAX_SCRIPTS => scripts.push((frame.filename.clone(), vec![(stack, at)])),
                None => {}
            }
        }
    }
    let (images, release, now) = (images(event), event.summary.release.as_deref(), Time::now());
    let (mut resolved, mut tokens, mut left) = (Resolved::default(), HashMap::new(), MAX_SOURCES);
    let mut turn = None;
    for (script, places) in scripts {
        let path = path(&script);
        let debug_id = images.iter().find(|(file, _)| *file == script).map(|(_, id)| id.as_str());
        let Some(map) = find(reader, path, debug_id, release)? else {
            let others = reader.releases_with_source_map(file_name(path))?;
            let is_minified = || places.iter().any(|(stack, at)| grouping::is_minified(&stacks[*stack][*at]));
            let is_script = script.split(['?', '#']).next().is_some_and(|path| path.ends_with("js"));
            if debug_id.is_some() || !others.is_empty() || is_script && !library::contains(&script) && is_minified() {
                resolved.notes.push(missing::map(path, debug_id, release, &others, origin));
            }
            continue;
        };
        turn = turn.or_else(|| turns.wait(PATIENCE));
        if turn.is_none() {
            resolved.notes.push(missing::turn());
            break;
        }
        let age = Time::parse(&map.used_at).map_or(DAY, |used_at| now.millis() - used_at.millis());
        resolved.used.extend((age >= DAY).then_some(map.id));
        let asked: Vec<_> = places.iter().filter_map(|(stack, at)| place(&stacks[*stack][*at])).collect();
        let found = lookup(&asked, |number| part(reader, map.id, number))?;
        let found: Vec<_> = places.into_iter().zip(found).filter_map(|(at, token)| Some((at, token?))).collect();
        if found.is_empty() {
            resolved.notes.push(missing::places(path, &map.uploaded_at, release, origin));
        } else if map.with_content == 0 {
            resolved.notes.push(missing::sources(path));
        }
        add_sources(reader, map.id, &found, stacks, &mut left)?;
        tokens.extend(found);
    }
    if !tokens.is_empty() {
        stacks.iter_mut().enumerate().for_each(|(stack, frames)| rename(frames, |at| tokens.get(&(stack, at))));
    }
    Ok(resolved)
}

/// Gives the frames of a stack their places in the sources.
fn rename<'a>(frames: &mut [Frame], token: impl Fn(usize) -> Option<&'a Token>) {
    let says_own = frames.iter().any(|frame| frame.in_app.is_some());
    for (at, frame) in frames.iter_mut().enumerate() {
        let mut is_library = !says_own && library::contains(&frame.filename);
        if let Some(Token { source, line, column, is_library: ignored, .. }) = token(at) {
            // A map names what is called, not the function that calls: the frame below has this frame's name.
            let name = token(at + 1).and_then(|caller| caller.name.as_ref());
            if let Some(name) = name.filter(|_| is_named(&frame.function)) {
                frame.function.clone_from(name);
            }
            frame.filename.clone_from(source);
            (frame.lineno, frame.colno) = (Some(*line), Some(*column));
            is_library = *ignored || library::contains(source);
        }
        if is_library || !says_own {
            frame.in_app = Some(!is_library);
        }
    }
}

/// Gives frames the lines around them, and takes away those of the script. `left` counts the frames that may get lines.
fn add_sources(
    reader: &Reader,
    map: i64,
    found: &[(At, Token)],
    stacks: &mut [&mut [Frame]],
    left: &mut usize,
) -> Result<(), Error> {
    for number in found.iter().map(|(_, token)| token.part).collect::<BTreeSet<_>>() {
        let text = json::string(&part(reader, map, number)?).unwrap_or_default();
        for ((stack, at), token) in found.iter().filter(|(_, token)| token.part == number) {
            let frame = &mut stacks[*stack][*at];
            (frame.pre_context, frame.context_line, frame.post_context) = Default::default();
            if *left == 0 || text.is_empty() {
                continue;
            }
            *left -= 1;
            let line = usize::try_from(token.line - 1).unwrap_or(usize::MAX);
            let before = line.min(AROUND);
            let lines = text.lines().skip(line - before).take(before + 1 + AROUND);
            let mut lines = lines.map(|line| cut(line, WIDTH).into_owned());
            frame.pre_context = lines.by_ref().take(before).collect();
            frame.context_line = lines.next();
            frame.post_context = lines.collect();
        }
    }
    Ok(())
}

/// A part of a map, inflated; empty if the map does not have it.
fn part(reader: &Reader, map: i64, part: usize) -> Result<String, Error> {
    let mut text = DeflateDecoder::new(Vec::new());
    if !reader.source_map_part(map, part, &mut text)? {
        return Ok(String::new());
    }
    let text = text.finish().map_err(io::Error::other);
    let text = text.and_then(|text| String::from_utf8(text).map_err(io::Error::other));
    text.map_err(|e| Error::Failed(format!("source map {map} is damaged: {e}")))
}

/// The map for a script: by its debug id, else by the release and the path, else by the path among uploads without a
/// release. Of several that fit equally well, the last upload.
fn find(
    reader: &Reader,
    path: &str,
    debug_id: Option<&str>,
    release: Option<&str>,
) -> Result<Option<SourceMapInfo>, Error> {
    if let Some(id) = debug_id
        && let Some(map) = reader.source_map(id)?
    {
        return Ok(Some(map));
    }
    let fit = |map: &SourceMapInfo| {
        let parts = path.rsplit('/').zip(map.path.rsplit('/'));
        (map.release.is_some(), parts.take_while(|(a, b)| a == b).count(), map.id)
    };
    Ok(reader.source_maps_of(file_name(path), release)?.into_iter().max_by_key(fit))
}

/// The line and column of a frame that may be in a minified script.
fn place(frame: &Frame) -> Option<(u64, u64)> {
    let place = (frame.lineno?, frame.colno?);
    (place.0 > 0 && !frame.filename.is_empty()).then_some(place)
}

/// A script's path without scheme, host and query.
fn path(script: &str) -> &str {
    let path = script.split(['?', '#']).next().unwrap_or_default();
    match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, path)| path),
        None => path.trim_start_matches('/'),
    }
}

/// The debug ids that an event names, each with its script.
fn images(event: &StoredEvent) -> Vec<(String, String)> {
    let meta = event.more.as_deref().and_then(|more| json::field(more, "debug_meta"));
    let images = meta.and_then(|meta| json::first(json::field(meta, "images")?, MAX_IMAGES)).unwrap_or_default();
    let text = |image: &str, name: &str| json::field(image, name).and_then(json::string);
    let image = |image: &str| Some((text(image, "code_file")?, map::debug_id(&text(image, "debug_id")?)?));
    images.into_iter().filter_map(|entry| image(entry.get())).collect()
}

/// False for an arrow function and the like, whose caller names only a variable.
fn is_named(function: &str) -> bool {
    !function.trim().is_empty() && !function.contains('<') && !function.ends_with("anonymous")
}
