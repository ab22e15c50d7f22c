//! Pending alerts: recorded in the transaction of the event that triggers them, removed once they have been sent.
use super::error::Error;
use super::read::Reader;
use crate::domain::{Issue, StoredEvent};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;
use uuid::Uuid;

/// Maximum number of alerts removed per transaction. Bounds how long the writer is busy with it.
const REMOVE_STEP: i64 = 5000;

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

/// Removes alerts up to a `seq`. Returns true if there may be more.
pub fn remove(transaction: &Transaction, sent: i64) -> rusqlite::Result<bool> {
    let rows = "SELECT seq FROM alerts WHERE seq <= ?1 ORDER BY seq LIMIT ?2";
    let mut delete = transaction.prepare_cached(&format!("DELETE FROM alerts WHERE seq IN ({rows})"))?;
    Ok(delete.execute([sent, REMOVE_STEP])? as i64 == REMOVE_STEP)
}

impl Reader<'_> {
    /// Returns the first alert after `sent`, with its `seq`.
    pub fn next_alert(&self, sent: i64) -> Result<Option<(i64, Alert)>, Error> {
        let mut select = self.0.prepare_cached(
            "SELECT seq, id, kind, issue_id, event_seq, events_last_hour FROM alerts
             WHERE seq > ?1 ORDER BY seq LIMIT 1",
        )?;
        let next = select.query_row([sent], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        });
        let Some((seq, alert_id, kind, issue, event, events_last_hour)) = next.optional()? else { return Ok(None) };
        let issue = self.issue(self.merged_into(issue)?.unwrap_or(issue))?;
        let event = self.event_by_seq(event)?;
        Ok(Some((seq, Alert { alert_id, kind, issue, event, events_last_hour })))
    }

    /// Counts the alerts after `sent`, and returns the last `seq` among them.
    pub fn count_alerts(&self, sent: i64) -> Result<(AlertCounts, i64), Error> {
        let mut select = self.0.prepare_cached(
            "SELECT count(*) FILTER (WHERE kind = 'new'), count(*) FILTER (WHERE kind = 'reopened'),
                    count(*) FILTER (WHERE kind = 'rate'), coalesce(max(seq), ?1)
             FROM alerts WHERE seq > ?1",
        )?;
        let counts = select.query_row([sent], |row| {
            Ok((AlertCounts { new: row.get(0)?, reopened: row.get(1)?, rate: row.get(2)? }, row.get(3)?))
        });
        Ok(counts?)
    }
}
