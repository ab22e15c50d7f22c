//! `obs import`: lines of events back into a database that no server has open.
use super::progress::Progress;
use crate::domain::is_name;
use crate::event::{Exported, Rejection};
use crate::log;
use crate::store::{Added, Import, NewEvent};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::path::Path;

/// Bytes of a line. An event has a quarter of that when it is sent.
const MAX_LINE: usize = 4 << 20;
/// Events that share a commit.
const EVENTS: usize = 1000;
/// Bytes of lines after which a commit comes sooner.
const BYTES: usize = 4 << 20;

/// Stores the events of a file, or with `-` those of standard input, and says how many were new.
pub fn import(database: &Path, file: &Path) -> Result<(), String> {
    let (name, mut lines) = open(file)?;
    let mut taken = Taken { store: Import::open(database)?, new: 0, before: 0, waiting: Vec::new(), bytes: 0 };
    let mut progress = Progress::new();
    let done = take(&mut taken, &mut *lines, &mut progress);
    // What came before a line that is wrong stays.
    let done = taken.commit().map_err(|why| format!("cannot store events: {why}")).and(done);
    progress.clear();
    match done {
        Ok(()) => {
            log::plain(&taken.to_string());
            Ok(())
        }
        Err(why) => Err(format!("{name}: {why}; {taken}")),
    }
}

/// The input with its name. A folder is refused here, before there is a database.
fn open(file: &Path) -> Result<(String, Box<dyn BufRead>), String> {
    if file == Path::new("-") {
        return Ok(("standard input".into(), Box::new(BufReader::new(io::stdin()))));
    }
    let failed = |e: io::Error| format!("cannot read {}: {e}", file.display());
    let mut lines = BufReader::with_capacity(64 << 10, File::open(file).map_err(failed)?);
    lines.fill_buf().map_err(failed)?;
    Ok((file.display().to_string(), Box::new(lines)))
}

fn take(taken: &mut Taken, lines: &mut dyn BufRead, progress: &mut Progress) -> Result<(), String> {
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let most = MAX_LINE as u64 + 1; // and its end
        let read = (&mut *lines).take(most).read_until(b'\n', &mut line);
        if read.map_err(|e| format!("line {number}: cannot read on: {e}"))? == 0 {
            break;
        }
        let line = line.trim_ascii();
        if line.len() > MAX_LINE {
            return Err(format!("line {number}: longer than 4 MiB ({MAX_LINE} bytes)"));
        }
        if !line.is_empty() {
            let event = event(line).map_err(|why| format!("line {number}: {why}"))?;
            taken.add(event, line.len()).map_err(|why| format!("line {number}: cannot store events: {why}"))?;
            progress.show(&format!("{} events read", taken.read()));
        }
    }
    Ok(())
}

fn event(line: &[u8]) -> Result<NewEvent, String> {
    // serde_json numbers lines too, and always finds one here.
    let why = |rejection: Rejection| rejection.to_string().replace(" at line 1 column ", " at column ");
    let sent = Exported::parse(line).map_err(why)?;
    let project = sent.project.unwrap_or_default();
    if !project.is_empty() && !is_name(&project) {
        return Err("Invalid field project: expected at most 200 characters of A-Z a-z 0-9 _ -".into());
    }
    Ok(NewEvent { received_at: sent.received_at, ..NewEvent::new(sent.event, project) })
}

/// What has been taken so far, the last of it not yet stored.
struct Taken {
    store: Import,
    new: u64,
    before: u64,
    waiting: Vec<NewEvent>,
    /// Of the lines that wait.
    bytes: usize,
}

impl Taken {
    fn add(&mut self, event: NewEvent, bytes: usize) -> Result<(), String> {
        self.waiting.push(event);
        self.bytes += bytes;
        if self.waiting.len() >= EVENTS || self.bytes >= BYTES { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), String> {
        self.bytes = 0;
        let waiting = mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        for added in self.store.add(waiting)? {
            match added {
                Added::New => self.new += 1,
                Added::Duplicate => self.before += 1,
            }
        }
        Ok(())
    }

    fn read(&self) -> u64 {
        self.new + self.before + self.waiting.len() as u64
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let s = if self.new == 1 { "" } else { "s" };
        write!(f, "{} event{s} imported, {} there already", self.new, self.before)
    }
}
