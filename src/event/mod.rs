//! What was sent or exported, as an event: the fields' rules and limits. Pure: ids and clocks are for others to give.
pub mod frame;
pub mod json;

use crate::domain::Level;
use crate::time::Time;
use frame::MAX_FRAMES;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use uuid::Uuid;

/// Characters of a message that are stored; the last one is `…` where it was cut.
pub const MAX_MESSAGE: usize = 8192;
/// Characters of a short text such as `environment` that are stored.
pub const MAX_TEXT: usize = 200;
/// Causes that are stored, from the direct one on.
pub const MAX_CAUSES: usize = 20;
/// Entries of a client's fingerprint.
pub const MAX_FINGERPRINT: usize = 8;
/// Further events that one may stand for.
pub const MAX_SUPPRESSED: i64 = 1_000_000;

/// An event as it was sent. `stacktrace`, `causes`, `extra` and `more` are JSON text, as it came.
#[derive(Debug)]
pub struct Event {
    /// `None`: the server makes one.
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
    pub fingerprint: Option<Fingerprint>,
    pub suppressed: Option<i64>,
    pub extra: Option<String>,
    pub more: Option<String>,
}

/// The client's own grouping.
#[derive(Debug)]
pub struct Fingerprint {
    pub entries: Vec<String>,
    pub json: String,
}

/// Why what was sent is no event, in words for the one who sent it.
#[derive(Debug, PartialEq)]
pub enum Rejection {
    /// Not JSON, not UTF-8 or nested too deep; says where.
    Json(String),
    /// JSON, but no object.
    Shape,
    /// Neither a message nor a type.
    Empty,
    /// A field that cannot be done without has the wrong type.
    Field { name: &'static str, expected: &'static str },
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Rejection::Json(what) => write!(f, "Invalid JSON: {what}"),
            Rejection::Shape => f.write_str("Invalid event: expected a JSON object"),
            Rejection::Empty => f.write_str("Missing required field: message"),
            Rejection::Field { name, expected } => write!(f, "Invalid field {name}: expected {expected}"),
        }
    }
}

impl Event {
    pub fn parse(body: &[u8]) -> Result<Event, Rejection> {
        let text = text_of(body)?;
        check_depth(text, text, json::MAX_DEPTH)?;
        Event::of(Fields::read(text)?)
    }

    fn of(mut fields: Fields) -> Result<Event, Rejection> {
        let message = fields.strict("message", "a string", json::string)?.unwrap_or_default();
        let id = fields.strict("event_id", "a UUID", |raw| parse_id(&json::string(raw)?))?;
        let r#type = fields.text("type");
        let blank = message.trim().is_empty();
        if blank && r#type.is_none() {
            return Err(Rejection::Empty);
        }
        Ok(Event {
            id,
            level: fields.optional("level", level).unwrap_or(Level::Error),
            r#type,
            message: cut(message, MAX_MESSAGE, "…"),
            stacktrace: fields.optional("stacktrace", |raw| first(raw, MAX_FRAMES)),
            causes: fields.optional("causes", |raw| first(raw, MAX_CAUSES)),
            platform: fields.text("platform"),
            timestamp: fields.optional("timestamp", timestamp),
            server_name: fields.text("server_name"),
            environment: fields.text("environment"),
            release: fields.text("release"),
            fingerprint: fields.optional("fingerprint", fingerprint),
            suppressed: fields.optional("suppressed", suppressed),
            extra: fields.optional("extra", |raw| Some(raw.to_string())),
            more: fields.more(),
        })
    }
}

/// An event as `obs export` writes it: with when it came, to which project, and the other fields under `more`.
#[derive(Debug)]
pub struct Exported {
    pub event: Event,
    pub project: Option<String>,
    pub received_at: Option<Time>,
}

