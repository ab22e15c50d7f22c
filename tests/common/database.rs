//! Checks on the contents of a database: which events it holds, and whether its counters agree with them.
use obs::time::Time;
use rusqlite::functions::{Context, FunctionFlags};
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

/// A condition: the hour is one that charts show.
fn shown() -> String {
    let now = Time::now().hour();
    format!("hour BETWEEN {} AND {now}", now - 14 * 24)
}

/// The rows that `issue_hours` would have if all events were stored, for hours that charts show. 0 stands for all issues.
fn hours(database: &Sqlite) -> String {
    let hour = |row: &mut Context| Ok(Time::parse(row.get_raw(0).as_str().unwrap()).unwrap().hour());
    database.create_scalar_function("hour", 1, FunctionFlags::SQLITE_UTF8, hour).unwrap();
    let hours = |issue| {
        format!(
            "SELECT {issue} AS issue_id, hour(received_at) AS hour, sum(1 + ifnull(suppressed, 0)) AS events,
                    sum(iif(level = 'error', 1 + ifnull(suppressed, 0), 0)) AS errors FROM events GROUP BY 1, 2"
        )
    };
    format!("SELECT * FROM ({} UNION ALL {}) WHERE {}", hours("issue_id"), hours("0"), shown())
}

/// Checks the file and the counters that must match the stored events at any time, also after evictions.
pub fn assert_stored_counts_match(database: &Sqlite) {
    assert_eq!(value::<String>(database, "PRAGMA integrity_check"), "ok");
    assert!(!database.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap(), "a row without its issue");
    #[rustfmt::skip]
    assert_none(database, &[
        ("issues.stored", "SELECT id FROM issues WHERE stored <> (SELECT count(*) FROM events WHERE issue_id = issues.id)"),
        ("issues.last_seq", "SELECT id FROM issues WHERE last_seq IS NOT (SELECT max(seq) FROM events WHERE issue_id = issues.id)"),
        ("issues.count", "SELECT id FROM issues WHERE count < (SELECT sum(1 + ifnull(suppressed, 0)) FROM events WHERE issue_id = issues.id)"),
        ("issues.first_seen", "SELECT id FROM issues WHERE first_seen > last_seen"),
        ("issues.title_seq", "SELECT issues.id FROM issues JOIN events ON seq = title_seq WHERE issue_id <> issues.id"),
        ("issues.users", "SELECT id FROM issues WHERE users <> (SELECT count(*) FROM issue_values
            WHERE issue_id = issues.id AND kind = 'user' AND value <> '')"),
        ("totals.stored", "SELECT stored FROM totals WHERE stored <> (SELECT count(*) FROM events)"),
        ("states", "SELECT state FROM states WHERE issues <> (SELECT count(*) FROM issues WHERE issues.state = states.state)"),
        ("issue_keys", "SELECT id FROM issues WHERE id NOT IN (SELECT issue_id FROM issue_keys)"),
        ("issue_hours, too low,", &format!("SELECT * FROM ({}) AS hours LEFT JOIN issue_hours USING (issue_id, hour)
            WHERE ifnull(issue_hours.events, 0) < hours.events OR ifnull(issue_hours.errors, 0) < hours.errors", hours(database))),
        ("issue_hours of issue 0, less than the sum,", &format!("SELECT hour FROM issue_hours WHERE {} GROUP BY hour
            HAVING sum(iif(issue_id = 0, events, -events)) < 0 OR sum(iif(issue_id = 0, errors, -errors)) < 0", shown())),
        ("issue_hours.errors", "SELECT * FROM issue_hours WHERE errors NOT BETWEEN 0 AND events"),
    ]);
    for table in ["issue_keys", "issue_hours", "issue_values", "events"] {
        let orphans = format!("SELECT 1 FROM {table} WHERE issue_id NOT IN (SELECT 0 UNION SELECT id FROM issues)");
        assert!(!database.prepare(&orphans).unwrap().exists([]).unwrap(), "rows of {table} without an issue");
    }
}

/// A condition: the value is of a field, not of a tag or a user.
const IS_FIELD: &str = "kind IN ('environment', 'release', 'server_name')";

/// Checks all counters. They match the stored events only as long as retention has removed none.
pub fn assert_consistent(database: &Sqlite) {
    assert_stored_counts_match(database);
    let arrived = "sum(1 + ifnull(suppressed, 0))";
    let values = ["environment", "release", "server_name"].map(|kind| {
        format!("SELECT issue_id, '{kind}', {kind}, {arrived} FROM events WHERE {kind} IS NOT NULL GROUP BY issue_id, {kind}")
    });
    let (seen, shown) = (
        "(received_at) FROM events WHERE issue_id = issues.id",
        format!("SELECT * FROM issue_hours WHERE {} AND events > 0", shown()),
    );
    #[rustfmt::skip]
    assert_none(database, &[
        ("issues.count", &format!("SELECT id FROM issues WHERE count IS NOT (SELECT {arrived} FROM events WHERE issue_id = issues.id)")),
        ("issues.first_seen", &format!("SELECT id FROM issues WHERE first_seen IS NOT (SELECT min{seen})")),
        ("issues.last_seen", &format!("SELECT id FROM issues WHERE last_seen IS NOT (SELECT max{seen})")),
        ("issues.title_seq", "SELECT id FROM issues WHERE title_seq NOT IN (SELECT seq FROM events)"),
        ("issue_hours", &format!("{shown} EXCEPT {}", hours(database))),
        ("issue_hours, which lacks a row,", &format!("{} EXCEPT {shown}", hours(database))),
        ("issue_values", &format!("SELECT * FROM issue_values WHERE {IS_FIELD} EXCEPT {}", values.join(" EXCEPT "))),
        ("issue_values, which lacks a row,", &format!("SELECT * FROM ({}) EXCEPT SELECT * FROM issue_values", values.join(" UNION ALL "))),
    ]);
}
