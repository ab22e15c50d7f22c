//! The one thread that writes: takes what is queued, commits it together, then answers each.
//! So a sync of the disk is shared by all who wait for one, and SQLite never sees two writers.
use super::batch::{self, Row};
use super::place::Place;
use super::retention::Retention;
use super::{Added, Error, Kept, NewEvent};
use crate::log;
use rusqlite::Connection;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Events that may wait. More than the connections there can be, as long as each sends one at a time.
const QUEUE: usize = 1024;
/// Events that share a commit at most.
const MAX_BATCH: usize = 256;
/// A writer that failed is tried again this often, whether an event comes or not.
const RETRY: Duration = Duration::from_secs(1);

pub struct Writer {
    queue: SyncSender<Message>,
    healthy: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Add(Box<Row>, Reply),
    Close,
}

/// The row goes back with its answer, to be dropped by a thread that nobody waits for.
type Reply = SyncSender<(Result<Added, Error>, Box<Row>)>;

impl Writer {
    pub fn start(connection: Connection, place: Place, kept: Kept) -> io::Result<Writer> {
        let (queue, messages) = mpsc::sync_channel(QUEUE);
        let healthy = Arc::new(AtomicBool::new(true));
        let state = Thread {
            connection,
            place,
            healthy: healthy.clone(),
            tried: Instant::now(),
            failure: None,
            retention: Retention::new(kept),
        };
        let thread = thread::Builder::new().name("writer".into()).spawn(move || state.run(&messages))?;
        Ok(Writer { queue, healthy, thread: Mutex::new(Some(thread)) })
    }

    pub fn add(&self, event: NewEvent) -> Result<Added, Error> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.queue.try_send(Message::Add(Box::new(Row::of(event)), reply)).map_err(|e| match e {
            TrySendError::Full(_) => Error::QueueFull,
            TrySendError::Disconnected(_) => Error::Down,
        })?;
        answer.recv().map_or(Err(Error::Down), |(result, _)| result)
    }

    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Relaxed)
    }

    /// What is queued before this is still written.
    pub fn close(&self) {
        let _ = self.queue.send(Message::Close);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::line("the writer ended in a panic");
        }
    }
}

/// What the writing thread owns.
struct Thread {
    connection: Connection,
    place: Place,
    healthy: Arc<AtomicBool>,
    /// When a commit was last tried.
    tried: Instant,
    /// Why it failed; told to whoever comes before the next try.
    failure: Option<Error>,
    retention: Retention,
}

impl Thread {
    fn run(mut self, messages: &Receiver<Message>) {
        let mut open = true;
        while open {
            let first = messages.recv_timeout(match self.failure.is_none() {
                true => self.retention.wait(),
                false => RETRY.saturating_sub(self.tried.elapsed()),
            });
            let mut batch = Vec::new();
            let mut next = match first {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            while let Some(message) = next {
                match message {
                    Message::Add(event, reply) => batch.push((event, reply)),
                    Message::Close => open = false,
                }
                next = if open && batch.len() < MAX_BATCH { messages.try_recv().ok() } else { None };
            }
            if !batch.is_empty() || self.failure.is_some() || !self.place.holds() {
                self.write(batch);
            }
            if self.failure.is_none()
                && let Err(error) = self.retention.step(&mut self.connection)
            {
                log::line(&format!("old events could not be removed: {error}"));
            }
        }
        if let Err(e) = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
            log::line(&format!("the WAL stays beside the database: {e}"));
        }
    }

    /// Commits a batch and answers it; an empty one only finds out whether a commit succeeds again.
    fn write(&mut self, batch: Vec<(Box<Row>, Reply)>) {
        let (rows, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let result = match self.failure.take() {
            Some(error) if self.tried.elapsed() < RETRY => Err(error),
            before => self.try_commit(&rows, before.is_some()),
        };
        self.failure = result.as_ref().err().cloned();
        self.healthy.store(self.failure.is_none(), Relaxed);
        let mut results = result.map(Vec::into_iter);
        for (reply, row) in replies.into_iter().zip(rows) {
            let result = match &mut results {
                Ok(results) => results.next().unwrap_or(Err(Error::Down)),
                Err(error) => Err(error.clone()),
            };
            let _ = reply.send((result, row));
        }
    }

    /// Logs when commits begin to fail, and when they succeed again.
    fn try_commit(&mut self, rows: &[Box<Row>], failed_before: bool) -> Result<Vec<Result<Added, Error>>, Error> {
        self.tried = Instant::now();
        // A transaction that is unwound through is rolled back, so a panic costs one batch and not the writer.
        let commit = AssertUnwindSafe(|| match self.place.holds() {
            true => batch::commit(&mut self.connection, rows),
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
