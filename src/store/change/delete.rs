//! Deleting an issue, or one event with everything that was derived from it.
use super::state::state_of;
use crate::domain::Level;
use crate::event::frame::Frame;
use crate::event::json;
use crate::grouping::{self, Grouping, Input};
use crate::store::counts::{self, Counted, Tally};
use crate::time::Time;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// Marks an issue as deleted. Its events are removed in the background. Returns false if there is no such issue.
pub fn issue(transaction: &Transaction, id: i64) -> rusqlite::Result<bool> {
    if state_of(transaction, id)?.is_none() {
        return Ok(false);
    }
    counts::subtract_issue(transaction, id)?;
    remove_belongings(transaction, id)?;
    transaction.execute(
        "UPDATE issues SET state = 'deleted', count = 0, title = '', culprit = NULL, grouped_by = '' WHERE id = ?1",
        [id],
    )?;
    Ok(true)
}

/// Removes an issue at once, with its events. Returns how many events it stored.
pub fn remove_issue(transaction: &Transaction, id: i64) -> rusqlite::Result<i64> {
    let removed = counts::remove_oldest(transaction, id, i64::MAX)?;
    remove_belongings(transaction, id)?;
    transaction.prepare_cached("DELETE FROM issues WHERE id = ?1")?.execute([id])?;
    Ok(removed)
}

/// Removes everything of an issue except its row and its events.
pub fn remove_belongings(transaction: &Transaction, issue: i64) -> rusqlite::Result<()> {
    let unfinished = "UPDATE issues SET state = 'deleted'
                      WHERE state = 'merged' AND id IN (SELECT id FROM merged WHERE into_id = ?1)";
    transaction.prepare_cached(unfinished)?.execute([issue])?;
    transaction.prepare_cached("DELETE FROM merged WHERE into_id = ?1")?.execute([issue])?;
    for table in ["issue_keys", "issue_hours", "issue_values", "issue_history"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE issue_id = ?1"))?.execute([issue])?;
    }
    Ok(())
}

/// Deletes an event, and its issue if it has no other. Returns false if there is no such event.
pub fn event(transaction: &Transaction, id: &str) -> rusqlite::Result<bool> {
    let find = format!("{EVENT} JOIN issues ON issues.id = issue_id WHERE events.id = ?1 AND state <> 'deleted'");
    let Some(gone) = transaction.prepare(&find)?.query_row([id], read).optional()? else { return Ok(false) };
    // The newest event of each part, since an issue may have a million of them.
    let newest = "
        SELECT max((SELECT seq FROM events WHERE issue_id = part.id AND seq <> ?2 ORDER BY seq DESC LIMIT 1))
        FROM (SELECT ?1 AS id UNION ALL SELECT id FROM merged WHERE into_id = ?1) AS part";
    let newest: Option<i64> = transaction.query_row(newest, [gone.issue, gone.seq], |row| row.get(0))?;
    let Some(newest) = newest else { return issue(transaction, gone.issue) };

    counts::remove(transaction, gone.seq)?;
    counts::subtract(transaction, gone.issue, &gone.tally())?;
    transaction.execute(
        "UPDATE issues SET last_seq = ?2, last_seen = (SELECT received_at FROM events WHERE seq = ?2) WHERE id = ?1",
        [gone.issue, newest],
    )?;
    transaction.execute(
        "UPDATE issues SET first_release = NULL WHERE id = ?1 AND NOT EXISTS
         (SELECT 1 FROM issue_values WHERE issue_id = ?1 AND kind = 'release' AND value = first_release)",
        [gone.issue],
    )?;
    let newest = transaction.query_row(&format!("{EVENT} WHERE seq = ?1"), [newest], read)?;
    replace_texts(transaction, &gone, &newest.grouping)?;
    Ok(true)
}

/// What an event has contributed to its issue.
struct Contribution {
    seq: i64,
    issue: i64,
    received_at: Time,
    level: Level,
    suppressed: Option<i64>,
    environment: Option<String>,
    release: Option<String>,
    server_name: Option<String>,
    grouping: Grouping,
}

const EVENT: &str = "
    SELECT seq, coalesce((SELECT into_id FROM merged WHERE merged.id = issue_id), issue_id), received_at, level,
           suppressed, environment, release, server_name, message, type, fingerprint, stacktrace
    FROM events ";

fn read(row: &Row) -> rusqlite::Result<Contribution> {
    let (message, r#type): (String, Option<String>) = (row.get(8)?, row.get(9)?);
    let (fingerprint, stacktrace): (Option<String>, Option<String>) = (row.get(10)?, row.get(11)?);
    let fingerprint: Option<Vec<String>> = fingerprint
        .as_deref()
        .and_then(json::array)
        .map(|entries| entries.iter().filter_map(|entry| json::string(entry.get())).collect());
    let frames = stacktrace.as_deref().map(Frame::parse).unwrap_or_default();
    Ok(Contribution {
        seq: row.get(0)?,
        issue: row.get(1)?,
        received_at: Time::parse(row.get_ref(2)?.as_str()?).unwrap_or(Time::EPOCH),
        level: Level::parse(row.get_ref(3)?.as_str()?).unwrap_or(Level::Error),
        suppressed: row.get(4)?,
        environment: row.get(5)?,
        release: row.get(6)?,
        server_name: row.get(7)?,
        grouping: grouping::group(&Input {
            message: &message,
            r#type: r#type.as_deref(),
            fingerprint: fingerprint.as_deref(),
            frames: &frames,
        }),
    })
}

impl Contribution {
    fn tally(&self) -> Tally<'_> {
        let mut tally = Tally::default();
        tally.add(&Counted {
            received_at: self.received_at,
            level: self.level,
            suppressed: self.suppressed,
            environment: self.environment.as_deref(),
            release: self.release.as_deref(),
            server_name: self.server_name.as_deref(),
        });
        tally
    }
}

/// A title, culprit or rule that the deleted event may have supplied is taken from the newest one left.
fn replace_texts(transaction: &Transaction, gone: &Contribution, newest: &Grouping) -> rusqlite::Result<()> {
    let gone_texts = &gone.grouping;
    transaction.execute(
        "UPDATE issues SET title = iif(title = ?2, ?3, title), culprit = iif(culprit IS ?4, ?5, culprit),
                grouped_by = iif(grouped_by = ?6, ?7, grouped_by) WHERE id = ?1",
        params![
            gone.issue,
            gone_texts.title,
            newest.title,
            gone_texts.culprit,
            newest.culprit,
            gone_texts.grouped_by,
            newest.grouped_by
        ],
    )?;
    Ok(())
}
