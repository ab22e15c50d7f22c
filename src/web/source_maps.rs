//! Source maps: an upload by `curl`, and what is stored, as JSON and as a page.
use super::response::{Format, json, see_other};
use super::{call::Call, changes, error::Error, forms::Form, pages, state::State, state::turn};
use crate::domain::Cursor;
use crate::http::{Body, Coding};
use crate::sourcemaps::map::{MAX_BYTES, SourceMap};
use crate::store::{CHUNK, NewSourceMap};
use crate::text;
use crate::views::{self, SourceMapsPage, terminal};
use rouille::Response;
use serde_json::json;
use std::io::Read;
use uuid::Uuid;

/// Maximum characters of a path, of which the end counts, and of a release, which events cut at the same length.
const MAX_PATH: usize = 500;
const MAX_RELEASE: usize = 200;
/// Source maps on a page.
const PAGE: usize = 50;

/// `PUT /api/sourcemaps/PATH?release=`: the body is a map. Waits in chunks, so that a slow client takes no memory.
pub fn upload(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let path = call.path.rest.trim_end_matches(".map"); // the map of a script has the script's path
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(Error::Bad("Invalid path: expected the file's path in the application, without ..".into()));
    }
    let mut names = Vec::new();
    let stored = receive(state, call, body, &mut names).and_then(|()| {
        let _turn = turn(state)?;
        state.store.read(|reader| {
            let (mut chunks, _) = reader.chunks(names.clone())?;
            let mut map = Vec::with_capacity(chunks.length);
            chunks.read_to_end(&mut map).map_err(|_| Error::Unavailable("The upload could not be read back"))?;
            store_map(state, &map, path, &release_name(Some(call.text("release"))), Vec::new())
        })
    });
    state.store.remove_chunks(names)?;
    let (id, NewSourceMap { path, release, debug_ids, sources, with_content }) = stored?;
    let understood = json!({
        "id": id, "path": path, "release": release, "debug_id": debug_ids.first(), "sources": sources,
        "with_content": with_content,
    });
    Ok(json(&understood).with_status_code(201))
}

/// Stores a body in chunks, and adds their names.
fn receive(state: &State, call: &Call, body: Body, names: &mut Vec<String>) -> Result<(), Error> {
    let coding = Coding::from_request(call.request).map_err(Error::Coding)?;
    let (mut stream, upload) = (body.stream(coding, CHUNK, MAX_BYTES)?, Uuid::now_v7());
    loop {
        let mut chunk = Vec::new();
        let read = (&mut stream).take(CHUNK as u64).read_to_end(&mut chunk);
        match (read, stream.refusal) {
            (_, Some(refusal)) => return Err(refusal.into()),
            (Err(_), None) => return Err(Error::Bad("The body is damaged or incomplete".into())),
            (Ok(0), None) => return Ok(()),
            (Ok(_), None) => {}
        }
        names.push(format!("{upload}-{}", names.len()));
        state.store.add_chunk(names[names.len() - 1].clone(), chunk)?;
    }
}

/// Reads a map and stores it. [`Error::Bad`] says why it is refused.
pub fn store_map(
    state: &State,
    bytes: &[u8],
    path: &str,
    release: &Option<String>,
    mut debug_ids: Vec<String>,
) -> Result<(i64, NewSourceMap), Error> {
    let map = SourceMap::parse(bytes).map_err(Error::Bad)?;
    debug_ids.extend(map.debug_id.clone());
    let (path, release) = (text::cut_front(path, MAX_PATH).into_owned(), release.clone());
    let (sources, with_content) = (map.sources, map.with_content);
    let new = NewSourceMap { path, release, debug_ids, sources, with_content };
    Ok((state.store.add_source_map(new.clone(), map.parts())?, new))
}

/// Some bundler plugins write `undefined` for an upload without a release.
pub fn release_name(name: Option<String>) -> Option<String> {
    text::short(&name?, MAX_RELEASE).filter(|name| name != "undefined")
}

/// `GET /api/sourcemaps`
pub fn list(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    read(state, call, |page| {
        let next = page.next.map(|id| id.to_string());
        let SourceMapsPage { maps, bytes, max_bytes, .. } = page;
        json(&json!({ "sourcemaps": maps, "next": next, "bytes": bytes, "max_bytes": max_bytes }))
    })
}

/// `GET /setup/sourcemaps`
pub fn page(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin) = (Format::from_request(call.request), pages::origin(state, call.request));
    read(state, call, |page| format.answer(|| views::source_maps(&page), || terminal::source_maps(&page, &origin)))
}

fn read(state: &State, call: &Call, show: impl FnOnce(SourceMapsPage) -> Response) -> Result<Response, Error> {
    let before = if let Cursor::After(position) = call.cursor()? { position.key } else { i64::MAX };
    state.store.read(|reader| {
        let mut maps = reader.source_maps(before, PAGE as i64 + 1)?;
        let next = (maps.len() > PAGE).then(|| maps[PAGE - 1].id);
        maps.truncate(PAGE);
        let (bytes, max_bytes) = (reader.source_map_bytes()?, state.max_source_maps);
        Ok(show(SourceMapsPage { maps: &maps, next, bytes, max_bytes, may_act: call.sender.is_trusted }))
    })
}

pub fn delete(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    changes::check_found(state.store.delete_source_map(call.path.map)?).map(|()| Response::empty_204())
}

/// `delete=ID` from the page.
pub fn change(state: &State, _: &Call, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::parse)?;
    let id = form.first("delete").parse().map_err(|_| Error::Bad("The form does not say what to delete".into()))?;
    changes::check_found(state.store.delete_source_map(id)?)?;
    Ok(see_other("/setup/sourcemaps"))
}
