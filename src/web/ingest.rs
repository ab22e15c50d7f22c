//! `POST /api/events`: stores one event and answers with its id once it is durable.
use super::{call::Call, error::Error, response::json, state::State};
use crate::event::{Event, MAX_EVENT};
use crate::http::{Body, Coding, is_token};
use crate::store::{Added, NewEvent};
use crate::time::Time;
use rouille::Response;
use serde_json::json;

pub fn add_event(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    decode(call, &mut body)?;
    let project = call.sender.project.clone();
    let happened_at = call.request.header("X-OBS-Age").and_then(ago);
    let new = |event| NewEvent { happened_at, ..NewEvent::new(event, project) };
    let new = body.parse(|bytes| Event::parse(bytes).map(new))?;
    let new = new.map_err(|rejection| Error::Bad(rejection.to_string()))?;
    let reservation = state.rate.reserve(&call.sender.key).map_err(Error::TooMany)?;
    let (status, id) = match state.store.add(new)? {
        Added::New(id) => {
            reservation.stored();
            (201, id)
        }
        Added::Duplicate(id) => (200, id),
    };
    Ok(json(&json!({ "id": id.to_string() })).with_status_code(status))
}

/// Decodes a complete body. Some clients and proxies declare a coding and send plain JSON.
pub fn decode(call: &Call, body: &mut Body) -> Result<(), Error> {
    let Some(coding) = Coding::from_request(call.request).map_err(Error::Coding)? else { return Ok(()) };
    let decoded = body.decode(coding, MAX_EVENT);
    if looks_like_json(&body.bytes) { Ok(()) } else { Ok(decoded?) }
}

/// Returns true if a body begins as an object does, after blanks and a byte order mark.
pub fn looks_like_json(body: &[u8]) -> bool {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start().starts_with(b"{")
}

/// The time that was `age` seconds ago, if that is a plain decimal number.
fn ago(age: &str) -> Option<Time> {
    let age = age.trim();
    let seconds: f64 = age.bytes().all(|b| b.is_ascii_digit() || b == b'.').then(|| age.parse().ok())??;
    Time::from_millis(Time::now().millis() - (seconds * 1000.0) as i64)
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
