//! `obs backup`: a consistent copy of a database that may be in use, made with `VACUUM INTO`.
use super::beside;
use super::open::{connect, full_path, open_existing};
use rusqlite::InterruptHandle;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use uuid::Uuid;

/// How soon `stop` takes effect.
const POLL: Duration = Duration::from_millis(20);

/// Copies `source` to `dest`, which must not exist. Afterwards `dest` is complete and on the disk, or absent, as it is if
/// `stop` is set in the meantime.
///
/// `VACUUM INTO` reads one snapshot. SQLite's backup interface would start over each time the server writes.
pub fn backup(source: &Path, dest: &Path, stop: Arc<AtomicBool>) -> Result<(), String> {
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
    interrupt_at(stop.clone(), database.get_interrupt_handle()).map_err(|e| failed(&e))?;
    database.execute("VACUUM INTO ?1", [path]).map_err(|e| failed(&e))?;
    purge(&unfinished.0).map_err(|e| failed(&e))?;
    unfinished.publish(dest, &stop).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => failed(&"it already exists"),
        _ => failed(&e),
    })
}

/// Removes from the copy what is deleted and still to be purged. The copy needs no journal: it is complete or absent.
fn purge(copy: &Path) -> rusqlite::Result<()> {
    let copy = connect(copy)?;
    let deleted = "SELECT EXISTS (SELECT 1 FROM states WHERE state = 'deleted' AND issues > 0)
                       OR EXISTS (SELECT 1 FROM source_maps WHERE state <> 'stored')";
    if copy.query_row(deleted, [], |row| row.get(0))? {
        copy.execute_batch(
            "PRAGMA journal_mode = OFF;
             DELETE FROM events WHERE issue_id IN (SELECT id FROM issues WHERE state = 'deleted');
             DELETE FROM issues WHERE state = 'deleted';
             DELETE FROM source_map_parts WHERE map_id IN (SELECT id FROM source_maps WHERE state <> 'stored');
             DELETE FROM source_map_ids WHERE map_id IN (SELECT id FROM source_maps WHERE state <> 'stored');
             DELETE FROM source_maps WHERE state <> 'stored';
             UPDATE totals SET stored = (SELECT count(*) FROM events);
             VACUUM",
        )?;
    }
    Ok(())
}

/// Has the statement that is running end with an error once `stop` is set.
fn interrupt_at(stop: Arc<AtomicBool>, statement: InterruptHandle) -> io::Result<()> {
    let poll = move || loop {
        thread::sleep(POLL);
        if stop.load(Relaxed) {
            statement.interrupt();
        }
    };
    thread::Builder::new().spawn(poll).map(drop)
}

/// The copy under a temporary name beside its final one. Removed when dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    fn create(dest: &Path) -> io::Result<Unfinished> {
        let path = beside(dest, &format!(".unfinished-{}", Uuid::now_v7()));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Unfinished(path))
    }

    /// Uses a hard link, because a rename would overwrite a file that appeared in the meantime.
    fn publish(self, dest: &Path, stop: &AtomicBool) -> io::Result<()> {
        File::open(&self.0)?.sync_all()?;
        if stop.load(Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        fs::hard_link(&self.0, dest)?;
        File::open(dest.parent().unwrap_or(dest))?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
