//! Everything that is kept: one SQLite file, one thread that writes to it, and readers that never wait for that thread.
//! Only this module knows rusqlite.
mod alerts;
mod backup;
mod batch;
mod change;
mod chores;
mod forget;
mod lock;
mod narrow;
mod open;
mod place;
mod queue;
mod read;
mod retention;
mod search;
mod text;
mod transfer;
mod trends;
mod triage;
mod wipe;
mod writer;

pub use alerts::{Alert, AlertCounts, AlertKind, AlertPolicy, Alerts};
pub use backup::backup;
pub use read::Reader;
pub use transfer::{Export, ExportFilter, Import};
pub use triage::Merged;

use crate::domain::IssueState;
use crate::event::Event;
use crate::event::frame::Frame;
use crate::grouping::{self, Grouping, Input};
use crate::time::Time;
use change::Change;
use rusqlite::Transaction;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a statement waits for a lock that another process holds on the database.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// An open database. Dropping it leaves the database as a crash would: whole. `close` tidies up.
pub struct Store {
    writer: writer::Writer,
    readers: read::Readers,
    alerts: Arc<Alerts>,
    path: PathBuf,
    // Last, so that the file is free for another obs only when the rest is closed.
    _lock: lock::Lock,
}

/// An event on its way into the database.
pub struct NewEvent {
    pub id: Uuid,
    pub project: String,
    pub event: Event,
    pub grouping: Grouping,
    /// `None`: when it is stored.
    pub received_at: Option<Time>,
}

impl NewEvent {
    /// Groups an event that arrives now, by the rules of now.
    pub fn of(event: Event, project: String) -> NewEvent {
        let frames = event.stacktrace.as_deref().map(Frame::parse).unwrap_or_default();
        let grouping = grouping::group(&Input {
            message: &event.message,
            r#type: event.r#type.as_deref(),
            fingerprint: event.fingerprint.as_ref().map(|fingerprint| fingerprint.entries.as_slice()),
            frames: &frames,
        });
        NewEvent { id: event.id.unwrap_or_else(Uuid::now_v7), project, event, grouping, received_at: None }
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub events: i64,
    /// However old, where there is none.
    pub days: Option<i64>,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { events: 1_000_000, days: None }
    }
}

/// What became of a stored event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    New,
    /// An event with this id was there before; it stays as it is and counts once.
    Duplicate,
}

/// Why the database does not do what was asked of it now.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// More events wait to be written than may wait.
    QueueFull,
    /// Another process has kept it locked for `LOCK_WAIT`.
    Locked,
    DiskFull,
    /// The file that is open is not the one at its path any more.
    Gone,
    /// All connections for reading stayed in use.
    TooManyReaders,
    /// The row itself could not be stored; the rest of its batch was.
    Row(String),
    /// The writer failed in another way; it has said in the log how.
    Down,
    /// Anything else, in SQLite's words: for the log, never for a client.
    Failed(String),
}

impl Error {
    /// What a client may know.
    pub fn public(&self) -> &'static str {
        match self {
            Error::QueueFull => "Too many events are waiting to be stored",
            Error::Locked => "The database is locked",
            Error::DiskFull => "The disk is full",
            Error::Gone => "The database file was removed or replaced",
            Error::TooManyReaders => "Too many requests at once",
            Error::Row(_) => "The event could not be stored",
            Error::Down | Error::Failed(_) => "The database is not available",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Row(detail) | Error::Failed(detail) => write!(f, "{}: {detail}", self.public()),
            _ => f.write_str(self.public()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode::*;
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Error::Locked,
            Some(DiskFull) => Error::DiskFull,
            Some(ConstraintViolation | TooBig | TypeMismatch) => Error::Row(error.to_string()),
            _ => Error::Failed(error.to_string()),
        }
    }
}

impl Store {
    /// Opens the database, makes or upgrades its tables, and takes care that no other obs has it open.
    /// The error is one line for the one who starts the server.
    pub fn open(path: &Path, kept: Retention, occasions: AlertPolicy) -> Result<Store, String> {
        let path = open::full_path(path)?;
        let lock = lock::Lock::take(&path)?;
        let connection = open::open(&path).map_err(|why| format!("cannot open {}: {why}", path.display()))?;
        let alerts = Arc::new(Alerts::new(occasions));
        let writer = writer::Writer::start(connection, place::Place::of(&path), kept, alerts.clone())
            .map_err(|e| format!("cannot start a thread: {e}"))?;
        let readers = read::Readers::new(path.clone());
        Ok(Store { writer, readers, alerts, path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Stores an event; returns once it is durable.
    pub fn add(&self, event: NewEvent) -> Result<Added, Error> {
        self.writer.add(event)
    }

    /// Whether there is such an issue.
    pub fn set_state(&self, issue: i64, state: IssueState) -> Result<bool, Error> {
        self.change(false, move |transaction, now| triage::set_state(transaction, issue, state, now))
    }

    /// Whether there was such an issue. What it held is written over.
    pub fn delete_issue(&self, issue: i64) -> Result<bool, Error> {
        self.change(true, move |transaction, _| triage::delete(transaction, issue))
    }

    /// Whether there was such an event. What it held is written over.
    pub fn delete_event(&self, id: String) -> Result<bool, Error> {
        self.change(true, move |transaction, _| forget::event(transaction, &id))
    }

    /// Makes two issues one.
    pub fn merge(&self, from: i64, into: i64) -> Result<Merged, Error> {
        self.change(false, move |transaction, now| triage::merge(transaction, from, into, now))
    }

    /// Has the writer make a change; returns once it is durable. `wipes`: what it removes is not to be found in the
    /// file any more.
    fn change<T: Send + 'static>(
        &self,
        wipes: bool,
        work: impl FnOnce(&Transaction, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (change, answer) = Change::new(wipes, work);
        self.writer.change(change);
        answer.recv().unwrap_or(Err(Error::Down))
    }

    /// Looks at the database as it is now. A page is made within, so that the number of readers bounds the memory of pages.
    pub fn read<T, E: From<Error>>(&self, look: impl FnOnce(&Reader) -> Result<T, E>) -> Result<T, E> {
        self.readers.look(look)
    }

    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// Whether the last commit succeeded.
    pub fn is_healthy(&self) -> bool {
        self.writer.is_healthy()
    }

    /// What is remembered under a name, or else `make`'s result, from now on.
    pub fn setting(&self, name: &str, make: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
        let connection = open::connect(&self.path).map_err(|e| e.to_string())?;
        open::setting(&connection, name, make)
    }

    /// Waits for what is queued, writes the WAL back into the database and closes it.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
    }
}
