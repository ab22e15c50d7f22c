//! Deleting an issue, or one event with everything that was derived from it.
use super::state::state_of;
use crate::domain::StoredEvent;
use crate::event::{Event, tags};
use crate::grouping::{self, Input};
use crate::store::counts::{self, Tally};
use crate::store::labels::labels;
use crate::store::read::{self, EVENT};
use crate::store::{filter_values, hours};
use rusqlite::{OptionalExtension, Transaction, params};

/// Events at each end of the order of arrival among which the first and the last seen are looked for.
const ENDS: i64 = 5000;

/// Marks an issue as deleted. Its events are removed in the background. Returns false if there is no such issue.
pub fn issue(transaction: &Transaction, id: i64) -> rusqlite::Result<bool> {
    if state_of(transaction, id)?.is_none() {
        return Ok(false);
    }
    hours::subtract_issue(transaction, id)?;
    remove_belongings(transaction, id)?;
    transaction.execute(
        "UPDATE issues SET state = 'deleted', count = 0, title = '', culprit = NULL, grouped_by = '', first_release = NULL
         WHERE id = ?1",
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
    filter_values::subtract(transaction, issue, i64::MAX)?;
    for table in ["issue_keys", "issue_hours", "issue_values", "issue_history"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE issue_id = ?1"))?.execute([issue])?;
    }
    // One that was not tried yet is dropped when its turn comes. A merge keeps it.
    transaction.prepare_cached("DELETE FROM alerts WHERE issue_id = ?1 AND error IS NOT NULL")?.execute([issue])?;
    Ok(())
}

/// Deletes an event with everything that its issue has from it, or with its issue if that has no other. Returns false if
/// there is no such event.
pub fn event(transaction: &Transaction, id: &str) -> rusqlite::Result<bool> {
    let find = format!("{EVENT} WHERE events.id = ?1");
    let Some(gone) = transaction.query_row(&find, [id], read::event).optional()? else { return Ok(false) };
    let (issue_id, seq, received_at) = (gone.issue_id, gone.summary.seq, gone.summary.received_at);
    let project = gone.project.clone();
    let event = as_it_arrived(gone);
    let labels = labels(&event);
    let mut tally = Tally::new(&project);
    tally.add(seq, received_at, &event, &labels);
    counts::remove(transaction, seq)?;
    counts::subtract(transaction, issue_id, &tally)?;
    let Some(newest) = find_newest(transaction, issue_id)? else { return issue(transaction, issue_id) };
    replace_times(transaction, issue_id, &received_at.to_string())?;
    replace_texts(transaction, issue_id, newest)?;
    Ok(true)
}

/// The event that was counted, with the fields that counts depend on.
fn as_it_arrived(stored: StoredEvent) -> Event {
    Event {
        level: stored.summary.level,
        environment: stored.summary.environment,
        release: stored.summary.release,
        server_name: stored.summary.server_name,
        suppressed: stored.suppressed,
        tags: stored.tags.as_deref().and_then(tags::parse).unwrap_or_default(),
        user: stored.user,
        contexts: stored.contexts,
        request: stored.request,
        more: stored.more,
        ..Event::default()
    }
}

/// Has the newest remaining event describe the issue. Returns its `seq`, or `None` if no event remains.
pub fn find_newest(transaction: &Transaction, issue: i64) -> rusqlite::Result<Option<i64>> {
    // The newest event of each part, since an issue may have a million of them.
    let newest = "
        SELECT max((SELECT seq FROM events WHERE issue_id = part.id ORDER BY seq DESC LIMIT 1))
        FROM (SELECT ?1 AS id UNION ALL SELECT id FROM merged WHERE into_id = ?1) AS part";
    let newest: Option<i64> = transaction.query_row(newest, [issue], |row| row.get(0))?;
    transaction.execute("UPDATE issues SET last_seq = ifnull(?2, last_seq) WHERE id = ?1", params![issue, newest])?;
    Ok(newest)
}

/// If the event that is gone was the first or the last seen, another one is now. Of an issue with very many events, only
/// those at both ends of the order of arrival are looked at.
fn replace_times(transaction: &Transaction, issue: i64, gone: &str) -> rusqlite::Result<()> {
    let left = format!(
        "FROM (SELECT ?1 AS id UNION ALL SELECT id FROM merged WHERE into_id = ?1) AS part
         CROSS JOIN events ON seq IN (
             SELECT * FROM (SELECT seq FROM events WHERE issue_id = part.id ORDER BY seq LIMIT {ENDS}) UNION ALL
             SELECT * FROM (SELECT seq FROM events WHERE issue_id = part.id ORDER BY seq DESC LIMIT {ENDS}))"
    );
    let first = format!("SELECT min(received_at), release {left}");
    transaction.execute(
        &format!("UPDATE issues SET (first_seen, first_release) = ({first}) WHERE id = ?1 AND first_seen = ?2"),
        params![issue, gone],
    )?;
    transaction.execute(
        &format!("UPDATE issues SET last_seen = (SELECT max(received_at) {left}) WHERE id = ?1 AND last_seen = ?2"),
        params![issue, gone],
    )?;
    Ok(())
}

/// Takes title, culprit and grouping rule from an event if the one that supplied them is gone.
fn replace_texts(transaction: &Transaction, issue: i64, newest: i64) -> rusqlite::Result<()> {
    let event = transaction.query_row(&format!("{EVENT} WHERE seq = ?1"), [newest], read::event)?;
    let grouping = grouping::group(&Input {
        message: &event.summary.message,
        r#type: event.summary.r#type.as_deref(),
        fingerprint: event.fingerprint.as_deref(),
        stacktrace: event.stacktrace.as_deref(),
    });
    transaction.execute(
        "UPDATE issues SET title = ?2, culprit = ?3, grouped_by = ?4, title_seq = ?5
         WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM events WHERE seq = title_seq)",
        params![issue, grouping.title, grouping.culprit, grouping.grouped_by, newest],
    )?;
    Ok(())
}
