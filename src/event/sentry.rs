//! Sentry's form of an event, read as an [`Event`]. A field of the wrong type costs that field, never the event.
//! (<https://develop.sentry.dev/sdk/foundations/transport/event-payloads/>)
use super::fields::{Fields, Read};
use super::frame::MAX_FRAMES;
use super::rejection::Rejection;
use super::{
    Event, MAX_CAUSES, MAX_FINGERPRINT, MAX_MESSAGE, MAX_TEXT, check_depth, join, json, lenient, parse_id, timestamp,
};
use crate::domain::Level;
use crate::text::{cut, short, trim};
use crate::time::Time;
use serde_json::value::RawValue;
use uuid::Uuid;

/// Fields with their names today, and as SDKs until 2020 have them, such as Java's 1.7.
const EXCEPTION: [&str; 2] = ["exception", "sentry.interfaces.Exception"];
const STACKTRACE: [&str; 2] = ["stacktrace", "sentry.interfaces.Stacktrace"];
const USER: [&str; 2] = ["user", "sentry.interfaces.User"];
const REQUEST: [&str; 2] = ["request", "sentry.interfaces.Http"];
const MESSAGE: [&str; 3] = ["logentry", "sentry.interfaces.Message", "message"];

/// Starts of functions that belong to the runtime or to the SDK, although Sentry's Rust SDK marks some as the
/// application's own. `at /rustc/…` is what it makes of a backtrace that it cannot read.
const RUST_RUNTIME: [&str; 7] = ["std::", "core::", "alloc::", "sentry", "rust_begin_unwind", "__rust", "at /rustc/"];
/// Directories of the sources of Rust itself, where `<usize as core::slice::index::SliceIndex<[T]>>::index` is, and of
/// those that Cargo has downloaded.
const RUST_SOURCES: [&str; 4] = ["/rustc/", "/rustlib/src/", "/registry/src/", "/git/checkouts/"];

/// Maximum number of threads among which the one that crashed is looked for.
const MAX_THREADS: usize = 1000;

/// What the first line of an envelope says about its events.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeHeader {
    pub event_id: Option<Uuid>,
    /// When the client sent the envelope, by its own clock.
    pub sent_at: Option<Time>,
}

impl EnvelopeHeader {
    /// Returns `None` if the line is not an object. Errors in its fields do not matter.
    pub fn parse(line: &[u8]) -> Option<EnvelopeHeader> {
        let read = |text: &str| {
            let mut fields = Fields::read(text)?;
            let sent_at = fields.optional("sent_at", timestamp);
            Ok(EnvelopeHeader { event_id: fields.optional("event_id", id), sent_at })
        };
        lenient(line, read).ok()
    }
}

/// An event, and how many milliseconds before it was sent it happened, by the client's own clock.
#[derive(Debug)]
pub struct Sent {
    pub event: Event,
    pub age: Option<i64>,
}

pub fn parse(body: &[u8], envelope: EnvelopeHeader) -> Result<Sent, Rejection> {
    let mut event = lenient(body, |text| {
        check_depth(text, text, json::MAX_DEPTH)?;
        Ok(event(Fields::read(text)?))
    })?;
    event.id = event.id.or(envelope.event_id);
    let age = envelope.sent_at.zip(event.timestamp).map(|(sent, happened)| sent.millis() - happened.millis());
    Ok(Sent { event, age })
}

