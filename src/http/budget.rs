//! The memory that bodies in flight and unread answers may take together, counted as it is taken.
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

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
        let fits = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.budget.limit);
        let grown = self.budget.taken.fetch_update(Relaxed, Relaxed, fits).is_ok();
        self.held += if grown { bytes } else { 0 };
        grown
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
}
