//! Whether the files that are open are still the ones at their paths. SQLite would go on with a file that was removed,
//! and what it says is stored would be gone with the process.
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub struct Place(Vec<(PathBuf, Option<Identity>)>);

/// Device and inode: what makes a file this one and no other.
type Identity = (u64, u64);

impl Place {
    /// Of a database that has just been opened, and its WAL.
    pub fn of(database: &Path) -> Place {
        let mut wal = database.as_os_str().to_owned();
        wal.push("-wal");
        let files = [database.to_path_buf(), wal.into()];
        Place(files.into_iter().map(|path| (path.clone(), identity(&path))).collect())
    }

    pub fn holds(&self) -> bool {
        self.0.iter().all(|(path, known)| identity(path) == *known)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
