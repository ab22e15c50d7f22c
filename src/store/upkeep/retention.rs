//! Retention: removes events beyond the configured number, size and age, in steps that never hold up ingest for long.
use crate::store::change::delete;
use crate::store::counts::{self, Usage};
use crate::store::error::Error;
use crate::store::transaction::relaxed;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::time::{Duration, Instant};

/// About how long one step takes.
const TIME: Duration = Duration::from_millis(10);
/// How long a step may take after a commit, to remove as many events as were added even if others keep the cores busy.
const TIME_UNDER_LOAD: Duration = Duration::from_millis(40);
/// Maximum number of events removed before the limits are checked again.
const BATCH: i64 = 64;
/// What may stay beyond the limits while events arrive, so that removals share transactions: 1 %, and at most this much.
const SLACK_EVENTS: i64 = 256;
const SLACK_BYTES: i64 = 1 << 20;
/// Maximum number of events whose age is checked per step.
const PATROL: i64 = 1000;
const DAY: i64 = 24 * 3600 * 1000; // ms

/// Limits on what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub events: i64,
    /// Maximum size of the database, as in [`Usage`].
    pub bytes: i64,
    /// Maximum age of an event; `None` means no limit.
    pub days: Option<i64>,
    /// Maximum bytes of all source maps. They do not count towards the size of the database.
    pub source_maps: i64,
}

/// Removes events beyond the maximum number and size. Returns true if there is still too much.
pub fn limit(connection: &mut Connection, limits: &Retention, idle: bool) -> Result<bool, Error> {
    let (time, slack) = if idle { (TIME, 0) } else { (TIME_UNDER_LOAD, 1) };
    let is_beyond = |used: i64, limit: i64, most: i64| used - limit > slack * most.min(limit / 100);
    let Usage { events, bytes } = counts::usage(connection)?;
    if !is_beyond(events, limits.events, SLACK_EVENTS) && !is_beyond(bytes, limits.bytes, SLACK_BYTES) {
        return Ok(false);
    }
    // Pages that become free keep their content until they are reused. Overwriting them takes as long as storing the
    // events took, so a flood of large events would be faster.
    connection.pragma_update(None, "secure_delete", "FAST")?;
    let more = relaxed(connection, |transaction| Ok(remove_excess(transaction, limits, time)?));
    connection.pragma_update(None, "secure_delete", true)?;
    more
}

/// Removes the oldest events of the issue that stores the most, down to its newest. Once every issue is down to one
/// event, removes the least recently seen issues. Returns true if time was up before both limits held.
fn remove_excess(transaction: &Transaction, limits: &Retention, time: Duration) -> rusqlite::Result<bool> {
    let start = Instant::now();
    let mut batch = 1;
    loop {
        // How much space an event frees is known only once it is removed, so batches begin small.
        let Usage { events, bytes } = counts::usage(transaction)?;
        let average = (bytes / events.max(1)).max(1);
        let excess = (events - limits.events).max((bytes - limits.bytes + average - 1) / average);
        if excess <= 0 {
            return Ok(false);
        }
        if start.elapsed() >= time {
            return Ok(true);
        }
        let mut largest = transaction.prepare_cached(
            "SELECT id, stored FROM issues WHERE stored > 1 AND state <> 'deleted' ORDER BY stored DESC LIMIT 2",
        )?;
        let largest = largest.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let largest: Vec<(i64, i64)> = largest.collect::<Result<_, _>>()?;
        match largest.first() {
            Some(&(issue, stored)) => {
                // Down to the size of the next largest. Of equal ones, a share at a time, or each event would take a query.
                let next = largest.get(1).map_or(1, |(_, stored)| *stored);
                let share = (stored - next).max(stored / 32).clamp(1, stored - 1).min(excess).min(batch);
                if counts::remove_oldest(transaction, issue, share)? == 0 {
                    counts::recount(transaction, issue)?;
                    return Ok(false);
                }
            }
            None => match least_recent(transaction)? {
                Some(issue) => drop(delete::remove_issue(transaction, issue)?),
                None => return Ok(false),
            },
        }
        batch = BATCH.min(batch * 2);
    }
}

