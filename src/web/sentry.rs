//! Sentry's routes: envelopes, single events and CSP reports from any Sentry SDK. No Sentry SDK sends an event twice, so
//! obs tries for longer before it gives up.
use super::envelope::{Envelope, Part};
use super::ingest::{decode, looks_like_json};
use super::{call::Call, error::Error, response::json, state::State};
use crate::event::sentry::{self, EnvelopeHeader, Sent};
use crate::event::{MAX_EVENT, Rejection, csp};
use crate::http::{Body, Budget, Coding, Refusal, Stream};
use crate::store::{Added, NewEvent};
use crate::time::Time;
use rouille::Response;
use serde_json::json;
use std::mem::take;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Maximum size in bytes of an envelope, decoded.
const MAX_DECODED: usize = 100 << 20;
/// Maximum number of events in an envelope, which bounds how long it takes. SDKs send one.
const MAX_EVENTS: usize = 1000;
/// How long obs waits until it can store an event, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// `POST /api/PROJECT/envelope/`: stores the events of an envelope and skips everything else in it.
pub fn envelope(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    let mut coding = Coding::from_request(call.request).map_err(Error::Coding)?;
    let budget = body.budget;
    if let Some(declared) = coding.filter(|_| body.is_complete) {
        match body.decode(declared, MAX_EVENT) {
            Ok(()) => coding = None,
            Err(Refusal::BodyTooLarge(_)) => {} // as a stream, it needs less memory
            Err(_) if looks_like_json(&body.bytes) => coding = None,
            Err(refusal) => return Err(refusal.into()),
        }
    }
    let mut stream = body.stream(coding, MAX_EVENT, MAX_DECODED)?;
    let stored = events(state, call, budget, &mut stream);
    match stream.refusal {
        Some(refusal) => Err(refusal.into()),
        None => stored.map(answer),
    }
}

/// Stores the events of an envelope, and returns the id of the first. One that is refused does not cost the others.
fn events(state: &State, call: &Call, budget: &Budget, stream: &mut Stream) -> Result<Option<Uuid>, Error> {
    let not_one = || Error::Bad("Invalid envelope: expected a line of JSON".into());
    let mut envelope = Envelope::open(stream, MAX_EVENT).map_err(|_| not_one())?.ok_or_else(not_one)?;
    let (mut stored, mut refused) = (None, None);
    for _ in 0..MAX_EVENTS {
        // A stream that breaks off ends the envelope. The events before it are stored.
        let Ok(Some(item)) = envelope.next_event(|stream, is_kept| stream.is_kept = is_kept) else { break };
        let event_id = envelope.header.event_id.take(); // no two events have the same
        let header = EnvelopeHeader { event_id, ..envelope.header };
        let event = match item {
            Part::Whole(bytes) => store(state, call, budget, bytes, header),
            Part::TooLong => Err(Refusal::BodyTooLarge(MAX_EVENT).into()),
        };
        match event {
            Ok(id) => stored = stored.or(Some(id)),
            Err(error @ (Error::Bad(_) | Error::Refused(Refusal::BodyTooLarge(_)))) => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    match refused.filter(|_| stored.is_none()) {
        Some(error) => Err(error),
        None => Ok(stored),
    }
}

/// `POST /api/PROJECT/store/`: the body is one event.
pub fn event(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    let bytes = decoded(call, &mut body)?;
    let id = store(state, call, body.budget, bytes, EnvelopeHeader::default())?;
    Ok(answer(Some(id)))
}

/// `POST /api/PROJECT/security/`: the CSP violations that a browser reports.
pub fn csp_reports(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    let bytes = decoded(call, &mut body)?;
    let project = &call.sender.project;
    let new = |events: Vec<_>| events.into_iter().map(|event| NewEvent::new(event, project.clone())).collect();
    let reports: Vec<_> = body.budget.parse(&bytes, |bytes| csp::reports(bytes).map(new))?.map_err(invalid)?;
    let stored = reports.into_iter().map(|report| keep(state, call, report)).collect::<Result<Vec<_>, _>>()?;
    Ok(answer(stored.first().copied()))
}

/// A complete body without its coding. Sentry's old SDK for Node sends base64 of zlib, and no header that says so.
fn decoded(call: &Call, body: &mut Body) -> Result<Vec<u8>, Error> {
    if Coding::from_request(call.request) == Ok(None) && body.bytes.starts_with(b"eJ") {
        body.bytes = base64(take(&mut body.bytes));
        body.decode(Coding::Deflate, MAX_EVENT)?;
    } else {
        decode(call, body)?;
    }
    Ok(take(&mut body.bytes))
}

fn store(state: &State, call: &Call, budget: &Budget, bytes: Vec<u8>, header: EnvelopeHeader) -> Result<Uuid, Error> {
    let new = |Sent { event, age }: Sent| {
        let happened_at = age.and_then(|age| Time::from_millis(Time::now().millis() - age.max(0)));
        NewEvent { happened_at, ..NewEvent::new(event, call.sender.project.clone()) }
    };
    let new = budget.parse(&bytes, |bytes| sentry::parse(bytes, header).map(new))?.map_err(invalid)?;
    drop(bytes);
    keep(state, call, new)
}

/// Stores an event. If obs cannot, waits for it to recover and tries once more.
fn keep(state: &State, call: &Call, new: NewEvent) -> Result<Uuid, Error> {
    let reservation = state.rate.reserve(&call.sender.key).map_err(Error::TooMany)?;
    let (new, start) = (Arc::new(new), Instant::now());
    let added = state.store.add(new.clone()).or_else(|error| {
        while !state.store.is_healthy() {
            if start.elapsed() >= PATIENCE {
                return Err(error);
            }
            thread::sleep(PAUSE);
        }
        state.store.add(new)
    });
    match added? {
        Added::New(id) => {
            reservation.stored();
            Ok(id)
        }
        Added::Duplicate(id) => Ok(id),
    }
}

fn invalid(rejection: Rejection) -> Error {
    Error::Bad(rejection.to_string())
}

fn answer(id: Option<Uuid>) -> Response {
    match id {
        Some(id) => json(&json!({ "id": id.simple().to_string() })),
        None => json(&json!({})),
    }
}

/// Decodes in place, up to the first byte that is not base64.
fn base64(mut text: Vec<u8>) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text.retain(|byte| !byte.is_ascii_whitespace());
    let (mut bits, mut count, mut length) = (0, 0, 0);
    for at in 0..text.len() {
        let Some(digit) = DIGITS.iter().position(|digit| *digit == text[at]) else { break };
        (bits, count) = (bits << 6 | digit, count + 6);
        if count >= 8 {
            count -= 8;
            text[length] = (bits >> count) as u8;
            length += 1;
        }
    }
    text.truncate(length);
    text
}
