//! `obs backup`: a consistent copy of a database that may be in use, made with `VACUUM INTO`.
use super::open::{full_path, open_existing};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Copies `source` to `dest`, which must not exist. Afterwards `dest` is complete and on the disk, or absent.
///
/// `VACUUM INTO` reads one snapshot. SQLite's backup interface would start over each time the server writes.
pub fn backup(source: &Path, dest: &Path) -> Result<(), String> {
    let failed = |why: &dyn std::fmt::Display| format!("cannot back up to {}: {why}", dest.display());
    if dest.symlink_metadata().is_ok() {
        return Err(failed(&"it already exists"));
    }
    let source = full_path(source)?;
    // SQLite would take a name that begins with `file:` for a URI. An absolute path never does.
    let dest = &std::path::absolute(dest).map_err(|e| failed(&e))?;
    let database = open_existing(&source)?;
    let unfinished = Unfinished::create(dest).map_err(|e| failed(&e))?;
    let path = unfinished.0.to_str().ok_or_else(|| failed(&"its name is not UTF-8"))?;
    database.execute("VACUUM INTO ?1", [path]).map_err(|e| failed(&e))?;
    unfinished.publish(dest).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => failed(&"it already exists"),
        _ => failed(&e),
    })
}

/// The copy under a temporary name beside its final one. Removed when dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    fn create(dest: &Path) -> io::Result<Unfinished> {
        let mut name = dest.as_os_str().to_owned();
        name.push(format!(".unfinished-{}", Uuid::now_v7()));
        let path = PathBuf::from(name);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Unfinished(path))
    }

    /// Uses a hard link, because a rename would overwrite a file that appeared in the meantime.
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
