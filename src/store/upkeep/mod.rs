//! Background maintenance by the writer thread: a few milliseconds after each commit, and the rest while nothing arrives.
mod purge;
mod retention;
mod space;

pub use retention::Retention;

use super::error::Error;
use crate::log;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How often a task looks for work.
const INTERVAL: Duration = Duration::from_secs(1);
/// When a task with more work goes on while events arrive.
const SOON: Duration = Duration::from_millis(50);
/// How long a task rests after a failure.
const REST: Duration = Duration::from_secs(60);

pub struct Upkeep {
    retention: Retention,
    /// Up to which event the age of events has been checked.
    aged: i64,
    /// The WAL may hold data that was deleted.
    wal_is_stale: bool,
    tasks: [Task; 4],
}

struct Task {
    kind: Kind,
    due: Instant,
    /// It has failed, and nothing but time makes it due again.
    rests: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Purge,
    Limit,
    Age,
    Space,
}

impl Upkeep {
    pub fn new(retention: Retention) -> Upkeep {
        let now = Instant::now();
        let kinds = [Kind::Purge, Kind::Limit, Kind::Age, Kind::Space];
        let tasks = kinds.map(|kind| Task { kind, due: now, rests: false });
        Upkeep { retention, aged: 0, wal_is_stale: true, tasks }
    }

    /// Somebody has changed or deleted something.
    pub fn changed(&mut self) {
        self.wal_is_stale = true;
        self.tasks.iter_mut().filter(|task| !task.rests).for_each(|task| task.due = Instant::now());
    }

    /// How long the writer may wait for the next event.
    pub fn wait(&self) -> Duration {
        let next = self.tasks.iter().map(|task| task.due).min();
        next.map_or(INTERVAL, |due| due.saturating_duration_since(Instant::now()))
    }

    /// Does a little of what is due. `idle`: no event is waiting.
    pub fn step(&mut self, connection: &mut Connection, idle: bool) {
        for at in 0..self.tasks.len() {
            let Task { kind, due, rests } = self.tasks[at];
            let is_due = due <= Instant::now();
            // These keep up with a flood, and cost next to nothing when there is nothing to do.
            let is_urgent = matches!(kind, Kind::Purge | Kind::Limit);
            if !is_due && (rests || !is_urgent) {
                continue;
            }
            // Unwinding rolls the transaction back.
            let run = AssertUnwindSafe(|| self.run(kind, connection, idle && is_due));
            let result = catch_unwind(run).unwrap_or_else(|_| Err(Error::Failed("a panic".into())));
            let pause = match &result {
                Ok(true) if idle => Duration::ZERO,
                Ok(true) => SOON,
                Ok(false) => INTERVAL,
                Err(error) => {
                    log::line(&format!("maintenance failed ({kind:?}): {error}"));
                    REST
                }
            };
            self.tasks[at] = Task { kind, due: Instant::now() + pause, rests: result.is_err() };
        }
    }

    /// Returns true if there is more to do.
    fn run(&mut self, kind: Kind, connection: &mut Connection, idle: bool) -> Result<bool, Error> {
        match kind {
            Kind::Purge => {
                let more = purge::step(connection)?;
                self.wal_is_stale |= more;
                Ok(more)
            }
            Kind::Limit => retention::limit(connection, &self.retention, idle),
            // Issues may look empty while events are still to be moved to them.
            Kind::Age => {
                Ok(!purge::is_due(connection)? && retention::age(connection, &self.retention, &mut self.aged)?)
            }
            Kind::Space => {
                let more = space::free_pages(connection)?;
                if self.wal_is_stale && !purge::is_due(connection)? {
                    self.wal_is_stale = !space::empty_wal(connection)?;
                }
                Ok(more)
            }
        }
    }
}
