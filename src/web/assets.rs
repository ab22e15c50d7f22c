//! What anyone may fetch: the style sheet, the JavaScript SDK, and whether obs is well.
use super::error::Error;
use super::response::json;
use super::state::State;
use crate::views;
use rouille::{Request, Response};
use serde_json::json;

/// The JavaScript SDK as it stands in `sdk/js`: the server's version is the client's.
const SDK: &str = include_str!("../../sdk/js/obs.js");

/// Pages link it under a URL that changes when it does, which may then be kept; under any other it is asked for again.
pub fn style(request: &Request) -> Response {
    let cache = match request.raw_url() == views::style_url() {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    Response::from_data("text/css; charset=utf-8", views::STYLE)
        .with_unique_header("Cache-Control", cache)
        .with_unique_header("X-Content-Type-Options", "nosniff")
}

/// Pages that users open load it, under a URL that stays. An hour is what an upgrade of obs may take to reach them.
pub fn sdk() -> Response {
    Response::from_data("text/javascript; charset=utf-8", SDK)
        .with_unique_header("Cache-Control", "public, max-age=3600")
        .with_unique_header("X-Content-Type-Options", "nosniff")
}

pub fn health(state: &State) -> Result<Response, Error> {
    match state.store.is_healthy() {
        true => Ok(json(&json!({ "status": "ok" }))),
        false => Err(Error::Unavailable("Events cannot be stored")),
    }
}
