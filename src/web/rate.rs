//! The rate limit of each ingest key: stored events per minute, where a key's minute begins with its first event.
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// When each key's current minute began, and the number of events since then.
type Minutes = HashMap<String, (Instant, u32)>;

pub struct Rate {
    /// `None`: no limit, and nothing is counted.
    limit: Option<u32>,
    minutes: Mutex<Minutes>,
}

impl Rate {
    pub fn new(limit: Option<u32>) -> Rate {
        Rate { limit, minutes: Mutex::default() }
    }

    /// Checks that a key may send an event. If not, the error is the number of seconds until it may.
    pub fn check(&self, key: &str) -> Result<(), u64> {
        self.count(key, 0).map(drop)
    }

    /// Counts an event before it is stored, so that events that arrive together cannot exceed the limit.
    pub fn reserve<'a>(&'a self, key: &'a str) -> Result<Reservation<'a>, u64> {
        Ok(Reservation { rate: self, key, began: self.count(key, 1)? })
    }

    /// Returns when the minute began in which the events count.
    fn count(&self, key: &str, events: u32) -> Result<Option<Instant>, u64> {
        let Some(limit) = self.limit else { return Ok(None) };
        let now = Instant::now();
        let mut minutes = self.minutes();
        let (began, sent) = minutes.entry(key.into()).or_insert((now, 0));
        let left = MINUTE.saturating_sub(now - *began);
        if left.is_zero() || *sent == 0 {
            (*began, *sent) = (now, 0);
        }
        if *sent >= limit {
            return Err(left.as_secs() + 1);
        }
        *sent += events;
        Ok(Some(*began))
    }

    fn minutes(&self) -> MutexGuard<'_, Minutes> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event that counts towards the limit. If this is dropped before the event is stored, it no longer counts.
pub struct Reservation<'a> {
    rate: &'a Rate,
    key: &'a str,
    /// The minute in which it counts.
    began: Option<Instant>,
}

impl Reservation<'_> {
    pub fn stored(mut self) {
        self.began = None;
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let Some(its_minute) = self.began else { return };
        if let Some((_, sent)) = self.rate.minutes().get_mut(self.key).filter(|(began, _)| *began == its_minute) {
            *sent -= 1;
        }
    }
}
