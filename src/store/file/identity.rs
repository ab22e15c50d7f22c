//! Detects that the open database is no longer the file at its path. SQLite would keep writing to a removed file, and
//! everything stored in it would vanish with the process.
use super::beside;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The database and its WAL, each with the device and inode that it had when it was opened.
pub struct FileIdentity([(Option<(u64, u64)>, PathBuf); 2]);

impl FileIdentity {
    pub fn of_open(database: &Path) -> FileIdentity {
        FileIdentity(["", "-wal"].map(|suffix| beside(database, suffix)).map(|path| (inode(&path), path)))
    }

    pub fn is_unchanged(&self) -> bool {
        self.0.iter().all(|(opened, path)| inode(path) == *opened)
    }
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
