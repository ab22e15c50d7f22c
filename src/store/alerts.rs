//! Alerts that wait: noted with the event that sets them off, in its transaction, and removed once they have been told.
//! The writer notes and removes; the thread that tells them only reads, so that it never holds the writer up.
use super::error::Error;
use super::read::Reader;
use super::transaction::relaxed;
use crate::domain::{Issue, StoredEvent};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Alerts that may wait. Of more than that there is only a count.
const MOST: i64 = 1000;

/// What sets an alert off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertKind {
    /// An issue's first event.
    New,
    /// An event of an issue that was resolved.
    Reopened,
    /// The event with which an issue has more than so many in this hour.
    Rate { events: i64 },
}

impl AlertKind {
    pub fn as_str(self) -> &'static str {
        match self {
            AlertKind::New => "new",
            AlertKind::Reopened => "reopened",
            AlertKind::Rate { .. } => "rate",
        }
    }

    /// The events of the hour, where they are what the alert is about.
    pub fn events(self) -> Option<i64> {
        match self {
            AlertKind::Rate { events } => Some(events),
            AlertKind::New | AlertKind::Reopened => None,
        }
    }

    fn of(word: &str, events: Option<i64>) -> AlertKind {
        match word {
            "reopened" => AlertKind::Reopened,
            "rate" => AlertKind::Rate { events: events.unwrap_or(0) },
            _ => AlertKind::New,
        }
    }
}

/// Which alerts there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertPolicy {
    /// None: nothing is noted.
    #[default]
    Never,
    /// New and reopened issues, and those that have more than so many events in an hour.
    Issues { rate: Option<u32> },
}

/// An alert whose turn it is, with what it is about as it is now.
pub struct Alert {
    pub seq: i64,
    pub id: String,
    pub kind: AlertKind,
    pub issue: Issue,
    /// Events go when there are too many.
    pub event: Option<StoredEvent>,
}

/// How many alerts of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub new: i64,
    pub reopened: i64,
    pub rate: i64,
}

impl Counts {
    fn of(&mut self, kind: &str) -> &mut i64 {
        match AlertKind::of(kind, None) {
            AlertKind::New => &mut self.new,
            AlertKind::Reopened => &mut self.reopened,
            AlertKind::Rate { .. } => &mut self.rate,
        }
    }

    fn each(self) -> [(&'static str, i64); 3] {
        [("new", self.new), ("reopened", self.reopened), ("rate", self.rate)]
    }
}

/// How far telling has come. It only grows, so that to remove what was told may come late, or twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// The last alert that was told.
    pub seq: i64,
    /// Those that were left out and told of in a summary, ever.
    left_out: Counts,
}

/// All that waits, for a summary in place of so many alerts.
#[derive(Clone, Copy, Debug)]
pub struct Backlog {
    pub held_back: Counts,
    /// How far telling has come with the summary.
    pub told: Told,
}

/// Between the thread that writes and the one that tells.
pub struct Alerts {
    occasions: AlertPolicy,
    /// Whether the commit that is being made has an alert.
    noted: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Something may wait that was not there at the last look.
    news: bool,
    closed: bool,
    /// What may be removed, if something is.
    told: Option<Told>,
}

