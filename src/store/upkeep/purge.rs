//! Finishes deletions and merges: their events are removed or moved in batches, and this continues after a restart.
use crate::store::counts;
use crate::store::error::Error;
use crate::store::transaction::relaxed;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::time::{Duration, Instant};

/// About how long one step takes. The last batch takes as long as all before it.
const TIME: Duration = Duration::from_millis(5);
/// Events in the first batch of a step. Each further batch is twice as large.
const FIRST_BATCH: i64 = 4;

pub fn is_due(connection: &Connection) -> rusqlite::Result<bool> {
    let due = "SELECT EXISTS (SELECT 1 FROM states WHERE state IN ('deleted', 'merged') AND issues > 0)";
    connection.prepare_cached(due)?.query_row([], |row| row.get(0))
}

/// Returns true if there was something to do, so there may be more.
pub fn step(connection: &mut Connection) -> Result<bool, Error> {
    if !is_due(connection)? {
        return Ok(false);
    }
    relaxed(connection, |transaction| {
        // Merges first: the target of one may have been deleted in the meantime.
        let (issue, is_empty) = if let Some(issue) = next(transaction, "merged")? {
            (issue, move_events(transaction, issue)?)
        } else if let Some(issue) = next(transaction, "deleted")? {
            (issue, in_batches(|limit| counts::remove_oldest(transaction, issue, limit))?)
        } else {
            return Ok(false);
        };
        if is_empty {
            transaction.prepare_cached("DELETE FROM issues WHERE id = ?1")?.execute([issue])?;
        }
        Ok(true)
    })
}

fn next(transaction: &Transaction, state: &str) -> rusqlite::Result<Option<i64>> {
    let mut next = transaction.prepare_cached("SELECT id FROM issues WHERE state = ?1 LIMIT 1")?;
    next.query_row([state], |row| row.get(0)).optional()
}

/// Moves the newest events first, because the target's pages begin with them. Returns true if none is left.
fn move_events(transaction: &Transaction, issue: i64) -> rusqlite::Result<bool> {
    let mut find = transaction.prepare_cached("SELECT into_id FROM merged WHERE id = ?1")?;
    let Some(into) = find.query_row([issue], |row| row.get::<_, i64>(0)).optional()? else {
        transaction.execute("UPDATE issues SET state = 'deleted' WHERE id = ?1", [issue])?;
        return Ok(false);
    };
    in_batches(|limit| counts::move_newest(transaction, issue, into, limit))
}

/// Calls `work` with growing limits until it does less than its limit, and then returns true, or until time is up.
fn in_batches(mut work: impl FnMut(i64) -> rusqlite::Result<i64>) -> rusqlite::Result<bool> {
    let start = Instant::now();
    let mut limit = FIRST_BATCH;
    while start.elapsed() < TIME {
        if work(limit)? < limit {
            return Ok(true);
        }
        limit *= 2;
    }
    Ok(false)
}
