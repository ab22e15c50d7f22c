//! One commit: events inserted one by one, each in a savepoint, and what is counted of them written once at the end.
use super::{Added, Error, NewEvent};
use crate::domain::Level;
use crate::grouping;
use crate::log;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;

/// Values of one kind that an issue counts apart; events with others are counted together, as ''.
const MAX_VALUES: i64 = 100;

/// Stores the events and says of each what became of it. An error means that none was stored.
/// An empty batch still writes, so that it tells whether the disk takes a commit.
pub fn commit(connection: &mut Connection, events: &[Box<NewEvent>]) -> Result<Vec<Result<Added, Error>>, Error> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = Time::now();
    let mut tallies = BTreeMap::new();
    let mut results = Vec::with_capacity(events.len());
    for event in events {
        let savepoint = transaction.savepoint()?;
        let inserted = insert(&savepoint, event, now);
        match inserted.map_err(Error::from) {
            Ok(place) => {
                savepoint.commit()?;
                if let Some((issue, seq)) = place {
                    tallies.entry(issue).or_insert_with(Tally::default).add(event, seq);
                }
                results.push(Ok(if place.is_some() { Added::New } else { Added::Before }));
            }
            Err(error @ Error::Row(_)) => {
                drop(savepoint); // rolls back to it
                log::line(&format!("event {}: {error}", event.id));
                results.push(Err(error));
            }
            Err(error) => return Err(error),
        }
    }
    count(&transaction, &tallies, now)?;
    if events.is_empty() {
        transaction
            .execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('last_probe', ?1)", [now.to_string()])?;
    }
    transaction.commit()?;
    Ok(results)
}

/// Inserts an event, and its issue if it is the first of one. `None`: its id is there already.
fn insert(connection: &Connection, new: &NewEvent, now: Time) -> rusqlite::Result<Option<(i64, i64)>> {
    let event = &new.event;
    let id = new.id.to_string();
    let mut known = connection.prepare_cached("SELECT 1 FROM events WHERE id = ?1")?;
    if known.exists([&id])? {
        return Ok(None);
    }
    let issue = match find_issue(connection, new)? {
        Some(issue) => issue,
        None => make_issue(connection, new, now)?,
    };
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (id, issue_id, level, timestamp, received_at, platform, environment, server_name, release,
                             suppressed, type, message, fingerprint, stacktrace, causes, extra, more)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    let seq = insert.insert(params![
        id,
        issue,
        event.level.as_str(),
        event.timestamp.unwrap_or(now).to_string(),
        now.to_string(),
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
    Ok(Some((issue, seq)))
}

fn find_issue(connection: &Connection, new: &NewEvent) -> rusqlite::Result<Option<i64>> {
    let mut find = connection
        .prepare_cached("SELECT issue_id FROM issue_keys WHERE project = ?1 AND version = ?2 AND hash = ?3")?;
    find.query_row(params![new.project, grouping::VERSION, new.grouping.hash], |row| row.get(0)).optional()
}

/// The issue starts empty: its counts come with the rest of the batch.
fn make_issue(connection: &Connection, new: &NewEvent, now: Time) -> rusqlite::Result<i64> {
    let grouping = &new.grouping;
    let mut issue = connection.prepare_cached(
        "INSERT INTO issues (project, title, culprit, grouped_by, count, stored, first_seen, first_release, last_seen, last_seq)
         VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?5, 0)",
    )?;
    let now = now.to_string();
    let id = issue.insert(params![
        new.project,
        grouping.title,
        grouping.culprit,
        grouping.grouped_by,
        now,
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
    /// With those that clients held back, as every count but `stored`.
    count: i64,
    errors: i64,
    stored: i64,
    last_seq: i64,
    values: BTreeMap<(&'static str, &'a str), i64>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, new: &'a NewEvent, seq: i64) {
        let event = &new.event;
        let count = 1 + event.suppressed.unwrap_or(0);
        self.count += count;
        self.errors += if event.level == Level::Error { count } else { 0 };
        self.stored += 1;
        self.last_seq = seq;
        let values =
            [("environment", &event.environment), ("release", &event.release), ("server_name", &event.server_name)];
        for (kind, value) in values {
            if let Some(value) = value {
                *self.values.entry((kind, value)).or_insert(0) += count;
            }
        }
    }
}

/// Each row is written once for the whole batch, whose events all arrive in the same hour.
fn count(transaction: &Transaction, tallies: &BTreeMap<i64, Tally>, now: Time) -> rusqlite::Result<()> {
    let mut issue = transaction.prepare_cached(
        "UPDATE issues SET count = count + ?2, stored = stored + ?3, last_seq = ?4, last_seen = ?5 WHERE id = ?1",
    )?;
    let mut issue_hour = transaction.prepare_cached(
        "INSERT INTO issue_hours (issue_id, hour, events) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET events = events + excluded.events",
    )?;
    for (id, tally) in tallies {
        issue.execute(params![id, tally.count, tally.stored, tally.last_seq, now.to_string()])?;
        issue_hour.execute(params![id, now.hour(), tally.count])?;
        for ((kind, value), events) in &tally.values {
            count_value(transaction, *id, kind, value, *events)?;
        }
    }
    if !tallies.is_empty() {
        let (count, errors) = tallies.values().fold((0, 0), |sum, tally| (sum.0 + tally.count, sum.1 + tally.errors));
        let mut hour = transaction.prepare_cached(
            "INSERT INTO hours (hour, events, errors) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET events = events + excluded.events, errors = errors + excluded.errors",
        )?;
        hour.execute(params![now.hour(), count, errors])?;
    }
    Ok(())
}

fn count_value(transaction: &Transaction, issue: i64, kind: &str, value: &str, events: i64) -> rusqlite::Result<()> {
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
