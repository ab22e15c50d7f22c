//! Events by hour: of each issue, and of each project.
use crate::domain::Hour;
use crate::time::Time;
use rusqlite::{CachedStatement, Statement, ToSql, Transaction, params};
use std::collections::BTreeMap;

/// Hours that charts show, and one more.
const MAX_HOURS: i64 = 14 * 24 + 1;

/// A table of hours, and the column for whose they are.
type Table = (&'static str, &'static str);
pub const OF_ISSUE: Table = ("issue_hours", "issue_id");
pub const OF_PROJECT: Table = ("project_hours", "project");

/// Adds to an hour that is there already.
pub fn adder<'a>(transaction: &'a Transaction, (table, whose): Table) -> rusqlite::Result<CachedStatement<'a>> {
    transaction.prepare_cached(&format!(
        "UPDATE {table} SET events = events + ?3, errors = errors + ?4 WHERE {whose} = ?1 AND hour = ?2"
    ))
}

/// The first event of an issue or a project in an hour also removes the hours that no chart shows any more. Such an hour
/// is not added: imported events may be older.
pub fn add(
    transaction: &Transaction,
    adder: &mut Statement,
    (table, whose): Table,
    owner: &dyn ToSql,
    hour: i64,
    Hour { events, errors }: Hour,
    now: Time,
) -> rusqlite::Result<()> {
    let oldest = now.hour() - MAX_HOURS;
    if adder.execute(params![owner, hour, events, errors])? == 0 && hour >= oldest {
        let insert = format!("INSERT INTO {table} ({whose}, hour, events, errors) VALUES (?1, ?2, ?3, ?4)");
        transaction.prepare_cached(&insert)?.execute(params![owner, hour, events, errors])?;
        let remove = format!("DELETE FROM {table} WHERE {whose} = ?1 AND hour < ?2");
        transaction.prepare_cached(&remove)?.execute(params![owner, oldest])?;
    }
    Ok(())
}

/// Subtracts what events of an issue contributed.
pub fn subtract(
    transaction: &Transaction,
    issue: i64,
    project: &str,
    hours: &BTreeMap<i64, Hour>,
) -> rusqlite::Result<()> {
    for (hour, Hour { events, errors }) in hours {
        adder(transaction, OF_ISSUE)?.execute([issue, *hour, -events, -errors])?;
        adder(transaction, OF_PROJECT)?.execute(params![project, hour, -events, -errors])?;
    }
    transaction.execute("DELETE FROM issue_hours WHERE issue_id = ?1 AND events <= 0", [issue]).map(drop)
}

/// Subtracts all that an issue contributed to the hours of its project.
pub fn subtract_issue(transaction: &Transaction, issue: i64) -> rusqlite::Result<()> {
    let subtract = "
        UPDATE project_hours SET events = project_hours.events - gone.events, errors = project_hours.errors - gone.errors
        FROM issue_hours AS gone CROSS JOIN issues ON issues.id = gone.issue_id
        WHERE gone.issue_id = ?1 AND project_hours.hour = gone.hour AND project_hours.project = issues.project";
    transaction.execute(subtract, [issue]).map(drop)
}

/// Adds the hours of one issue to those of another, except those that no chart shows any more.
pub fn merge(transaction: &Transaction, from: i64, into: i64, now: Time) -> rusqlite::Result<()> {
    let merge = "
        INSERT INTO issue_hours SELECT ?2, hour, events, errors FROM issue_hours WHERE issue_id = ?1 AND hour >= ?3
        ON CONFLICT DO UPDATE SET events = events + excluded.events, errors = errors + excluded.errors";
    transaction.execute(merge, [from, into, now.hour() - MAX_HOURS]).map(drop)
}
