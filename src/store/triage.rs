//! What people do with issues. A change takes effect at once, as a mark; what takes long is done in the background, a
//! little between commits, and goes on after a restart.
use super::batch::count_value;
use super::{forget, text, wipe};
use crate::domain::IssueState;
use rusqlite::{OptionalExtension, Transaction, params};
use std::time::{Duration, Instant};

/// How long one step in the background takes, about.
const TIME: Duration = Duration::from_millis(10);

/// What of a change cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    Done,
    /// One of the two is not there.
    NotFound,
    /// They are one issue, or of two projects.
    Unlike,
}

/// Whether there is such an issue.
pub fn set_state(transaction: &Transaction, issue: i64, state: IssueState, now: &str) -> rusqlite::Result<bool> {
    let Some(before) = state_of(transaction, issue)? else { return Ok(false) };
    if before == state {
        return Ok(true);
    }
    let mut set = transaction.prepare_cached(
        "UPDATE issues SET state = ?2, resolved_at = iif(?2 = 'resolved', ?3, NULL), reopened_at = NULL WHERE id = ?1",
    )?;
    set.execute(params![issue, state.as_str(), now])?;
    note(transaction, issue, now, if state == IssueState::Open { "reopened" } else { state.as_str() }, None)?;
    Ok(true)
}

/// An event came for a resolved issue.
pub fn reopen(transaction: &Transaction, issue: i64, now: &str) -> rusqlite::Result<()> {
    let mut reopen = transaction.prepare_cached("UPDATE issues SET state = 'open', reopened_at = ?2 WHERE id = ?1")?;
    reopen.execute(params![issue, now])?;
    note(transaction, issue, now, "reopened by an event", None)
}

fn note(transaction: &Transaction, issue: i64, now: &str, what: &str, other: Option<i64>) -> rusqlite::Result<()> {
    let mut note = transaction
        .prepare_cached("INSERT INTO issue_history (issue_id, at, what, other_id) VALUES (?1, ?2, ?3, ?4)")?;
    note.execute(params![issue, now, what, other])?;
    Ok(())
}

/// The state of an issue that is still to be seen.
fn state_of(transaction: &Transaction, issue: i64) -> rusqlite::Result<Option<IssueState>> {
    let mut find = transaction.prepare_cached("SELECT state FROM issues WHERE id = ?1")?;
    let state: Option<String> = find.query_row([issue], |row| row.get(0)).optional()?;
    Ok(state.and_then(|state| IssueState::parse(&state)))
}

/// From now on the issue is gone for all who look; its events go in the background. Whether there was one.
pub fn delete(transaction: &Transaction, issue: i64) -> rusqlite::Result<bool> {
    if state_of(transaction, issue)?.is_none() {
        return Ok(false);
    }
    // The level of events that are gone already is not known: that of the newest stands for them.
    transaction.execute(
        "UPDATE hours SET events = hours.events - gone.events,
                errors = max(0, min(hours.errors - iif(gone.level = 'error', gone.events, 0), hours.events - gone.events))
         FROM (SELECT hour, events, (SELECT level FROM events WHERE seq = last_seq) AS level
               FROM issue_hours JOIN issues ON issues.id = issue_id WHERE issue_id = ?1) AS gone
         WHERE hours.hour = gone.hour",
        [issue],
    )?;
    wipe::begin(transaction)?;
    text::remove(transaction, issue, true)?;
    forget::belongings(transaction, issue)?;
    transaction
        .execute("UPDATE issues SET state = 'deleted', count = 0, title = '', culprit = NULL WHERE id = ?1", [issue])?;
    Ok(true)
}

