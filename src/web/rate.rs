//! The rate limit of each ingest key: events per minute, where a key's minute begins with its first event.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

pub struct Rate {
    /// `None`: no limit, and nothing is counted.
    limit: Option<u32>,
    /// When each key's current minute began, and the number of events since then.
    minutes: Mutex<HashMap<String, (Instant, u32)>>,
}

impl Rate {
    pub fn new(limit: Option<u32>) -> Rate {
        Rate { limit, minutes: Mutex::default() }
    }

    /// Counts an event. If the key has reached its limit, the error is the number of seconds until it may send more.
    pub fn take(&self, key: &str) -> Result<(), u64> {
        let Some(limit) = self.limit else { return Ok(()) };
        let now = Instant::now();
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, sent) = minutes.entry(key.into()).or_insert((now, 0));
        let left = MINUTE.saturating_sub(now - *began);
        if left.is_zero() {
            (*began, *sent) = (now, 0);
        }
        if *sent >= limit {
            return Err(left.as_secs() + 1);
        }
        *sent += 1;
        Ok(())
    }
}
