//! One commit: events inserted one by one, each whole or not at all, and what is counted of them written once at the end.
use super::{Added, AlertKind, Alerts, Error, NewEvent, triage};
use crate::domain::Level;
use crate::grouping;
use crate::log;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::{BTreeMap, HashMap};

/// Values of one kind that an issue counts apart; events with others are counted together, as ''.
const MAX_VALUES: i64 = 100;

/// An event with what can be made of it before it is its turn: the writer is the one thread that all wait for.
pub struct Row {
    new: NewEvent,
    id: String,
    timestamp: Option<String>,
    /// `None`: with the rest of its batch.
    arrival: Option<Arrival>,
}

impl Row {
    pub fn of(new: NewEvent) -> Row {
        Row {
            id: new.id.to_string(),
            timestamp: new.event.timestamp.map(|time| time.to_string()),
            arrival: new.received_at.map(Arrival::at),
            new,
        }
    }
}

/// When an event came.
struct Arrival {
    hour: i64,
    text: String,
}

impl Arrival {
    fn at(time: Time) -> Arrival {
        Arrival { hour: time.hour(), text: time.to_string() }
    }
}

/// Stores the events and says of each what became of it. An error means that none was stored.
/// An empty batch still writes, so that it tells whether the disk takes a commit.
pub fn commit(connection: &mut Connection, rows: &[Row], alerts: &Alerts) -> Result<Vec<Result<Added, Error>>, Error> {
    connection.pragma_update(None, "synchronous", "FULL")?; // on the disk before it is answered
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = Arrival::at(Time::now());
    let mut issues = HashMap::new(); // those of this batch, since a flood is of few
    let mut tallies = BTreeMap::new();
    let mut results = Vec::with_capacity(rows.len());
    for row in rows {
        let arrival = row.arrival.as_ref().unwrap_or(&now);
        let key = (row.new.project.as_str(), row.new.grouping.hash);
        let known = match issues.get(&key) {
            Some(issue) => Some(*issue),
            None => find_issue(&transaction, &row.new)?,
        };
        let inserted = match known {
            Some(issue) => insert(&transaction, row, issue.id, &arrival.text).map(|seq| Some((issue, seq?))),
            None => begin_issue(&mut transaction, row, &arrival.text, alerts),
        };
        match inserted.map_err(Error::from) {
            Ok(place) => {
                if let Some((issue, seq)) = place {
                    issues.insert(key, issue);
                    let tally = tallies.entry(issue.id).or_insert_with(Tally::default);
                    tally.add(&row.new, seq, arrival);
                    tally.reopens |= issue.is_resolved;
                }
                results.push(Ok(if place.is_some() { Added::New } else { Added::Duplicate }));
            }
            Err(error @ Error::Row(_)) => {
                log::line(&format!("event {}: {error}", row.id));
                results.push(Err(error));
            }
            Err(error) => return Err(error),
        }
    }
    count(&transaction, &tallies, alerts)?;
    if rows.is_empty() {
        transaction.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('last_probe', ?1)", [&now.text])?;
    }
    transaction.commit()?;
    alerts.committed();
    Ok(results)
}

/// The issue that an event belongs to.
#[derive(Clone, Copy)]
struct Home {
    id: i64,
    is_resolved: bool,
}

/// Makes an issue with its first event: both or none. `None`: the event's id is there already.
fn begin_issue(
    transaction: &mut Transaction,
    row: &Row,
    arrival: &str,
    alerts: &Alerts,
) -> rusqlite::Result<Option<(Home, i64)>> {
    let savepoint = transaction.savepoint()?;
    let id = make_issue(&savepoint, &row.new, arrival)?;
    match insert(&savepoint, row, id, arrival)? {
        Some(seq) => {
            alerts.note(&savepoint, AlertKind::New, id, seq)?;
            savepoint.commit().map(|()| Some((Home { id, is_resolved: false }, seq)))
        }
        None => Ok(None), // dropped, the savepoint is rolled back to
    }
}

/// Inserts an event; its place in the order of arrival. `None`: its id is there already.
fn insert(connection: &Connection, row: &Row, issue: i64, arrival: &str) -> rusqlite::Result<Option<i64>> {
    let event = &row.new.event;
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (id, issue_id, level, timestamp, received_at, platform, environment, server_name, release,
                             suppressed, type, message, fingerprint, stacktrace, causes, extra, more)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT (id) DO NOTHING",
    )?;
    let inserted = insert.execute(params![
        row.id,
        issue,
        event.level.as_str(),
        row.timestamp.as_deref().unwrap_or(arrival),
        arrival,
        event.platform,
        event.environment,
        event.server_name,
        event.release,
        event.suppressed,
        event.r#type,
        event.message,
        event.fingerprint.as_ref().map(|fingerprint| &fingerprint.json),
        event.stacktrace,
        event.causes,
        event.extra,
        event.more,
    ])?;
    Ok((inserted > 0).then(|| connection.last_insert_rowid()))
}

fn find_issue(connection: &Connection, new: &NewEvent) -> rusqlite::Result<Option<Home>> {
    let mut find = connection.prepare_cached(
        "SELECT id, state = 'resolved' FROM issue_keys CROSS JOIN issues ON issues.id = issue_id
         WHERE issue_keys.project = ?1 AND version = ?2 AND hash = ?3",
    )?;
    let home = |row: &rusqlite::Row| Ok(Home { id: row.get(0)?, is_resolved: row.get(1)? });
    find.query_row(params![new.project, grouping::VERSION, new.grouping.hash], home).optional()
}

