//! Everything that obs keeps: one SQLite file, one thread that writes to it, and readers that never wait for that thread.
//! Only this module knows rusqlite.
//!
//! | folder or file | its job |
//! |---|---|
//! | `transfer` | events out for `obs export` and in for `obs import` |
//! | `write/` | the writer thread: many events per commit |
//! | `upkeep/` | background work of that thread: retention, unfinished deletions and merges, free space |
//! | `upload_chunks` | parts of uploads that wait to be assembled |
//! | `alerts` | alerts that wait for the operator's command |
//! | `source_maps` | maps that make minified stack traces readable |
//! | `change/` | state changes, merges and deletions |
//! | `read/` | the connections and queries behind every page |
//! | `counts`, `hours`, `filter_values` | the numbers that are stored rather than computed |
//! | `labels` | which tags and which user of an event are counted |
//! | `file/` | opening, migrating, locking and copying the database file |
//! | `transaction`, `error` | write transactions; why the database cannot do something |
//!
//! Dependencies point down this table only.
mod alerts;
mod change;
mod counts;
mod error;
mod file;
mod filter_values;
mod hours;
mod labels;
mod read;
mod source_maps;
mod transaction;
mod transfer;
mod upkeep;
mod upload_chunks;
mod write;

pub use alerts::{Alert, AlertCounts, AlertPolicy, Attempt, Failure};
pub use change::merge::Merged;
pub use counts::Usage;
pub use error::Error;
pub use file::backup::backup;
pub use read::{MAX_MATCHES, Reader};
pub use source_maps::{NewSourceMap, SourceMapInfo, file_name};
pub use transfer::{Export, ExportFilter, Import};
pub use upkeep::Retention;
pub use upload_chunks::{CHUNK, Chunks, MAX_CHUNKS};
pub use write::incoming::{Added, NewEvent};

use crate::domain::IssueState;
use crate::time::Time;
use file::identity::FileIdentity;
use file::lock::Lock;
use file::open;
use rusqlite::Transaction;
use std::fs;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Issues whose state one transaction changes, which takes a few milliseconds.
const CHANGED_AT_ONCE: usize = 50;
/// Chunks of an upload that one transaction removes.
const CHUNKS_AT_ONCE: usize = 4;

/// What the store has done since it was opened, and how large its files are.
pub struct Activity {
    pub stored: u64,
    pub commits: u64,
    pub commit_time: Duration,
    pub queued: usize,
    pub database_bytes: u64,
    pub wal_bytes: u64,
}

/// An open database. Dropping it leaves the file as a crash would: consistent, with a WAL beside it. See [`Store::close`].
pub struct Store {
    writer: write::thread::Writer,
    readers: read::Readers,
    path: PathBuf,
    // Last, so that the lock is released after everything else is closed.
    _lock: Lock,
}

