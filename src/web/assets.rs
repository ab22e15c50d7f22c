//! What anyone may fetch: the style sheet, the icon, the JavaScript SDK, and the health check.
use super::{call::Call, error::Error, response::json, state::State};
use crate::http::Body;
use crate::store::Usage;
use crate::views;
use flate2::{Compression, write::GzEncoder};
use rouille::{Request, Response};
use serde_json::json;
use std::io::Write;
use std::sync::LazyLock;

/// The JavaScript SDK of the same version as this server.
const SDK: &str = include_str!("../../sdk/js/obs.js");
/// The same, compressed when it is first asked for. Empty if that failed.
static SDK_GZIP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(SDK.as_bytes()).and_then(|()| gzip.finish()).unwrap_or_default()
});

/// Pages link to the style sheet under a URL that changes with its content, so only under that URL may it be cached.
pub fn style(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let is_current = state.target(call.request) == views::style_url();
    let cache = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(asset("text/css; charset=utf-8", views::STYLE, cache))
}

pub fn favicon(_: &State, _: &Call, _: Body) -> Result<Response, Error> {
    Ok(asset("image/svg+xml", views::FAVICON, "public, max-age=86400"))
}

/// The URL never changes, so it takes up to an hour until pages get the SDK of a new version of obs.
pub fn sdk(_: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let is_compressed = accepts_gzip(call.request) && !SDK_GZIP.is_empty();
    let bytes = if is_compressed { SDK_GZIP.as_slice() } else { SDK.as_bytes() };
    let response = asset("text/javascript; charset=utf-8", bytes, "public, max-age=3600");
    let response = response.with_unique_header("Vary", "Accept-Encoding");
    Ok(if is_compressed { response.with_unique_header("Content-Encoding", "gzip") } else { response })
}

/// Whether `Accept-Encoding` names gzip with a weight other than 0.
fn accepts_gzip(request: &Request) -> bool {
    let accepted = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("Accept-Encoding"));
    accepted.flat_map(|(_, value)| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight: f32| weight > 0.0)
    })
}

fn asset(media_type: &'static str, bytes: impl Into<Vec<u8>>, cache: &'static str) -> Response {
    Response::from_data(media_type, bytes)
        .with_unique_header("Cache-Control", cache)
        .with_unique_header("X-Content-Type-Options", "nosniff")
}

/// Says how much is stored, to those who may read it.
pub fn health(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let usage = || state.store.read(|reader| reader.usage());
    health_of(state, if call.sender.is_reader { usage().ok() } else { None })
}

pub fn health_of(state: &State, usage: Option<Usage>) -> Result<Response, Error> {
    match (state.store.is_healthy(), usage) {
        (true, Some(Usage { events, bytes })) => Ok(json(&json!({ "status": "ok", "events": events, "bytes": bytes }))),
        (true, None) => Ok(json(&json!({ "status": "ok" }))),
        (false, _) => Err(Error::Unavailable("Events cannot be stored")),
    }
}
