//! Returns freed pages to the file system, and empties the WAL of deleted data.
use crate::store::error::Error;
use crate::store::transaction::relaxed;
use rusqlite::Connection;

/// Pages returned per step.
const STEP: i64 = 64;
/// Free pages that stay for the next events: this many, and 1 % of the file.
const KEEP: i64 = 64;

/// Returns true if more pages can be returned.
pub fn free_pages(connection: &mut Connection, all: bool) -> Result<bool, Error> {
    let keep = if all { 0 } else { KEEP + pages(connection, "page_count")? / 100 };
    let before = pages(connection, "freelist_count")?;
    if before <= keep {
        return Ok(false);
    }
    relaxed(connection, |transaction| {
        let mut vacuum = transaction.prepare(&format!("PRAGMA incremental_vacuum({STEP})"))?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {} // one row per page
        Ok(())
    })?;
    let after = pages(connection, "freelist_count")?;
    Ok(keep < after && after < before)
}

fn pages(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

/// Returns false while a reader still needs the WAL.
pub fn empty_wal(connection: &Connection) -> rusqlite::Result<bool> {
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    Ok(!busy?)
}