impl Store {
    /// Opens the database, creates or migrates its tables, and locks it against a second obs.
    /// The error is one line for whoever starts the server.
    pub fn open(path: &Path, retention: Retention, policy: AlertPolicy) -> Result<Store, String> {
        let path = open::full_path(path)?;
        let lock = Lock::acquire(&path)?;
        let connection = open::open(&path).map_err(|why| format!("cannot open {}: {why}", path.display()))?;
        let discarded = source_maps::discard_incomplete(&connection);
        discarded.map_err(|e| format!("cannot write to {}: {}", path.display(), Error::from(e)))?;
        let upkeep = upkeep::Upkeep::new(retention);
        let writer = write::thread::Writer::start(connection, FileIdentity::of_open(&path), upkeep, policy)
            .map_err(|e| format!("cannot start a thread: {e}"))?;
        let readers = read::Readers::new(path.clone());
        Ok(Store { writer, readers, path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Stores an event. Returns once it is durable.
    pub fn add(&self, event: impl Into<Arc<NewEvent>>) -> Result<Added, Error> {
        self.writer.queue.add(event.into())
    }

    /// Returns false if there is no such issue.
    pub fn set_state(&self, issue: i64, state: IssueState) -> Result<bool, Error> {
        self.change(move |transaction, now| change::state::set_state(transaction, issue, state, now))
    }

    /// Sets the state of those issues that exist and have another one; with `from`, only of those in that state. Returns
    /// them with the state before. Events can be stored between any two of its transactions.
    pub fn set_states(
        &self,
        issues: &[i64],
        from: Option<IssueState>,
        to: IssueState,
    ) -> Result<Vec<(i64, IssueState)>, Error> {
        let mut changed = Vec::new();
        for issues in issues.chunks(CHANGED_AT_ONCE) {
            let issues = issues.to_vec();
            changed.extend(
                self.change(move |transaction, now| change::state::set_states(transaction, &issues, from, to, now))?,
            );
        }
        Ok(changed)
    }

    /// Returns false if there is no such issue.
    pub fn delete_issue(&self, issue: i64) -> Result<bool, Error> {
        self.change(move |transaction, _| change::delete::issue(transaction, issue))
    }

    /// Returns false if there is no such event.
    pub fn delete_event(&self, id: String) -> Result<bool, Error> {
        self.change(move |transaction, _| change::delete::event(transaction, &id))
    }

    pub fn merge(&self, from: i64, into: i64) -> Result<Merged, Error> {
        self.change(move |transaction, now| change::merge::merge(transaction, from, into, now))
    }

    /// Stores a source map, whose parts are numbered. Pages see it once its last part is there. Returns its id.
    pub fn add_source_map(
        &self,
        new: NewSourceMap,
        parts: impl Iterator<Item = (usize, Vec<u8>)>,
    ) -> Result<i64, Error> {
        let debug_ids = new.debug_ids.clone();
        let id = self.change(move |transaction, now| source_maps::begin(transaction, &new, now))?;
        let add = |rows: Vec<_>| self.change(move |transaction, _| source_maps::add_rows(transaction, id, &rows));
        let mut rows = Vec::new();
        let add_part_row = |row| {
            rows.push(row);
            if source_maps::is_slice(&rows) { add(mem::take(&mut rows)) } else { Ok(()) }
        };
        let stored = parts.flat_map(source_maps::rows).try_for_each(add_part_row);
        let stored = stored
            .and_then(|()| add(rows))
            .and_then(|()| self.change(move |transaction, _| source_maps::finish(transaction, id, &debug_ids)));
        if stored.is_err() {
            let _ = self.delete_source_map(id); // if that fails too, the next start removes it
        }
        stored.map(|()| id)
    }

    /// Returns false if there is no such source map.
    pub fn delete_source_map(&self, id: i64) -> Result<bool, Error> {
        self.change(move |transaction, _| source_maps::delete(transaction, id))
    }

    /// Records that pages have used these source maps.
    pub fn touch_source_maps(&self, ids: Vec<i64>) -> Result<(), Error> {
        self.change(move |transaction, now| source_maps::touch(transaction, &ids, now))
    }

    /// Keeps a chunk of an upload for an hour, or until newer ones need its place.
    pub fn add_chunk(&self, name: String, data: Vec<u8>) -> Result<(), Error> {
        self.change(move |transaction, now| upload_chunks::add(transaction, &name, &data, now))
    }

    pub fn remove_chunks(&self, names: Vec<String>) -> Result<(), Error> {
        names.chunks(CHUNKS_AT_ONCE).try_for_each(|names| {
            let names = names.to_vec();
            self.change(move |transaction, _| upload_chunks::remove(transaction, &names))
        })
    }

    /// Has the writer make a change. Returns once it is durable.
    fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction, Time) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer
            .queue
            .change(|connection| transaction::durable(connection, |transaction| Ok(work(transaction, Time::now())?)))
    }

    /// Calls `read` with a snapshot of the database. A page is rendered inside, so that the number of readers bounds the
    /// memory that pages take.
    pub fn read<T, E: From<Error>>(&self, read: impl FnOnce(&Reader) -> Result<T, E>) -> Result<T, E> {
        self.readers.read(read)
    }

    /// Records what became of alerts.
    pub fn settle_alerts(&self, attempt: &Attempt) -> Result<(), Error> {
        let attempt = Arc::new(attempt.clone());
        loop {
            let attempt = attempt.clone();
            if !self.change(move |transaction, _| alerts::settle(transaction, &attempt))? {
                return Ok(());
            }
        }
    }

    /// Returns false while commits fail.
    pub fn is_healthy(&self) -> bool {
        self.writer.is_healthy()
    }

    pub fn activity(&self) -> Activity {
        let bytes = |suffix: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            fs::metadata(path).map_or(0, |file| file.len())
        };
        let counters = &self.writer.counters;
        Activity {
            stored: counters.stored.load(Relaxed),
            commits: counters.commits.load(Relaxed),
            commit_time: Duration::from_micros(counters.commit_micros.load(Relaxed)),
            queued: self.writer.queue.len(),
            database_bytes: bytes(""),
            wal_bytes: bytes("-wal"),
        }
    }

    /// Reads a value from the settings in the database. The first time, generates and stores it.
    pub fn setting(&self, name: &str, generate: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
        let connection = open::connect(&self.path).map_err(|e| e.to_string())?;
        open::setting(&connection, name, generate).map_err(|why| format!("cannot use {}: {why}", self.path.display()))
    }

    /// Writes everything that is queued, merges the WAL into the database and closes it.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
    }
}
