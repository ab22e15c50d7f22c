//! The one thread that writes. It takes everything that is queued, commits it together, then answers each sender, so that
//! all who wait share one sync of the disk and SQLite never sees two writers.
use super::batch;
use super::incoming::{Added, NewEvent};
use super::queue::{Batch, Change, Queue};
use crate::log;
use crate::store::alerts::AlertPolicy;
use crate::store::error::Error;
use crate::store::file::identity::FileIdentity;
use crate::store::upkeep::Upkeep;
use rusqlite::Connection;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a failed commit is tried again, whether or not an event arrives.
const RETRY: Duration = Duration::from_secs(1);

pub struct Writer {
    queue: Arc<Queue>,
    healthy: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub fn start(
        connection: Connection,
        identity: FileIdentity,
        upkeep: Upkeep,
        policy: AlertPolicy,
    ) -> io::Result<Writer> {
        let queue = Arc::new(Queue::default());
        let healthy = Arc::new(AtomicBool::new(true));
        let writer = WriterThread {
            queue: queue.clone(),
            connection,
            identity,
            healthy: healthy.clone(),
            tried: Instant::now(),
            failure: None,
            upkeep,
            policy,
        };
        let thread = thread::Builder::new().name("writer".into()).spawn(move || writer.run())?;
        Ok(Writer { queue, healthy, thread: Mutex::new(Some(thread)) })
    }

    /// Returns once the event is durable.
    pub fn add(&self, event: Arc<NewEvent>) -> Result<Added, Error> {
        self.queue.add(event)
    }

    /// Returns once the change is made.
    pub fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, outcome) = mpsc::sync_channel(1);
        self.queue.change(Box::new(move |connection| drop(reply.send(connection.and_then(work)))));
        outcome.recv().unwrap_or(Err(Error::Down))
    }

    /// Returns false while commits fail.
    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Relaxed)
    }

    /// Waits until everything queued so far is written.
    pub fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::line("the writer ended in a panic");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What the writer thread owns.
struct WriterThread {
    queue: Arc<Queue>,
    connection: Connection,
    identity: FileIdentity,
    healthy: Arc<AtomicBool>,
    /// When a commit was last tried.
    tried: Instant,
    /// Why it failed. Everyone is told so until the next try.
    failure: Option<Error>,
    upkeep: Upkeep,
    policy: AlertPolicy,
}

impl WriterThread {
    fn run(mut self) {
        while let Some(mut batch) = self.queue.take(self.patience()) {
            let idle = batch.is_empty();
            let changes = mem::take(&mut batch.changes);
            if !batch.events.is_empty() || self.failure.is_some() || !self.identity.is_unchanged() {
                self.write(batch);
            }
            for change in changes {
                self.change(change);
            }
            if self.failure.is_none() {
                self.upkeep.step(&mut self.connection, idle);
            }
        }
        if let Err(e) = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
            log::line(&format!("the WAL stays beside the database: {e}"));
        }
    }

    /// How long to wait for the next job.
    fn patience(&self) -> Duration {
        match self.failure {
            None => self.upkeep.wait(),
            Some(_) => RETRY.saturating_sub(self.tried.elapsed()),
        }
    }

    /// Commits a batch and answers it. An empty batch only finds out whether commits succeed again.
    fn write(&mut self, mut batch: Batch) {
        let outcomes = match self.failure.take() {
            Some(error) if self.tried.elapsed() < RETRY => Err(error),
            failure => self.try_commit(&batch.events, failure.is_some()),
        };
        self.failure = outcomes.as_ref().err().cloned();
        self.healthy.store(self.failure.is_none(), Relaxed);
        batch.answer(outcomes);
    }

    /// Logs when commits begin to fail, and when they succeed again.
    fn try_commit(
        &mut self,
        events: &[Arc<NewEvent>],
        failed_before: bool,
    ) -> Result<Vec<Result<Added, Error>>, Error> {
        // Unwinding rolls the transaction back, so a panic costs one batch and not the writer.
        let commit = AssertUnwindSafe(|| match self.identity.is_unchanged() {
            true => batch::commit(&mut self.connection, events, self.policy),
            false => Err(Error::Gone),
        });
        let result = catch_unwind(commit).unwrap_or_else(|_| Err(Error::Failed("a panic".into())));
        self.tried = Instant::now(); // afterwards, so that what arrived during the try does not wait for another
        match (&result, failed_before) {
            (Ok(_), true) => log::line("events are stored again"),
            (Err(error @ Error::Gone), false) => log::line(&format!(
                "events cannot be stored: {error}. Its contents are lost unless it is put back. \
                 While obs runs, it can still be copied from /proc/{}/fd",
                process::id()
            )),
            (Err(error), false) => log::line(&format!("events cannot be stored: {error}")),
            _ => {}
        }
        result.map_err(|error| if let Error::Failed(_) = error { Error::Down } else { error })
    }

    fn change(&mut self, change: Change) {
        let connection = match &self.failure {
            None if self.identity.is_unchanged() => Ok(&mut self.connection),
            None => Err(Error::Gone),
            Some(error) => Err(error.clone()),
        };
        self.upkeep.changed();
        // Unwinding rolls the transaction back and drops the reply, which tells the sender that the writer is down.
        let _ = catch_unwind(AssertUnwindSafe(|| change(connection)));
    }
}
