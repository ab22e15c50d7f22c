//! Pending alerts: recorded in the transaction of the event that triggers them, removed once they have been delivered.
use super::error::Error;
use super::read::Reader;
use crate::domain::{FailedAlert, Issue, StoredEvent};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;
use uuid::Uuid;

/// Maximum number of alerts settled per transaction. Bounds how long the writer is busy with it.
const STEP: i64 = 5000;
/// The issue of an alert, or the one that it has become part of.
const ISSUE: &str = "ifnull((SELECT into_id FROM merged WHERE merged.id = issue_id), issue_id)";

/// Which alerts are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertPolicy {
    /// None.
    Never,
    /// New and reopened issues, and issues with more than `rate` events in an hour.
    Issues { rate: Option<u32> },
}

/// A pending alert, with its issue and event as they are now.
#[derive(Default, Serialize)]
pub struct Alert {
    pub alert_id: String,
    /// `new`: the first event of an issue. `reopened`: an event of one that was resolved. `rate`: the event that takes an
    /// issue over the limit for this hour.
    pub kind: String,
    /// `None` if it has been deleted.
    pub issue: Option<Issue>,
    /// `None` if retention has removed it.
    pub event: Option<StoredEvent>,
    /// The issue's events in the hour of the alert. Only for `rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_last_hour: Option<i64>,
    /// How often it was tried in vain.
    #[serde(skip)]
    pub failures: usize,
}

/// What became of the alerts from one `seq` to another that were due by a time, in Unix milliseconds.
#[derive(Clone)]
pub struct Attempt {
    pub first: i64,
    pub last: i64,
    pub due_by: i64,
    /// `None`: they were delivered.
    pub failure: Option<Failure>,
}

#[derive(Clone)]
pub struct Failure {
    pub why: String,
    /// When to try an alert again that has now failed once, twice, or three times, in Unix milliseconds.
    pub retry_at: [i64; 3],
}

/// Number of alerts of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AlertCounts {
    pub new: i64,
    pub reopened: i64,
    pub rate: i64,
}

impl AlertPolicy {
    /// Records an alert in the transaction of the event that triggers it, so that both are stored or neither is.
    pub fn note(
        self,
        connection: &Connection,
        kind: &str,
        issue: i64,
        event_seq: i64,
        events_last_hour: Option<i64>,
    ) -> rusqlite::Result<()> {
        if self == AlertPolicy::Never {
            return Ok(());
        }
        let mut insert = connection.prepare_cached(
            "INSERT INTO alerts (id, kind, issue_id, event_seq, events_last_hour) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        insert.execute(params![Uuid::now_v7().to_string(), kind, issue, event_seq, events_last_hour]).map(drop)
    }

    /// Records an alert if the `added` events, already counted for this hour, took the issue over the limit.
    pub fn note_rate(
        self,
        connection: &Connection,
        issue: i64,
        hour: i64,
        added: i64,
        event_seq: i64,
    ) -> rusqlite::Result<()> {
        let AlertPolicy::Issues { rate: Some(rate) } = self else { return Ok(()) };
        let mut select = connection.prepare_cached(
            "SELECT events, state = 'ignored' FROM issue_hours JOIN issues ON issues.id = issue_id
             WHERE issue_id = ?1 AND hour = ?2",
        )?;
        let (events, ignored): (i64, bool) = select.query_row([issue, hour], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rate = i64::from(rate);
        match !ignored && events > rate && events - added <= rate {
            true => self.note(connection, "rate", issue, event_seq, Some(events)),
            false => Ok(()),
        }
    }
}

/// Records what became of alerts. Returns true if there may be more of them than one transaction handles.
pub fn settle(transaction: &Transaction, attempt: &Attempt) -> rusqlite::Result<bool> {
    let Attempt { first, last, due_by, failure } = attempt;
    let rows = "SELECT seq FROM alerts WHERE due_at <= ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq LIMIT ?4";
    let which = params![due_by, first, last, STEP];
    // An issue's page shows the last failure only.
    let superseded = format!(
        "DELETE FROM alerts WHERE due_at IS NULL AND error IS NOT NULL
         AND issue_id IN (SELECT {ISSUE} FROM alerts WHERE seq IN ({rows}))"
    );
    transaction.prepare_cached(&superseded)?.execute(which)?;
    let settled = match failure {
        None => transaction.prepare_cached(&format!("DELETE FROM alerts WHERE seq IN ({rows})"))?.execute(which)?,
        Some(Failure { why, retry_at: [second, third, fourth] }) => {
            let update = format!(
                "UPDATE alerts SET error = ?5, failures = failures + 1,
                        due_at = CASE failures WHEN 0 THEN ?6 WHEN 1 THEN ?7 WHEN 2 THEN ?8 END,
                        issue_id = {ISSUE}
                 WHERE seq IN ({rows})"
            );
            let mut update = transaction.prepare_cached(&update)?;
            update.execute(params![due_by, first, last, STEP, why, second, third, fourth])?
        }
    };
    Ok(settled as i64 == STEP)
}

impl Reader<'_> {
    /// Returns the first alert that is due, with its `seq`: one that was never tried before one that failed.
    pub fn next_alert(&self, now: i64) -> Result<Option<(i64, Alert)>, Error> {
        let mut select = self.0.prepare_cached(
            "SELECT seq, id, kind, issue_id, event_seq, events_last_hour, failures FROM alerts
             WHERE due_at <= ?1 ORDER BY due_at, seq LIMIT 1",
        )?;
        let next = select.query_row([now], |row| {
            let ids = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            Ok((ids, row.get(5)?, row.get::<_, i64>(6)? as usize))
        });
        let Some(((seq, alert_id, kind, issue, event), events_last_hour, failures)) = next.optional()? else {
            return Ok(None);
        };
        let issue = self.issue(self.merged_into(issue)?.unwrap_or(issue))?;
        let event = self.event_by_seq(event)?;
        Ok(Some((seq, Alert { alert_id, kind, issue, event, events_last_hour, failures })))
    }

    /// Counts the alerts that are due, and returns the last `seq` among them.
    pub fn count_alerts(&self, now: i64) -> Result<(AlertCounts, i64), Error> {
        let mut select = self.0.prepare_cached(
            "SELECT count(*) FILTER (WHERE kind = 'new'), count(*) FILTER (WHERE kind = 'reopened'),
                    count(*) FILTER (WHERE kind = 'rate'), coalesce(max(seq), 0)
             FROM alerts WHERE due_at <= ?1",
        )?;
        let counts = select.query_row([now], |row| {
            Ok((AlertCounts { new: row.get(0)?, reopened: row.get(1)?, rate: row.get(2)? }, row.get(3)?))
        });
        Ok(counts?)
    }

    /// The last alert of an issue that could not be delivered.
    pub fn failed_alert(&self, issue: i64) -> Result<Option<FailedAlert>, Error> {
        let select =
            "SELECT error, due_at FROM alerts WHERE issue_id = ?1 AND error IS NOT NULL ORDER BY seq DESC LIMIT 1";
        self.one(select, [issue], |row| {
            let retry_at = row.get::<_, Option<i64>>(1)?.and_then(Time::from_millis);
            Ok(FailedAlert { why: row.get(0)?, retry_at })
        })
    }
}
