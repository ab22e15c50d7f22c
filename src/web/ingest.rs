//! `POST /api/events`: stores one event and answers with its id once it is durable.
use super::{call::Call, error::Error, response::json, state::State};
use crate::event::Event;
use crate::http::Body;
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

/// Answers a browser that asks whether a page of another origin may send an event.
pub fn preflight(_: &State, _: &Call, _: Body) -> Result<Response, Error> {
    Ok(Response::empty_204()
        .with_unique_header("Access-Control-Allow-Methods", "POST")
        .with_unique_header("Access-Control-Allow-Headers", "Content-Type, X-OBS-Key")
        .with_unique_header("Access-Control-Max-Age", "86400"))
}
