//! Counts the requests to store events that obs refused, by reason.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The statuses that mean a refusal, and what each is called.
const REASONS: [(u16, &str); 8] = [
    (400, "invalid"),
    (401, "key"),
    (408, "timeout"),
    (413, "too_large"),
    (415, "encoding"),
    (429, "rate_limit"),
    (431, "head_too_large"),
    (503, "unavailable"),
];

#[derive(Default)]
pub struct Refused([AtomicU64; REASONS.len()]);

impl Refused {
    pub fn count(&self, status: u16) {
        if let Some(at) = REASONS.iter().position(|(other, _)| *other == status) {
            self.0[at].fetch_add(1, Relaxed);
        }
    }

    pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.iter().zip(&self.0).map(|((_, reason), count)| (*reason, count.load(Relaxed)))
    }
}
