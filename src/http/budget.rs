//! The memory that bodies in flight and unread answers may take together, counted as it is taken.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A request that holds no more than this, in bytes, may also take the last quarter of the budget. That is room for as many
/// as there can be connections, so those who send or ask for much cannot shut out those who send an event.
const SMALL: usize = 16 << 10;

pub(super) struct Budget {
    limit: usize,
    taken: AtomicUsize,
}

impl Budget {
    pub fn new(limit: usize) -> Budget {
        Budget { limit, taken: AtomicUsize::new(0) }
    }

    pub fn permit(&self) -> Permit<'_> {
        Permit { budget: self, held: 0 }
    }
}

/// One request's share. It starts at nothing, grows as bytes come, and goes back when dropped, panic or not.
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    held: usize,
}

impl Permit<'_> {
    /// Takes `bytes` more, or takes nothing and says `false`.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let limit = self.budget.limit;
        let limit = if self.held.saturating_add(bytes) > SMALL { limit - limit / 4 } else { limit };
        let fits = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= limit);
        let grown = self.budget.taken.fetch_update(Relaxed, Relaxed, fits).is_ok();
        self.held += if grown { bytes } else { 0 };
        grown
    }

    /// Takes `bytes` more as soon as they are free. A stub: the wait is still to come.
    pub fn wait(&mut self, bytes: usize) -> bool {
        self.held += bytes;
        self.budget.taken.fetch_add(bytes, Relaxed);
        true
    }

    pub fn release(&mut self) {
        self.budget.taken.fetch_sub(self.held, Relaxed);
        self.held = 0;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_permit_holds_comes_back_when_it_is_dropped() {
        let budget = Budget::new(10);
        let mut first = budget.permit();
        assert!(first.grow(4) && first.grow(4) && !first.grow(4) && !first.grow(usize::MAX));
        assert!(!budget.permit().grow(3));
        drop(first);
        assert!(budget.permit().grow(10));
        assert_eq!(budget.taken.load(Relaxed), 0);
    }

    #[test]
    fn large_requests_leave_room_for_small_ones() {
        let budget = Budget::new(8 * SMALL);
        let mut large = budget.permit();
        assert!(large.grow(4 * SMALL) && large.grow(2 * SMALL) && !large.grow(1));
        let mut small = [budget.permit(), budget.permit(), budget.permit()];
        assert!(small[0].grow(SMALL) && small[1].grow(SMALL) && !small[2].grow(1));
        assert!(!small[0].grow(1), "it would be large");
    }
}
