//! The environments and releases that the list offers as filters. Each is one that some issue counts under its own name,
//! so a filter on it finds an issue.
use rusqlite::{Connection, Transaction, params};

/// The kinds of values that are offered.
pub const KINDS: [&str; 2] = ["environment", "release"];
/// Values of one kind that are kept.
const MAX_VALUES: i64 = 1000;

/// Adds issues that have begun to count a value, whose first event is `seq`. A new value beyond the limit takes the place
/// of the oldest release, or of the oldest of the environments with the fewest issues.
pub fn add(transaction: &Transaction, kind: &str, value: &str, issues: i64, seq: i64) -> rusqlite::Result<()> {
    if change(transaction, kind, value, issues)? {
        return Ok(());
    }
    let mut count = transaction.prepare_cached("SELECT count(*) FROM filter_values WHERE kind = ?1")?;
    if count.query_row([kind], |row| row.get::<_, i64>(0))? >= MAX_VALUES {
        let mut remove = transaction.prepare_cached(
            "DELETE FROM filter_values WHERE kind = ?1 AND value = (SELECT value FROM filter_values WHERE kind = ?1
             ORDER BY iif(?1 = 'environment', issues, 0), first_seq LIMIT 1)",
        )?;
        remove.execute([kind])?;
    }
    let mut insert = transaction.prepare_cached("INSERT INTO filter_values VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute(params![kind, value, issues, seq]).map(drop)
}

/// Adds to the number of issues that count a value. Returns false if the value is not among those kept.
pub fn change(connection: &Connection, kind: &str, value: &str, issues: i64) -> rusqlite::Result<bool> {
    let mut change =
        connection.prepare_cached("UPDATE filter_values SET issues = issues + ?3 WHERE kind = ?1 AND value = ?2")?;
    Ok(change.execute(params![kind, value, issues])? > 0)
}

/// Subtracts the values that an issue counts with at most so many events, whose rows are about to be removed. A value that
/// no issue counts is not kept.
pub fn subtract(transaction: &Transaction, issue: i64, most: i64) -> rusqlite::Result<()> {
    let mut values = transaction.prepare_cached(
        "SELECT kind, value FROM issue_values
         WHERE issue_id = ?1 AND kind IN ('environment', 'release') AND value <> '' AND events <= ?2",
    )?;
    let values = values.query_map([issue, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut remove =
        transaction.prepare_cached("DELETE FROM filter_values WHERE kind = ?1 AND value = ?2 AND issues <= 0")?;
    for (kind, value) in values.collect::<Result<Vec<(String, String)>, _>>()? {
        change(transaction, &kind, &value, -1)?;
        remove.execute([&kind, &value])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_a_new_value_replaces_the_oldest_release_or_the_rarest_environment() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../../sql/0001_schema.sql")).unwrap();
        let transaction = connection.transaction().unwrap();
        for kind in KINDS {
            add(&transaction, kind, "first", 7, 1).unwrap();
            (2..=1000).for_each(|seq| add(&transaction, kind, &seq.to_string(), 1, seq).unwrap());
            add(&transaction, kind, "last", 1, 1001).unwrap();
        }
        let has = "SELECT EXISTS (SELECT 1 FROM filter_values WHERE kind = ?1 AND value = ?2)";
        let has = |kind, value| transaction.query_row(has, [kind, value], |row| row.get::<_, bool>(0)).unwrap();
        assert!(!has("release", "first") && has("release", "2") && has("release", "last"));
        assert!(has("environment", "first") && !has("environment", "2") && has("environment", "last"));
    }
}
