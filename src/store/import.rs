//! Taking many events in while no server runs: the writer's commits without its thread.
use super::batch::{self, Row};
use super::{Added, Alerts, NewEvent, Occasions, lock, open};
use rusqlite::Connection;
use std::path::Path;

pub struct Import {
    connection: Connection,
    /// None: nobody needs to be told of what is long known.
    alerts: Alerts,
    // Last, so that the file is free for another obs only when the rest is closed.
    _lock: lock::Lock,
}

impl Import {
    /// Opens the database, or makes it, and takes care that no other obs has it open.
    pub fn open(path: &Path) -> Result<Import, String> {
        let path = open::full_path(path)?;
        let lock = lock::Lock::take(&path)?;
        let connection = open::open(&path).map_err(|why| format!("cannot open {}: {why}", path.display()))?;
        Ok(Import { connection, alerts: Alerts::new(Occasions::Never), _lock: lock })
    }

    /// Stores the events in one commit, behind all that are there. What became of each.
    pub fn add(&mut self, events: Vec<NewEvent>) -> Result<Vec<Added>, String> {
        let rows: Vec<Row> = events.into_iter().map(Row::of).collect();
        let results = batch::commit(&mut self.connection, &rows, &self.alerts).map_err(|e| e.to_string())?;
        results.into_iter().collect::<Result<_, _>>().map_err(|e| e.to_string())
    }
}
