//! What waits for the writer, and its answer on the way back. All who share a commit wait on one lock, so that the
//! writer wakes them with one call to the system instead of one each.
use super::batch::Row;
use super::change::Change;
use super::{Added, Error};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Events that may wait. More than the connections there can be, as long as each sends one at a time.
const MOST: usize = 1024;

#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Default)]
struct Waiting {
    batch: Batch,
    closed: bool,
}

/// Events that will share a commit, and changes to be made after it. Dropped unanswered, it says that the writer is down.
#[derive(Default)]
pub struct Batch {
    pub rows: Vec<Row>,
    pub changes: Vec<Change>,
    answer: Arc<OnceLock<Answer>>,
}

/// The rows go with their answer, to be dropped by a thread that nobody waits for.
type Answer = (Result<Vec<Result<Added, Error>>, Error>, Vec<Row>);

impl Queue {
    /// Waits until the writer has answered.
    pub fn add(&self, row: Row) -> Result<Added, Error> {
        let (answer, place) = {
            let mut waiting = self.lock();
            let place = waiting.batch.rows.len();
            if waiting.closed {
                return Err(Error::Down);
            }
            if place == MOST {
                return Err(Error::QueueFull);
            }
            waiting.batch.rows.push(row);
            if place == 0 {
                self.came.notify_one();
            }
            (waiting.batch.answer.clone(), place)
        };
        match &answer.wait().0 {
            Ok(results) => results.get(place).cloned().unwrap_or(Err(Error::Down)),
            Err(error) => Err(error.clone()),
        }
    }

    pub fn change(&self, change: Change) {
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.batch.changes.push(change);
            self.came.notify_one();
        }
    }

    /// All that waits, once something does; after `time` perhaps nothing. `None` once the queue is closed and empty.
    pub fn take(&self, time: Duration) -> Option<Batch> {
        let nothing = |waiting: &mut Waiting| waiting.batch.is_empty() && !waiting.closed;
        let waited = self.came.wait_timeout_while(self.lock(), time, nothing);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        let over = waiting.closed && waiting.batch.is_empty();
        (!over).then(|| mem::take(&mut waiting.batch))
    }

    /// What is queued before this is still taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.came.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.changes.is_empty()
    }

    pub fn answer(mut self, result: Result<Vec<Result<Added, Error>>, Error>) {
        let _ = self.answer.set((result, mem::take(&mut self.rows)));
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.rows.is_empty() {
            let _ = self.answer.set((Err(Error::Down), Vec::new()));
        }
    }
}