fn event(mut fields: Fields) -> Event {
    let platform = fields.peek("platform").and_then(json::string);
    let sdk = fields.peek("sdk").and_then(|sdk| json::field(sdk, "name")).unwrap_or_default();
    let style = Style { java: platform.as_deref() == Some("java"), rust: sdk.contains("rust") };
    let is_go_panic = platform.as_deref() == Some("go") && fields.peek("level") == Some(r#""fatal""#);

    let mut causes = either(&mut fields, EXCEPTION, exceptions).unwrap_or_default();
    let error = causes.pop().unwrap_or_default();
    let mut message = error.value.clone();
    if error.kind.is_none() {
        let said = MESSAGE.into_iter().find_map(|name| Some((name, said(fields.peek(name)?)?)));
        if let Some((name, said)) = said {
            message = said;
            fields.optional(name, |raw| json::field(raw, "params").is_none().then_some(()));
        }
    }
    if trim(&message).is_empty() && error.kind.is_none() {
        message = "(no message)".into();
    }
    let stacktrace = error.stacktrace.and_then(|stacktrace| frames(stacktrace, style));
    let stacktrace = stacktrace.or_else(|| own_frames(&mut fields, style));
    let stacktrace = stacktrace.or_else(|| frames(thread(&fields)?, style));
    let mechanisms = causes.iter().chain([&error]).filter_map(|error| error.mechanism);
    let unhandled = is_go_panic || mechanisms.into_iter().any(super::is_unhandled);
    let causes: Vec<String> = causes.iter().rev().map(|cause| cause.to_json(style)).collect();
    let mut event = Event {
        id: fields.optional("event_id", id),
        level: level(&mut fields),
        r#type: error.kind.as_deref().and_then(|kind| short(kind, MAX_TEXT)),
        message: cut(&message, MAX_MESSAGE).into_owned(),
        stacktrace,
        causes: (!causes.is_empty()).then(|| format!("[{}]", causes.join(","))),
        fingerprint: fields.optional("fingerprint", fingerprint).flatten(),
        unhandled,
        user: either(&mut fields, USER, super::object),
        request: either(&mut fields, REQUEST, super::object),
        ..Event::of_common_fields(fields)
    };
    let mechanism = error.mechanism.map(|mechanism| format!(r#"{{"mechanism":{mechanism}}}"#));
    event.more = join(mechanism.as_deref(), event.more);
    event
}

/// The field with the first of the names that has the right type.
fn either<'a, T>(fields: &mut Fields<'a>, names: [&'static str; 2], read: Read<'a, T>) -> Option<T> {
    names.into_iter().find_map(|name| fields.optional(name, read))
}

/// An error or one of its causes.
#[derive(Default)]
struct Exception<'a> {
    kind: Option<String>,
    value: String,
    stacktrace: Option<&'a str>,
    mechanism: Option<&'a str>,
}

impl Exception<'_> {
    fn to_json(&self, style: Style) -> String {
        let kind = self.kind.as_deref().map_or("null".into(), json::quote);
        let frames = self.stacktrace.and_then(|stacktrace| frames(stacktrace, style)).unwrap_or_else(|| "null".into());
        format!(r#"{{"type":{kind},"message":{},"stacktrace":{frames}}}"#, json::quote(&self.value))
    }
}

/// The exceptions of an event, from the root cause to the error itself. A single one may come without a list.
fn exceptions(raw: &str) -> Option<Vec<Exception<'_>>> {
    let Some(list) = super::values(raw) else { return exception(raw).map(|exception| vec![exception]) };
    let list = json::last(list, MAX_CAUSES + 1)?;
    let exceptions: Vec<_> = list.iter().filter_map(|raw| exception(raw.get())).collect();
    (list.is_empty() || !exceptions.is_empty()).then_some(exceptions)
}

/// An object that has at least a type, a value or a stack trace.
fn exception(raw: &str) -> Option<Exception<'_>> {
    let field = |name| json::field(raw, name).filter(|value| *value != "null");
    let (kind, value, stacktrace) = (field("type"), field("value"), field("stacktrace"));
    kind.or(value).or(stacktrace)?;
    Some(Exception {
        kind: kind.and_then(json::string).filter(|kind| !trim(kind).is_empty()),
        value: value.map(text_of).unwrap_or_default(),
        stacktrace,
        mechanism: field("mechanism"),
    })
}

/// A message, as text or as `{"formatted": …, "message": …, "params": …}`.
fn said(raw: &str) -> Option<String> {
    let text = |raw: &str| json::string(raw).filter(|text| !trim(text).is_empty());
    text(raw)
        .or_else(|| json::field(raw, "formatted").and_then(text))
        .or_else(|| json::field(raw, "message").and_then(text))
}

/// The frames of the stack trace that an event without an exception may have.
fn own_frames(fields: &mut Fields, style: Style) -> Option<String> {
    STACKTRACE.into_iter().find_map(|name| {
        let frames = frames(fields.peek(name)?, style)?;
        fields.optional(name, Some);
        Some(frames)
    })
}

