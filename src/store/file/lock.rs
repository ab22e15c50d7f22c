//! A lock that keeps a second obs off the database. It is taken on a separate file beside the database, because opening
//! and closing the database itself would drop the locks that SQLite holds on it.
use super::beside;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Held until it is dropped or the process ends. The lock file stays: if it were removed, two processes that start at the
/// same time could lock two different files.
pub struct Lock(#[allow(dead_code)] File);

impl Lock {
    pub fn acquire(database: &Path) -> Result<Lock, String> {
        let failed = |why: String| format!("cannot lock {}: {why}", database.display());
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(beside(database, ".lock"));
        let file = file.map_err(|e| failed(e.to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(failed("another obs has it open".into())),
            Err(TryLockError::Error(e)) => Err(failed(e.to_string())),
        }
    }
}
