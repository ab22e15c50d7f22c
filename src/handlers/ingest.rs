//! `POST /api/events`: one event in, its id out once it is durable.
use crate::error::Error;
use crate::event::Event;
use crate::response::json;
use crate::state::State;
use crate::store::{Added, NewEvent};
use rouille::Response;
use serde_json::json;
use std::sync::PoisonError;

/// Bytes of a body from which on bodies are taken apart one at a time.
const LARGE: usize = 64 << 10;

pub fn add(state: &State, project: String, body: Vec<u8>) -> Result<Response, Error> {
    let turn = (body.len() > LARGE).then(|| state.large.lock().unwrap_or_else(PoisonError::into_inner));
    let event = Event::parse(&body).map_err(|rejection| Error::Bad(rejection.to_string()))?;
    drop(body);
    let new = NewEvent::of(event, project);
    drop(turn);
    let id = new.id;
    let status = match state.store.add(new)? {
        Added::New => 201,
        Added::Before => 200,
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