/// The least recently seen issue. Deleted ones are purged anyway. A merged one is skipped: its newest event may be the
/// one that describes the target.
fn least_recent(transaction: &Transaction) -> rusqlite::Result<Option<i64>> {
    // One look at the index per state. The planner would sort all issues instead.
    let mut oldest = transaction.prepare_cached(
        "SELECT id FROM issues WHERE id IN
         (SELECT (SELECT id FROM issues WHERE state = column1 ORDER BY last_seq LIMIT 1)
          FROM (VALUES ('open'), ('resolved'), ('ignored'))) ORDER BY last_seq LIMIT 1",
    )?;
    oldest.query_row([], |row| row.get(0)).optional()
}

/// Removes events beyond the maximum age, and issues with none left. An old event can be anywhere in the order of
/// arrival, because events are imported and clocks jump, so this patrols all of them: a few at a time, from `position` on.
/// Returns true if it removed some.
pub fn age(connection: &mut Connection, days: Option<i64>, position: &mut i64) -> Result<bool, Error> {
    let Some(days) = days else { return Ok(false) };
    let Some(cutoff) = Time::from_millis(Time::now().millis() - days * DAY) else { return Ok(false) };
    let next = events_after(connection, *position, &cutoff.to_string())?;
    *position = next.last().map_or(0, |(seq, _)| *seq);
    let old: Vec<i64> = next.iter().filter(|(_, is_old)| *is_old).map(|(seq, _)| *seq).collect();
    if old.is_empty() {
        return Ok(false);
    }
    relaxed(connection, |transaction| {
        let start = Instant::now();
        let mut removed = false;
        for seq in &old {
            if start.elapsed() > TIME {
                *position = seq - 1;
                return Ok(true);
            }
            removed |= remove_old(transaction, *seq)?;
        }
        Ok(removed)
    })
}

/// The next events in the order of arrival. Says of each whether it is older than the cutoff.
fn events_after(connection: &Connection, position: i64, cutoff: &str) -> rusqlite::Result<Vec<(i64, bool)>> {
    let mut next =
        connection.prepare_cached("SELECT seq, received_at < ?2 FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?3")?;
    next.query_map((position, cutoff, PATROL), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Removes an event, or the issue that has no other. Returns false for an event that stays: one that is purged anyway, or of
/// an issue that looks empty because events are still to be moved to it.
fn remove_old(transaction: &Transaction, seq: i64) -> rusqlite::Result<bool> {
    let mut find = transaction.prepare_cached(
        "SELECT issues.id, stored <= 1, seq = last_seq FROM events JOIN issues ON issues.id = issue_id
         WHERE seq = ?1 AND state NOT IN ('merged', 'deleted') AND NOT EXISTS
         (SELECT 1 FROM merged JOIN issues AS part ON part.id = merged.id WHERE into_id = issues.id)",
    )?;
    let found = find.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((issue, is_last, is_newest)) = found else { return Ok(false) };
    if is_last {
        return delete::remove_issue(transaction, issue).map(|_| true);
    }
    counts::remove(transaction, seq)?;
    if is_newest {
        delete::find_newest(transaction, issue)?; // an imported event may be older than those that arrived before it
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_issue_whose_newest_event_is_too_old_a_younger_one_becomes_the_newest() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../../../sql/0001_schema.sql")).unwrap();
        let rows = "
            INSERT INTO issues (project, title, grouped_by, count, stored, first_seen, last_seen, last_seq)
            VALUES ('', 't', '', 2, 2, '2020', '2020', 2);
            INSERT INTO events (id, issue_id, level, timestamp, received_at, message)
            VALUES ('a', 1, 'error', '', '9999', 'm'), ('b', 1, 'error', '', '2020', 'm');";
        connection.execute_batch(rows).unwrap();
        let (days, mut position) = (Some(30), 0);
        let number = |connection: &Connection, sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        assert_eq!(age(&mut connection, days, &mut position), Ok(true));
        assert_eq!(number(&connection, "SELECT last_seq FROM issues WHERE stored = 1"), Ok(1));
        assert_eq!(age(&mut connection, days, &mut position), Ok(false));
        connection.execute("UPDATE events SET received_at = '2020'", []).unwrap();
        assert_eq!(age(&mut connection, days, &mut position), Ok(true));
        assert_eq!(number(&connection, "SELECT count(*) FROM events"), Ok(0));
    }
}
