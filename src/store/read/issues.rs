//! One issue and its history.
use super::page::{level, time, time_or_null};
use super::pool::Reader;
use crate::domain::{HistoryEntry, Issue, IssueState};
use crate::store::error::Error;
use rusqlite::Row;

/// Entries of an issue's history that are read, the newest first.
const HISTORY: i64 = 10;

/// An issue, described by its newest event.
const ISSUE: &str = "
    SELECT issues.id, project, title, culprit, grouped_by, count, stored, first_seen, first_release, last_seen,
           events.id, level, type, message, platform, environment, release, last_seq, state, reopened_at, resolved_at,
           users, unhandled
    FROM issues CROSS JOIN events ON events.seq = issues.last_seq ";

impl Reader<'_> {
    pub fn issue(&self, id: i64) -> Result<Option<Issue>, Error> {
        // A list of three would be a temporary table for each issue.
        self.one(&format!("{ISSUE} WHERE issues.id = ?1 AND state NOT IN ('deleted', 'merged')"), [id], issue)
    }

    /// The largest id that an issue has.
    pub fn newest_issue(&self) -> Result<i64, Error> {
        Ok(self.one("SELECT max(id) FROM issues", [], |row| row.get::<_, Option<i64>>(0))?.flatten().unwrap_or(0))
    }

    /// The issue that a merged issue is now part of.
    pub fn merged_into(&self, id: i64) -> Result<Option<i64>, Error> {
        self.one("SELECT into_id FROM merged WHERE id = ?1", [id], |row| row.get(0))
    }

    pub fn history(&self, issue: i64) -> Result<Vec<HistoryEntry>, Error> {
        let mut rows = self.0.prepare_cached(
            "SELECT at, what, other_id FROM issue_history WHERE issue_id = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let entry = |row: &Row| Ok(HistoryEntry { at: time(row, 0)?, what: row.get(1)?, other: row.get(2)? });
        Ok(rows.query_map([issue, HISTORY], entry)?.collect::<Result<_, _>>()?)
    }
}

fn issue(row: &Row) -> rusqlite::Result<Issue> {
    Ok(Issue {
        id: row.get(0)?,
        project: row.get(1)?,
        title: row.get(2)?,
        culprit: row.get(3)?,
        grouped_by: row.get(4)?,
        count: row.get(5)?,
        stored: row.get(6)?,
        first_seen: time(row, 7)?,
        first_release: row.get(8)?,
        last_seen: time(row, 9)?,
        last_event_id: row.get(10)?,
        level: level(row, 11)?,
        r#type: row.get(12)?,
        message: row.get(13)?,
        platform: row.get(14)?,
        environment: row.get(15)?,
        release: row.get(16)?,
        last_seq: row.get(17)?,
        state: IssueState::parse(row.get_ref(18)?.as_str()?).unwrap_or(IssueState::Open),
        reopened_at: time_or_null(row, 19)?,
        resolved_at: time_or_null(row, 20)?,
        users: row.get(21)?,
        unhandled: row.get(22)?,
    })
}
