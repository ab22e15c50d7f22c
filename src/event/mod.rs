//! What was sent or exported, as an [`Event`]: the rule and limit of each field. Pure: the caller supplies ids and clocks.
pub mod csp;
mod fields;
pub mod frame;
pub mod json;
pub mod library;
mod rejection;
pub mod sentry;
pub mod tags;

use crate::domain::Level;
use crate::text;
use crate::time::Time;
use fields::Fields;
use frame::MAX_FRAMES;
pub use rejection::Rejection;
use tags::Tag;
use uuid::Uuid;

/// Maximum size in bytes of an event.
pub const MAX_EVENT: usize = 1 << 20;
/// Maximum number of characters of a message; the last one is `…` if the message was cut.
pub const MAX_MESSAGE: usize = 8192;
/// Maximum number of characters of a short text such as `environment`.
const MAX_TEXT: usize = 200;
/// Maximum number of causes, from the direct one on.
pub const MAX_CAUSES: usize = 20;
/// Maximum number of entries in a client's fingerprint.
pub const MAX_FINGERPRINT: usize = 8;
/// Maximum number of further events that one event can stand for.
const MAX_SUPPRESSED: i64 = 1_000_000;

/// An event as it was sent. `fingerprint`, `stacktrace`, `causes`, `extra` and `more` are JSON text, unchanged.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// `None`: the server generates one.
    pub id: Option<Uuid>,
    pub level: Level,
    pub r#type: Option<String>,
    pub message: String,
    pub stacktrace: Option<String>,
    pub causes: Option<String>,
    pub platform: Option<String>,
    /// `None`: the time of arrival.
    pub timestamp: Option<Time>,
    pub server_name: Option<String>,
    pub environment: Option<String>,
    pub release: Option<String>,
    pub fingerprint: Option<String>,
    pub suppressed: Option<i64>,
    pub tags: Vec<Tag>,
    pub user: Option<String>,
    pub request: Option<String>,
    pub breadcrumbs: Option<String>,
    pub contexts: Option<String>,
    pub extra: Option<String>,
    pub more: Option<String>,
    /// Nobody caught the error: `mechanism.handled` is false.
    pub unhandled: bool,
}

impl Event {
    pub fn parse(body: &[u8]) -> Result<Event, Rejection> {
        lenient(body, |text| {
            check_depth(text, text, json::MAX_DEPTH)?;
            Event::from_fields(Fields::read(text)?)
        })
    }

    fn from_fields(mut fields: Fields) -> Result<Event, Rejection> {
        let message = fields.strict("message", "a string", json::string)?.unwrap_or_default();
        let id = fields.strict("event_id", "a UUID", |raw| parse_id(&json::string(raw)?))?;
        let r#type = text_field(&mut fields, "type");
        if text::trim(&message).is_empty() && r#type.is_none() {
            return Err(Rejection::Empty);
        }
        let unhandled = fields.optional("unhandled", |raw| raw.parse().ok()); // as obs exports it
        let unhandled = unhandled.unwrap_or_else(|| fields.peek("mechanism").is_some_and(is_unhandled));
        let level = fields.optional("level", json::string);
        Ok(Event {
            id,
            level: level.and_then(|word| Level::parse(text::trim(&word))).unwrap_or_default(),
            r#type,
            message: text::cut(&message, MAX_MESSAGE).into_owned(),
            stacktrace: fields.optional("stacktrace", |raw| first(raw, MAX_FRAMES)),
            causes: fields.optional("causes", |raw| first(raw, MAX_CAUSES)),
            fingerprint: fields.optional("fingerprint", |raw| fingerprint(raw).map(|_| raw.to_string())),
            suppressed: fields.optional("suppressed", suppressed),
            unhandled,
            ..Event::of_common_fields(fields)
        })
    }

    /// The fields that obs and Sentry have in common, and all that have not been read as `more`.
    fn of_common_fields(mut fields: Fields) -> Event {
        Event {
            platform: text_field(&mut fields, "platform"),
            timestamp: fields.optional("timestamp", timestamp),
            server_name: text_field(&mut fields, "server_name"),
            environment: text_field(&mut fields, "environment"),
            release: text_field(&mut fields, "release"),
            tags: fields.optional("tags", tags::parse).unwrap_or_default(),
            user: fields.optional("user", object),
            request: fields.optional("request", object),
            breadcrumbs: fields.optional("breadcrumbs", |raw| values(raw).map(str::to_string)),
            contexts: fields.optional("contexts", object),
            extra: fields.optional("extra", |raw| Some(raw.to_string())),
            more: fields.more(),
            ..Event::default()
        }
    }
}