impl Exported {
    /// Of a plain event too, as it would be sent.
    pub fn parse(line: &[u8]) -> Result<Exported, Rejection> {
        let text = text_of(line)?;
        let mut fields = Fields::read(text)?;
        let project = fields.strict("project", "a string", json::string)?;
        let received_at = fields.strict("received_at", "a time", timestamp)?;
        let more = fields.optional("more", other_fields).flatten();
        // What was sent was one object. Here `more` is inside another, so each is looked at by itself.
        check_depth(text, more.unwrap_or_default(), json::MAX_DEPTH)?;
        for (_, value) in fields.entries.iter().flatten() {
            check_depth(text, value, json::MAX_DEPTH - 1)?;
        }
        let mut event = Event::of(fields)?;
        event.more = match (more, event.more) {
            (Some(more), Some(unknown)) => Some(format!("{},{}", &more[..more.len() - 1], &unknown[1..])),
            (more, unknown) => more.map(str::to_string).or(unknown),
        };
        Ok(Exported { event, project, received_at })
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(bytes).map_err(|e| Rejection::Json(format!("not UTF-8 at byte {}", e.valid_up_to() + 1)))
}

/// Refuses a part of a text that is nested deeper than `limit`; says where in the whole.
fn check_depth(text: &str, part: &str, limit: usize) -> Result<(), Rejection> {
    let Some(at) = json::too_deep(part, limit) else { return Ok(()) };
    let before = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    Err(Rejection::Json(format!("nested more than {} deep at byte {}", json::MAX_DEPTH, before + at + 1)))
}

/// The object's fields. Each is taken out once it has been read; what is left in the end is `more`.
struct Fields<'a> {
    /// Raw key and raw value, in the order in which the names first came.
    entries: Vec<Option<(&'a str, &'a str)>>,
    places: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Fields<'a>, Rejection> {
        let json::Object(sent) = serde_json::from_str(text).map_err(|error| {
            // No object, but whether it is JSON is only known once all of it has been looked at.
            let whole = serde_json::from_str::<&RawValue>(text).err();
            match whole.or((!error.is_data()).then_some(error)) {
                Some(error) => Rejection::Json(error.to_string()),
                None => Rejection::Shape,
            }
        })?;
        let mut entries = Vec::with_capacity(sent.len());
        let mut places = HashMap::with_capacity(sent.len());
        for (key, value) in sent {
            let entry = Some((key.get(), value.get()));
            match places.entry(name(key.get())) {
                Entry::Vacant(place) => {
                    place.insert(entries.len());
                    entries.push(entry);
                }
                Entry::Occupied(place) => entries[*place.get()] = entry, // of a field given twice the last counts
            }
        }
        Ok(Fields { entries, places })
    }

    /// A field that must have the right type if it is there at all.
    fn strict<T>(
        &mut self,
        field: &'static str,
        expected: &'static str,
        read: Read<'a, T>,
    ) -> Result<Option<T>, Rejection> {
        let value = self.optional(field, read);
        let left = self.places.get(field).is_some_and(|place| self.entries[*place].is_some());
        if left { Err(Rejection::Field { name: field, expected }) } else { Ok(value) }
    }

    /// A field that counts as absent, and stays for `more`, if it cannot be read.
    fn optional<T>(&mut self, field: &'static str, read: Read<'a, T>) -> Option<T> {
        let entry = &mut self.entries[*self.places.get(field)?];
        let (_, value) = (*entry)?;
        let read = if value == "null" { None } else { Some(read(value)?) };
        *entry = None;
        read
    }

    /// A short text; a blank one means absent.
    fn text(&mut self, field: &'static str) -> Option<String> {
        let text = self.optional(field, json::string)?;
        (!text.trim().is_empty()).then(|| cut(text, MAX_TEXT, ""))
    }

    /// What has not been taken, as a JSON object.
    fn more(self) -> Option<String> {
        let left: Vec<_> = self.entries.iter().flatten().map(|(key, value)| format!("{key}:{value}")).collect();
        (!left.is_empty()).then(|| format!("{{{}}}", left.join(",")))
    }
}

/// What a raw value means, or `None` where it has the wrong type.
type Read<'a, T> = fn(&'a str) -> Option<T>;

/// A key's characters; with a lone surrogate in it, which has none, the key as it was sent.
fn name(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return raw.trim_matches('"').into();
    }
    json::string(raw).filter(|name| !name.contains('\u{FFFD}')).map_or(raw.into(), Cow::from)
}

