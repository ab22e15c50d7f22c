//! Events out of the database and into it, for `obs export` and `obs import`.
use super::alerts::{AlertPolicy, Alerts};
use super::file::lock::Lock;
use super::file::open::{self, full_path, is_up_to_date, open_existing};
use super::read::{EVENT, event};
use super::write::batch;
use super::write::incoming::{Added, NewEvent};
use crate::domain::StoredEvent;
use crate::time::Time;
use rusqlite::{Connection, params};
use std::path::Path;

/// Events that one transaction looks at.
const EVENTS: i64 = 500;
/// Bytes of what can be long in them after which it ends sooner.
const BYTES: usize = 1 << 20;

/// Which events are asked for.
#[derive(Debug)]
pub struct ExportFilter {
    pub project: Option<String>,
    /// Those that arrived then or later. All are looked at: arrival is in the order of `seq`, but clocks jump.
    pub since: Option<Time>,
}

pub struct Export {
    connection: Connection,
    wanted: ExportFilter,
    /// The event that it has come to.
    at: i64,
    /// The newest event when it began. Without an end it could run after those that go on arriving for ever.
    last: i64,
}

impl Export {
    pub fn open(path: &Path, wanted: ExportFilter) -> Result<Export, String> {
        if !path.is_file() {
            return Err(format!("cannot export {}: there is no such file", path.display()));
        }
        let connection = open_existing(&full_path(path)?)?;
        if !is_up_to_date(&connection).map_err(|e| format!("cannot read {}: {e}", path.display()))? {
            return Err(format!("cannot export {}: an older obs wrote it; start this one on it once", path.display()));
        }
        let newest = connection.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0));
        let last = newest.map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        Ok(Export { connection, wanted, at: 0, last })
    }

    fn page(&mut self) -> rusqlite::Result<Vec<StoredEvent>> {
        let mut end = self.connection.prepare_cached(
            "SELECT max(seq) FROM (SELECT seq FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)",
        )?;
        let end: Option<i64> = end.query_row([self.at, self.last, EVENTS], |row| row.get(0))?;
        let Some(end) = end else {
            self.at = self.last;
            return Ok(Vec::new());
        };
        let mut select = self.connection.prepare_cached(&format!(
            "{EVENT} WHERE seq > ?1 AND seq <= ?2 AND (?3 IS NULL OR project = ?3) AND received_at >= ?4 ORDER BY seq"
        ))?;
        let since = self.wanted.since.unwrap_or(Time::EPOCH).to_string();
        let mut rows = select.query(params![self.at, end, self.wanted.project, since])?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let event = event(row)?;
            let json = [&event.stacktrace, &event.causes, &event.extra, &event.more];
            bytes += event.summary.message.len() + json.into_iter().flatten().map(String::len).sum::<usize>();
            self.at = event.summary.seq;
            events.push(event);
            if bytes > BYTES {
                return Ok(events);
            }
        }
        self.at = end;
        Ok(events)
    }
}

/// The wanted ones among the next events, perhaps none of them.
impl Iterator for Export {
    type Item = Result<Vec<StoredEvent>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.at < self.last).then(|| self.page().map_err(|e| format!("cannot read the database: {e}")))
    }
}

pub struct Import {
    connection: Connection,
    /// None: nobody needs to be told of what is long known.
    alerts: Alerts,
    // Last, so that the file is free for another obs only when the rest is closed.
    _lock: Lock,
}

impl Import {
    /// Opens the database, or makes it, and takes care that no other obs has it open.
    pub fn open(path: &Path) -> Result<Import, String> {
        let path = open::full_path(path)?;
        let lock = Lock::acquire(&path)?;
        let connection = open::open(&path).map_err(|why| format!("cannot open {}: {why}", path.display()))?;
        Ok(Import { connection, alerts: Alerts::new(AlertPolicy::Never), _lock: lock })
    }

    /// Stores the events in one commit, behind all that are there. What became of each.
    pub fn add(&mut self, events: Vec<NewEvent>) -> Result<Vec<Added>, String> {
        let results = batch::commit(&mut self.connection, &events, &self.alerts).map_err(|e| e.to_string())?;
        results.into_iter().collect::<Result<_, _>>().map_err(|e| e.to_string())
    }
}
