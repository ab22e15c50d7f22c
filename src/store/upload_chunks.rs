//! Chunks of uploads that wait to be assembled, and a reader that joins them. They are removed after an hour.
use super::error::Error;
use super::read::Reader;
use super::transaction::relaxed;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// Maximum size of a chunk in bytes.
pub const CHUNK: usize = 512 << 10;
/// Maximum number of chunks that wait. Beyond it, the oldest are removed.
pub const MAX_CHUNKS: usize = 512;
const HOUR: i64 = 3_600_000; // ms
/// Chunks removed in one step.
const STEP: i64 = 4;

pub fn add(transaction: &Transaction, name: &str, data: &[u8], now: Time) -> rusqlite::Result<()> {
    remove(transaction, &[name.into()])?;
    let add = "INSERT INTO upload_chunks (sha1, at, data) VALUES (?1, ?2, ?3)";
    transaction.prepare_cached(add)?.execute(params![name, now.to_string(), data])?;
    // A new row gets the highest number, so the numbers of those that stay span at most `MAX_CHUNKS`.
    let remove = "DELETE FROM upload_chunks WHERE rowid <= last_insert_rowid() - ?1";
    transaction.prepare_cached(remove)?.execute([MAX_CHUNKS as i64])?;
    Ok(())
}

pub fn remove(transaction: &Transaction, names: &[String]) -> rusqlite::Result<()> {
    let mut remove = transaction.prepare_cached("DELETE FROM upload_chunks WHERE sha1 = ?1")?;
    names.iter().try_for_each(|name| remove.execute([name]).map(drop))
}

/// Removes a few chunks that are an hour old. Returns true if there may be more.
pub fn remove_old(connection: &mut Connection, now: Time) -> Result<bool, Error> {
    let end = Time::from_millis(now.millis() - HOUR).unwrap_or(Time::EPOCH).to_string();
    let old = "rowid IN (SELECT rowid FROM upload_chunks ORDER BY rowid LIMIT ?1) AND at < ?2";
    let exists = format!("SELECT 1 FROM upload_chunks WHERE {old}");
    if !connection.prepare_cached(&exists)?.exists(params![STEP, end])? {
        return Ok(false);
    }
    let remove = format!("DELETE FROM upload_chunks WHERE {old}");
    relaxed(connection, |transaction| Ok(transaction.execute(&remove, params![STEP, end])? as i64 == STEP))
}

/// Chunks as one file, of which one chunk at a time is in memory.
pub struct Chunks<'a> {
    connection: &'a Connection,
    names: Vec<String>,
    /// Where each chunk ends.
    ends: Vec<u64>,
    position: u64,
    /// The chunk that was read last, and its number.
    held: Option<(usize, Vec<u8>)>,
}

impl Reader<'_> {
    /// The second value lists the chunks that are missing.
    pub fn chunks(&self, names: Vec<String>) -> Result<(Chunks<'_>, Vec<String>), Error> {
        let (mut ends, mut missing, mut end) = (Vec::new(), Vec::new(), 0);
        let mut find = self.0.prepare_cached("SELECT length(data) FROM upload_chunks WHERE sha1 = ?1")?;
        for name in &names {
            match find.query_row([name], |row| row.get::<_, i64>(0)).optional()? {
                Some(length) => end += length as u64,
                None => missing.push(name.clone()),
            }
            ends.push(end);
        }
        Ok((Chunks { connection: self.0, names, ends, position: 0, held: None }, missing))
    }
}

impl Chunks<'_> {
    pub fn length(&self) -> usize {
        self.ends.last().copied().unwrap_or_default() as usize
    }

    fn chunk(&self, number: usize) -> rusqlite::Result<Vec<u8>> {
        let mut find = self.connection.prepare_cached("SELECT data FROM upload_chunks WHERE sha1 = ?1")?;
        find.query_row([&self.names[number]], |row| row.get(0))
    }
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let number = self.ends.partition_point(|end| *end <= self.position);
        if number == self.ends.len() {
            return Ok(&[]);
        }
        if self.held.as_ref().is_none_or(|(held, _)| *held != number) {
            self.held = None;
            self.held =
                Some((number, self.chunk(number).map_err(|error| io::Error::other(Error::from(error).public()))?));
        }
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        let chunk = self.held.as_ref().map_or(&[][..], |(_, chunk)| chunk);
        Ok(chunk.get((self.position - start) as usize..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.position += n as u64;
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl Seek for Chunks<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => (self.length() as u64).checked_add_signed(by),
        }
        .ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