/// The stack trace of the thread that crashed, otherwise of the current one.
fn thread<'a>(fields: &Fields<'a>) -> Option<&'a str> {
    let threads = json::first(super::values(fields.peek("threads")?)?, MAX_THREADS)?;
    let is = |thread: &&&'a RawValue, what| json::field(thread.get(), what) == Some("true");
    let crashed = threads.iter().find(|thread| is(thread, "crashed"));
    let thread = crashed.or_else(|| threads.iter().find(|thread| is(thread, "current")))?;
    json::field(thread.get(), "stacktrace")
}

/// How the frames of some SDKs differ.
#[derive(Clone, Copy)]
struct Style {
    java: bool,
    rust: bool,
}

/// The frames with the most recent call first, as obs has them. Sentry has the oldest first.
fn frames(stacktrace: &str, style: Style) -> Option<String> {
    let list = json::field(stacktrace, "frames").unwrap_or(stacktrace);
    let frames = json::last(list, MAX_FRAMES)?.into_iter().rev().map(RawValue::get).filter(|raw| *raw != "null");
    let frames: Vec<String> = frames.map(|raw| frame(raw, style)).collect();
    (!frames.is_empty()).then(|| format!("[{}]", frames.join(",")))
}

/// A frame as it was sent, with the fields that obs reads in front if they differ.
fn frame(raw: &str, style: Style) -> String {
    let Ok(mut fields) = Fields::read(raw) else { return raw.to_string() };
    let text = |name| fields.peek(name).and_then(json::string).filter(|text: &String| !text.is_empty());
    let (path, module, function) = (text("abs_path"), text("module"), text("function").unwrap_or_default());
    let mut changed = Vec::new();
    if text("filename").is_none() {
        changed.extend(path.as_ref().or(module.as_ref()).map(|path| ("filename", json::quote(path))));
    }
    if let (true, Some(module), false) = (style.java, &module, function.is_empty()) {
        changed.push(("function", json::quote(&format!("{module}.{function}"))));
    }
    let is_runtime = RUST_RUNTIME.iter().any(|start| function.trim_start_matches('<').starts_with(start))
        || path.is_some_and(|path| RUST_SOURCES.iter().any(|directory| path.contains(directory)));
    if style.rust && is_runtime {
        changed.push(("in_app", "false".into()));
    }
    if changed.is_empty() {
        return raw.to_string();
    }
    for (name, _) in &changed {
        fields.optional(name, Some);
    }
    let changed: Vec<String> = changed.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    join(Some(&format!("{{{}}}", changed.join(","))), fields.more()).unwrap_or_default()
}

/// One of obs's levels, or the nearest: `fatal`, `debug`, or a number as raven has them. Such a level stays in `more`.
fn level(fields: &mut Fields) -> Level {
    let raw = fields.peek("level").unwrap_or_default();
    let word = json::string(raw).unwrap_or_default();
    let level = match raw.parse::<f64>() {
        Ok(number) if number < 30.0 => Level::Info,
        Ok(number) if number < 40.0 => Level::Warning,
        _ => Level::parse(&word).unwrap_or(Level::Error),
    };
    if level.as_str() == word || raw == "null" {
        fields.optional("level", Some);
    }
    level
}

/// A fingerprint of scalars, as strings. `Some(None)` for an empty list, which means none.
fn fingerprint(raw: &str) -> Option<Option<String>> {
    let entries = json::first(raw, MAX_FINGERPRINT + 1)?;
    let entries = entries.iter().map(|entry| entry.get()).filter(|entry| *entry != "null");
    let is_list = |entry: &str| entry.starts_with(['[', '{']);
    let entry = |entry| (!is_list(entry)).then(|| json::quote(&text_of(entry)));
    let entries: Vec<String> = entries.map(entry).collect::<Option<_>>()?;
    let list = (!entries.is_empty()).then(|| format!("[{}]", entries.join(",")));
    (entries.len() <= MAX_FINGERPRINT).then_some(list)
}

fn id(raw: &str) -> Option<Uuid> {
    parse_id(&json::string(raw)?).filter(|id| !id.is_nil())
}

/// Text, or any other value as JSON.
fn text_of(raw: &str) -> String {
    json::string(raw).unwrap_or_else(|| raw.to_string())
}
