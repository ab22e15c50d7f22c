//! What goes when there is too much of it, or when it is too old: in small steps between commits, by the thread that writes.
use super::chores::unsynced;
use super::{Error, Retention, forget, text};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use std::time::{Duration, Instant};

/// Events that one step removes at most.
const STEP: i64 = 256;
/// How long one step goes on removing, about: events of a megabyte, and issues with years of counts, take longer than most.
const TIME: Duration = Duration::from_millis(10);
/// Issues whose hourly counts one step looks through.
const ISSUES: i64 = 100;
/// Free pages that one step gives back to the file system.
const PAGES: i64 = 64;
/// How often to look for what is not pressing.
const PAUSE: Duration = Duration::from_secs(1);
/// How far back charts go, and one to spare.
const HOURS: i64 = 14 * 24 + 1;
const DAY: i64 = 24 * 3600 * 1000; // ms

/// What is due, and when to look again.
pub struct Pruner {
    kept: Retention,
    next: Instant,
    /// While the clock may be wrong: the hour, and how many events may still be removed in it.
    doubted: (i64, i64),
    /// The event that the search for old ones has come to.
    aged: i64,
    /// The round through hourly counts: the day that it began on, and the issue that it has come to.
    round: (i64, i64),
}

impl Pruner {
    pub fn new(kept: Retention) -> Pruner {
        Pruner { kept, next: Instant::now(), doubted: (0, 0), aged: 0, round: (0, 0) }
    }

    /// How long the writer may wait for an event.
    pub fn wait(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Does a little of what is due. Called after every commit, and whenever `wait` is over. `settling`: events of issues
    /// that were merged or deleted are yet to follow.
    pub fn step(&mut self, connection: &mut Connection, settling: bool) -> Result<(), Error> {
        if self.try_step(connection, settling)? {
            self.next = Instant::now();
        } else if self.wait().is_zero() {
            self.next = Instant::now() + PAUSE;
        }
        Ok(())
    }

    /// Whether there is more to do at once.
    fn try_step(&mut self, connection: &mut Connection, settling: bool) -> Result<bool, Error> {
        let idle = self.wait().is_zero();
        // Under load they go by the step, so that they share transactions: never over 1 % more than is to be kept.
        let slack = if idle { 0 } else { STEP.min(self.kept.events / 100) };
        let over = total(connection)? - self.kept.events;
        let mut more = false;
        if over > slack {
            let removed = remove(connection, |transaction| evict(transaction, over.min(STEP)))?;
            more = removed > 0 && over > removed;
        }
        if idle {
            self.forget_hours(connection)?;
            // An issue goes with its last event, and which one that is can be told once all are there.
            more |= !settling && self.age(connection)?;
            // About 1 % stay, for the events that come next.
            let keep = 64 + count(connection, "page_count")? / 100;
            more |= give_back(connection, keep)?;
        }
        Ok(more)
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
        let mut search = Search { from: self.aged, oldest, now, goes_on: false };
        let removed = remove(connection, |transaction| search.remove(transaction, limit))?;
        if doubtful {
            self.doubted.1 -= removed;
        }
        self.aged = if search.goes_on { search.from } else { 0 };
        Ok(search.goes_on)
    }

    /// Drops the hourly counts that no chart reads any more: one round a day, some issues at a time.
    fn forget_hours(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let hour = Time::now().hour();
        let before = hour - HOURS;
        if self.round.0 != hour / 24 {
            self.round = (hour / 24, 0);
            connection.execute("DELETE FROM hours WHERE hour < ?1", [before])?;
        }
        let from = self.round.1;
        let next = "SELECT max(id) FROM (SELECT id FROM issues WHERE id >= ?1 ORDER BY id LIMIT ?2)";
        let last: Option<i64> = connection.prepare_cached(next)?.query_row([from, ISSUES], |row| row.get(0))?;
        if let Some(last) = last {
            remove(connection, |transaction| {
                let mut forget = transaction
                    .prepare_cached("DELETE FROM issue_hours WHERE issue_id BETWEEN ?1 AND ?2 AND hour < ?3")?;
                forget.execute([from, last, before]).map(|_| 0)
            })?;
            self.round.1 = last + 1;
        }
        Ok(())
    }
}

fn total(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT stored FROM totals")?.query_row([], |row| row.get(0))
}

/// One transaction of deletions, and how many events went.
pub fn remove(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction) -> rusqlite::Result<i64>,
) -> Result<i64, Error> {
    unsynced(connection, |transaction| {
        let removed = work(transaction)?;
        transaction.prepare_cached("UPDATE totals SET stored = stored - ?1")?.execute([removed])?;
        Ok(removed)
    })
}

/// Removes `count` events: the oldest of the issue that stores the most, down to its newest; once every issue has but
/// one left, the issues seen least recently. How many went.
fn evict(transaction: &Transaction, count: i64) -> rusqlite::Result<i64> {
    let begin = Instant::now();
    let mut left = count;
    let mut piece = 4; // Doubled each time, so that the last one takes about as long as all before.
    while left > 0 && begin.elapsed() < TIME {
        let mut largest = transaction
            .prepare_cached("SELECT id, stored FROM issues WHERE stored > 1 ORDER BY stored DESC LIMIT 2")?;
        let largest = largest.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let largest: Vec<(i64, i64)> = largest.collect::<Result<_, _>>()?;
        let removed = match largest.first() {
            Some(&(issue, stored)) => {
                // Down to where the next one is the largest; of equal ones a part each, lest it take a query an event.
                let next = largest.get(1).map_or(1, |(_, stored)| *stored);
                let share = (stored - next).max(stored / 32).clamp(1, stored - 1).min(left).min(piece);
                let removed = remove_oldest(transaction, issue, share)?;
                if removed == 0 {
                    recount(transaction, issue)?;
                    break;
                }
                removed
            }
            None => {
                let Some(issue) = quietest(transaction)? else { break };
                remove_issue(transaction, issue)?
            }
        };
        left -= removed;
        piece *= 2;
    }
    Ok(count - left)
}

