//! Merging: one issue becomes part of another, with everything that arrived for it and everything that will.
use super::delete::remove_belongings;
use super::state::{add_to_history, set_state, state_of};
use crate::domain::IssueState;
use crate::store::counts;
use crate::time::Time;
use rusqlite::Transaction;

/// The outcome of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    Done,
    /// One of the two issues does not exist.
    NotFound,
    /// They are the same issue, or belong to different projects.
    Incompatible,
}

/// Marks `from` as merged. Its events follow in the background.
pub fn merge(transaction: &Transaction, from: i64, into: i64, now: Time) -> rusqlite::Result<Merged> {
    let (Some(state), Some(into_state)) = (state_of(transaction, from)?, state_of(transaction, into)?) else {
        return Ok(Merged::NotFound);
    };
    let same_project = "SELECT count(DISTINCT project) = 1 FROM issues WHERE id IN (?1, ?2)";
    if from == into || !transaction.query_row(same_project, [from, into], |row| row.get::<_, bool>(0))? {
        return Ok(Merged::Incompatible);
    }
    transaction.execute(
        "UPDATE issues SET count = issues.count + other.count, last_seq = max(issues.last_seq, other.last_seq),
                last_seen = max(issues.last_seen, other.last_seen),
                first_release = iif(other.first_seen < issues.first_seen, other.first_release, issues.first_release),
                first_seen = min(issues.first_seen, other.first_seen)
         FROM issues AS other WHERE issues.id = ?2 AND other.id = ?1",
        [from, into],
    )?;
    counts::merge(transaction, from, into, now)?;
    transaction.execute("UPDATE issue_keys SET issue_id = ?2 WHERE issue_id = ?1", [from, into])?;
    transaction.execute("UPDATE merged SET into_id = ?2 WHERE into_id = ?1", [from, into])?;
    transaction.execute("UPDATE alerts SET issue_id = ?2 WHERE issue_id = ?1 AND error IS NOT NULL", [from, into])?;
    remove_belongings(transaction, from)?;
    transaction.execute("INSERT INTO merged (id, into_id) VALUES (?1, ?2)", [from, into])?;
    let mark = "UPDATE issues SET state = 'merged', count = 0, title = '', culprit = NULL, grouped_by = '',
                       first_release = NULL WHERE id = ?1";
    transaction.execute(mark, [from])?;
    add_to_history(transaction, into, now, "merged", Some(from))?;
    if (state, into_state) == (IssueState::Open, IssueState::Resolved) {
        set_state(transaction, into, IssueState::Open, now)?; // a merge must not hide an open issue
    }
    Ok(Merged::Done)
}
