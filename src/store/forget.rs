//! Removing what must not be there any more: one event, with all that was made of it, and what belongs to an issue.
use super::{text, triage, wipe};
use crate::event::frame::Frame;
use crate::event::json;
use crate::grouping::{self, Grouping, Input};
use crate::time::Time;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// All of an issue but its row and its events.
pub fn belongings(transaction: &Transaction, issue: i64) -> rusqlite::Result<()> {
    let merged = "UPDATE issues SET state = 'deleted' WHERE state = 'merged' AND id IN (SELECT id FROM merged WHERE into_id = ?1)";
    transaction.prepare_cached(merged)?.execute([issue])?;
    transaction.prepare_cached("DELETE FROM merged WHERE into_id = ?1")?.execute([issue])?;
    for table in ["issue_keys", "issue_hours", "issue_values", "issue_history"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE issue_id = ?1"))?.execute([issue])?;
    }
    Ok(())
}

/// What is to be taken back of an event.
struct Gone {
    seq: i64,
    issue: i64,
    count: i64,
    hour: i64,
    is_error: bool,
    values: [(&'static str, Option<String>); 3],
    grouping: Grouping,
}

const EVENT: &str = "
    SELECT seq, coalesce((SELECT into_id FROM merged WHERE merged.id = issue_id), issue_id), ifnull(suppressed, 0) + 1,
           received_at, level = 'error', environment, release, server_name, message, type, fingerprint, stacktrace
    FROM events ";

/// Removes an event; its issue too, if it has no other. Whether there was one.
pub fn event(transaction: &Transaction, id: &str) -> rusqlite::Result<bool> {
    let find = format!("{EVENT} JOIN issues ON issues.id = issue_id WHERE events.id = ?1 AND state <> 'deleted'");
    let Some(gone) = transaction.prepare(&find)?.query_row([id], read).optional()? else { return Ok(false) };
    // The newest of each first, since all of an issue's events may be a million.
    let others = "
        SELECT max((SELECT seq FROM events WHERE issue_id = whose.id AND seq <> ?2 ORDER BY seq DESC LIMIT 1))
        FROM (SELECT ?1 AS id UNION ALL SELECT id FROM merged WHERE into_id = ?1) AS whose";
    let newest: Option<i64> = transaction.query_row(others, [gone.issue, gone.seq], |row| row.get(0))?;
    let Some(newest) = newest else { return triage::delete(transaction, gone.issue) };

    wipe::begin(transaction)?;
    transaction.execute(
        "UPDATE issues SET stored = stored - 1 WHERE id = (SELECT issue_id FROM events WHERE seq = ?1)",
        [gone.seq],
    )?;
    transaction.execute("DELETE FROM events WHERE seq = ?1", [gone.seq])?;
    transaction.execute("UPDATE totals SET stored = stored - 1", [])?;
    transaction.execute(
        "UPDATE issues SET count = count - ?2, last_seq = ?3, last_seen = (SELECT received_at FROM events WHERE seq = ?3)
         WHERE id = ?1",
        [gone.issue, gone.count, newest],
    )?;
    uncount(transaction, &gone)?;
    let newest = transaction.query_row(&format!("{EVENT} WHERE seq = ?1"), [newest], read)?;
    retitle(transaction, &gone, &newest.grouping)?;
    Ok(true)
}

fn read(row: &Row) -> rusqlite::Result<Gone> {
    let message: String = row.get(8)?;
    let kind: Option<String> = row.get(9)?;
    let fingerprint: Option<String> = row.get(10)?;
    let stacktrace: Option<String> = row.get(11)?;
    let entries = fingerprint.as_deref().and_then(json::array);
    let entries: Option<Vec<String>> =
        entries.map(|entries| entries.iter().filter_map(|entry| json::string(entry.get())).collect());
    let frames = stacktrace.as_deref().map(Frame::parse).unwrap_or_default();
    let received_at = Time::parse(row.get_ref(3)?.as_str()?).unwrap_or(Time::EPOCH);
    Ok(Gone {
        seq: row.get(0)?,
        issue: row.get(1)?,
        count: row.get(2)?,
        hour: received_at.hour(),
        is_error: row.get(4)?,
        values: [("environment", row.get(5)?), ("release", row.get(6)?), ("server_name", row.get(7)?)],
        grouping: grouping::group(&Input {
            message: &message,
            r#type: kind.as_deref(),
            fingerprint: entries.as_deref(),
            frames: &frames,
        }),
    })
}

fn uncount(transaction: &Transaction, gone: &Gone) -> rusqlite::Result<()> {
    let Gone { issue, hour, count, .. } = gone;
    let errors = if gone.is_error { *count } else { 0 };
    transaction.execute(
        "UPDATE hours SET events = max(0, events - ?2), errors = max(0, errors - ?3) WHERE hour = ?1",
        [hour, count, &errors],
    )?;
    transaction.execute(
        "UPDATE issue_hours SET events = events - ?3 WHERE issue_id = ?1 AND hour = ?2",
        [issue, hour, count],
    )?;
    transaction.execute("DELETE FROM issue_hours WHERE issue_id = ?1 AND hour = ?2 AND events <= 0", [issue, hour])?;
    for (kind, value) in &gone.values {
        let Some(value) = value else { continue };
        let mut less = transaction
            .prepare("UPDATE issue_values SET events = events - ?4 WHERE issue_id = ?1 AND kind = ?2 AND value = ?3")?;
        if less.execute(params![issue, kind, value, count])? == 0 {
            less.execute(params![issue, kind, "", count])?;
        }
        transaction.execute(
            "DELETE FROM issue_values WHERE issue_id = ?1 AND kind = ?2 AND events <= 0",
            params![issue, kind],
        )?;
    }
    transaction.execute(
        "UPDATE issues SET first_release = NULL WHERE id = ?1 AND NOT EXISTS
         (SELECT 1 FROM issue_values WHERE issue_id = ?1 AND kind = 'release' AND value = first_release)",
        [issue],
    )?;
    Ok(())
}

/// A title that the event may have given is that of an event which is still there.
fn retitle(transaction: &Transaction, gone: &Gone, newest: &Grouping) -> rusqlite::Result<()> {
    let find = "SELECT title, culprit FROM issues WHERE id = ?1";
    let before: (String, Option<String>) =
        transaction.query_row(find, [gone.issue], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let title = if before.0 == gone.grouping.title { &newest.title } else { &before.0 };
    let culprit = if before.1 == gone.grouping.culprit { &newest.culprit } else { &before.1 };
    if (title, culprit) != (&before.0, &before.1) {
        text::replace(transaction, gone.issue, title, culprit.as_deref())?;
    }
    Ok(())
}
