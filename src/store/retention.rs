//! What goes when there is too much of it, or when it is too old: in small steps between commits, by the thread that writes.
use super::{Error, Kept};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::time::{Duration, Instant};

/// Events that one step removes at most: a few milliseconds' work.
const STEP: i64 = 256;
/// Issues whose hourly counts one step looks through.
const ISSUES: i64 = 1000;
/// Free pages that one step gives back to the file system.
const PAGES: i64 = 256;
/// How often to look for what is not pressing, and after a failure.
const PAUSE: Duration = Duration::from_secs(1);
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// How far back charts go, and one to spare.
const HOURS: i64 = 14 * 24 + 1;
const DAY: i64 = 24 * 3600 * 1000; // ms

/// What is due, and when to look again.
pub struct Retention {
    kept: Kept,
    next: Instant,
    /// While the clock may be wrong: the hour, and how many events may still be removed in it.
    doubted: (i64, i64),
    /// The round through hourly counts: the hour that it began in, and the issue that it has come to.
    round: (i64, i64),
}

impl Retention {
    pub fn new(kept: Kept) -> Retention {
        Retention { kept, next: Instant::now(), doubted: (0, 0), round: (0, 0) }
    }

    /// How long the writer may wait for an event.
    pub fn wait(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Does a little of what is due. Called after every commit, and whenever `wait` is over.
    pub fn step(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let pause = match self.try_step(connection) {
            Ok(true) => Duration::ZERO,
            Ok(false) if self.wait().is_zero() => PAUSE,
            Ok(false) => return Ok(()),
            Err(error) => {
                self.next = Instant::now() + AFTER_FAILURE;
                return Err(error);
            }
        };
        self.next = Instant::now() + pause;
        Ok(())
    }

    /// Whether there is more to do at once.
    fn try_step(&mut self, connection: &mut Connection) -> Result<bool, Error> {
        let idle = self.wait().is_zero();
        // Under load they go by the step, so that they share transactions: never over 1 % more than is to be kept.
        let slack = if idle { 0 } else { STEP.min(self.kept.events / 100) };
        let over = total(connection)? - self.kept.events;
        if over > slack {
            remove(connection, |transaction| evict(transaction, over.min(STEP)))?;
            return Ok(over > STEP);
        }
        if !idle {
            return Ok(false);
        }
        self.forget_hours(connection)?;
        Ok(self.age(connection)? | give_back(connection)?)
    }

    /// Removes what came longer ago than is to be kept, the oldest first.
    fn age(&mut self, connection: &mut Connection) -> Result<bool, Error> {
        let Some(days) = self.kept.days else { return Ok(false) };
        let newest = "SELECT received_at FROM events ORDER BY seq DESC LIMIT 1";
        let newest: Option<String> = connection.prepare_cached(newest)?.query_row([], |row| row.get(0)).optional()?;
        let Some(newest) = newest.and_then(|text| Time::parse(&text)) else { return Ok(false) };
        let now = Time::now();
        let Some(oldest) = Time::from_millis(now.millis() - days * DAY) else { return Ok(false) };
        // Either no event came for a day, or the clock has gone ahead: then all would be too old at once.
        let doubtful = now.millis() - newest.millis() > DAY;
        if doubtful && self.doubted.0 != now.hour() {
            self.doubted = (now.hour(), (total(connection)? / 100).max(1));
        }
        let limit = if doubtful { STEP.min(self.doubted.1) } else { STEP };
        let removed = remove(connection, |transaction| remove_before(transaction, oldest, limit))?;
        if doubtful {
            self.doubted.1 -= removed;
        }
        Ok(removed > 0 && removed == limit)
    }

    /// Drops the hourly counts that no chart reads any more: one round an hour, some issues at a time.
    fn forget_hours(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let hour = Time::now().hour();
        let before = hour - HOURS;
        if self.round.0 != hour {
            self.round = (hour, 0);
            connection.execute("DELETE FROM hours WHERE hour < ?1", [before])?;
        }
        let from = self.round.1;
        let last: Option<i64> =
            connection.prepare_cached("SELECT max(id) FROM issues")?.query_row([], |row| row.get(0))?;
        if last.is_some_and(|last| from <= last) {
            let mut forget = connection
                .prepare_cached("DELETE FROM issue_hours WHERE issue_id >= ?1 AND issue_id < ?2 AND hour < ?3")?;
            forget.execute([from, from + ISSUES, before])?;
            self.round.1 += ISSUES;
        }
        Ok(())
    }
}

fn total(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT stored FROM totals")?.query_row([], |row| row.get(0))
}

/// One transaction of deletions, and how many events went. Nobody waits for it to be durable: it is so with the next event,
/// and done again after a crash.
fn remove(connection: &mut Connection, work: impl FnOnce(&Transaction) -> rusqlite::Result<i64>) -> Result<i64, Error> {
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let done = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let removed = work(&transaction)?;
        transaction.prepare_cached("UPDATE totals SET stored = stored - ?1")?.execute([removed])?;
        transaction.commit()?;
        Ok(removed)
    })();
    connection.pragma_update(None, "synchronous", "FULL")?;
    done
}

