//! A consistent copy of a database that may be in use: `VACUUM INTO` a new file, which then gets its name.
use super::open::{full_path, open_existing};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Copies `source` to `dest`, which must not exist. Afterwards `dest` is whole and on the disk, or absent.
/// (Stepping through SQLite's backup interface starts over whenever the server writes; this reads one snapshot.)
pub fn backup(source: &Path, dest: &Path) -> Result<(), String> {
    if !source.is_file() {
        return Err(format!("cannot back up {}: there is no such file", source.display()));
    }
    let failed = |why: &dyn std::fmt::Display| format!("cannot back up to {}: {why}", dest.display());
    if dest.symlink_metadata().is_ok() {
        return Err(failed(&"it exists already"));
    }
    let source = full_path(source)?;
    let database = open_existing(&source)?;
    let unfinished = Unfinished::new(dest).map_err(|e| failed(&e))?;
    let text = unfinished.0.to_str().ok_or_else(|| failed(&"its name is not UTF-8"))?;
    database.execute("VACUUM INTO ?1", [text]).map_err(|e| failed(&e))?;
    unfinished.publish(dest).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => failed(&"it exists already"),
        _ => failed(&e),
    })
}

/// A file under a name of its own beside its later one; gone when dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(dest: &Path) -> io::Result<Unfinished> {
        let mut name = dest.as_os_str().to_owned();
        name.push(format!(".unfinished-{}", Uuid::now_v7()));
        let path = PathBuf::from(name);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Unfinished(path))
    }

    /// A hard link, unlike a rename, never takes the place of a file.
    fn publish(self, dest: &Path) -> io::Result<()> {
        File::open(&self.0)?.sync_all()?;
        fs::hard_link(&self.0, dest)?;
        let folder = dest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
