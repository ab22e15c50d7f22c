//! Temporary databases and the events in them.
use crate::events::Ids;
use crate::writer;
use obs::store::{AlertPolicy, Retention, Store};
use std::path::{Path, PathBuf};
use std::{fs, io, process};

/// A folder for databases, deleted at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> io::Result<Folder> {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }

    /// The path of a new database.
    pub fn path(&self) -> PathBuf {
        self.0.join(format!("{}.sqlite", Ids::Ordered.next()))
    }

    /// An empty database, to be filled with what `event` returns for 0, 1, 2, …
    pub fn database(&self, event: fn(usize) -> String) -> Database {
        Database { path: self.path(), event, events: 0 }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Database {
    path: PathBuf,
    event: fn(usize) -> String,
    events: usize,
}

impl Database {
    /// Adds events until there are this many, unless there are already. Returns the path.
    pub fn grow(&mut self, events: usize) -> &Path {
        if self.events < events {
            let store = open(&self.path);
            writer::fill(&store, self.events, events, self.event);
            store.close();
            self.events = events;
        }
        &self.path
    }
}

/// Opens a store that keeps every event and raises no alerts.
pub fn open(path: &Path) -> Store {
    Store::open(
        path,
        Retention { events: i64::MAX, bytes: i64::MAX, days: None, source_maps: i64::MAX },
        AlertPolicy::Never,
    )
    .expect("a database")
}

/// Bytes of a file.
pub fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}
