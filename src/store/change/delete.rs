//! Deleting an issue, or one event with everything that was derived from it.
use super::state::state_of;
use crate::domain::StoredEvent;
use crate::event::tags;
use crate::grouping::{self, Input};
use crate::store::counts::{self, Tally};
use crate::store::read::{self, EVENT};
use rusqlite::{OptionalExtension, Transaction, params};

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
    let find = format!("{EVENT} WHERE events.id = ?1");
    let Some(gone) = transaction.query_row(&find, [id], read::event).optional()? else { return Ok(false) };
    // The newest event of each part, since an issue may have a million of them.
    let newest = "
        SELECT max((SELECT seq FROM events WHERE issue_id = part.id AND seq <> ?2 ORDER BY seq DESC LIMIT 1))
        FROM (SELECT ?1 AS id UNION ALL SELECT id FROM merged WHERE into_id = ?1) AS part";
    let newest: Option<i64> = transaction.query_row(newest, [gone.issue_id, gone.summary.seq], |row| row.get(0))?;
    let Some(newest) = newest else { return issue(transaction, gone.issue_id) };

    let summary = &gone.summary;
    let tags = gone.tags.as_deref().and_then(tags::parse).unwrap_or_default();
    let [user, contexts, request, more] =
        [&gone.user, &gone.contexts, &gone.request, &gone.more].map(|field| field.as_deref());
    let labels = counts::labels(&tags, user, contexts, request, more);
    let mut tally = Tally::default();
    let fields = [&summary.environment, &summary.release, &summary.server_name];
    tally.add(summary.received_at, summary.level, gone.suppressed, fields, &labels);
    counts::remove(transaction, gone.summary.seq)?;
    counts::subtract(transaction, gone.issue_id, &tally)?;
    transaction.execute(
        "UPDATE issues SET last_seq = ?2, last_seen = (SELECT received_at FROM events WHERE seq = ?2) WHERE id = ?1",
        [gone.issue_id, newest],
    )?;
    transaction.execute(
        "UPDATE issues SET first_release = NULL WHERE id = ?1 AND NOT EXISTS
         (SELECT 1 FROM issue_values WHERE issue_id = ?1 AND kind = 'release' AND value = first_release)",
        [gone.issue_id],
    )?;
    let newest = transaction.query_row(&format!("{EVENT} WHERE seq = ?1"), [newest], read::event)?;
    replace_texts(transaction, &gone, &newest)?;
    Ok(true)
}

/// A title, culprit or rule that the deleted event may have supplied is taken from the newest one left.
fn replace_texts(transaction: &Transaction, gone: &StoredEvent, newest: &StoredEvent) -> rusqlite::Result<()> {
    let [before, after] = [gone, newest].map(|event| {
        grouping::group(&Input {
            message: &event.summary.message,
            r#type: event.summary.r#type.as_deref(),
            fingerprint: event.fingerprint.as_deref(),
            stacktrace: event.stacktrace.as_deref(),
        })
    });
    let mut replace = transaction.prepare(
        "UPDATE issues SET title = iif(title = ?2, ?3, title), culprit = iif(culprit IS ?4, ?5, culprit),
                grouped_by = iif(grouped_by = ?6, ?7, grouped_by) WHERE id = ?1",
    )?;
    let (titles, culprits) = ((before.title, after.title), (before.culprit, after.culprit));
    let rules = (before.grouped_by, after.grouped_by);
    replace.execute(params![gone.issue_id, titles.0, titles.1, culprits.0, culprits.1, rules.0, rules.1])?;
    Ok(())
}
