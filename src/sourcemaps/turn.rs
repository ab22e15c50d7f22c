//! One request at a time works on a source map, so that their memory does not add up.
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

#[derive(Default)]
pub struct Turns {
    is_taken: Mutex<bool>,
    returned: Condvar,
}

/// The right to work on a map, until it is dropped.
pub struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for a turn. Returns `None` after so long.
    pub fn wait(&self, patience: Duration) -> Option<Turn<'_>> {
        let is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.returned.wait_timeout_while(is_taken, patience, |is_taken| *is_taken);
        let mut is_taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        (!std::mem::replace(&mut *is_taken, true)).then(|| Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.returned.notify_one();
    }
}
