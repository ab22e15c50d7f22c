//! `POST /api/events`: stores one event and answers with its id once it is durable.
use super::{call::Call, error::Error, response::json, state::State};
use crate::event::Event;
use crate::http::Body;
use crate::store::{Added, NewEvent};
use crate::time::Time;
use rouille::Response;
use serde_json::json;

pub fn add_event(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let project = call.sender.project.clone();
    let happened_at = call.request.header("X-OBS-Age").and_then(ago);
    let new = |event| NewEvent { happened_at, ..NewEvent::new(event, project) };
    let new = body.parse(|bytes| Event::parse(bytes).map(new))?;
    let new = new.map_err(|rejection| Error::Bad(rejection.to_string()))?;
    let (status, id) = match state.store.add(new)? {
        Added::New(id) => (201, id),
        Added::Duplicate(id) => (200, id),
    };
    Ok(json(&json!({ "id": id.to_string() })).with_status_code(status))
}

/// The time that was `age` seconds ago, if that is a plain decimal number.
fn ago(age: &str) -> Option<Time> {
    let age = age.trim();
    let seconds: f64 = age.bytes().all(|b| b.is_ascii_digit() || b == b'.').then(|| age.parse().ok())??;
    Time::from_millis(Time::now().millis() - (seconds * 1000.0) as i64)
}

/// Answers a browser that asks whether a page of another origin may send an event.
pub fn preflight(_: &State, _: &Call, _: Body) -> Result<Response, Error> {
    Ok(Response::empty_204()
        .with_unique_header("Access-Control-Allow-Methods", "POST")
        .with_unique_header("Access-Control-Allow-Headers", "Content-Type, X-OBS-Key")
        .with_unique_header("Access-Control-Max-Age", "86400"))
}
