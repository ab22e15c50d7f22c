//! The stack traces of an event as the source maps of its scripts have them, and which maps are missing.
use super::index::{Index, Token};
use super::map;
use super::missing::{Missing, Note};
use super::turn::Turns;
use crate::domain::StoredEvent;
use crate::event::frame::Frame;
use crate::event::{json, library};
use crate::grouping;
use crate::log;
use crate::store::{Error, Reader, SourceMapInfo};
use crate::text::cut;
use crate::time::Time;
use flate2::write::DeflateDecoder;
use std::collections::HashMap;
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
    let (images, now) = (images(event), Time::now());
    let (mut found, mut missing, mut used) = (Vec::new(), Vec::new(), Vec::new());
    let release = event.summary.release.as_deref();
    for (script, places) in scripts {
        let debug_id = images.iter().find(|(file, _)| *file == script).map(|(_, id)| id.as_str());
        if let Some(info) = find(reader, &script, debug_id, release)? {
            let age = Time::parse(&info.used_at).map_or(DAY, |used_at| now.millis() - used_at.millis());
            used.extend((age >= DAY).then_some(info.id));
            found.push((info, script, places));
            continue;
        }
        let others = reader.releases_with_source_map(file_name(path(&script)))?;
        let is_minified = || places.iter().any(|(stack, at)| grouping::is_minified(&stacks[*stack][*at]));
        let is_script = script.split(['?', '#']).next().is_some_and(|path| path.ends_with("js"));
        if debug_id.is_some() || !others.is_empty() || is_script && !library::contains(&script) && is_minified() {
            let (debug_id, release) = (debug_id.map(str::to_string), release.map(str::to_string));
            missing.push(Missing::Map { path: path(&script).to_string(), debug_id, release, others });
        }
    }
    if !found.is_empty() {
        match turns.wait(PATIENCE) {
            Some(_turn) => apply(reader, found, release, stacks, &mut missing)?,
            None => missing.push(Missing::Turn),
        }
    }
    Ok(Resolved { notes: missing.iter().map(|missing| missing.note(origin)).collect(), used })
}

/// Maps the frames of these scripts.
fn apply(
    reader: &Reader,
    found: Vec<(SourceMapInfo, String, Vec<At>)>,
    release: Option<&str>,
    stacks: &mut [&mut [Frame]],
    missing: &mut Vec<Missing>,
) -> Result<(), Error> {
    let mut tokens: HashMap<At, Token> = HashMap::new();
    let mut sources = MAX_SOURCES;
    for (info, script, places) in found {
        let asked: Vec<_> = places.iter().filter_map(|(stack, at)| place(&stacks[*stack][*at])).collect();
        let mapped = lookup(reader, info.id, &asked)?;
        let mapped: Vec<_> =
            places.into_iter().zip(mapped).filter_map(|(place, token)| Some((place, token?))).collect();
        if mapped.is_empty() {
            let (path, release) = (path(&script).to_string(), release.map(str::to_string));
            missing.push(Missing::Places { path, uploaded: info.uploaded_at, release });
        } else if info.with_content == 0 {
            missing.push(Missing::Sources { path: path(&script).to_string() });
        }
        add_sources(reader, info.id, &mapped, stacks, &mut sources)?;
        tokens.extend(mapped);
    }
    for (stack, frames) in stacks.iter_mut().enumerate() {
        let says_own = frames.iter().any(|frame| frame.in_app.is_some());
        for at in 0..frames.len() {
            let frame = &mut frames[at];
            let mut is_library = !says_own && library::contains(&frame.filename);
            if let Some(Token { source, line, column, is_library: ignored, .. }) = tokens.get(&(stack, at)) {
                // A map names what is called, not the function that calls: the frame below has this frame's name.
                let name = tokens.get(&(stack, at + 1)).and_then(|caller| caller.name.as_ref());
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
    Ok(())
}

/// The tokens at some places of a script. A map that cannot be read has none.
fn lookup(reader: &Reader, map: i64, places: &[(u64, u64)]) -> Result<Vec<Option<Token>>, Error> {
    let index = part(reader, map, 0)?;
    match Index::read(&index) {
        Ok(index) => index.lookup(places, |number| part(reader, map, number)),
        Err(why) => {
            log::line(&format!("source map {map}: {why}"));
            Ok(vec![None; places.len()])
        }
    }
}

/// Gives mapped frames the lines around them, and takes away those of the script.
fn add_sources(
    reader: &Reader,
    map: i64,
    mapped: &[(At, Token)],
    stacks: &mut [&mut [Frame]],
    left: &mut usize,
) -> Result<(), Error> {
    let mut parts: Vec<usize> = mapped.iter().map(|(_, token)| token.part).collect();
    parts.sort_unstable();
    parts.dedup();
    for part_of in parts {
        let text = part(reader, map, part_of)?;
        for ((stack, at), token) in mapped.iter().filter(|(_, token)| token.part == part_of) {
            let frame = &mut stacks[*stack][*at];
            (frame.pre_context, frame.context_line, frame.post_context) = Default::default();
            let line = usize::try_from(token.line - 1).unwrap_or(usize::MAX);
            let first = line.saturating_sub(AROUND);
            let lines = text.lines().skip(first).take(line - first + 1 + AROUND);
            let mut lines = lines.map(|line| cut(line, WIDTH).into_owned());
            if *left > 0 && !text.is_empty() {
                frame.pre_context = lines.by_ref().take(line - first).collect();
                frame.context_line = lines.next();
                frame.post_context = lines.collect();
                *left -= 1;
            }
        }
    }
    Ok(())
}

/// A part of a map; empty if the map does not have it.
fn part(reader: &Reader, map: i64, part: usize) -> Result<String, Error> {
    let damaged = |why: &dyn std::fmt::Display| Error::Failed(format!("source map {map} is damaged: {why}"));
    let mut text = DeflateDecoder::new(Vec::new());
    match reader.source_map_part(map, part, &mut text)? {
        true => String::from_utf8(text.finish().map_err(|e| damaged(&e))?).map_err(|e| damaged(&e)),
        false => Ok(String::new()),
    }
}

/// The map for a script: by its debug id, else by the release and the path, else by the path among uploads without a
/// release. Of several that fit equally well, the last upload.
fn find(
    reader: &Reader,
    script: &str,
    debug_id: Option<&str>,
    release: Option<&str>,
) -> Result<Option<SourceMapInfo>, Error> {
    if let Some(id) = debug_id
        && let Some(map) = reader.source_map(id)?
    {
        return Ok(Some(map));
    }
    let path = path(script);
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

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
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