/// An event as `obs export` writes it: with its project and time of arrival, and with its other fields under `more`.
#[derive(Debug)]
pub struct Exported {
    pub event: Event,
    pub project: Option<String>,
    pub received_at: Option<Time>,
}

impl Exported {
    /// Accepts an event in the form in which clients send it, too.
    pub fn parse(line: &[u8]) -> Result<Exported, Rejection> {
        lenient(line, Exported::read)
    }

    fn read(text: &str) -> Result<Exported, Rejection> {
        let mut fields = Fields::read(text)?;
        let project = fields.strict("project", "a string", json::string)?;
        let received_at = fields.strict("received_at", "a time", timestamp)?;
        let more = fields.optional("more", other_fields).flatten();
        // The fields in `more` are nested one level deeper here than in the object that the client sent.
        check_depth(text, more.unwrap_or_default(), json::MAX_DEPTH)?;
        fields.values().try_for_each(|value| check_depth(text, value, json::MAX_DEPTH - 1))?;
        let mut event = Event::from_fields(fields)?;
        event.more = join(more, event.more);
        Ok(Exported { event, project, received_at })
    }
}

/// Reads JSON behind a byte order mark, if there is one, and with `null` for `NaN` and `Infinity`, which some languages
/// write.
fn lenient<T>(bytes: &[u8], read: impl Fn(&str) -> Result<T, Rejection>) -> Result<T, Rejection> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|e| Rejection::Json(format!("not UTF-8 at byte {}", e.valid_up_to() + 1)))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    match read(text) {
        Err(error @ Rejection::Json(_)) => json::without_nan(text).map_or(Err(error), |text| read(&text)),
        outcome => outcome,
    }
}

/// Refuses a part of a text that is nested more deeply than `limit`, and says where in the text.
fn check_depth(text: &str, part: &str, limit: usize) -> Result<(), Rejection> {
    let Some(at) = json::too_deep(part, limit) else { return Ok(()) };
    let byte = json::offset(text, part) + at + 1;
    Err(Rejection::Json(format!("nested more than {} deep at byte {byte}", json::MAX_DEPTH)))
}

/// A field of at most [`MAX_TEXT`] characters, without blanks around it, so that a filter finds it. Blank means absent.
fn text_field(fields: &mut Fields, field: &'static str) -> Option<String> {
    text::short(&fields.optional(field, json::string)?, MAX_TEXT)
}

/// A UUID of any version, with or without hyphens, in any case, but in none of the other forms that the crate reads.
pub fn parse_id(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// An impossible time is a wrong type, so that it is kept in `more`.
pub fn timestamp(raw: &str) -> Option<Time> {
    let text = json::string(raw).unwrap_or_else(|| raw.to_string());
    let text = text::trim(&text);
    Time::parse(text).or_else(|| Time::parse_unix(text))
}

/// An object as it was sent.
fn object(raw: &str) -> Option<String> {
    raw.starts_with('{').then(|| raw.to_string())
}

/// A list, or the list in an object's field `values`, which is how Sentry wraps lists.
fn values(raw: &str) -> Option<&str> {
    let is_list = |raw: &&str| raw.starts_with('[');
    let wrapped = || json::field(raw, "values");
    Some(raw).filter(is_list).or_else(|| wrapped().filter(is_list))
}

/// True for a mechanism that says `handled: false`.
fn is_unhandled(mechanism: &str) -> bool {
    json::field(mechanism, "handled") == Some("false")
}

/// An object; `Some(None)` if it is empty.
fn other_fields(raw: &str) -> Option<Option<&str>> {
    let mut is_empty = true;
    json::each_entry(raw, |_, _| is_empty = false).ok()?;
    Some((!is_empty).then_some(raw))
}

/// One object of the fields of two, neither of which is empty.
fn join(first: Option<&str>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{},{}", &first[..first.len() - 1], &second[1..])),
        (first, second) => first.map(str::to_string).or(second),
    }
}