fn level(raw: &str) -> Option<Level> {
    json::string(raw).map(|word| Level::of(&word).unwrap_or(Level::Error))
}

/// A UUID of any version, with or without hyphens, in any case; none of the other forms that the crate reads.
pub fn parse_id(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// A time that no calendar shows is not lost: it goes to `more` as a wrong type does.
fn timestamp(raw: &str) -> Option<Time> {
    match json::string(raw) {
        Some(text) => Time::parse(&text),
        None => Time::parse_unix(raw),
    }
}

/// An object; one that is empty says nothing.
fn other_fields(raw: &str) -> Option<Option<&str>> {
    json::object(raw).map(|entries| (!entries.is_empty()).then_some(raw))
}

fn fingerprint(raw: &str) -> Option<Fingerprint> {
    let entries: Option<Vec<_>> = json::array(raw)?.iter().map(|entry| json::string(entry.get())).collect();
    let entries = entries.filter(|entries| (1..=MAX_FINGERPRINT).contains(&entries.len()))?;
    Some(Fingerprint { entries, json: raw.to_string() })
}

fn suppressed(raw: &str) -> Option<i64> {
    let count: f64 = raw.parse().ok()?; // JSON's `5.0` and `1e3` are whole numbers too
    let whole = count.fract() == 0.0 && (0.0..=MAX_SUPPRESSED as f64).contains(&count);
    whole.then_some(count as i64)
}

/// An array as it came, or its first `max` elements.
fn first(raw: &str, max: usize) -> Option<String> {
    let elements = json::array(raw)?;
    if elements.len() <= max {
        return Some(raw.to_string());
    }
    let kept: Vec<_> = elements[..max].iter().map(|element| element.get()).collect();
    Some(format!("[{}]", kept.join(",")))
}

/// At most `max` characters, `end` among them where any were cut.
fn cut(mut text: String, max: usize, end: &str) -> String {
    if text.chars().nth(max).is_some() {
        let keep = max - end.chars().count();
        let at = text.char_indices().nth(keep).map_or(text.len(), |(at, _)| at);
        text.truncate(at);
        text.push_str(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Event {
        Event::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn of_a_field_given_twice_the_last_counts_under_any_spelling() {
        let event = parse(r#"{"message":"a","x":1,"m\u0065ssage":"b","y":2,"x":3}"#);
        assert_eq!(event.message, "b");
        assert_eq!(event.more.as_deref(), Some(r#"{"x":3,"y":2}"#));
    }

    #[test]
    fn an_optional_field_of_the_wrong_type_is_kept_in_more_where_it_stood() {
        let event =
            parse(r#"{"message":"a","b":0,"level":5,"fingerprint":[],"timestamp":"soon","release":null,"extra":null}"#);
        assert_eq!(event.level, Level::Error);
        assert_eq!(event.more.as_deref(), Some(r#"{"b":0,"level":5,"fingerprint":[],"timestamp":"soon"}"#));
    }

    #[test]
    fn every_refusal_says_what_is_wrong() {
        let refusal = |body: &[u8]| Event::parse(body).unwrap_err().to_string();
        assert_eq!(refusal(b"[1,2]"), "Invalid event: expected a JSON object");
        assert_eq!(refusal(b"[1,"), "Invalid JSON: EOF while parsing a value at line 1 column 3");
        assert_eq!(refusal(b"{\"message\":\"\xff\"}"), "Invalid JSON: not UTF-8 at byte 13");
        assert_eq!(refusal(b"{\"type\":5}"), "Missing required field: message");
        assert_eq!(refusal(b"{\"message\":5}"), "Invalid field message: expected a string");
        assert_eq!(refusal(br#"{"message":"a","event_id":"{a}"}"#), "Invalid field event_id: expected a UUID");
        let deep = format!(r#"{{"extra":{}{}}}"#, "[".repeat(127), "]".repeat(127));
        assert_eq!(refusal(deep.as_bytes()), "Invalid JSON: nested more than 127 deep at byte 136");
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
