//! Reads events from the database and writes them to one, for `obs export` and `obs import`.
use super::alerts::AlertPolicy;
use super::file::lock::Lock;
use super::file::open::{self, full_path, open_existing};
use super::read::{EVENT, event};
use super::write::batch;
use super::write::incoming::{Added, NewEvent};
use crate::domain::StoredEvent;
use crate::time::Time;
use rusqlite::{Connection, params};
use std::path::Path;

/// Maximum number of events scanned per transaction.
const BATCH_EVENTS: i64 = 500;
/// Bytes of event text after which a smaller batch ends.
const BATCH_BYTES: usize = 1 << 20;

/// Selects events to export.
#[derive(Debug)]
pub struct ExportFilter {
    pub project: Option<String>,
    /// Only events that arrived at this time or later. All events are scanned, because a clock that was set back puts
    /// times out of order.
    pub since: Option<Time>,
}

/// Returns the selected events in batches, some of which may be empty.
pub struct Export {
    connection: Connection,
    filter: ExportFilter,
    /// `seq` of the last event scanned.
    position: i64,
    /// The newest event at the start, so that an export ends even if events keep arriving.
    last: i64,
}

impl Export {
    pub fn open(path: &Path, filter: ExportFilter) -> Result<Export, String> {
        let connection = open_existing(&full_path(path)?)?;
        let newest = connection.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0));
        let last = newest.map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        Ok(Export { filter, position: 0, last, connection })
    }

    fn batch(&mut self) -> rusqlite::Result<Vec<StoredEvent>> {
        let mut end = self.connection.prepare_cached(
            "SELECT coalesce(max(seq), ?2) FROM
             (SELECT seq FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)",
        )?;
        let end: i64 = end.query_row([self.position, self.last, BATCH_EVENTS], |row| row.get(0))?;
        let mut select = self.connection.prepare_cached(&format!(
            "{EVENT} WHERE seq > ?1 AND seq <= ?2 AND (?3 IS NULL OR project = ?3) AND received_at >= ?4 ORDER BY seq"
        ))?;
        let since = self.filter.since.unwrap_or(Time::EPOCH).to_string();
        let mut rows = select.query(params![self.position, end, self.filter.project, since])?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while bytes <= BATCH_BYTES {
            let Some(row) = rows.next()? else {
                self.position = end;
                break;
            };
            let event = event(row)?;
            let json = [&event.stacktrace, &event.causes, &event.request, &event.breadcrumbs, &event.contexts];
            let json = json.into_iter().chain([&event.user, &event.extra, &event.more]);
            bytes += event.summary.message.len() + json.flatten().map(String::len).sum::<usize>();
            self.position = event.summary.seq;
            events.push(event);
        }
        Ok(events)
    }
}

impl Iterator for Export {
    type Item = Result<Vec<StoredEvent>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.position < self.last).then(|| self.batch().map_err(|e| format!("cannot read the database: {e}")))
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
