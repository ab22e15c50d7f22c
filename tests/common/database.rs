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

/// The rows that `issue_hours`, or `project_hours`, would have if all events were stored, for hours that charts show.
fn hours(database: &Sqlite, whose: &str) -> String {
    let hour = |row: &mut Context| Ok(Time::parse(row.get_raw(0).as_str().unwrap()).unwrap().hour());
    database.create_scalar_function("hour", 1, FunctionFlags::SQLITE_UTF8, hour).unwrap();
    format!(
        "SELECT * FROM (SELECT {whose}, hour(received_at) AS hour, sum(1 + ifnull(suppressed, 0)) AS events,
                               sum(iif(level = 'error', 1 + ifnull(suppressed, 0), 0)) AS errors
                        FROM events JOIN issues ON issues.id = issue_id GROUP BY 1, 2) WHERE {}",
        shown()
    )
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
        ("states", "SELECT state FROM states WHERE issues <> (SELECT count(*) FROM issues
            WHERE issues.state = states.state AND issues.project = states.project)"),
        ("states, which lacks a row,", "SELECT id FROM issues WHERE (project, state) NOT IN (SELECT project, state FROM states)"),
        ("issue_keys", "SELECT id FROM issues WHERE id NOT IN (SELECT issue_id FROM issue_keys)"),
        ("issue_hours, too low,", &format!("SELECT * FROM ({}) AS hours LEFT JOIN issue_hours USING (issue_id, hour)
            WHERE ifnull(issue_hours.events, 0) < hours.events OR ifnull(issue_hours.errors, 0) < hours.errors", hours(database, "issue_id"))),
        ("project_hours, less than the sum,", &format!("SELECT hour, project FROM issue_hours JOIN issues ON issues.id = issue_id
            LEFT JOIN project_hours USING (hour, project) WHERE {} GROUP BY hour, project
            HAVING sum(issue_hours.events) > ifnull(project_hours.events, 0) OR sum(issue_hours.errors) > ifnull(project_hours.errors, 0)", shown())),
        ("issue_hours.errors", "SELECT * FROM issue_hours WHERE errors NOT BETWEEN 0 AND events"),
        ("filter_values", &format!("{FILTER_VALUES} EXCEPT SELECT kind, value, count(*) FROM issue_values GROUP BY 1, 2")),
        ("filter_values, which lacks a row,", &format!("SELECT kind, value, count(*) FROM issue_values
            WHERE kind IN ('environment', 'release') AND value <> '' AND kind NOT IN ({FULL}) GROUP BY 1, 2 EXCEPT {FILTER_VALUES}")),
    ]);
    for table in ["issue_keys", "issue_hours", "issue_values", "events"] {
        let orphans = format!("SELECT 1 FROM {table} WHERE issue_id NOT IN (SELECT id FROM issues)");
        assert!(!database.prepare(&orphans).unwrap().exists([]).unwrap(), "rows of {table} without an issue");
    }
}

/// How many rows of `issue_values` each value has that is offered as a filter.
const FILTER_VALUES: &str = "SELECT kind, value, issues FROM filter_values";

/// The kinds of which as many values are offered as are kept, so that others may be missing.
const FULL: &str = "SELECT kind FROM filter_values GROUP BY kind HAVING count(*) = 1000";

/// A condition: the value is of a field, not of a tag or a user.
const IS_FIELD: &str = "kind IN ('environment', 'release', 'server_name')";

/// Checks all counters. They match the stored events only as long as retention has removed none.
pub fn assert_consistent(database: &Sqlite) {
    assert_stored_counts_match(database);
    let arrived = "sum(1 + ifnull(suppressed, 0))";
    let values = ["environment", "release", "server_name"].map(|kind| {
        format!("SELECT issue_id, '{kind}', {kind}, {arrived} FROM events WHERE {kind} IS NOT NULL GROUP BY issue_id, {kind}")
    });
    let (seen, shown) = ("(received_at) FROM events WHERE issue_id = issues.id", |table: &str, whose: &str| {
        format!("SELECT {whose}, hour, events, errors FROM {table} WHERE {} AND events > 0", shown())
    });
    #[rustfmt::skip]
    assert_none(database, &[
        ("issues.count", &format!("SELECT id FROM issues WHERE count IS NOT (SELECT {arrived} FROM events WHERE issue_id = issues.id)")),
        ("issues.first_seen", &format!("SELECT id FROM issues WHERE first_seen IS NOT (SELECT min{seen})")),
        ("issues.last_seen", &format!("SELECT id FROM issues WHERE last_seen IS NOT (SELECT max{seen})")),
        ("issues.title_seq", "SELECT id FROM issues WHERE title_seq NOT IN (SELECT seq FROM events)"),
        ("issue_hours", &format!("{} EXCEPT {}", shown("issue_hours", "issue_id"), hours(database, "issue_id"))),
        ("issue_hours, which lacks a row,", &format!("{} EXCEPT {}", hours(database, "issue_id"), shown("issue_hours", "issue_id"))),
        ("project_hours", &format!("{} EXCEPT {}", shown("project_hours", "project"), hours(database, "project"))),
        ("project_hours, which lacks a row,", &format!("{} EXCEPT {}", hours(database, "project"), shown("project_hours", "project"))),
        ("issue_values", &format!("SELECT * FROM issue_values WHERE {IS_FIELD} EXCEPT {}", values.join(" EXCEPT "))),
        ("issue_values, which lacks a row,", &format!("SELECT * FROM ({}) EXCEPT SELECT * FROM issue_values", values.join(" UNION ALL "))),
    ]);
}
