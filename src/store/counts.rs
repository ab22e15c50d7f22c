//! The numbers that are stored because no query could compute them once old events are gone: events per issue, per hour
//! and per value, and how many events are stored. Everything that changes them is in this file, in `hours` and in
//! `filter_values`.
use super::filter_values;
use super::hours::{self, OF_ISSUE, OF_PROJECT};
use super::labels::{Label, TAG, USER};
use crate::domain::{Hour, Level};
use crate::event::Event;
use crate::time::Time;
use rusqlite::{Connection, Row, Statement, Transaction, params};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The fields whose values are counted per issue.
pub const KINDS: [&str; 3] = ["environment", "release", "server_name"];
/// Values of one kind that an issue counts separately. Any others are counted together, as ''.
const MAX_VALUES: i64 = 100;
const MAX_USERS: i64 = 1000;
/// Tags that an issue counts, by name. Any others are not counted.
const MAX_TAGS: i64 = 30;
/// What some events of one issue contribute to its counts. All but `stored` include events that clients held back.
#[derive(Default)]
pub struct Tally<'a> {
    project: &'a str,
    pub stored: i64,
    /// In the order of arrival.
    first_seq: i64,
    pub last_seq: i64,
    /// By time of arrival, which differs from the order for imported events. The first has its release.
    first_seen: Option<(Time, Option<&'a str>)>,
    last_seen: Option<Time>,
    pub hours: BTreeMap<i64, Hour>,
    /// The events of each kind and value, and the first of them.
    values: BTreeMap<(&'a str, &'a str), (i64, i64)>,
}

