//! What anyone may fetch: the style sheet, the icon, the JavaScript SDK, and the health check.
use super::{call::Call, error::Error, response::json, state::State};
use crate::http::Body;
use crate::store::Usage;
use crate::views;
use rouille::Response;
use serde_json::json;

/// The JavaScript SDK of the same version as this server.
const SDK: &str = include_str!("../../sdk/js/obs.js");

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
pub fn sdk(_: &State, _: &Call, _: Body) -> Result<Response, Error> {
    Ok(asset("text/javascript; charset=utf-8", SDK, "public, max-age=3600"))
}

fn asset(media_type: &'static str, text: &'static str, cache: &'static str) -> Response {
    Response::from_data(media_type, text)
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
