//! The database file: opening and migrating it, locking it against a second obs, noticing when it is replaced, copying it.
pub mod backup;
pub mod identity;
pub mod lock;
pub mod open;

use std::path::{Path, PathBuf};

/// The path of a file beside another one, such as the WAL of a database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
