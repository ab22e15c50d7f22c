//! The bound on memory for everything that is read, parsed and answered at any one time.
//!
//! `Limits::memory` is divided once, so that no use can take another's room:
//!
//! | use | share | if it is full |
//! |---|---|---|
//! | bodies and responses | 3/4, of which large requests get at most 2/4, and responses at most 1/4 | 503 at once |
//! | decoding and parsing | 1/4 | it waits up to 2 seconds, then 503 |
//!
//! - A body counts as its bytes arrive, until its request has been handled. A response that is larger than the
//!   connection's own buffers counts until it has been sent. A request is large once it holds more than 16 KiB. The quarter
//!   that large requests leave is room for 16 KiB from every connection, so large requests cannot shut out small ones. Nor
//!   can clients that leave responses unread, which takes no key, shut out large bodies.
//! - Decoding counts what the decoder needs while it runs. What it returns counts as a body does, on top of the body as
//!   it was sent.
//! - A body that is read as a stream counts as one does: its first bytes, what the decoder needs, and what the application
//!   keeps of it at any one time, as it is read.
//! - Parsing counts `PARSING` times the length of the body while it runs, on top of the body. What it returns is no
//!   larger than the body, which counts until the end of the request.
//!
//! Both wait only for each other, and then finish without waiting for anything. None takes more than the whole share, so
//! one that waits cannot deadlock.
use super::lock::lock;
use super::refusal::Refusal;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

pub(super) const NO_ROOM: Refusal = Refusal::Busy("too many requests in flight");
/// Bytes that a parse may need for each byte of the body. `tests/torture.rs` verifies it with the worst bodies known.
const PARSING: usize = 6;
/// Maximum size in bytes of a small request.
const SMALL: usize = 16 << 10;
/// How long a parse waits for room.
const PATIENCE: Duration = Duration::from_secs(2);

pub struct Budget {
    quarter: usize,
    held: AtomicUsize,
    /// What responses hold of that.
    unread: AtomicUsize,
    parsing: Mutex<Parsing>,
    parsed: Condvar,
    patience: Duration,
}

#[derive(Default)]
struct Parsing {
    bytes: usize,
    /// Number of parses that wait. Without any, there is nobody to notify, which would take a system call.
    waiting: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Budget {
        Budget {
            quarter: limit / 4,
            held: AtomicUsize::new(0),
            unread: AtomicUsize::new(0),
            parsing: Mutex::default(),
            parsed: Condvar::new(),
            patience: PATIENCE,
        }
    }

    pub(super) fn permit(&self) -> Permit<'_> {
        Permit { total: &self.held, limits: [3 * self.quarter, 2 * self.quarter], held: 0 }
    }

    /// Takes `bytes` for a response, or takes nothing.
    pub(super) fn permit_response(&self, bytes: usize) -> Option<[Permit<'_>; 2]> {
        let unread = Permit { total: &self.unread, limits: [self.quarter; 2], held: 0 };
        let mut permits = [unread, self.permit()];
        permits.iter_mut().all(|permit| permit.grow(bytes)).then_some(permits)
    }

    /// Parses a body, or a part of it, as soon as there is memory for it. `parse` must not wait for anything: others wait for
    /// it.
    pub fn parse<T>(&self, bytes: &[u8], parse: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
        let _permit = self.permit_work(PARSING * bytes.len()).ok_or(NO_ROOM)?;
        Ok(parse(bytes))
    }

    /// Waits until `bytes` are free for decoding or parsing. Returns `None` if that takes too long.
    pub(super) fn permit_work(&self, bytes: usize) -> Option<ParsingPermit<'_>> {
        let bytes = bytes.min(self.quarter);
        let is_full = |parsing: &mut Parsing| parsing.bytes + bytes > self.quarter;
        let mut parsing = lock(&self.parsing);
        if is_full(&mut parsing) {
            parsing.waiting += 1;
            let waited = self.parsed.wait_timeout_while(parsing, self.patience, is_full);
            let (after, result) = waited.unwrap_or_else(PoisonError::into_inner);
            parsing = after;
            parsing.waiting -= 1;
            self.notify(&parsing); // there may be room for another
            if result.timed_out() {
                return None;
            }
        }
        parsing.bytes += bytes;
        Some(ParsingPermit { budget: self, bytes })
    }

    fn notify(&self, parsing: &Parsing) {
        if parsing.waiting > 0 {
            self.parsed.notify_one();
        }
    }
}

/// What one body or one response holds. It starts at nothing, grows as bytes come, and is given back on drop.
pub(super) struct Permit<'a> {
    total: &'a AtomicUsize,
    /// How large the total may become by a small request, and by a large one.
    limits: [usize; 2],
    pub held: usize,
}

