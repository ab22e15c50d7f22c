//! What all threads of the server share, and how they call into the application.
use super::app::App;
use super::budget::Budget;
use super::limits::Limits;
use super::refusal::Refusal;
use super::table::Table;
use rouille::Response;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub(super) struct Shared<A> {
    pub app: Arc<A>,
    pub limits: Limits,
    pub table: Arc<Table>,
    pub budget: Budget,
    stop: Arc<AtomicBool>,
}

impl<A: App> Shared<A> {
    pub fn new(app: Arc<A>, limits: Limits, stop: Arc<AtomicBool>) -> Shared<A> {
        let budget = Budget::new(limits.memory);
        Shared { app, limits, table: Arc::default(), budget, stop }
    }

    pub fn stopping(&self) -> bool {
        self.stop.load(Relaxed)
    }

    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// A refusal as the application renders it.
    pub fn refusal(&self, refusal: Refusal, target: Option<&str>) -> Response {
        guarded(|| self.app.refuse(refusal, target))
            .unwrap_or_else(|| Response::text("Internal server error\n").with_status_code(refusal.status()))
    }
}

/// Calls into the application. Returns `None` if it panicked, which leaves no state of the server half-changed.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
