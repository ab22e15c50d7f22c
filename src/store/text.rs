//! The index of issues' titles and culprits. It is brought up to date when nothing else is to be done, so that a flood of
//! new issues does not wait for it; a search looks through what is not in it yet.
use rusqlite::{Connection, params};

/// Issues that one step takes in.
const STEP: i64 = 100;

/// Takes in some issues. Whether there may be more.
pub fn step(transaction: &Connection) -> rusqlite::Result<bool> {
    let next =
        "SELECT max(id) FROM (SELECT id FROM issues WHERE id > (SELECT searchable FROM totals) ORDER BY id LIMIT ?1)";
    let last: Option<i64> = transaction.prepare_cached(next)?.query_row([STEP], |row| row.get(0))?;
    let Some(last) = last else { return Ok(false) };
    let mut add = transaction.prepare_cached(
        "INSERT INTO issue_text (rowid, title, culprit) SELECT id, title, culprit FROM issues
         WHERE id > (SELECT searchable FROM totals) AND id <= ?1 AND state IN ('open', 'resolved', 'ignored')",
    )?;
    add.execute([last])?;
    transaction.prepare_cached("UPDATE totals SET searchable = ?1")?.execute([last])?;
    Ok(true)
}

/// Whether there are issues to be taken in.
pub fn is_due(connection: &Connection) -> rusqlite::Result<bool> {
    let newest = "SELECT ifnull(max(id), 0) > (SELECT searchable FROM totals) FROM issues";
    connection.prepare_cached(newest)?.query_row([], |row| row.get(0))
}

/// Takes an issue out, before its texts change or it goes. `wipe`: nothing of them may stay in the file.
pub fn remove(transaction: &Connection, issue: i64, wipe: bool) -> rusqlite::Result<()> {
    let set = "INSERT INTO issue_text (issue_text, rank) VALUES ('secure-delete', ?1)";
    if wipe {
        transaction.execute(set, [1])?;
    }
    let mut remove = transaction.prepare_cached(
        "INSERT INTO issue_text (issue_text, rowid, title, culprit) SELECT 'delete', id, title, culprit FROM issues
         WHERE id = ?1 AND id <= (SELECT searchable FROM totals) AND state IN ('open', 'resolved', 'ignored')",
    )?;
    remove.execute([issue])?;
    if wipe {
        transaction.execute(set, [0])?;
    }
    Ok(())
}

/// Takes an issue in that has got other texts.
pub fn replace(transaction: &Connection, issue: i64, title: &str, culprit: Option<&str>) -> rusqlite::Result<()> {
    remove(transaction, issue, true)?;
    transaction.execute("UPDATE issues SET title = ?2, culprit = ?3 WHERE id = ?1", params![issue, title, culprit])?;
    let mut add = transaction.prepare_cached(
        "INSERT INTO issue_text (rowid, title, culprit) SELECT id, title, culprit FROM issues
         WHERE id = ?1 AND id <= (SELECT searchable FROM totals)",
    )?;
    add.execute([issue])?;
    Ok(())
}
