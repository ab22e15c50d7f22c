//! A mutex that stays usable after a thread panicked while holding it.
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ignores poisoning: no code under these locks can panic halfway through a change.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
