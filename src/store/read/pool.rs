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
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    in_use: usize,
    idle: Vec<Connection>,
}

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        Readers { path, pool: Mutex::default(), returned: Condvar::new() }
    }

    /// Waits for a connection and calls `read` with a snapshot.
    pub fn read<T, E: From<Error>>(&self, read: impl FnOnce(&Reader) -> Result<T, E>) -> Result<T, E> {
        let slot = Slot::take(self)?;
        let idle = self.pool().idle.pop();
        let connection = idle.map_or_else(|| self.connect(), Ok).map_err(Error::from)?;
        connection.execute_batch("BEGIN").map_err(Error::from)?;
        let result = read(&Reader(&connection));
        if connection.execute_batch("COMMIT").is_ok() {
            self.pool().idle.push(connection);
        }
        drop(slot);
        result
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = open::connect_to_read(&self.path)?;
        contains::add_to(&connection)?;
        Ok(connection)
    }

    pub fn close(&self) {
        self.pool().idle.clear();
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use a connection. Returned when dropped, even by a panic.
struct Slot<'a>(&'a Readers);

impl Slot<'_> {
    fn take(readers: &Readers) -> Result<Slot<'_>, Error> {
        let full = |pool: &mut Pool| pool.in_use >= MAX_READERS;
        let waited = readers.returned.wait_timeout_while(readers.pool(), PATIENCE, full);
        let mut pool = waited.unwrap_or_else(PoisonError::into_inner).0;
        if full(&mut pool) {
            return Err(Error::TooManyReaders);
        }
        pool.in_use += 1;
        Ok(Slot(readers))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.pool().in_use -= 1;
        self.0.returned.notify_one();
    }
}

/// A snapshot of the database: it does not change while it is read.
pub struct Reader<'a>(pub(in crate::store) &'a Connection);

impl Reader<'_> {
    pub fn usage(&self) -> Result<Usage, Error> {
        Ok(counts::usage(self.0)?)
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: fn(&Row) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        Ok(self.0.prepare_cached(sql)?.query_row(params, read).optional()?)
    }
}
