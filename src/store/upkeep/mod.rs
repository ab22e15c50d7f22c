//! Background maintenance by the writer thread: a few milliseconds after each commit, and the rest while nothing arrives.
mod purge;
mod retention;
mod space;

pub use retention::Retention;

use super::error::Error;
use super::{source_maps, upload_chunks};
use crate::log;
use crate::time::Time;
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
    /// The WAL may hold data that was deleted, and free pages may hold what retention removed from the same issue.
    is_stale: bool,
    /// A source map may have to be removed.
    has_excess_maps: bool,
    /// When each task is due. One that is due later than [`INTERVAL`] rests after a failure, and nothing but time makes it
    /// due again.
    tasks: [(Kind, Instant); 5],
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Purge,
    Limit,
    Age,
    SourceMaps,
    Space,
}

impl Upkeep {
    pub fn new(retention: Retention) -> Upkeep {
        let now = Instant::now();
        let kinds = [Kind::Purge, Kind::Limit, Kind::Age, Kind::SourceMaps, Kind::Space];
        let tasks = kinds.map(|kind| (kind, now));
        Upkeep { retention, aged: 0, is_stale: true, has_excess_maps: true, tasks }
    }

    /// Somebody has changed or deleted something.
    pub fn changed(&mut self) {
        (self.is_stale, self.has_excess_maps) = (true, true);
        self.tasks.iter_mut().filter(|(_, due)| !rests(*due)).for_each(|(_, due)| *due = Instant::now());
    }

    /// How long the writer may wait for the next event.
    pub fn wait(&self) -> Duration {
        let next = self.tasks.iter().map(|(_, due)| *due).min();
        next.map_or(INTERVAL, |due| due.saturating_duration_since(Instant::now()))
    }

    /// Does a little of what is due. `idle`: nobody waits for this to end.
    pub fn step(&mut self, connection: &mut Connection, idle: bool) {
        for at in 0..self.tasks.len() {
            let (kind, due) = self.tasks[at];
            let is_due = due <= Instant::now();
            // These keep up with a flood. Only a change brings something to purge.
            let is_urgent = matches!(kind, Kind::Limit) || matches!(kind, Kind::Purge) && self.is_stale;
            if !is_due && (rests(due) || !is_urgent) {
                continue;
            }
            // Unwinding rolls the transaction back.
            let run = AssertUnwindSafe(|| self.run(kind, connection, idle));
            let result = catch_unwind(run).unwrap_or_else(|_| Err(Error::Failed("a panic".into())));
            let pause = match &result {
                Ok(true) if idle => Duration::ZERO,
                Ok(true) => SOON,
                Ok(false) | Err(Error::Locked) => INTERVAL,
                Err(error) => {
                    log::line(&format!("maintenance failed ({kind:?}): {error}"));
                    REST
                }
            };
            self.tasks[at].1 = Instant::now() + pause;
        }
    }

    /// Returns true if there is more to do.
    fn run(&mut self, kind: Kind, connection: &mut Connection, idle: bool) -> Result<bool, Error> {
        connection.busy_timeout(Duration::ZERO)?; // everyone would wait for the lock too
        match kind {
            Kind::Purge => {
                let more = purge::step(connection)?;
                self.is_stale |= more;
                Ok(more)
            }
            Kind::Limit => retention::limit(connection, &self.retention, idle),
            Kind::Age => {
                let more_chunks = upload_chunks::remove_old(connection, Time::now())?;
                Ok(retention::age(connection, self.retention.days, &mut self.aged)? || more_chunks)
            }
            Kind::SourceMaps => {
                let more = self.has_excess_maps && source_maps::step(connection, self.retention.source_maps)?;
                self.has_excess_maps = more;
                self.is_stale |= more;
                Ok(more)
            }
            Kind::Space => {
                let more = space::free_pages(connection, self.is_stale)?;
                if self.is_stale && !more {
                    self.is_stale = !space::empty_wal(connection)?;
                }
                Ok(more)
            }
        }
    }
}

fn rests(due: Instant) -> bool {
    due > Instant::now() + INTERVAL
}
