//! What the store gives back: issues, events, and pages of them, as the JSON API and the dashboard show them.
use crate::time::Time;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// How bad an event is. Anything that a client says becomes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warning,
    Info,
}

impl Level {
    /// The level that a word means, in any case; one that is not known is an error.
    pub fn of(word: &str) -> Level {
        match word.to_ascii_lowercase().as_str() {
            "warning" | "warn" => Level::Warning,
            "info" | "debug" | "log" | "notice" => Level::Info,
            _ => Level::Error,
        }
    }

    /// As it is stored, sent and shown; also the name of its class in the style sheet.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}

/// Events with one grouping key. From `type` to `release` it is described by its newest event.
#[derive(Clone, Debug, Serialize)]
pub struct Issue {
    pub id: i64,
    pub project: String,
    pub title: String,
    pub culprit: Option<String>,
    pub r#type: Option<String>,
    pub message: String,
    pub level: Level,
    pub platform: Option<String>,
    pub environment: Option<String>,
    pub release: Option<String>,
    pub count: i64,
    pub stored: i64,
    pub first_seen: Time,
    #[serde(skip)]
    pub first_release: Option<String>,
    pub last_seen: Time,
    pub last_event_id: String,
    pub grouped_by: String,
    /// `seq` of the newest event: the issue's place in a list, and so its cursor.
    #[serde(skip)]
    pub last_seq: i64,
}

/// An event as a list shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub seq: i64,
    pub id: String,
    pub level: Level,
    pub r#type: Option<String>,
    pub message: String,
    pub timestamp: Time,
    pub received_at: Time,
    pub environment: Option<String>,
    pub server_name: Option<String>,
    pub release: Option<String>,
}

/// A whole event. The last five are JSON text, as it came.
#[derive(Clone, Debug, Serialize)]
pub struct StoredEvent {
    #[serde(flatten)]
    pub summary: Summary,
    pub issue_id: i64,
    pub project: String,
    pub platform: Option<String>,
    pub suppressed: Option<i64>,
    #[serde(serialize_with = "raw")]
    pub fingerprint: Option<String>,
    #[serde(serialize_with = "raw")]
    pub stacktrace: Option<String>,
    #[serde(serialize_with = "raw")]
    pub causes: Option<String>,
    #[serde(serialize_with = "raw")]
    pub extra: Option<String>,
    #[serde(serialize_with = "raw")]
    pub more: Option<String>,
}

/// JSON text as part of JSON. The file is open to other hands: what is none any more is left out.
fn raw<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let value: Option<&RawValue> = text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    value.serialize(serializer)
}

/// Where a page of a list begins: at the newest, or next to a place (a `seq`) that an earlier page ended at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    Newest,
    After(i64),
    Before(i64),
}

/// Part of a list, newest first, and the cursors of its neighbours where there are any.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub newer: Option<i64>,
    pub older: Option<i64>,
}
