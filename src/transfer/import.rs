//! `obs import`: stores lines of events in a database that no server has open.
use super::progress::Progress;
use crate::domain::is_name;
use crate::event::{Exported, Rejection};
use crate::log;
use crate::store::{Added, Import, NewEvent};
use crate::time::Time;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::path::Path;

/// Maximum length of a line in bytes: four times what an event may have when it is sent.
const MAX_LINE: usize = 4 << 20;
/// Maximum number of events per commit.
const BATCH_EVENTS: usize = 1000;
/// Bytes of lines after which a smaller batch is committed.
const BATCH_BYTES: usize = 4 << 20;

/// Stores the events of a file, or of standard input if it is `-`, and prints how many were new.
pub fn import(database: &Path, file: &Path) -> Result<(), String> {
    let (name, mut lines) = open(file)?;
    let mut importer = Importer { store: Import::open(database)?, batch: Vec::new(), bytes: 0, new: 0, duplicates: 0 };
    let read = importer.read(&mut *lines);
    // Events before a bad line are stored.
    let stored = importer.commit().map_err(|e| format!("cannot store events: {e}"));
    match stored.and(read) {
        Ok(()) => {
            log::plain(&importer.to_string());
            Ok(())
        }
        Err(error) => Err(format!("{name}: {error}; {importer}")),
    }
}

/// Opens the input and returns it with its name. The first read fails for a directory, before a database is created.
fn open(file: &Path) -> Result<(String, Box<dyn BufRead>), String> {
    if file == Path::new("-") {
        return Ok(("standard input".into(), Box::new(BufReader::new(io::stdin()))));
    }
    let failed = |e: io::Error| format!("cannot read {}: {e}", file.display());
    let mut lines = BufReader::with_capacity(64 << 10, File::open(file).map_err(failed)?);
    lines.fill_buf().map_err(failed)?;
    Ok((file.display().to_string(), Box::new(lines)))
}

struct Importer {
    store: Import,
    /// Events that have been read and not yet committed, and the length of their lines.
    batch: Vec<NewEvent>,
    bytes: usize,
    new: u64,
    duplicates: u64,
}

impl Importer {
    fn read(&mut self, lines: &mut dyn BufRead) -> Result<(), String> {
        let mut progress = Progress::new();
        let mut line = Vec::new();
        for number in 1u64.. {
            line.clear();
            let limit = MAX_LINE as u64 + 1; // the line break
            let length = lines.take(limit).read_until(b'\n', &mut line);
            if length.map_err(|e| format!("line {number}: cannot read: {e}"))? == 0 {
                break;
            }
            self.add(line.trim_ascii()).map_err(|e| format!("line {number}: {e}"))?;
            progress.show(format_args!("{number} lines read"));
        }
        Ok(())
    }

    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        if line.is_empty() {
            return Ok(());
        }
        if line.len() > MAX_LINE {
            return Err(format!("longer than 4 MiB ({MAX_LINE} bytes)"));
        }
        self.batch.push(parse(line)?);
        self.bytes += line.len();
        if self.batch.len() >= BATCH_EVENTS || self.bytes >= BATCH_BYTES {
            self.commit().map_err(|e| format!("cannot store events: {e}"))?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), String> {
        self.bytes = 0;
        for added in self.store.add(mem::take(&mut self.batch))? {
            match added {
                Added::New(_) => self.new += 1,
                Added::Duplicate(_) => self.duplicates += 1,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Importer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let s = if self.new == 1 { "" } else { "s" };
        write!(f, "{} event{s} imported, {} already stored", self.new, self.duplicates)
    }
}

fn parse(line: &[u8]) -> Result<NewEvent, String> {
    // serde_json counts lines as well, and here it is always the first.
    let in_line = |error: Rejection| error.to_string().replace(" at line 1 column ", " at column ");
    let Exported { event, project, received_at } = Exported::parse(line).map_err(in_line)?;
    let project = project.unwrap_or_default();
    if !project.is_empty() && !is_name(&project) {
        return Err("Invalid field project: expected at most 200 characters of A-Z a-z 0-9 _ -".into());
    }
    let received_at = Some(received_at.unwrap_or_else(Time::now));
    Ok(NewEvent { received_at, ..NewEvent::new(event, project) })
}
