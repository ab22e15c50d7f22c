//! Sentry's routes: envelopes, single events and CSP reports from any Sentry SDK. No Sentry SDK sends an event twice, so
//! obs tries for longer before it gives up.
use super::envelope::{Envelope, Item};
use super::{call::Call, error::Error, ingest::looks_like_json, response::json, state::State};
use crate::event::sentry::{self, EnvelopeHeader, Sent};
use crate::event::{MAX_EVENT, Rejection};
use crate::http::{Body, Coding, Parser, Refusal};
use crate::store::{Added, NewEvent};
use crate::time::Time;
use rouille::Response;
use serde_json::json;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Maximum size in bytes of an envelope, decoded.
const MAX_DECODED: u64 = 100 << 20;
/// How long obs tries to store an event, and the pause between two tries.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);

/// `POST /api/PROJECT/envelope/`: stores the events of an envelope and skips everything else in it.
pub fn envelope(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    let mut coding = Coding::from_request(call.request).map_err(Error::Coding)?;
    let parser = body.parser();
    if let Some(declared) = coding.filter(|_| body.is_complete()) {
        match body.decode(declared, MAX_EVENT) {
            Ok(()) => coding = None,
            Err(Refusal::BodyTooLarge(_)) => {} // as a stream, it needs less memory
            Err(_) if looks_like_json(body.bytes()) => coding = None,
            Err(refusal) => return Err(refusal.into()),
        }
    }
    let stream = body.stream(coding, MAX_EVENT)?.take(MAX_DECODED);
    let not_one = || Error::Bad("Invalid envelope: expected a line of JSON".into());
    let mut envelope = Envelope::open(stream, MAX_EVENT).map_err(|_| not_one())?.ok_or_else(not_one)?;
    let mut stored = None;
    let mut outcome = Ok(());
    // A stream that breaks off ends the envelope. The events before it are stored.
    while let Ok(Some(item)) = envelope.next_event() {
        let header = envelope.header;
        let event = match item {
            Item::Event(event) => store(state, call, parser, &event, |bytes| sentry::parse(bytes, header)),
            Item::TooLarge => Err(Refusal::BodyTooLarge(MAX_EVENT).into()),
        };
        match event {
            Ok(id) => stored = stored.or(Some(id)),
            Err(error @ (Error::TooMany(_) | Error::Unavailable(_))) => return Err(error),
            Err(error) => outcome = Err(error),
        }
    }
    match (stored, outcome) {
        (None, Err(error)) => Err(error),
        (id, _) => Ok(answer(id)),
    }
}

/// `POST /api/PROJECT/store/`: the body is one event.
pub fn event(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    let bytes = decoded(call, &mut body)?;
    let id = store(state, call, body.parser(), &bytes, |bytes| sentry::parse(bytes, EnvelopeHeader::default()))?;
    Ok(answer(Some(id)))
}

/// `POST /api/PROJECT/security/`: the CSP violations that a browser reports.
pub fn csp_reports(state: &State, call: &Call, mut body: Body) -> Result<Response, Error> {
    let bytes = decoded(call, &mut body)?;
    let parser = body.parser();
    let reports = parser.parse(&bytes, sentry::csp_reports)?.map_err(invalid)?;
    let mut stored = None;
    for report in reports {
        let id = keep(state, call, || NewEvent::new(report.clone(), call.sender.project.clone()))?;
        stored = stored.or(Some(id));
    }
    Ok(answer(stored))
}

/// A complete body without its coding. Sentry's old SDK for Node sends base64 of zlib, and no header that says so.
fn decoded(call: &Call, body: &mut Body) -> Result<Vec<u8>, Error> {
    let coding = Coding::from_request(call.request).map_err(Error::Coding)?;
    if body.bytes().starts_with(b"eJ") {
        body.replace(base64(body.bytes()).unwrap_or_default());
        body.decode(Coding::Deflate, MAX_EVENT)?;
    } else if let Some(coding) = coding {
        let decoded = body.decode(coding, MAX_EVENT);
        if !looks_like_json(body.bytes()) {
            decoded?;
        }
    }
    Ok(body.take())
}

fn store(
    state: &State,
    call: &Call,
    parser: Parser,
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<Sent, Rejection>,
) -> Result<Uuid, Error> {
    let parse = || parser.parse(bytes, &read)?.map_err(invalid);
    let Sent { event, age } = parse()?;
    let happened_at = age.and_then(|age| Time::from_millis(Time::now().millis() - age.max(0)));
    keep(state, call, || NewEvent { happened_at, ..NewEvent::new(event.clone(), call.sender.project.clone()) })
}

/// Stores an event, and tries again for a while if obs cannot.
fn keep(state: &State, call: &Call, new: impl Fn() -> NewEvent) -> Result<Uuid, Error> {
    let reservation = state.rate.reserve(&call.sender.key).map_err(Error::TooMany)?;
    let start = Instant::now();
    loop {
        match state.store.add(new()) {
            Ok(Added::New(id)) => {
                reservation.stored();
                return Ok(id);
            }
            Ok(Added::Duplicate(id)) => return Ok(id),
            Err(_) if start.elapsed() + PAUSE < PATIENCE => thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
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

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(digit), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