/// The entries of a fingerprint, the client's own grouping, or `None` if it is not one.
pub fn fingerprint(raw: &str) -> Option<Vec<String>> {
    let entries = json::first(raw, MAX_FINGERPRINT + 1)?;
    let entries: Vec<_> = entries.iter().map(|entry| json::string(entry.get())).collect::<Option<_>>()?;
    (1..=MAX_FINGERPRINT).contains(&entries.len()).then_some(entries)
}

fn suppressed(raw: &str) -> Option<i64> {
    let count: f64 = raw.parse().ok()?; // `5.0` and `1e3` are whole numbers in JSON
    let whole = count.fract() == 0.0 && (0.0..=MAX_SUPPRESSED as f64).contains(&count);
    whole.then_some(count as i64)
}

/// An array as it was sent, or its first `max` elements.
fn first(raw: &str, max: usize) -> Option<String> {
    let elements = json::first(raw, max + 1)?;
    if elements.len() <= max {
        return Some(raw.to_string());
    }
    let kept: Vec<_> = elements[..max].iter().map(|element| element.get()).collect();
    Some(format!("[{}]", kept.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Event {
        Event::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn the_last_of_several_fields_with_one_name_counts_however_it_is_spelled() {
        let event = parse(r#"{"message":"a","x":1,"m\u0065ssage":"b","y":2,"x":3}"#);
        assert_eq!(event.message, "b");
        assert_eq!(event.more.as_deref(), Some(r#"{"x":3,"y":2}"#));
    }

    #[test]
    fn an_optional_field_of_the_wrong_type_is_kept_in_more_in_its_place() {
        let event =
            parse(r#"{"message":"a","b":0,"level":5,"fingerprint":[],"timestamp":"soon","release":null,"extra":null}"#);
        assert_eq!(event.level, Level::Error);
        assert_eq!(event.more.as_deref(), Some(r#"{"b":0,"level":5,"fingerprint":[],"timestamp":"soon"}"#));
    }

    #[test]
    fn every_rejection_says_what_is_wrong() {
        let rejection = |body: &[u8]| Event::parse(body).unwrap_err().to_string();
        assert_eq!(rejection(b"[1,2]"), "Invalid event: expected a JSON object");
        assert_eq!(rejection(b"[1,"), "Invalid JSON: EOF while parsing a value at line 1 column 3");
        assert_eq!(rejection(b"{\"message\":\"\xff\"}"), "Invalid JSON: not UTF-8 at byte 13");
        assert_eq!(rejection(b"{\"type\":5}"), "Missing required field: message");
        assert_eq!(rejection(b"{\"message\":5}"), "Invalid field message: expected a string");
        assert_eq!(rejection(br#"{"message":"a","event_id":"{a}"}"#), "Invalid field event_id: expected a UUID");
        let deep = format!(r#"{{"extra":{}{}}}"#, "[".repeat(127), "]".repeat(127));
        assert_eq!(rejection(deep.as_bytes()), "Invalid JSON: nested more than 127 deep at byte 136");
    }

    #[test]
    fn long_texts_and_lists_are_cut_at_their_limits() {
        let long = "é".repeat(MAX_MESSAGE + 1);
        let message = parse(&format!(r#"{{"message":"{long}"}}"#)).message;
        assert_eq!(message, "é".repeat(MAX_MESSAGE - 1) + "…");
        let whole = "é".repeat(MAX_MESSAGE);
        assert_eq!(parse(&format!(r#"{{"message":"{whole}"}}"#)).message, whole);
        let event = parse(&format!(r#"{{"message":"a","causes":[{}1],"release":"{long}"}}"#, "0,".repeat(MAX_CAUSES)));
        assert_eq!(event.causes.unwrap(), format!("[{}0]", "0,".repeat(MAX_CAUSES - 1)));
        assert_eq!(event.release.unwrap().chars().count(), MAX_TEXT);
    }
}
