//! What the writer does for nobody in particular, a little after each commit and the rest when nothing comes.
use super::change::{set_wiping, truncate_wal};
use super::retention::{self, Pruner};
use super::{Alerts, Error, Retention, text, triage, wipe};
use crate::log;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After a failure nothing is tried for so long.
const REST: Duration = Duration::from_secs(60);
/// Where there is more to do and events come too.
const SOON: Duration = Duration::from_millis(50);
/// The writer looks around this often in any case.
const LOOK: Duration = Duration::from_secs(1);

pub struct Chores {
    retention: Pruner,
    alerts: Arc<Alerts>,
    /// What was removed may still be in the WAL.
    pub wipe_due: bool,
    /// Nothing but retention is due before.
    next: Instant,
    rest_until: Instant,
}

impl Chores {
    pub fn new(kept: Retention, alerts: Arc<Alerts>) -> Chores {
        let now = Instant::now();
        Chores { retention: Pruner::new(kept), alerts, wipe_due: true, next: now, rest_until: now }
    }

    /// How long the writer may wait for an event.
    pub fn wait(&self) -> Duration {
        match self.rest_until > Instant::now() {
            true => LOOK,
            false => self.retention.wait().min(self.next.saturating_duration_since(Instant::now())).min(LOOK),
        }
    }

    /// Does a little of what is due. Called after every commit, and with `idle` whenever `wait` is over.
    pub fn step(&mut self, connection: &mut Connection, idle: bool) {
        if Instant::now() < self.rest_until {
            return;
        }
        // A transaction that is unwound through is rolled back.
        let work = AssertUnwindSafe(|| self.try_step(connection, idle));
        let result = catch_unwind(work).unwrap_or_else(|_| Err(Error::Failed("a panic".into())));
        if let Err(error) = result {
            log::line(&format!("something could not be tidied up: {error}"));
            self.rest_until = Instant::now() + REST;
        }
    }
}

impl Chores {
    fn try_step(&mut self, connection: &mut Connection, idle: bool) -> Result<(), Error> {
        self.alerts.remove_notified(connection)?;
        let settling = triage::is_due(connection)?;
        set_wiping(connection, settling)?; // retention too takes events of an issue that was deleted
        self.retention.step(connection, settling)?;
        if settling {
            retention::remove(connection, triage::step)?;
            self.wipe_due = true;
        }
        if settling || (Instant::now() < self.next && !idle) {
            return Ok(());
        }
        let mut more = text::is_due(connection)? && unsynced(connection, |transaction| text::step(transaction))?;
        if self.wipe_due {
            let pages = wipe::next(connection)?.is_some() && unsynced(connection, wipe::step)?;
            more |= pages;
            // Free pages have copies too: of events that went as too many, and of rows that SQLite has moved.
            self.wipe_due = pages || retention::give_back(connection, 0)? || !truncate_wal(connection)?;
        }
        self.next = Instant::now()
            + match (more, self.wipe_due) {
                (true, _) if idle => Duration::ZERO,
                (true, _) | (_, true) => SOON,
                (false, false) => LOOK,
            };
        Ok(())
    }
}

/// A transaction. Nobody waits for it to be durable: it is so with the next event, and done again after a crash.
pub fn unsynced<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction) -> rusqlite::Result<T>,
) -> Result<T, Error> {
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}
