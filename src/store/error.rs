//! Why the database cannot do what was asked of it.
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The queue of the writer is full.
    QueueFull,
    /// Another process has held a lock on the database for longer than obs waits.
    Locked,
    DiskFull,
    /// The open file is no longer the one at its path.
    Gone,
    /// Every connection for reading stayed in use.
    TooManyReaders,
    /// This row could not be stored. The other rows of its batch were.
    Row(String),
    /// The writer failed for another reason, which it has logged.
    Down,
    /// Anything else, in SQLite's words. They go to the log and never to a client.
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