impl Permit<'_> {
    /// Takes `bytes` more, or takes nothing and returns false.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let limit = self.limits[usize::from(self.held.saturating_add(bytes) > SMALL)];
        let fits = |total: usize| total.checked_add(bytes).filter(|sum| *sum <= limit);
        let grown = self.total.fetch_update(Relaxed, Relaxed, fits).is_ok();
        self.held += if grown { bytes } else { 0 };
        grown
    }

    /// Gives back everything but `held` bytes.
    pub fn shrink(&mut self, held: usize) {
        self.total.fetch_sub(self.held - held, Relaxed);
        self.held = held;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

/// The room for one parse. Dropping it lets the next one continue.
pub(super) struct ParsingPermit<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl Drop for ParsingPermit<'_> {
    fn drop(&mut self) {
        let mut parsing = lock(&self.budget.parsing);
        parsing.bytes -= self.bytes;
        self.budget.notify(&parsing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// A budget in which the bodies that may be parsed together have `length` bytes at most.
    fn budget(length: usize, patience: Duration) -> Budget {
        Budget { patience, ..Budget::new(4 * PARSING * length) }
    }

    #[test]
    fn a_permit_gives_back_what_it_holds() {
        let budget = Budget::new(16);
        let mut first = budget.permit();
        assert!(first.grow(4) && first.grow(8) && !first.grow(1) && !first.grow(usize::MAX));
        assert!(!budget.permit().grow(1));
        drop(first);
        assert!(budget.permit().grow(12));
        assert_eq!(budget.held.load(Relaxed), 0);
    }

    #[test]
    fn large_requests_leave_room_for_small_ones() {
        let budget = Budget::new(8 * SMALL);
        let mut large = budget.permit();
        assert!(large.grow(3 * SMALL) && large.grow(SMALL) && !large.grow(1));
        let mut small = [budget.permit(), budget.permit(), budget.permit()];
        assert!(small[0].grow(SMALL) && small[1].grow(SMALL) && !small[2].grow(1));
        assert!(!small[0].grow(1), "it would be large");
    }

    #[test]
    fn responses_leave_room_for_bodies() {
        let budget = Budget::new(8 * SMALL);
        let unread = budget.permit_response(2 * SMALL);
        assert!(unread.is_some() && budget.permit_response(1).is_none());
        let mut body = budget.permit();
        assert!(body.grow(2 * SMALL) && !body.grow(1));
        drop(unread);
        assert!(body.grow(2 * SMALL) && budget.permit_response(SMALL + 1).is_none());
        assert_eq!(budget.unread.load(Relaxed), 0, "what is not granted is given back");
    }

    #[test]
    fn bodies_and_responses_leave_room_for_parsing() {
        let budget = Budget::new(4096);
        let mut held = budget.permit();
        assert!(held.grow(3072));
        assert!(budget.permit_work(PARSING * 256).is_some());
    }

    #[test]
    fn parsing_leaves_room_for_bodies_and_responses() {
        let budget = Budget::new(4096);
        let _parsing = budget.permit_work(usize::MAX);
        assert!(budget.permit().grow(3072));
    }

    #[test]
    fn a_body_larger_than_the_share_is_parsed_alone() {
        let budget = budget(100, Duration::ZERO);
        let first = budget.permit_work(PARSING * 5000);
        assert!(first.is_some() && budget.permit_work(PARSING).is_none());
        drop(first);
        assert!(budget.permit_work(PARSING).is_some());
    }

    #[test]
    fn a_parse_that_waits_too_long_is_refused() {
        let budget = budget(100, Duration::from_millis(20));
        let running = budget.permit_work(PARSING * 60);
        assert!(budget.permit_work(PARSING * 50).is_none());
        assert!(budget.permit_work(PARSING * 40).is_some(), "the refused one holds nothing");
        drop(running);
        let parsing = lock(&budget.parsing);
        assert_eq!((parsing.bytes, parsing.waiting), (0, 0));
    }

    #[test]
    fn waiting_parses_continue_when_another_finishes() {
        let budget = budget(100, Duration::from_secs(60));
        let running = budget.permit_work(PARSING * 100);
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| budget.permit_work(PARSING * 25).map(drop))).collect();
            while lock(&budget.parsing).waiting < 4 {
                thread::yield_now();
            }
            drop(running);
            assert!(waiting.into_iter().all(|thread| thread.join().unwrap().is_some()));
        });
    }

    #[test]
    fn parses_of_any_size_all_finish_and_never_exceed_their_share() {
        let budget = budget(100, Duration::from_secs(60));
        thread::scope(|scope| {
            for thread in 0..8 {
                let budget = &budget;
                scope.spawn(move || {
                    for n in 0..500 {
                        let permit = budget.permit_work(PARSING * ((thread * 31 + n * 17) % 150));
                        assert!(permit.is_some() && lock(&budget.parsing).bytes <= budget.quarter);
                        thread::yield_now();
                    }
                });
            }
        });
        assert_eq!(lock(&budget.parsing).bytes, 0);
    }
}
