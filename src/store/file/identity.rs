//! Detects that the open database is no longer the file at its path. SQLite would keep writing to a removed file, and
//! everything stored in it would vanish with the process.
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The database and its WAL, each with the device and inode that it had when it was opened.
pub struct FileIdentity(Vec<(PathBuf, Option<(u64, u64)>)>);

impl FileIdentity {
    pub fn of_open(database: &Path) -> FileIdentity {
        let mut wal = database.as_os_str().to_owned();
        wal.push("-wal");
        let files = [database.to_path_buf(), wal.into()];
        FileIdentity(files.into_iter().map(|path| (path.clone(), inode(&path))).collect())
    }

    pub fn is_unchanged(&self) -> bool {
        self.0.iter().all(|(path, opened)| inode(path) == *opened)
    }
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
