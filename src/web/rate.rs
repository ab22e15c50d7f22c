//! How many events a key may send: so many a minute, counted from the first one on.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

pub struct Rate {
    /// `None`: as many as they like, and nothing is counted.
    limit: Option<u32>,
    /// When each key's minute began, and how many it has sent since.
    minutes: Mutex<HashMap<String, (Instant, u32)>>,
}

impl Rate {
    pub fn new(limit: Option<u32>) -> Rate {
        Rate { limit, minutes: Mutex::default() }
    }

    /// Counts an event of a key, or says in how many seconds there is room for it.
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
