//! `POST /api/events`: one event in, its id out once it is durable.
use super::json;
use crate::error::Error;
use crate::event::Event;
use crate::frame::Frame;
use crate::grouping::{self, Input};
use crate::server::Server;
use crate::store::{Added, NewEvent};
use rouille::Response;
use serde_json::json;
use uuid::Uuid;

pub fn add(server: &Server, project: String, body: Vec<u8>) -> Result<Response, Error> {
    let event = Event::parse(&body).map_err(|rejection| Error::Bad(rejection.to_string()))?;
    drop(body);
    let frames = event.stacktrace.as_deref().map(Frame::parse).unwrap_or_default();
    let grouping = grouping::group(&Input {
        message: &event.message,
        r#type: event.r#type.as_deref(),
        fingerprint: event.fingerprint.as_ref().map(|fingerprint| fingerprint.entries.as_slice()),
        frames: &frames,
    });
    let id = event.id.unwrap_or_else(Uuid::now_v7);
    let status = match server.store.add(NewEvent { id, project, event, grouping })? {
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