/// From now on all that came for one issue, and all that comes, is the other's; events follow in the background.
pub fn merge(transaction: &Transaction, from: i64, into: i64, now: &str) -> rusqlite::Result<Merged> {
    let (Some(state), Some(into_state)) = (state_of(transaction, from)?, state_of(transaction, into)?) else {
        return Ok(Merged::NotFound);
    };
    let same = "SELECT count(DISTINCT project) = 1 FROM issues WHERE id IN (?1, ?2)";
    if from == into || !transaction.query_row(same, [from, into], |row| row.get::<_, bool>(0))? {
        return Ok(Merged::Unlike);
    }
    transaction.execute(
        "UPDATE issues SET count = issues.count + other.count, last_seq = max(issues.last_seq, other.last_seq),
                last_seen = iif(other.last_seq > issues.last_seq, other.last_seen, issues.last_seen),
                first_release = iif(other.first_seen < issues.first_seen, other.first_release, issues.first_release),
                first_seen = min(issues.first_seen, other.first_seen)
         FROM issues AS other WHERE issues.id = ?2 AND other.id = ?1",
        [from, into],
    )?;
    transaction.execute(
        "INSERT INTO issue_hours SELECT ?2, hour, events FROM issue_hours WHERE issue_id = ?1
         ON CONFLICT DO UPDATE SET events = events + excluded.events",
        [from, into],
    )?;
    let mut values = transaction.prepare("SELECT kind, value, events FROM issue_values WHERE issue_id = ?1")?;
    let values = values.query_map([from], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (kind, value, events) in values.collect::<Result<Vec<(String, String, i64)>, _>>()? {
        count_value(transaction, into, &kind, &value, events)?;
    }
    transaction.execute("UPDATE issue_keys SET issue_id = ?2 WHERE issue_id = ?1", [from, into])?;
    transaction.execute("UPDATE merged SET into_id = ?2 WHERE into_id = ?1", [from, into])?;
    // Once its row is gone no one can take it out any more, should the other be deleted for what it holds.
    text::remove(transaction, from, true)?;
    forget::belongings(transaction, from)?;
    transaction.execute("INSERT INTO merged (id, into_id) VALUES (?1, ?2)", [from, into])?;
    transaction.execute("UPDATE issues SET state = 'merged', count = 0 WHERE id = ?1", [from])?;
    note(transaction, into, now, "merged", Some(from))?;
    if (state, into_state) == (IssueState::Open, IssueState::Resolved) {
        set_state(transaction, into, IssueState::Open, now)?; // what is open is not hidden by a merge
    }
    Ok(Merged::Done)
}

/// Whether anything is left to be done in the background.
pub fn is_due(connection: &rusqlite::Connection) -> rusqlite::Result<bool> {
    let due = "SELECT EXISTS (SELECT 1 FROM states WHERE state IN ('deleted', 'merged') AND issues > 0)";
    connection.prepare_cached(due)?.query_row([], |row| row.get(0))
}

/// Does some of it. How many events went.
pub fn step(transaction: &Transaction) -> rusqlite::Result<i64> {
    let find = |state: &str| {
        let mut next = transaction.prepare_cached("SELECT id FROM issues WHERE state = ?1 LIMIT 1")?;
        next.query_row([state], |row| row.get::<_, i64>(0)).optional()
    };
    // First those that were merged: what they are merged into may have been deleted meanwhile.
    if let Some(issue) = find("merged")? {
        return move_events(transaction, issue).map(|()| 0);
    }
    match find("deleted")? {
        Some(issue) => remove_events(transaction, issue),
        None => Ok(0),
    }
}

/// The newest first, since the other issue's pages begin with them.
fn move_events(transaction: &Transaction, issue: i64) -> rusqlite::Result<()> {
    let mut find = transaction.prepare_cached("SELECT into_id FROM merged WHERE id = ?1")?;
    let Some(into) = find.query_row([issue], |row| row.get::<_, i64>(0)).optional()? else {
        return transaction.execute("UPDATE issues SET state = 'deleted' WHERE id = ?1", [issue]).map(|_| ());
    };
    let moved = in_pieces(|piece| {
        let mut events = transaction.prepare_cached(
            "UPDATE events SET issue_id = ?2
             WHERE seq IN (SELECT seq FROM events WHERE issue_id = ?1 ORDER BY seq DESC LIMIT ?3)",
        )?;
        events.execute([issue, into, piece])
    })?;
    let mut stored = transaction.prepare_cached("UPDATE issues SET stored = stored + ?2 WHERE id = ?1")?;
    stored.execute([into, moved.events])?;
    stored.execute([issue, -moved.events])?;
    if moved.are_all {
        transaction.prepare_cached("DELETE FROM issues WHERE id = ?1")?.execute([issue])?;
    }
    Ok(())
}

fn remove_events(transaction: &Transaction, issue: i64) -> rusqlite::Result<i64> {
    let removed = in_pieces(|piece| {
        let mut events = transaction
            .prepare_cached("DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE issue_id = ?1 LIMIT ?2)")?;
        events.execute([issue, piece])
    })?;
    transaction
        .prepare_cached("UPDATE issues SET stored = stored - ?2 WHERE id = ?1")?
        .execute([issue, removed.events])?;
    if removed.are_all {
        transaction.prepare_cached("DELETE FROM issues WHERE id = ?1")?.execute([issue])?;
    }
    Ok(removed.events)
}

struct Pieces {
    events: i64,
    are_all: bool,
}

/// Repeats `work` on twice as many events each time, until there are no more or the time is over.
fn in_pieces(mut work: impl FnMut(i64) -> rusqlite::Result<usize>) -> rusqlite::Result<Pieces> {
    let begin = Instant::now();
    let mut done = Pieces { events: 0, are_all: false };
    let mut piece = 4;
    while !done.are_all && begin.elapsed() < TIME / 2 {
        let events = work(piece)? as i64;
        done.events += events;
        done.are_all = events < piece;
        piece *= 2;
    }
    Ok(done)
}
