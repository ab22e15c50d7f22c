//! Checks on the contents of a database: which events it holds, and whether its counters agree with them.
use rusqlite::{Connection as Sqlite, types::FromSql};
use std::collections::HashSet;

/// The first column of the first row.
pub fn value<T: FromSql>(database: &Sqlite, sql: &str) -> T {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

pub fn event_ids(database: &Sqlite) -> HashSet<String> {
    let mut select = database.prepare("SELECT id FROM events").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

pub fn assert_holds(database: &Sqlite, acknowledged: &[String]) {
    let stored = event_ids(database);
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(*id)).collect();
    assert!(lost.is_empty(), "{} of {} lost, such as {}", lost.len(), acknowledged.len(), lost[0]);
}

/// Checks that each query, which selects wrong rows, selects none.
fn assert_none(database: &Sqlite, checks: &[(&str, &str)]) {
    for (what, sql) in checks {
        assert!(!database.prepare(sql).unwrap().exists([]).unwrap(), "{what} does not match the events");
    }
}

/// Checks the file and the counters that must match the stored events at any time, also after evictions.
pub fn assert_stored_counts_match(database: &Sqlite) {
    assert_eq!(value::<String>(database, "PRAGMA integrity_check"), "ok");
    assert!(!database.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap(), "a row without its issue");
    #[rustfmt::skip]
    assert_none(database, &[
        ("issues.stored", "SELECT id FROM issues WHERE stored <> (SELECT count(*) FROM events WHERE issue_id = issues.id)"),
        ("issues.last_seq", "SELECT id FROM issues WHERE last_seq IS NOT (SELECT max(seq) FROM events WHERE issue_id = issues.id)"),
        ("totals.stored", "SELECT stored FROM totals WHERE stored <> (SELECT count(*) FROM events)"),
        ("states", "SELECT state FROM states WHERE issues <> (SELECT count(*) FROM issues WHERE issues.state = states.state)"),
        ("issue_keys", "SELECT id FROM issues WHERE id NOT IN (SELECT issue_id FROM issue_keys)"),
    ]);
    for table in ["issue_keys", "issue_hours", "issue_values", "events"] {
        let orphans = format!("SELECT 1 FROM {table} WHERE issue_id NOT IN (SELECT 0 UNION SELECT id FROM issues)");
        assert!(!database.prepare(&orphans).unwrap().exists([]).unwrap(), "rows of {table} without an issue");
    }
}

/// Checks all counters. They match the stored events only as long as retention has removed none.
pub fn assert_consistent(database: &Sqlite) {
    assert_stored_counts_match(database);
    let arrived = "sum(1 + ifnull(suppressed, 0))";
    let values = ["environment", "release", "server_name"].map(|kind| {
        format!("SELECT issue_id, '{kind}', {kind}, {arrived} FROM events WHERE {kind} IS NOT NULL GROUP BY issue_id, {kind}")
    });
    #[rustfmt::skip]
    assert_none(database, &[
        ("issues.count", &format!("SELECT id FROM issues WHERE count IS NOT (SELECT {arrived} FROM events WHERE issue_id = issues.id)")),
        ("issues.last_seen", "SELECT issues.id FROM issues JOIN events ON seq = last_seq WHERE last_seen <> received_at"),
        ("issue_hours", "SELECT id FROM issues WHERE count IS NOT (SELECT sum(events) FROM issue_hours WHERE issue_id = issues.id)"),
        ("issue_hours of issue 0, the total", "SELECT hour FROM issue_hours GROUP BY hour
            HAVING sum(iif(issue_id = 0, events, -events)) <> 0 OR sum(iif(issue_id = 0, errors, -errors)) <> 0"),
        ("issue_hours.errors", &format!("SELECT 1 WHERE (SELECT total(errors) FROM issue_hours WHERE issue_id = 0)
            IS NOT (SELECT ifnull({arrived}, 0.0) FROM events WHERE level = 'error')")),
        ("issue_values", &format!("SELECT * FROM issue_values EXCEPT {}", values.join(" EXCEPT "))),
        ("issue_values, which lacks a row,", &format!("SELECT * FROM ({}) EXCEPT SELECT * FROM issue_values", values.join(" UNION ALL "))),
    ]);
}
