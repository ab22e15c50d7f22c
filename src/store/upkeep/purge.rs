//! Finishes deletions and merges: their events are removed or moved in batches, and this continues after a restart.
use crate::store::counts;
use crate::store::error::Error;
use crate::store::transaction::relaxed;
use rusqlite::{Connection, OptionalExtension};
use std::time::{Duration, Instant};

/// About how long one step takes. The last batch takes as long as all before it.
const TIME: Duration = Duration::from_millis(5);
/// Events in the first batch of a step. Each further batch is twice as large.
const FIRST_BATCH: i64 = 4;

/// Returns true if there was something to do, so there may be more.
pub fn step(connection: &mut Connection) -> Result<bool, Error> {
    let Some((issue, into)) = next(connection)? else { return Ok(false) };
    relaxed(connection, |transaction| {
        let is_empty = in_batches(|limit| match into {
            // The newest events first, because the target's pages begin with them.
            Some(into) => counts::move_newest(transaction, issue, into, limit),
            None => counts::remove_oldest(transaction, issue, limit),
        })?;
        if is_empty {
            transaction.prepare_cached("DELETE FROM issues WHERE id = ?1")?.execute([issue])?;
        }
        Ok(true)
    })
}

/// A deleted issue, or a merged one with the issue that it is now part of.
fn next(connection: &Connection) -> rusqlite::Result<Option<(i64, Option<i64>)>> {
    let mut next = connection.prepare_cached(
        "SELECT issues.id, into_id FROM issues LEFT JOIN merged ON merged.id = issues.id
         WHERE state IN ('deleted', 'merged') LIMIT 1",
    )?;
    next.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()
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
