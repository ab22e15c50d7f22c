//! Reads events from the database and writes them to one, for `obs export` and `obs import`.
use super::alerts::AlertPolicy;
use super::file::lock::Lock;
use super::file::open::{self, full_path, open_existing};
use super::read::{EVENT, event};
use super::write::batch;
use super::write::incoming::{Added, NewEvent};
use crate::domain::StoredEvent;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;

/// Selects events to export.
#[derive(Debug)]
pub struct ExportFilter {
    pub project: Option<String>,
    /// Only events that arrived at this time or later. All events are scanned, because a clock that was set back puts
    /// times out of order.
    pub since: Option<Time>,
}

/// Returns the selected events, each read in a transaction of its own: a slow reader of the output blocks no checkpoint.
pub struct Export {
    connection: Connection,
    project: Option<String>,
    since: String,
    /// `seq` of the last event that was returned.
    position: i64,
    /// The newest event at the start, so that an export ends even if events keep arriving.
    last: i64,
}

impl Export {
    pub fn open(path: &Path, filter: ExportFilter) -> Result<Export, String> {
        let connection = open_existing(&full_path(path)?)?;
        let newest = connection.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0));
        let last = newest.map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let since = filter.since.unwrap_or(Time::EPOCH).to_string();
        Ok(Export { connection, project: filter.project, since, position: 0, last })
    }

    fn read(&mut self) -> rusqlite::Result<Option<StoredEvent>> {
        let mut select = self.connection.prepare_cached(&format!(
            "{EVENT} WHERE seq > ?1 AND seq <= ?2 AND (?3 IS NULL OR project = ?3) AND received_at >= ?4
             ORDER BY seq LIMIT 1"
        ))?;
        let event = select.query_row(params![self.position, self.last, self.project, self.since], event).optional()?;
        self.position = event.as_ref().map_or(self.last, |event| event.summary.seq);
        Ok(event)
    }
}

impl Iterator for Export {
    type Item = Result<StoredEvent, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().map_err(|e| format!("cannot read the database: {e}")).transpose()
    }
}

pub struct Import {
    connection: Connection,
    // Dropped last, so that another obs can open the file only after everything else is closed.
    _lock: Lock,
}

impl Import {
    /// Opens or creates the database. Fails if another obs has it open.
    pub fn open(path: &Path) -> Result<Import, String> {
        let path = full_path(path)?;
        let lock = Lock::acquire(&path)?;
        let connection = open::open(&path).map_err(|e| format!("cannot open {}: {e}", path.display()))?;
        Ok(Import { connection, _lock: lock })
    }

    /// Stores the events in one commit, after all that are stored already. Old events are not news: they reopen no issue
    /// and raise no alert.
    pub fn add(&mut self, events: Vec<NewEvent>) -> Result<Vec<Added>, String> {
        let results = batch::commit(&mut self.connection, &events, AlertPolicy::Never).map_err(|e| e.to_string())?;
        results.into_iter().collect::<Result<_, _>>().map_err(|e| e.to_string())
    }
}
