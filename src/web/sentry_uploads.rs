//! Sentry's routes for uploads of source maps, as its command-line tools and bundler plugins use them: a bundle in chunks.
use super::source_maps::{release_name, store_map};
use super::{auth, base, call::Call, error::Error, pages, response::json, state::State, state::turn};
use crate::http::{Body, Coding, Refusal};
use crate::sourcemaps::bundle::{Bundle, MapFile, aliases};
use crate::sourcemaps::map::EMPTY;
use crate::store::{CHUNK, Chunks, MAX_CHUNKS};
use crate::time::Time;
use rouille::{Request, Response};
use serde::Deserialize;
use serde_json::json;
use std::mem::take;
use std::ops::Range;

/// `GET …/chunk-upload/`: how to upload. Each uploader refuses to work without some of these fields.
pub fn options(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    Ok(json(&json!({
        "url": own_url(state, call.request),
        "chunkSize": CHUNK, // nginx by default accepts bodies of up to 1 MiB
        "chunksPerRequest": 1,
        "maxRequestSize": 2 * CHUNK,
        "concurrency": 1,
        "hashAlgorithm": "sha1",
        "compression": ["gzip"],
        "accept": ["release_files", "artifact_bundles", "artifact_bundles_v2"],
    })))
}

/// The URL of a request as the client wrote it: the JavaScript tools send their token to no other host or scheme.
fn own_url(state: &State, request: &Request) -> String {
    let host = request.header("Host").unwrap_or("localhost:8000");
    let path = |target: &str| target.split('?').next().unwrap_or_default().trim_end_matches('/').to_string();
    if let Some(url) = &state.url {
        let scheme = url.split("://").next().unwrap_or_default();
        if auth::origin(url) == auth::origin(&format!("{scheme}://{host}")) {
            return format!("{url}{}/", path(base::strip(state.base(), request.raw_url())));
        }
    }
    let scheme = if pages::is_https(request) { "https" } else { "http" };
    format!("{scheme}://{host}{}/", path(request.raw_url()))
}

/// `POST …/chunk-upload/`: one chunk, as a form whose file name is the chunk's SHA-1. It is only a name: what it is made of
/// is checked when the bundle is read.
pub fn chunk(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    let expected = || Error::Bad("Invalid chunk: expected a form with one file, named by its SHA-1".into());
    let (name, is_compressed, data) =
        only_file(call.request.header("Content-Type").unwrap_or_default(), &body.bytes).ok_or_else(expected)?;
    body.bytes.truncate(data.end);
    body.bytes.drain(..data.start);
    if is_compressed {
        body.decode(Coding::Gzip, CHUNK)?;
    } else if body.bytes.len() > CHUNK {
        return Err(Refusal::BodyTooLarge(CHUNK).into());
    }
    state.store.add_chunk(name, take(&mut body.bytes))?;
    Ok(Response::text(""))
}

/// The name of the file in a form of type `multipart/form-data`, whether it is compressed, and where it is.
fn only_file(content_type: &str, body: &[u8]) -> Option<(String, bool, Range<usize>)> {
    let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?.trim_matches('"');
    let start = body.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let end = format!("\r\n--{boundary}--");
    let end = start + body[start..].windows(end.len()).rposition(|bytes| bytes == end.as_bytes())?;
    let head = String::from_utf8_lossy(&body[..start]);
    let name = head.split("filename=\"").nth(1)?.split('"').next()?;
    let is_sha1 = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_sha1.then(|| (name.to_string(), head.contains("name=\"file_gzip\""), start..end))
}

#[derive(Deserialize)]
struct Assemble {
    chunks: Vec<String>,
    version: Option<String>,
}

/// `POST …/artifactbundle/assemble/`: asks which chunks are missing, or to read the bundle once none is.
pub fn assemble(state: &State, _: &Call, body: Body) -> Result<Response, Error> {
    let parsed = body.parse(|bytes| serde_json::from_slice(bytes))?;
    let Assemble { chunks, version } = parsed.map_err(|error| Error::Bad(format!("Invalid bundle: {error}")))?;
    let _turn = turn(state)?;
    let outcome = state.store.read(|reader| {
        if chunks.len() > MAX_CHUNKS {
            let why = format!("The bundle is over {} MiB. Upload it in several", (MAX_CHUNKS * CHUNK) >> 20);
            return Err(Error::Bad(why));
        }
        let (chunks, missing) = reader.chunks(chunks)?;
        if missing.is_empty() {
            store_bundle(state, chunks, version)?;
        }
        Ok(missing)
    });
    let (name, missing, detail) = match outcome {
        Ok(missing) if missing.is_empty() => ("ok", missing, None),
        Ok(missing) => ("not_found", missing, None),
        Err(Error::Bad(why)) => ("error", Vec::new(), Some(why)),
        Err(error) => return Err(error),
    };
    Ok(json(&json!({ "state": name, "missingChunks": missing, "detail": detail })))
}

/// Stores the source maps of a bundle. One that is refused does not cost the others.
fn store_bundle(state: &State, chunks: Chunks, version: Option<String>) -> Result<(), Error> {
    let mut bundle = Bundle::open(chunks).map_err(Error::Bad)?;
    let (maps, release) = bundle.maps().map_err(Error::Bad)?;
    if maps.is_empty() {
        let why = "The bundle has no source maps. Have the bundler write them, and upload their folder";
        return Err(Error::Bad(why.into()));
    }
    let release = release_name(version.or(release));
    let (count, mut refused) = (maps.len(), Vec::new());
    for MapFile { name, minified, path, mut debug_ids } in maps {
        let minified = minified.map_or(Ok(Vec::new()), |name| bundle.file(&name));
        let json = minified.and_then(|minified| {
            debug_ids.extend(aliases(&minified));
            drop(minified);
            bundle.file(&name)
        });
        match json.map_err(Error::Bad).and_then(|json| store_map(state, &json, &path, &release, debug_ids)) {
            Ok(_) => {}
            Err(Error::Bad(why)) => refused.push(format!("{name}: {why}")),
            Err(error) => return Err(error),
        }
    }
    // Bundlers write maps that map nothing for scripts that only load others.
    if refused.len() < count {
        refused.retain(|why| !why.ends_with(EMPTY));
    }
    match refused.first() {
        None => Ok(()),
        Some(first) => Err(Error::Bad(format!("{} of {count} source maps were refused. {first}", refused.len()))),
    }
}

#[derive(Default, Deserialize)]
struct Release {
    version: Option<String>,
}

/// `POST …/releases/` and `PUT …/releases/VERSION/`: obs keeps no releases, but the bundler plugins alarm without an answer.
pub fn release(_: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let sent: Release = body.parse(|bytes| serde_json::from_slice(bytes).unwrap_or_default())?;
    let version = sent.version.unwrap_or_else(|| call.path.rest.trim_end_matches('/').to_string());
    let projects = json!([{ "slug": "obs", "name": "obs" }]);
    let status = if call.request.method() == "POST" { 201 } else { 200 };
    let answer = json!({ "version": version, "dateCreated": Time::now(), "projects": projects });
    Ok(json(&answer).with_status_code(status))
}