/// Removes `count` events: the oldest of the issue that stores the most, down to its newest; once every issue has but
/// one left, the issues seen least recently. How many went.
fn evict(transaction: &Transaction, count: i64) -> rusqlite::Result<i64> {
    let mut left = count;
    while left > 0 {
        let mut largest = transaction
            .prepare_cached("SELECT id, stored FROM issues WHERE stored > 1 ORDER BY stored DESC LIMIT 2")?;
        let largest = largest.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let largest: Vec<(i64, i64)> = largest.collect::<Result<_, _>>()?;
        let removed = match largest.first() {
            Some(&(issue, stored)) => {
                // Down to where the next one is the largest; of equal ones a part each, lest it take a query an event.
                let next = largest.get(1).map_or(1, |(_, stored)| *stored);
                let share = (stored - next).max(stored / 32).clamp(1, stored - 1);
                remove_oldest(transaction, issue, share.min(left))?
            }
            None => {
                let quietest = "SELECT id FROM issues ORDER BY last_seq LIMIT 1";
                let quietest = transaction.prepare_cached(quietest)?.query_row([], |row| row.get(0)).optional()?;
                let Some(issue) = quietest else { break };
                remove_issue(transaction, issue)?
            }
        };
        if removed == 0 {
            break; // The counts are not those of the rows: someone else wrote to them. Rather too many events than none.
        }
        left -= removed;
    }
    Ok(count - left)
}

fn remove_oldest(transaction: &Transaction, issue: i64, count: i64) -> rusqlite::Result<i64> {
    let mut remove = transaction.prepare_cached(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE issue_id = ?1 ORDER BY seq LIMIT ?2)",
    )?;
    let removed = remove.execute([issue, count])? as i64;
    transaction.prepare_cached("UPDATE issues SET stored = stored - ?2 WHERE id = ?1")?.execute([issue, removed])?;
    Ok(removed)
}

/// Removes an issue with all that belongs to it. How many events it still had.
fn remove_issue(transaction: &Transaction, issue: i64) -> rusqlite::Result<i64> {
    let removed = transaction.prepare_cached("DELETE FROM events WHERE issue_id = ?1")?.execute([issue])? as i64;
    for table in ["issue_keys", "issue_hours", "issue_values"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE issue_id = ?1"))?.execute([issue])?;
    }
    transaction.prepare_cached("DELETE FROM issues WHERE id = ?1")?.execute([issue])?;
    Ok(removed)
}

/// Of the `limit` events that came first, removes those that came before `oldest`, and issues that have none left.
fn remove_before(transaction: &Transaction, oldest: Time, limit: i64) -> rusqlite::Result<i64> {
    let mut first = transaction.prepare_cached(
        "SELECT issue_id FROM (SELECT issue_id, received_at FROM events ORDER BY seq LIMIT ?1) WHERE received_at < ?2",
    )?;
    let issues = first.query_map(params![limit, oldest.to_string()], |row| row.get(0))?;
    let issues: Vec<i64> = issues.collect::<Result<_, _>>()?;
    let mut removed = 0;
    for issue in issues {
        let mut stored = transaction.prepare_cached("SELECT stored FROM issues WHERE id = ?1")?;
        removed += match stored.query_row([issue], |row| row.get(0))? {
            1 => remove_issue(transaction, issue)?,
            _ => remove_oldest(transaction, issue, 1)?,
        };
    }
    Ok(removed)
}

/// Gives pages back that deletions have freed. About 1 % stay, for the events that come next.
fn give_back(connection: &Connection) -> Result<bool, Error> {
    let count = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let before = count("freelist_count")?;
    if before <= 64 + count("page_count")? / 100 {
        return Ok(false);
    }
    connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    Ok(count("freelist_count")? < before)
}
