//! `POST /api/events`: stores one event and answers with its id once it is durable.
use super::{call::Call, error::Error, response::json, state::State};
use crate::event::Event;
use crate::http::{Body, Coding, is_token};
use crate::store::{Added, NewEvent};
use rouille::Response;
use serde_json::json;

pub fn add_event(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    if let Some(coding) = Coding::from_request(call.request).map_err(Error::Coding)? {
        let decoded = body.decode(coding);
        // Some clients and proxies declare a coding and send plain JSON.
        if !looks_like_json(body.bytes()) {
            decoded?;
        }
    }
    let project = call.sender.project.clone();
    let new = body.parse(|bytes| Event::parse(bytes).map(|event| NewEvent::new(event, project)))?;
    let new = new.map_err(|rejection| Error::Bad(rejection.to_string()))?;
    let id = new.id;
    let reservation = state.rate.reserve(&call.sender.key).map_err(Error::TooMany)?;
    let status = match state.store.add(new)? {
        Added::New => {
            reservation.stored();
            201
        }
        Added::Duplicate => 200,
    };
    Ok(json(&json!({ "id": id.to_string() })).with_status_code(status))
}

/// Returns true if a body begins as an object does, after blanks and a byte order mark.
fn looks_like_json(body: &[u8]) -> bool {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start().starts_with(b"{")
}

/// Answers a browser that asks whether a page of another origin may send an event. Every header that it asks for is
/// allowed: tracers add their own to each request of a page.
pub fn preflight(_: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let is_clean = |names: &&str| names.bytes().all(|byte| is_token(byte) || b", ".contains(&byte));
    let names = call.request.header("Access-Control-Request-Headers").filter(is_clean).unwrap_or_default();
    let names = if names.is_empty() { "Content-Type, X-OBS-Key, X-OBS-Age, Content-Encoding" } else { names };
    Ok(Response::empty_204()
        .with_unique_header("Access-Control-Allow-Methods", "POST")
        .with_unique_header("Access-Control-Allow-Headers", names.to_string())
        .with_unique_header("Vary", "Access-Control-Request-Headers")
        .with_unique_header("Access-Control-Max-Age", "86400"))
}