/// What the writer does.
impl Alerts {
    pub fn new(occasions: AlertPolicy) -> Alerts {
        Alerts { occasions, noted: AtomicBool::new(false), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Notes an alert in the transaction of the event that sets it off, and so together with it or not at all.
    pub fn note(&self, connection: &Connection, kind: AlertKind, issue: i64, event_seq: i64) -> rusqlite::Result<()> {
        if self.occasions == AlertPolicy::Never {
            return Ok(());
        }
        self.noted.store(true, Relaxed);
        let mut note = connection.prepare_cached(
            "INSERT INTO alerts (id, kind, issue_id, event_seq, events_last_hour) SELECT ?1, ?2, ?3, ?4, ?5
             WHERE coalesce((SELECT max(seq) FROM alerts) - (SELECT min(seq) FROM alerts) + 1, 0) < ?6",
        )?;
        let id = Uuid::now_v7().to_string();
        if note.execute(params![id, kind.as_str(), issue, event_seq, kind.events(), MOST])? == 0 {
            let mut count = connection.prepare_cached(
                "INSERT INTO alerts_left_out (kind, alerts, told) VALUES (?1, 1, 0)
                 ON CONFLICT DO UPDATE SET alerts = alerts + 1",
            )?;
            count.execute([kind.as_str()])?;
        }
        Ok(())
    }

    /// After `added` events of an issue have been counted in an hour: alerts if it was with them that there were too many.
    pub fn note_rate(
        &self,
        connection: &Connection,
        issue: i64,
        hour: i64,
        added: i64,
        event_seq: i64,
    ) -> rusqlite::Result<()> {
        let AlertPolicy::Issues { rate: Some(rate) } = self.occasions else { return Ok(()) };
        let mut count =
            connection.prepare_cached("SELECT events FROM issue_hours WHERE issue_id = ?1 AND hour = ?2")?;
        let events: i64 = count.query_row([issue, hour], |row| row.get(0))?;
        let rate = i64::from(rate);
        if events > rate && events - added <= rate && !is_ignored(connection, issue)? {
            self.note(connection, AlertKind::Rate { events }, issue, event_seq)?;
        }
        Ok(())
    }

    /// Wakes whoever tells alerts if the commit that was made has one.
    pub fn committed(&self) {
        if self.noted.swap(false, Relaxed) {
            self.lock().news = true;
            self.changed.notify_one();
        }
    }

    /// Removes what was told. After a crash it may be told again.
    pub fn remove_notified(&self, connection: &mut Connection) -> Result<(), Error> {
        let Some(told) = self.lock().told.take() else { return Ok(()) };
        let removed = relaxed(connection, |transaction| {
            transaction.execute("DELETE FROM alerts WHERE seq <= ?1", [told.seq])?;
            for (kind, alerts) in told.left_out.each() {
                let told = "UPDATE alerts_left_out SET told = max(told, ?2) WHERE kind = ?1";
                transaction.execute(told, params![kind, alerts])?;
            }
            Ok(())
        });
        if removed.is_err() {
            self.lock().told.get_or_insert(told); // what was told meanwhile is further on
        }
        removed
    }
}

fn is_ignored(connection: &Connection, issue: i64) -> rusqlite::Result<bool> {
    let mut state = connection.prepare_cached("SELECT state = 'ignored' FROM issues WHERE id = ?1")?;
    state.query_row([issue], |row| row.get(0))
}

/// What the thread does that tells alerts.
impl Alerts {
    /// What need not be told again.
    pub fn told(&self, told: Told) {
        self.lock().told = Some(told);
    }

    /// Waits until there may be more to tell than at the last look.
    pub fn wait(&self) {
        let waited = self.changed.wait_while(self.lock(), |state| !state.news && !state.closed);
        waited.unwrap_or_else(PoisonError::into_inner).news = false;
    }

    /// Waits whatever comes.
    pub fn pause(&self, time: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), time, |state| !state.closed));
    }

    /// Ends every wait, from now on.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader<'_> {
    /// The first alert that is yet to be told: its place, and what it has to tell, if that is still there.
    pub fn alert(&self, told: Told) -> Result<Option<(i64, Option<Alert>)>, Error> {
        let mut next = self.0.prepare_cached(
            "SELECT seq, id, kind, issue_id, event_seq, events_last_hour FROM alerts WHERE seq > ?1 ORDER BY seq LIMIT 1",
        )?;
        let next = next.query_row([told.seq], |row| {
            let kind = AlertKind::of(row.get_ref(2)?.as_str()?, row.get(5)?);
            Ok((row.get(0)?, row.get(1)?, kind, row.get(3)?, row.get(4)?))
        });
        let Some((seq, id, kind, issue, event)) = next.optional()? else { return Ok(None) };
        let issue = self.merged_into(issue)?.unwrap_or(issue); // merged meanwhile, it is still news
        let Some(issue) = self.issue(issue)? else { return Ok(Some((seq, None))) };
        let event = self.event_by_seq(event)?;
        Ok(Some((seq, Some(Alert { seq, id, kind, issue, event }))))
    }

    /// All that is yet to be told, as counts.
    pub fn backlog(&self, told: Told) -> Result<Backlog, Error> {
        let mut backlog = Backlog { held_back: Counts::default(), told };
        let mut left_out = self.0.prepare_cached("SELECT kind, alerts, told FROM alerts_left_out")?;
        let mut rows = left_out.query([])?;
        while let Some(row) = rows.next()? {
            let kind: String = row.get(0)?;
            let (alerts, told): (i64, i64) = (row.get(1)?, row.get(2)?);
            let before = told.max(*backlog.told.left_out.of(&kind));
            *backlog.held_back.of(&kind) = (alerts - before).max(0);
            *backlog.told.left_out.of(&kind) = alerts;
        }
        let mut waiting =
            self.0.prepare_cached("SELECT kind, count(*), max(seq) FROM alerts WHERE seq > ?1 GROUP BY kind")?;
        let mut rows = waiting.query([told.seq])?;
        while let Some(row) = rows.next()? {
            *backlog.held_back.of(&row.get::<_, String>(0)?) += row.get::<_, i64>(1)?;
            backlog.told.seq = backlog.told.seq.max(row.get(2)?);
        }
        Ok(backlog)
    }
}
