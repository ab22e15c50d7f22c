//! What the store gives back: issues, events, and pages of them, as the JSON API and the dashboard show them.
use crate::time::Time;

/// How bad an event is. Anything a client says becomes one of these (see `event.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    Info,
}

impl Level {
    /// As it is stored, sent and shown; also the name of its class in the style sheet.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}

/// Events with one grouping key. `level` to `release` are those of its newest event.
#[derive(Clone, Debug)]
pub struct Issue {
    pub id: i64,
    pub project: String,
    pub title: String,
    pub culprit: Option<String>,
    pub grouped_by: String,
    pub count: i64,
    pub stored: i64,
    pub first_seen: Time,
    pub first_release: Option<String>,
    pub last_seen: Time,
    pub last_event_id: String,
    pub level: Level,
    pub r#type: Option<String>,
    pub message: String,
    pub platform: Option<String>,
    pub environment: Option<String>,
    pub release: Option<String>,
    /// `seq` of the newest event: the issue's place in a list, and so its cursor.
    pub last_seq: i64,
}

/// An event as a list shows it.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct StoredEvent {
    pub summary: Summary,
    pub issue_id: i64,
    pub project: String,
    pub platform: Option<String>,
    pub suppressed: Option<i64>,
    pub fingerprint: Option<String>,
    pub stacktrace: Option<String>,
    pub causes: Option<String>,
    pub extra: Option<String>,
    pub more: Option<String>,
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
