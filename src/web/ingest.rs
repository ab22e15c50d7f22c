//! `POST /api/events`: stores one event and answers with its id once it is durable.
use super::{call::Call, error::Error, response::json, state::State};
use crate::event::Event;
use crate::http::{Body, is_token};
use crate::store::{Added, NewEvent};
use rouille::Response;
use serde_json::json;

pub fn add_event(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
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
