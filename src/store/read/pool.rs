//! The connections for reading, and the snapshot of the database that a request sees.
use super::contains;
use crate::store::counts::{self, Usage};
use crate::store::error::Error;
use crate::store::file::open;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Maximum number of simultaneous readers. More would only share the cores, and each holds a page in memory.
const MAX_READERS: usize = 4;
/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Readers {
    path: PathBuf,
    /// An entry is the right to use a connection, which is opened when it is first needed.
    idle: Mutex<Vec<Option<Connection>>>,
    returned: Condvar,
}

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        let idle = (0..MAX_READERS).map(|_| None).collect();
        Readers { path, idle: Mutex::new(idle), returned: Condvar::new() }
    }

    /// Waits for a connection and calls `read` with a snapshot.
    pub fn read<T, E: From<Error>>(&self, read: impl FnOnce(&Reader) -> Result<T, E>) -> Result<T, E> {
        let mut slot = self.take()?;
        let connection = slot.connection.take().map_or_else(|| self.connect(), Ok).map_err(Error::from)?;
        connection.execute_batch("BEGIN").map_err(Error::from)?;
        let result = read(&Reader(&connection));
        slot.connection = connection.execute_batch("COMMIT").is_ok().then_some(connection);
        result
    }

    fn take(&self) -> Result<Slot<'_>, Error> {
        let waited = self.returned.wait_timeout_while(self.idle(), PATIENCE, |idle| idle.is_empty());
        let connection = waited.unwrap_or_else(PoisonError::into_inner).0.pop();
        Ok(Slot { readers: self, connection: connection.ok_or(Error::TooManyReaders)? })
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = open::connect_to_read(&self.path)?;
        contains::add_to(&connection)?;
        Ok(connection)
    }

    pub fn close(&self) {
        self.idle().fill_with(|| None);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Option<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returned when dropped, even by a panic.
struct Slot<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.readers.idle().push(self.connection.take());
        self.readers.returned.notify_one();
    }
}

/// A snapshot of the database: it does not change while it is read.
pub struct Reader<'a>(pub(in crate::store) &'a Connection);

impl Reader<'_> {
    pub fn usage(&self) -> Result<Usage, Error> {
        Ok(counts::usage(self.0)?)
    }

    pub(in crate::store) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: fn(&Row) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        Ok(self.0.prepare_cached(sql)?.query_row(params, read).optional()?)
    }
}
