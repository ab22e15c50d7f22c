//! `POST /api/events`: one event in, its id out once it is durable.
use super::error::Error;
use super::response::json;
use super::state::State;
use crate::event::Event;
use crate::http::Body;
use crate::store::{Added, NewEvent};
use rouille::Response;
use serde_json::json;

pub fn add(state: &State, project: String, body: Body) -> Result<Response, Error> {
    let new = body.parse(|bytes| Event::parse(bytes).map(|event| NewEvent::new(event, project)))?;
    let new = new.map_err(|rejection| Error::Bad(rejection.to_string()))?;
    let id = new.id;
    let status = match state.store.add(new)? {
        Added::New => 201,
        Added::Duplicate => 200,
    };
    Ok(json(&json!({ "id": id.to_string() })).with_status_code(status))
}

/// What a browser asks before it lets a page of another origin send an event.
pub fn preflight() -> Response {
    Response::empty_204()
        .with_unique_header("Access-Control-Allow-Methods", "POST")
        .with_unique_header("Access-Control-Allow-Headers", "Content-Type, X-OBS-Key")
        .with_unique_header("Access-Control-Max-Age", "86400")
}
