//! What the store gives back: issues, events, and pages of them, as the JSON API and the dashboard show them.
use crate::time::Time;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt::{self, Display};
use std::str::FromStr;

/// An ingest key and the project that its events belong to; most keys belong to the one without a name.
#[derive(Clone, Debug)]
pub struct Key {
    pub project: String,
    pub key: String,
}

/// Whether a text can be a key, or a project's name.
pub fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=200).contains(&text.len()) && text.bytes().all(allowed)
}

/// How bad an event is. Anything that a client says becomes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warning,
    Info,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Error, Level::Warning, Level::Info];

    /// The level that a word means, in any case.
    pub fn parse(word: &str) -> Option<Level> {
        match word.to_ascii_lowercase().as_str() {
            "error" => Some(Level::Error),
            "warning" | "warn" => Some(Level::Warning),
            "info" | "debug" | "log" | "notice" => Some(Level::Info),
            _ => None,
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

/// What has been decided about an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueState {
    Open,
    /// Until an event comes.
    Resolved,
    /// Whatever comes.
    Ignored,
}

impl IssueState {
    pub const ALL: [IssueState; 3] = [IssueState::Open, IssueState::Resolved, IssueState::Ignored];

    /// As it is stored, sent and shown.
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
    pub state: IssueState,
    /// When an event came after it was resolved.
    pub reopened_at: Option<Time>,
    /// When it was last resolved.
    pub resolved_at: Option<Time>,
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

/// Where a page of a list begins: at its start, or next to a place that an earlier page ended at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    Newest,
    After(Position),
    Before(Position),
}

/// A place in a list: what orders the list there (a `seq`, an id, a count), and where that is not enough, an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub key: i64,
    pub id: i64,
}

/// As it stands in a URL: digits, or digits with a hyphen between.
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

/// Part of a list, and the places of its neighbours where there are any.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub newer: Option<Position>,
    pub older: Option<Position>,
}

/// Issues that were looked for.
#[derive(Clone, Debug)]
pub struct Found {
    pub page: Page<Issue>,
    /// How many issues were scanned through, if time ran out; then the search goes on at the page's neighbour.
    pub scanned: Option<usize>,
}

/// Something that became of an issue.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    pub at: Time,
    pub what: String,
    /// The issue that was merged into it.
    pub other: Option<i64>,
}

/// How many of an issue's events came with each value of a field, the most frequent first.
#[derive(Clone, Debug)]
pub struct Facet {
    /// `environment`, `release` or `server_name`.
    pub kind: &'static str,
    pub values: Vec<(String, i64)>,
    /// Events with any other value.
    pub other: i64,
}

/// Events in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hour {
    pub events: i64,
    pub errors: i64,
}
