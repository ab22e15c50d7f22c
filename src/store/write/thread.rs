//! The one thread that writes. It takes everything that is queued, commits it together, then answers each sender, so that
//! all who wait share one sync of the disk and SQLite never sees two writers.
use super::batch;
use super::incoming::{Added, NewEvent};
use super::queue::{Batch, Change, Queue};
use crate::log;
use crate::store::alerts::AlertPolicy;
use crate::store::error::Error;
use crate::store::file::identity::FileIdentity;
use crate::store::file::open::LOCK_WAIT;
use crate::store::transaction::durable;
use crate::store::upkeep::Upkeep;
use rusqlite::Connection;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a failed commit is tried again, whether or not an event arrives.
const RETRY: Duration = Duration::from_secs(1);
/// A try writes as many bytes as failed, at most [`MAX_PROBE`], and so many more: an event touches a dozen pages.
/// Otherwise it would succeed on a disk that is too full for events.
const PROBE: i64 = 64 << 10;
const MAX_PROBE: i64 = 4 << 20;

/// What the writer has done since it started.
#[derive(Default)]
pub struct Counters {
    pub stored: AtomicU64,
    pub commits: AtomicU64,
    pub commit_micros: AtomicU64,
}

pub struct Writer {
    pub queue: Arc<Queue>,
    pub counters: Arc<Counters>,
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
        let (counters, healthy) = (Arc::<Counters>::default(), Arc::new(AtomicBool::new(true)));
        let writer = WriterThread {
            queue: queue.clone(),
            counters: counters.clone(),
            connection,
            identity,
            healthy: healthy.clone(),
            failure: None,
            refused: 0,
            upkeep,
            policy,
        };
        let thread = thread::Builder::new().name("writer".into()).spawn(move || writer.run())?;
        Ok(Writer { queue, counters, healthy, thread: Mutex::new(Some(thread)) })
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
    counters: Arc<Counters>,
    connection: Connection,
    identity: FileIdentity,
    healthy: Arc<AtomicBool>,
    /// When and why the last transaction failed. Everyone gets this answer until the next try.
    failure: Option<(Instant, Error)>,
    /// About how many bytes could not be stored.
    refused: i64,
    upkeep: Upkeep,
    policy: AlertPolicy,
}

impl WriterThread {
    fn run(mut self) {
        while let Some(mut batch) = self.queue.take(self.patience()) {
            let idle = batch.is_empty();
            let since = batch.since;
            let changes = mem::take(&mut batch.changes);
            if !batch.events.is_empty() {
                self.write(batch, since);
            } else if self.failure.is_some() || !self.identity.is_unchanged() {
                self.probe();
            }
            for change in changes {
                self.change(change, since);
            }
            if idle && self.failure.is_none() {
                self.upkeep.step(&mut self.connection, true);
            }
        }
        let _ = self.connection.busy_timeout(LOCK_WAIT);
        if let Err(e) = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
            log::line(&format!("the WAL stays beside the database: {e}"));
        }
    }

    /// How long to wait for the next job.
    fn patience(&self) -> Duration {
        self.failure.as_ref().map_or_else(|| self.upkeep.wait(), |(at, _)| RETRY.saturating_sub(at.elapsed()))
    }

    /// Commits a batch and answers it. Upkeep comes first, so that a flood waits until there is room for it.
    fn write(&mut self, mut batch: Batch, since: Option<Instant>) {
        let (policy, start) = (self.policy, Instant::now());
        let outcomes = self.attempt(since, |connection| batch::commit(connection, &batch.events, policy));
        match &outcomes {
            Ok(outcomes) => {
                let stored = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Added::New(_)))).count();
                self.counters.stored.fetch_add(stored as u64, Relaxed);
                self.counters.commits.fetch_add(1, Relaxed);
                self.counters.commit_micros.fetch_add(start.elapsed().as_micros() as u64, Relaxed);
                self.upkeep.step(&mut self.connection, false);
            }
            Err(_) => self.refused = batch.events.iter().map(|event| size(event)).sum::<usize>() as i64,
        }
        batch.answer(outcomes);
    }

    /// Makes a change, or passes on why it cannot be tried.
    fn change(&mut self, change: Change, since: Option<Instant>) {
        self.upkeep.changed();
        let mut change = Some(change);
        let outcome = self.attempt(since, |connection| change.take().map_or(Ok(()), |change| change(Ok(connection))));
        if let (Err(error), Some(change)) = (outcome, change) {
            let _ = change(Err(error));
        }
    }

    /// Finds out whether commits succeed again.
    fn probe(&mut self) {
        let bytes = self.refused.min(MAX_PROBE) + PROBE;
        let _ = self.attempt(None, |connection| {
            durable(connection, |transaction| {
                let write = "INSERT OR REPLACE INTO settings (name, value) VALUES ('probe', zeroblob(?1))";
                transaction.execute(write, [bytes])?;
                transaction.execute("DELETE FROM settings WHERE name = 'probe'", [])?;
                Ok(())
            })
        });
    }

    /// Runs a transaction, unless one has just failed. `since` is when the first of those who wait for it began to wait;
    /// without it, and after a failure, it does not wait for another process's lock.
    fn attempt<T>(
        &mut self,
        since: Option<Instant>,
        work: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let wait = match (since, &self.failure) {
            (_, Some((at, error))) if at.elapsed() < RETRY => return Err(error.clone()),
            (Some(since), None) => LOCK_WAIT.saturating_sub(since.elapsed()),
            _ => Duration::ZERO,
        };
        // Unwinding rolls the transaction back, so a panic costs one job and not the writer.
        let attempt = AssertUnwindSafe(|| {
            self.connection.busy_timeout(wait)?;
            if self.identity.is_unchanged() { work(&mut self.connection) } else { Err(Error::Gone) }
        });
        let outcome = catch_unwind(attempt).unwrap_or_else(|_| Err(Error::Failed("a panic".into())));
        match (&outcome, &self.failure) {
            (Ok(_), Some(_)) => log::line("events are stored again"),
            (Err(error @ Error::Gone), None) => log::line(&format!(
                "events cannot be stored: {error}. Its contents are lost unless it is put back. \
                 While obs runs, it can still be copied from /proc/{}/fd",
                process::id()
            )),
            (Err(error), None) => log::line(&format!("events cannot be stored: {error}")),
            _ => {}
        }
        self.healthy.store(outcome.is_ok(), Relaxed);
        let outcome = outcome.map_err(|error| if let Error::Failed(_) = error { Error::Down } else { error });
        self.failure = outcome.as_ref().err().map(|error| (Instant::now(), error.clone()));
        outcome
    }
}

/// About how many bytes an event takes, apart from what every event takes.
fn size(new: &NewEvent) -> usize {
    let event = &new.event;
    let texts = [&event.stacktrace, &event.causes, &event.request, &event.breadcrumbs, &event.extra, &event.more];
    event.message.len() + texts.into_iter().flatten().map(|text| text.len()).sum::<usize>()
}
