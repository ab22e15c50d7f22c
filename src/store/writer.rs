//! The one thread that writes: takes what is queued, commits it together, then answers each.
//! So a sync of the disk is shared by all who wait for one, and SQLite never sees two writers.
use super::batch::{self, Row};
use super::change::Change;
use super::chores::Chores;
use super::place::Place;
use super::queue::{Batch, Queue};
use super::{Added, Alerts, Error, NewEvent, Retention};
use crate::log;
use rusqlite::Connection;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A writer that failed is tried again this often, whether an event comes or not.
const RETRY: Duration = Duration::from_secs(1);

pub struct Writer {
    queue: Arc<Queue>,
    healthy: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(connection: Connection, place: Place, kept: Retention, alerts: Arc<Alerts>) -> io::Result<Writer> {
        let queue = Arc::new(Queue::default());
        let healthy = Arc::new(AtomicBool::new(true));
        let state = Thread {
            connection,
            place,
            queue: queue.clone(),
            healthy: healthy.clone(),
            tried: Instant::now(),
            failure: None,
            chores: Chores::new(kept, alerts.clone()),
            alerts,
        };
        let thread = thread::Builder::new().name("writer".into()).spawn(move || state.run())?;
        Ok(Writer { queue, healthy, thread: Mutex::new(Some(thread)) })
    }

    pub fn add(&self, event: NewEvent) -> Result<Added, Error> {
        self.queue.add(Row::of(event))
    }

    pub fn change(&self, change: Change) {
        self.queue.change(change);
    }

    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Relaxed)
    }

    /// What is queued before this is still written.
    pub fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::line("the writer ended in a panic");
        }
    }
}

impl Drop for Writer {
    /// Nobody is left to wait for.
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What the writing thread owns.
struct Thread {
    connection: Connection,
    place: Place,
    queue: Arc<Queue>,
    healthy: Arc<AtomicBool>,
    /// When a commit was last tried.
    tried: Instant,
    /// Why it failed; told to whoever comes before the next try.
    failure: Option<Error>,
    chores: Chores,
    alerts: Arc<Alerts>,
}

impl Thread {
    fn run(mut self) {
        while let Some(mut batch) = self.queue.take(self.patience()) {
            let changes = mem::take(&mut batch.changes);
            let idle = batch.rows.is_empty() && changes.is_empty();
            if !batch.rows.is_empty() || self.failure.is_some() || !self.place.holds() {
                self.write(batch);
            }
            changes.into_iter().for_each(|change| self.make(change));
            if self.failure.is_none() {
                self.chores.step(&mut self.connection, idle);
            }
        }
        if self.failure.is_none() {
            self.chores.step(&mut self.connection, false); // what was told since the last commit is not to be told again
        }
        if let Err(e) = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
            log::line(&format!("the WAL stays beside the database: {e}"));
        }
    }

    /// How long to wait for an event.
    fn patience(&self) -> Duration {
        match self.failure {
            None => self.chores.wait(),
            Some(_) => RETRY.saturating_sub(self.tried.elapsed()),
        }
    }

    /// Commits a batch and answers it; an empty one only finds out whether a commit succeeds again.
    fn write(&mut self, batch: Batch) {
        let result = match self.failure.take() {
            Some(error) if self.tried.elapsed() < RETRY => Err(error),
            before => self.try_commit(&batch.rows, before.is_some()),
        };
        self.failure = result.as_ref().err().cloned();
        self.healthy.store(self.failure.is_none(), Relaxed);
        batch.answer(result);
    }

    fn make(&mut self, change: Change) {
        self.chores.wipe_due |= change.wipes;
        let place = match &self.failure {
            None if self.place.holds() => Ok(&mut self.connection),
            None => Err(Error::Gone),
            Some(error) => Err(error.clone()),
        };
        // A transaction that is unwound through is rolled back.
        let _ = catch_unwind(AssertUnwindSafe(|| change.make(place)));
    }

    /// Logs when commits begin to fail, and when they succeed again.
    fn try_commit(&mut self, rows: &[Row], failed_before: bool) -> Result<Vec<Result<Added, Error>>, Error> {
        self.tried = Instant::now();
        // A transaction that is unwound through is rolled back, so a panic costs one batch and not the writer.
        let commit = AssertUnwindSafe(|| match self.place.holds() {
            true => batch::commit(&mut self.connection, rows, &self.alerts),
            false => Err(Error::Gone),
        });
        let result = catch_unwind(commit).unwrap_or_else(|_| Err(Error::Failed("a panic".into())));
        match (&result, failed_before) {
            (Ok(_), true) => log::line("events are stored again"),
            (Err(error @ Error::Gone), false) => log::line(&format!(
                "events cannot be stored: {error}. What it held is lost unless it is put back; \
                 until obs ends it can still be copied, out of /proc/{}/fd",
                process::id()
            )),
            (Err(error), false) => log::line(&format!("events cannot be stored: {error}")),
            _ => {}
        }
        result.map_err(|error| if let Error::Failed(_) = error { Error::Down } else { error })
    }
}