impl<'a> Tally<'a> {
    pub fn new(project: &'a str) -> Tally<'a> {
        Tally { project, ..Tally::default() }
    }

    /// Adds an event that is newer than the others.
    pub fn add(&mut self, seq: i64, received_at: Time, event: &'a Event, labels: &'a [Label]) {
        let events = 1 + event.suppressed.unwrap_or(0);
        self.first_seq = if self.stored == 0 { seq } else { self.first_seq };
        self.last_seq = seq;
        if self.first_seen.is_none_or(|(first, _)| received_at < first) {
            self.first_seen = Some((received_at, event.release.as_deref()));
        }
        self.last_seen = self.last_seen.max(Some(received_at));
        self.stored += 1;
        let hour = self.hours.entry(received_at.hour()).or_default();
        hour.events += events;
        hour.errors += if event.level == Level::Error { events } else { 0 };
        let fields = [&event.environment, &event.release, &event.server_name];
        let fields = KINDS.into_iter().zip(fields).filter_map(|(kind, value)| Some((kind, value.as_deref()?)));
        for value in fields.chain(labels.iter().map(|(kind, value)| (kind.as_str(), value.as_str()))) {
            self.values.entry(value).or_insert((0, seq)).0 += events;
        }
    }

    fn events(&self) -> i64 {
        self.hours.values().map(|hour| hour.events).sum()
    }
}

/// Adds what a batch brought, given by issue. Each row is written once per batch.
pub fn add(transaction: &Transaction, tallies: &BTreeMap<i64, Tally>, now: Time) -> rusqlite::Result<()> {
    let mut issue = transaction.prepare_cached(
        "UPDATE issues SET count = count + ?2, stored = stored + ?3, title_seq = ifnull(title_seq, ?4), last_seq = ?5,
                last_seen = max(last_seen, ?6), first_release = iif(?7 < first_seen, ?8, first_release),
                first_seen = min(first_seen, ?7) WHERE id = ?1",
    )?;
    let (mut hours, mut values) = (hours::adder(transaction, OF_ISSUE)?, transaction.prepare_cached(ADD_VALUE)?);
    let mut sums: BTreeMap<(i64, &str), Hour> = BTreeMap::new();
    let mut begun: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
    let just_now = now.to_string();
    for (id, tally) in tallies {
        let Tally { stored, first_seq, last_seq, .. } = tally;
        // Only imported events have another time than the commit.
        let text = |time: Option<Time>| match time {
            Some(time) if time != now => time.to_string().into(),
            _ => Cow::from(&just_now),
        };
        let (first_seen, release) = tally.first_seen.unzip();
        let (first_seen, last_seen) = (text(first_seen), text(tally.last_seen));
        let release = release.flatten();
        issue.execute(params![id, tally.events(), stored, first_seq, last_seq, last_seen, first_seen, release])?;
        for (hour, count) in &tally.hours {
            hours::add(transaction, &mut hours, OF_ISSUE, id, *hour, *count, now)?;
            let sum = sums.entry((*hour, tally.project)).or_default();
            (sum.events, sum.errors) = (sum.events + count.events, sum.errors + count.errors);
        }
        for ((kind, value), (events, seq)) in &tally.values {
            if add_value(transaction, &mut values, *id, kind, value, *events)? && filter_values::KINDS.contains(kind) {
                let new = begun.entry((kind, value)).or_insert((0, *seq));
                *new = (new.0 + 1, new.1.min(*seq));
            }
        }
    }
    let mut hours = hours::adder(transaction, OF_PROJECT)?;
    for ((hour, project), sum) in sums {
        hours::add(transaction, &mut hours, OF_PROJECT, &project, hour, sum, now)?;
    }
    for ((kind, value), (issues, seq)) in begun {
        filter_values::add(transaction, kind, value, issues, seq)?;
    }
    add_to_total(transaction, tallies.values().map(|tally| tally.stored).sum())
}

fn add_to_total(connection: &Connection, stored: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE totals SET stored = stored + ?1 WHERE rowid = 1")?.execute([stored]).map(drop)
}

const ADD_VALUE: &str = "UPDATE issue_values SET events = events + ?4 WHERE issue_id = ?1 AND kind = ?2 AND value = ?3";

/// `add` is [`ADD_VALUE`]. Returns true if the issue has begun to count the value under its own name.
fn add_value(
    transaction: &Transaction,
    add: &mut Statement,
    issue: i64,
    kind: &str,
    value: &str,
    events: i64,
) -> rusqlite::Result<bool> {
    if add.execute(params![issue, kind, value, events])? > 0 {
        return Ok(false);
    }
    let mut count = transaction
        .prepare_cached("SELECT count(*) FROM issue_values WHERE issue_id = ?1 AND kind = ?2 AND value <> ''")?;
    let values: i64 = count.query_row(params![issue, kind], |row| row.get(0))?;
    if values == 0 && kind.starts_with(TAG) {
        let mut tags = transaction.prepare_cached(
            "SELECT count(DISTINCT kind) FROM issue_values WHERE issue_id = ?1 AND kind >= 'tag:' AND kind < 'tag;'",
        )?;
        if tags.query_row([issue], |row| row.get::<_, i64>(0))? >= MAX_TAGS {
            return Ok(false);
        }
    }
    let has_room = values < if kind == USER { MAX_USERS } else { MAX_VALUES };
    let mut insert = transaction.prepare_cached(
        "INSERT INTO issue_values (issue_id, kind, value, events) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET events = events + excluded.events",
    )?;
    insert.execute(params![issue, kind, if has_room { value } else { "" }, events])?;
    Ok(has_room)
}

/// Subtracts an event that was deleted on request. (An event that retention removes stays counted.)
pub fn subtract(transaction: &Transaction, issue: i64, tally: &Tally) -> rusqlite::Result<()> {
    transaction.execute("UPDATE issues SET count = count - ?2 WHERE id = ?1", [issue, tally.events()])?;
    hours::subtract(transaction, issue, tally.project, &tally.hours)?;
    for ((kind, value), (events, _)) in &tally.values {
        let mut add = transaction.prepare_cached(ADD_VALUE)?;
        if add.execute(params![issue, kind, value, -events])? == 0 {
            add.execute(params![issue, kind, "", -events])?;
        }
    }
    filter_values::subtract(transaction, issue, 0)?;
    transaction.execute("DELETE FROM issue_values WHERE issue_id = ?1 AND events <= 0", [issue])?;
    Ok(())
}

/// Adds the hours and values of one issue to those of another. Until the first issue's are removed, both count the values.
pub fn merge(transaction: &Transaction, from: i64, into: i64, now: Time) -> rusqlite::Result<()> {
    hours::merge(transaction, from, into, now)?;
    let mut values = transaction.prepare("SELECT kind, value, events FROM issue_values WHERE issue_id = ?1")?;
    let values = values.query_map([from], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut add = transaction.prepare_cached(ADD_VALUE)?;
    for (kind, value, events) in values.collect::<Result<Vec<(String, String, i64)>, _>>()? {
        if add_value(transaction, &mut add, into, &kind, &value, events)?
            && filter_values::KINDS.contains(&kind.as_str())
        {
            filter_values::change(transaction, &kind, &value, 1)?;
        }
    }
    Ok(())
}

/// Deletes the oldest events of an issue, at most `limit`. Returns how many there were.
pub fn remove_oldest(transaction: &Transaction, issue: i64, limit: i64) -> rusqlite::Result<i64> {
    let mut remove = transaction.prepare_cached(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE issue_id = ?1 ORDER BY seq LIMIT ?2)",
    )?;
    let removed = remove.execute([issue, limit])? as i64;
    removed_from(transaction, issue, removed)?;
    Ok(removed)
}

/// Deletes one event.
pub fn remove(connection: &Connection, seq: i64) -> rusqlite::Result<()> {
    let mut remove = connection.prepare_cached("DELETE FROM events WHERE seq = ?1 RETURNING issue_id")?;
    let issue = remove.query_row([seq], |row| row.get(0))?;
    removed_from(connection, issue, 1)
}

fn removed_from(connection: &Connection, issue: i64, events: i64) -> rusqlite::Result<()> {
    let mut stored = connection.prepare_cached("UPDATE issues SET stored = stored - ?2 WHERE id = ?1")?;
    stored.execute([issue, events])?;
    add_to_total(connection, -events)
}

/// Moves the newest events of an issue to another one, at most `limit`. Returns how many there were.
pub fn move_newest(transaction: &Transaction, from: i64, into: i64, limit: i64) -> rusqlite::Result<i64> {
    let mut move_events = transaction.prepare_cached(
        "UPDATE events SET issue_id = ?2
         WHERE seq IN (SELECT seq FROM events WHERE issue_id = ?1 ORDER BY seq DESC LIMIT ?3)",
    )?;
    let moved = move_events.execute([from, into, limit])? as i64;
    let mut stored = transaction.prepare_cached("UPDATE issues SET stored = stored + ?2 WHERE id = ?1")?;
    stored.execute([into, moved])?;
    stored.execute([from, -moved])?;
    Ok(moved)
}

/// Counts the stored events afresh, after another program has deleted some.
pub fn recount(transaction: &Transaction, issue: i64) -> rusqlite::Result<()> {
    let count = "UPDATE issues SET stored = (SELECT count(*) FROM events WHERE issue_id = ?1) WHERE id = ?1";
    transaction.execute(count, [issue])?;
    transaction.execute("UPDATE totals SET stored = (SELECT coalesce(sum(stored), 0) FROM issues)", [])?;
    Ok(())
}

/// How much is stored: what `--max-events` and `--max-size` limit. What is being deleted does not count, or others would
/// have to make room for it.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub events: i64,
    /// Size of the database, without its free pages, its source maps and the WAL.
    pub bytes: i64,
}

/// Costs next to nothing: all numbers are stored. Inside a transaction, sees the transaction's own changes.
pub fn usage(connection: &Connection) -> rusqlite::Result<Usage> {
    let number = |pragma: &str| connection.prepare_cached(pragma)?.query_row([], |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    let mut totals = connection.prepare_cached(
        "SELECT stored, (SELECT coalesce(sum(stored), 0) FROM issues WHERE state = 'deleted'), source_map_bytes
         FROM totals",
    )?;
    let row = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (stored, deleted, source_maps): (i64, i64, i64) = totals.query_row([], row)?;
    let bytes = (pages * number("PRAGMA page_size")? - source_maps).max(0);
    Ok(Usage { events: stored - deleted, bytes: bytes - bytes / stored.max(1) * deleted })
}
