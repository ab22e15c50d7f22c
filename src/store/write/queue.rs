//! What waits for the writer. Events that share a commit share one outcome, so that the writer wakes everyone with a
//! single system call. (A reply channel per event is shorter by 25 lines and costs 5 % of the ingest rate.)
use super::incoming::{Added, NewEvent};
use crate::store::error::Error;
use rusqlite::Connection;
use std::mem;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Events that may wait. A connection waits for one event at a time, and there are at most 512 connections.
const MAX_EVENTS: usize = 512;

#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    batch: Batch,
    closed: bool,
}

/// Events that will share a commit, and changes to make after it.
#[derive(Default)]
pub struct Batch {
    pub events: Vec<Arc<NewEvent>>,
    pub changes: Vec<Change>,
    /// When the first of them arrived.
    pub since: Option<Instant>,
    outcome: Arc<OnceLock<Answer>>,
}

/// What became of each event, together with the events, so that freeing them does not hold up the writer.
type Answer = (Result<Vec<Result<Added, Error>>, Error>, Vec<Arc<NewEvent>>);

/// Makes a change in a transaction of its own and answers whoever asked for it. Given an error, it passes that on.
/// Returns an error if the database failed.
pub type Change = Box<dyn FnOnce(Result<&mut Connection, Error>) -> Result<(), Error> + Send>;

impl Queue {
    /// Returns once the writer has answered.
    pub fn add(&self, event: Arc<NewEvent>) -> Result<Added, Error> {
        let (position, outcome) = self.push(|batch| {
            if batch.events.len() == MAX_EVENTS {
                return Err(Error::QueueFull);
            }
            batch.events.push(event);
            Ok((batch.events.len() - 1, batch.outcome.clone()))
        })?;
        match &outcome.wait().0 {
            Ok(outcomes) => outcomes.get(position).cloned().unwrap_or(Err(Error::Down)),
            Err(error) => Err(error.clone()),
        }
    }

    /// Returns once the change is made.
    pub fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, outcome) = mpsc::sync_channel(1);
        let change: Change = Box::new(move |connection| {
            let outcome = connection.and_then(work);
            let failure = outcome.as_ref().err().filter(|error| !matches!(error, Error::Row(_))).cloned();
            drop(reply.send(outcome));
            failure.map_or(Ok(()), Err)
        });
        self.push(|batch| {
            batch.changes.push(change);
            Ok(())
        })?;
        outcome.recv().unwrap_or(Err(Error::Down))
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.lock().batch.events.len()
    }

    fn push<T>(&self, add: impl FnOnce(&mut Batch) -> Result<T, Error>) -> Result<T, Error> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Error::Down);
        }
        let added = add(&mut waiting.batch)?;
        waiting.batch.since.get_or_insert_with(Instant::now);
        drop(waiting);
        self.arrived.notify_one();
        Ok(added)
    }

    /// Takes everything that waits, after at most `patience`. Returns `None` once the queue is closed and empty.
    pub fn take(&self, patience: Duration) -> Option<Batch> {
        let nothing = |waiting: &mut Waiting| waiting.batch.is_empty() && !waiting.closed;
        let waited = self.arrived.wait_timeout_while(self.lock(), patience, nothing);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        let is_finished = waiting.closed && waiting.batch.is_empty();
        (!is_finished).then(|| mem::take(&mut waiting.batch))
    }

    /// Accepts nothing more. What is queued is still taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.changes.is_empty()
    }

    pub fn answer(&mut self, outcomes: Result<Vec<Result<Added, Error>>, Error>) {
        let _ = self.outcome.set((outcomes, mem::take(&mut self.events)));
    }
}

impl Drop for Batch {
    /// Nobody waits for ever, even if a panic has kept the writer from answering.
    fn drop(&mut self) {
        self.answer(Err(Error::Down));
    }
}
