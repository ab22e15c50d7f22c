//! What the writer does for nobody in particular, a little after each commit and the rest when nothing comes.
use super::retention::Retention;
use super::{Alerts, Error, Kept};
use crate::log;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After a failure nothing is tried for so long.
const REST: Duration = Duration::from_secs(60);
/// The writer looks around this often in any case.
const LOOK: Duration = Duration::from_secs(1);

pub struct Chores {
    retention: Retention,
    alerts: Arc<Alerts>,
    rest_until: Instant,
}

impl Chores {
    pub fn new(kept: Kept, alerts: Arc<Alerts>) -> Chores {
        Chores { retention: Retention::new(kept), alerts, rest_until: Instant::now() }
    }

    /// How long the writer may wait for an event.
    pub fn wait(&self) -> Duration {
        if Instant::now() < self.rest_until { LOOK } else { self.retention.wait().min(LOOK) }
    }

    /// Does a little of what is due. Called after every commit, and whenever `wait` is over.
    pub fn step(&mut self, connection: &mut Connection) {
        if Instant::now() < self.rest_until {
            return;
        }
        // A transaction that is unwound through is rolled back.
        let work = AssertUnwindSafe(|| {
            self.alerts.remove_told(connection)?;
            self.retention.step(connection)
        });
        let result = catch_unwind(work).unwrap_or_else(|_| Err(Error::Failed("a panic".into())));
        if let Err(error) = result {
            log::line(&format!("old events and alerts could not be removed: {error}"));
            self.rest_until = Instant::now() + REST;
        }
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
