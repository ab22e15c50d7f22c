//! Sentry's form of an event and of a browser's CSP report, read as an [`Event`]. A field of the wrong type costs that
//! field, never the event. (<https://develop.sentry.dev/sdk/foundations/transport/event-payloads/>)
use super::fields::Fields;
use super::frame::MAX_FRAMES;
use super::rejection::Rejection;
use super::{Event, MAX_CAUSES, MAX_MESSAGE, MAX_TEXT, check_depth, join, json, lenient, parse_id, timestamp};
use crate::domain::Level;
use crate::text::{cut, short, trim};
use crate::time::Time;
use serde_json::value::RawValue;
use uuid::Uuid;

/// Starts of functions that belong to the runtime or to the SDK, although Sentry's Rust SDK marks some as the
/// application's own. `at /rustc/…` is what it makes of a backtrace that it cannot read.
const RUST_RUNTIME: [&str; 7] = ["std::", "core::", "alloc::", "sentry", "rust_begin_unwind", "__rust", "at /rustc/"];
/// Directories of Rust's own sources: `<usize as core::slice::index::SliceIndex<[T]>>::index` is in one of them.
const RUST_SOURCES: [&str; 2] = ["/rustc/", "/rustlib/src/"];

/// Maximum number of threads among which the one that crashed is looked for, and of CSP reports in one request: as many as
/// a browser holds back.
const MAX_THREADS: usize = 1000;
const MAX_REPORTS: usize = 100;

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

    let mut causes = fields.optional("exception", exceptions).unwrap_or_default();
    let error = causes.pop().unwrap_or_default();
    let mut message = error.value.clone();
    if error.kind.is_none() {
        let said = ["logentry", "message"].into_iter().find_map(|name| Some((name, said(fields.peek(name)?)?)));
        if let Some((name, said)) = said {
            message = said;
            fields.optional(name, |raw| json::field(raw, "params").is_none().then_some(()));
        }
    }
    if trim(&message).is_empty() && error.kind.is_none() {
        message = "(no message)".into();
    }
    let stacktrace = error.stacktrace.or_else(|| fields.optional("stacktrace", Some)).or_else(|| thread(&fields));
    let mechanisms = causes.iter().chain([&error]).filter_map(|error| error.mechanism);
    let unhandled = is_go_panic || mechanisms.into_iter().any(super::is_unhandled);
    let causes: Vec<String> = causes.iter().rev().map(|cause| cause.to_json(style)).collect();
    let mut event = Event {
        id: fields.optional("event_id", id),
        level: level(&mut fields),
        r#type: error.kind.as_deref().and_then(|kind| short(kind, MAX_TEXT)),
        message: cut(&message, MAX_MESSAGE).into_owned(),
        stacktrace: stacktrace.and_then(|stacktrace| frames(stacktrace, style)),
        causes: (!causes.is_empty()).then(|| format!("[{}]", causes.join(","))),
        fingerprint: fields.optional("fingerprint", fingerprint).flatten(),
        unhandled,
        ..Event::of_common_fields(fields)
    };
    let mechanism = error.mechanism.map(|mechanism| format!(r#"{{"mechanism":{mechanism}}}"#));
    event.more = join(mechanism.as_deref(), event.more);
    event
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

/// The exceptions of an event, from the root cause to the error itself.
fn exceptions(raw: &str) -> Option<Vec<Exception<'_>>> {
    let list = json::last(super::values(raw)?, MAX_CAUSES + 1)?;
    let exceptions = list.iter().filter(|exception| exception.get().starts_with('{')).map(|exception| {
        let field = |name| json::field(exception.get(), name).filter(|value| *value != "null");
        Exception {
            kind: field("type").and_then(json::string).filter(|kind| !trim(kind).is_empty()),
            value: field("value").map(text_of).unwrap_or_default(),
            stacktrace: field("stacktrace"),
            mechanism: field("mechanism"),
        }
    });
    Some(exceptions.collect())
}

/// A message, as text or as `{"formatted": …, "message": …, "params": …}`.
fn said(raw: &str) -> Option<String> {
    let text = |raw: &str| json::string(raw).filter(|text| !trim(text).is_empty());
    text(raw)
        .or_else(|| json::field(raw, "formatted").and_then(text))
        .or_else(|| json::field(raw, "message").and_then(text))
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
    let frames = json::last(list, MAX_FRAMES).filter(|frames| !frames.is_empty())?;
    let frames: Vec<String> = frames.iter().rev().map(|raw| frame(raw.get(), style)).collect();
    Some(format!("[{}]", frames.join(",")))
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
    if let (true, Some(module)) = (style.java, &module) {
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

/// A fingerprint, or `Some(None)` for an empty list, which means none.
fn fingerprint(raw: &str) -> Option<Option<String>> {
    match json::first(raw, 1)?.is_empty() {
        true => Some(None),
        false => super::fingerprint(raw).map(|_| Some(raw.to_string())),
    }
}

fn id(raw: &str) -> Option<Uuid> {
    parse_id(&json::string(raw)?).filter(|id| !id.is_nil())
}

/// Text, or any other value as JSON.
fn text_of(raw: &str) -> String {
    json::string(raw).unwrap_or_else(|| raw.to_string())
}

/// Reads the CSP violations that a browser reports: one, or a list of reports of any kind.
pub fn csp_reports(body: &[u8]) -> Result<Vec<Event>, Rejection> {
    lenient(body, |text| {
        check_depth(text, text, json::MAX_DEPTH)?;
        let is_csp = |report: &&&RawValue| json::field(report.get(), "type") == Some(r#""csp-violation""#);
        let reports = match json::first(text, MAX_REPORTS) {
            Some(list) => list.iter().filter(is_csp).filter_map(|report| json::field(report.get(), "body")).collect(),
            None => Fields::read(text)?.peek("csp-report").into_iter().collect::<Vec<_>>(),
        };
        Ok(reports.into_iter().map(csp_report).collect())
    })
}

/// A violation as an event. Directive and blocked host are its fingerprint.
fn csp_report(report: &str) -> Event {
    let text = |names: [&str; 2]| {
        let text = names.iter().find_map(|name| json::field(report, name).and_then(json::string));
        text.unwrap_or_default()
    };
    let directive = Some(text(["effective-directive", "effectiveDirective"])).filter(|name| !name.is_empty());
    let directive = directive.unwrap_or_else(|| text(["violated-directive", "violatedDirective"]));
    let directive = directive.split_whitespace().next().unwrap_or_default();
    let blocked = text(["blocked-uri", "blockedURL"]);
    let blocked = match blocked.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => blocked.split(':').next().unwrap_or_default(), // `inline`, `eval`, `data:…`
    };
    let page = json::quote(&text(["document-uri", "documentURL"]));
    Event {
        level: Level::Warning,
        r#type: Some("CSP".into()),
        message: cut(&format!("blocked '{directive}' from {blocked}"), MAX_MESSAGE).into_owned(),
        fingerprint: Some(format!("[{},{}]", json::quote(directive), json::quote(blocked))),
        request: Some(format!(r#"{{"url":{page}}}"#)),
        extra: Some(report.to_string()),
        ..Event::default()
    }
}