/// The issue seen least recently. The index goes by state first, and the planner would sort them all. One that was merged
/// is passed over: its newest event may be what describes the other.
fn quietest(transaction: &Transaction) -> rusqlite::Result<Option<i64>> {
    let mut next = transaction.prepare_cached(
        "SELECT (SELECT last_seq FROM issues WHERE issues.state = states.state ORDER BY last_seq LIMIT 1) AS seq, state
         FROM states WHERE state <> 'merged' AND seq IS NOT NULL ORDER BY seq LIMIT 1",
    )?;
    let next: Option<(i64, String)> = next.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((seq, state)) = next else { return Ok(None) };
    let mut issue = transaction.prepare_cached("SELECT id FROM issues WHERE state = ?1 AND last_seq = ?2")?;
    issue.query_row((state, seq), |row| row.get(0)).optional()
}

fn remove_oldest(transaction: &Transaction, issue: i64, count: i64) -> rusqlite::Result<i64> {
    let mut remove = transaction.prepare_cached(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE issue_id = ?1 ORDER BY seq LIMIT ?2)",
    )?;
    let removed = remove.execute([issue, count])? as i64;
    transaction.prepare_cached("UPDATE issues SET stored = stored - ?2 WHERE id = ?1")?.execute([issue, removed])?;
    Ok(removed)
}

/// Someone else has removed events. What is believed to be there must not cost those that are.
fn recount(transaction: &Transaction, issue: i64) -> rusqlite::Result<()> {
    let count = "UPDATE issues SET stored = (SELECT count(*) FROM events WHERE issue_id = ?1) WHERE id = ?1";
    transaction.execute(count, [issue])?;
    transaction.execute("UPDATE totals SET stored = (SELECT coalesce(sum(stored), 0) FROM issues)", [])?;
    Ok(())
}

/// Removes an issue with all that belongs to it. How many events it still had.
fn remove_issue(transaction: &Transaction, issue: i64) -> rusqlite::Result<i64> {
    let removed = transaction.prepare_cached("DELETE FROM events WHERE issue_id = ?1")?.execute([issue])? as i64;
    text::remove(transaction, issue, false)?;
    forget::belongings(transaction, issue)?;
    transaction.prepare_cached("DELETE FROM issues WHERE id = ?1")?.execute([issue])?;
    Ok(removed)
}

/// The search for events that are too old, in the order in which they came.
struct Search {
    from: i64,
    oldest: Time,
    now: Time,
    /// Whether there may be more behind `from`.
    goes_on: bool,
}

impl Search {
    /// Looks at `limit` events, and removes the old ones, and issues that have none left. An event from a time that is yet
    /// to come is passed over, since the clock was wrong then; at any other the search ends.
    fn remove(&mut self, transaction: &Transaction, limit: i64) -> rusqlite::Result<i64> {
        let begin = Instant::now();
        let mut next = transaction.prepare_cached(
            "SELECT seq, issue_id, received_at, stored, last_seq FROM events JOIN issues ON issues.id = issue_id
             WHERE seq > ?1 ORDER BY seq LIMIT 1",
        )?;
        let mut removed = 0;
        for _ in 0..limit {
            let row = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?, row.get(4)?));
            let Some((seq, issue, received_at, stored, last_seq)) = next.query_row([self.from], row).optional()? else {
                self.goes_on = false;
                return Ok(removed);
            };
            let (seq, stored, last_seq): (i64, i64, i64) = (seq, stored, last_seq);
            let received_at = Time::parse(&received_at).unwrap_or(Time::EPOCH);
            if received_at >= self.oldest && received_at <= self.now {
                self.goes_on = false;
                return Ok(removed);
            }
            if received_at < self.oldest && stored <= 1 {
                removed += remove_issue(transaction, issue)?;
            } else if received_at < self.oldest && seq != last_seq {
                transaction.prepare_cached("DELETE FROM events WHERE seq = ?1")?.execute([seq])?;
                transaction.prepare_cached("UPDATE issues SET stored = stored - 1 WHERE id = ?1")?.execute([issue])?;
                removed += 1;
            }
            self.from = seq;
            self.goes_on = limit == STEP;
            if begin.elapsed() > TIME {
                break;
            }
        }
        Ok(removed)
    }
}

fn count(connection: &Connection, of: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, of, |row| row.get(0))
}

/// Gives pages back that deletions have freed, some at a time, down to `keep`. Whether more can be given back.
pub fn give_back(connection: &mut Connection, keep: i64) -> Result<bool, Error> {
    let before = count(connection, "freelist_count")?;
    if before <= keep {
        return Ok(false);
    }
    unsynced(connection, |connection| {
        let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut pages = vacuum.query([])?; // A row for each.
        while pages.next()?.is_some() {}
        Ok(())
    })?;
    let after = count(connection, "freelist_count")?;
    Ok(keep < after && after < before)
}