/// The issue starts empty: its counts come with the rest of the batch.
fn make_issue(connection: &Connection, new: &NewEvent, arrival: &str) -> rusqlite::Result<i64> {
    let grouping = &new.grouping;
    let mut issue = connection.prepare_cached(
        "INSERT INTO issues (project, title, culprit, grouped_by, count, stored, first_seen, first_release, last_seen, last_seq)
         VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?5, 0)",
    )?;
    let id = issue.insert(params![
        new.project,
        grouping.title,
        grouping.culprit,
        grouping.grouped_by,
        arrival,
        new.event.release
    ])?;
    let mut key = connection
        .prepare_cached("INSERT INTO issue_keys (project, version, hash, issue_id) VALUES (?1, ?2, ?3, ?4)")?;
    key.execute(params![new.project, grouping::VERSION, grouping.hash, id])?;
    Ok(id)
}

/// What a batch adds to one issue.
#[derive(Default)]
struct Tally<'a> {
    stored: i64,
    last_seq: i64,
    last_seen: &'a str,
    /// It was resolved.
    reopens: bool,
    /// One, except in an import.
    hours: BTreeMap<i64, Hour>,
    values: BTreeMap<(&'static str, &'a str), i64>,
}

/// What came in one hour, with what clients held back, as in every count but `stored`.
#[derive(Default)]
struct Hour {
    count: i64,
    errors: i64,
}

impl Hour {
    fn add(&mut self, count: i64, errors: i64) {
        self.count += count;
        self.errors += errors;
    }
}

impl<'a> Tally<'a> {
    fn add(&mut self, new: &'a NewEvent, seq: i64, arrival: &'a Arrival) {
        let event = &new.event;
        let count = 1 + event.suppressed.unwrap_or(0);
        let errors = if event.level == Level::Error { count } else { 0 };
        self.hours.entry(arrival.hour).or_default().add(count, errors);
        self.stored += 1;
        self.last_seq = seq;
        self.last_seen = &arrival.text;
        let values =
            [("environment", &event.environment), ("release", &event.release), ("server_name", &event.server_name)];
        for (kind, value) in values {
            if let Some(value) = value {
                *self.values.entry((kind, value)).or_insert(0) += count;
            }
        }
    }
}

/// Each row is written once for the whole batch.
fn count(transaction: &Transaction, tallies: &BTreeMap<i64, Tally>, alerts: &Alerts) -> rusqlite::Result<()> {
    let mut issue = transaction.prepare_cached(
        "UPDATE issues SET count = count + ?2, stored = stored + ?3, last_seq = ?4, last_seen = ?5 WHERE id = ?1",
    )?;
    let mut issue_hour = transaction.prepare_cached(
        "INSERT INTO issue_hours (issue_id, hour, events) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET events = events + excluded.events",
    )?;
    let mut hours: BTreeMap<i64, Hour> = BTreeMap::new(); // of all issues
    for (id, tally) in tallies {
        let count: i64 = tally.hours.values().map(|hour| hour.count).sum();
        issue.execute(params![id, count, tally.stored, tally.last_seq, tally.last_seen])?;
        for (hour, Hour { count, errors }) in &tally.hours {
            issue_hour.execute(params![id, hour, count])?;
            hours.entry(*hour).or_default().add(*count, *errors);
            alerts.note_rate(transaction, *id, *hour, *count, tally.last_seq)?;
        }
        if tally.reopens {
            triage::reopen(transaction, *id, tally.last_seen)?;
            alerts.note(transaction, AlertKind::Reopened, *id, tally.last_seq)?;
        }
        for ((kind, value), events) in &tally.values {
            count_value(transaction, *id, kind, value, *events)?;
        }
    }
    if !tallies.is_empty() {
        let stored: i64 = tallies.values().map(|tally| tally.stored).sum();
        transaction.prepare_cached("UPDATE totals SET stored = stored + ?1")?.execute([stored])?;
        let mut hour = transaction.prepare_cached(
            "INSERT INTO hours (hour, events, errors) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET events = events + excluded.events, errors = errors + excluded.errors",
        )?;
        for (number, Hour { count, errors }) in hours {
            hour.execute(params![number, count, errors])?;
        }
    }
    Ok(())
}

pub fn count_value(
    transaction: &Transaction,
    issue: i64,
    kind: &str,
    value: &str,
    events: i64,
) -> rusqlite::Result<()> {
    let mut add = transaction.prepare_cached(
        "UPDATE issue_values SET events = events + ?4 WHERE issue_id = ?1 AND kind = ?2 AND value = ?3",
    )?;
    if add.execute(params![issue, kind, value, events])? > 0 {
        return Ok(());
    }
    let mut values = transaction
        .prepare_cached("SELECT count(*) FROM issue_values WHERE issue_id = ?1 AND kind = ?2 AND value <> ''")?;
    let room = values.query_row(params![issue, kind], |row| row.get::<_, i64>(0))? < MAX_VALUES;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO issue_values (issue_id, kind, value, events) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET events = events + excluded.events",
    )?;
    insert.execute(params![issue, kind, if room { value } else { "" }, events])?;
    Ok(())
}
