//! What the store returns: issues, events, and pages of them, as the JSON API and the dashboard show them.
use crate::time::Time;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt::{self, Display};
use std::str::FromStr;

/// An ingest key and the project that its events belong to. Most keys belong to the project without a name.
#[derive(Clone, Debug)]
pub struct Key {
    pub project: String,
    pub key: String,
}

/// Returns true if a text can be a key or a project's name.
pub fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=200).contains(&text.len()) && text.bytes().all(allowed)
}

/// How severe an event is. Whatever level a client sends becomes one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    #[default]
    Error,
    Warning,
    Info,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Error, Level::Warning, Level::Info];

    /// Reads a client's word for a level, in any case.
    pub fn parse(word: &str) -> Option<Level> {
        match word.to_ascii_lowercase().as_str() {
            "error" => Some(Level::Error),
            "warning" | "warn" => Some(Level::Warning),
            "info" | "debug" | "log" | "notice" => Some(Level::Info),
            _ => None,
        }
    }

    /// The level as it is stored, sent and shown; also its class in the style sheet.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}

/// What a user decided about an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueState {
    Open,
    /// Until an event that happened later.
    Resolved,
    /// Whatever happens.
    Ignored,
}

impl IssueState {
    pub const ALL: [IssueState; 3] = [IssueState::Open, IssueState::Resolved, IssueState::Ignored];

    /// The state as it is stored, sent and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            IssueState::Open => "open",
            IssueState::Resolved => "resolved",
            IssueState::Ignored => "ignored",
        }
    }

    pub fn parse(word: &str) -> Option<IssueState> {
        IssueState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Events with the same grouping key. The fields from `type` to `release` are those of the newest event.
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
    /// Distinct users, at most 1,000.
    pub users: i64,
    /// Nobody caught its newest event.
    pub unhandled: bool,
    pub count: i64,
    pub stored: i64,
    pub first_seen: Time,
    #[serde(skip)]
    pub first_release: Option<String>,
    pub last_seen: Time,
    pub last_event_id: String,
    pub grouped_by: String,
    pub state: IssueState,
    /// When an event reopened it after it was resolved.
    pub reopened_at: Option<Time>,
    /// When it was last resolved.
    pub resolved_at: Option<Time>,
    /// `seq` of the newest event: the issue's position in a list, and so its cursor.
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

/// A whole event. The fields from `fingerprint` on are JSON text.
#[derive(Clone, Debug, Serialize)]
pub struct StoredEvent {
    #[serde(flatten)]
    pub summary: Summary,
    pub issue_id: i64,
    pub project: String,
    pub platform: Option<String>,
    pub suppressed: Option<i64>,
    pub unhandled: bool,
    #[serde(serialize_with = "raw")]
    pub fingerprint: Option<String>,
    #[serde(serialize_with = "raw")]
    pub stacktrace: Option<String>,
    #[serde(serialize_with = "raw")]
    pub causes: Option<String>,
    #[serde(serialize_with = "raw")]
    pub tags: Option<String>,
    #[serde(serialize_with = "raw")]
    pub user: Option<String>,
    #[serde(serialize_with = "raw")]
    pub request: Option<String>,
    #[serde(serialize_with = "raw")]
    pub breadcrumbs: Option<String>,
    #[serde(serialize_with = "raw")]
    pub contexts: Option<String>,
    #[serde(serialize_with = "raw")]
    pub extra: Option<String>,
    #[serde(serialize_with = "raw")]
    pub more: Option<String>,
}

/// JSON text as part of JSON. Other programs can write to the file, so text that is not JSON becomes `null`.
fn raw<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let value: Option<&RawValue> = text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    value.serialize(serializer)
}

/// Where a page of a list begins: at the start, or next to the position at which an earlier page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    Newest,
    After(Position),
    Before(Position),
}

/// A position in a list: the number that the list is ordered by (a `seq`, an id, a count) and, if several rows can have
/// the same number, an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub key: i64,
    pub id: i64,
}

/// The form in a URL: `17`, or `17-4` with an id.
impl Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.id {
            0 => write!(f, "{}", self.key),
            id => write!(f, "{}-{id}", self.key),
        }
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Position, ()> {
        let (key, id) = text.split_once('-').unwrap_or((text, "0"));
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())).ok_or(());
        Ok(Position { key: number(key)?, id: number(id)? })
    }
}

/// Part of a list, and the positions of the pages before and after it.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub newer: Option<Position>,
    pub older: Option<Position>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found<T> {
    pub page: Page<T>,
    /// How many were scanned before time ran out. The search continues at the next page.
    pub scanned: Option<usize>,
}

/// The events of an issue around one of them.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    pub first: Option<Summary>,
    pub older: Option<Summary>,
    pub newer: Option<Summary>,
    pub last: Option<Summary>,
    /// How many arrived before and after it; `None` if too many to count.
    pub before: Option<i64>,
    pub after: Option<i64>,
}

/// The issues that a query matches.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    pub ids: Vec<i64>,
    /// False if there are too many, or if time ran out.
    pub is_complete: bool,
}

/// A change to an issue.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    pub at: Time,
    pub what: String,
    /// The issue that was merged into this one.
    pub other: Option<i64>,
}

/// An alert that could not be delivered.
#[derive(Clone, Debug)]
pub struct FailedAlert {
    /// How the command ended and what it printed.
    pub why: String,
    /// `None`: obs has given up.
    pub retry_at: Option<Time>,
}

/// How many of an issue's events have each value of a field, the most frequent value first.
#[derive(Clone, Debug)]
pub struct Facet {
    /// `environment`, `release`, `server_name`, `user`, or `tag:NAME`.
    pub kind: String,
    pub values: Vec<(String, i64)>,
    /// Events with any other value.
    pub other: i64,
}

/// Values that the list offers as filters.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub values: Vec<String>,
    /// How many more there are.
    pub more: i64,
}

/// Events in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hour {
    pub events: i64,
    pub errors: i64,
}
