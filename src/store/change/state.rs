//! The state of an issue and its history.
use crate::domain::IssueState;
use crate::time::Time;
use rusqlite::{OptionalExtension, Transaction, params};

/// Sets the state of those issues that exist and have another one, or the one given. Returns them with the state before.
pub fn set_states(
    transaction: &Transaction,
    issues: &[i64],
    from: Option<IssueState>,
    to: IssueState,
    now: Time,
) -> rusqlite::Result<Vec<(i64, IssueState)>> {
    let mut changed = Vec::new();
    for issue in issues {
        let before =
            state_of(transaction, *issue)?.filter(|before| *before != to && from.is_none_or(|from| *before == from));
        if let Some(before) = before {
            set_state(transaction, *issue, to, now)?;
            changed.push((*issue, before));
        }
    }
    Ok(changed)
}

/// Returns false if there is no such issue.
pub fn set_state(transaction: &Transaction, issue: i64, state: IssueState, now: Time) -> rusqlite::Result<bool> {
    let Some(before) = state_of(transaction, issue)? else { return Ok(false) };
    if before == state {
        return Ok(true);
    }
    let mut set = transaction.prepare_cached(
        "UPDATE issues SET state = ?2, resolved_at = iif(?2 = 'resolved', ?3, NULL), reopened_at = NULL WHERE id = ?1",
    )?;
    set.execute(params![issue, state.as_str(), now.to_string()])?;
    let what = if state == IssueState::Open { "reopened" } else { state.as_str() };
    add_to_history(transaction, issue, now, what, None)?;
    Ok(true)
}

/// An event has arrived that happened after the issue was resolved.
pub fn reopen(transaction: &Transaction, issue: i64, now: Time) -> rusqlite::Result<()> {
    let mut reopen = transaction.prepare_cached("UPDATE issues SET state = 'open', reopened_at = ?2 WHERE id = ?1")?;
    reopen.execute(params![issue, now.to_string()])?;
    add_to_history(transaction, issue, now, "reopened by an event", None)
}

pub fn add_to_history(
    transaction: &Transaction,
    issue: i64,
    now: Time,
    what: &str,
    other: Option<i64>,
) -> rusqlite::Result<()> {
    let mut add = transaction
        .prepare_cached("INSERT INTO issue_history (issue_id, at, what, other_id) VALUES (?1, ?2, ?3, ?4)")?;
    add.execute(params![issue, now.to_string(), what, other]).map(drop)
}

/// `None` for an issue that does not exist, or that has been merged or deleted.
pub fn state_of(transaction: &Transaction, issue: i64) -> rusqlite::Result<Option<IssueState>> {
    let mut find = transaction.prepare_cached("SELECT state FROM issues WHERE id = ?1")?;
    let state: Option<String> = find.query_row([issue], |row| row.get(0)).optional()?;
    Ok(state.and_then(|state| IssueState::parse(&state)))
}
