//! Chunks of uploads that wait to be assembled, and a reader that joins them. They are removed after an hour.
use super::error::Error;
use super::read::Reader;
use super::transaction::relaxed;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::io::{self, Read};

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

/// Chunks as one file, of which one chunk at a time is in memory. All but the last have [`CHUNK`] bytes.
pub struct Chunks<'a> {
    connection: &'a Connection,
    names: Vec<String>,
    pub length: usize,
    /// Where the next byte is read.
    pub position: usize,
    /// The chunk that was read last, and its number.
    held: Option<(usize, Vec<u8>)>,
}

impl Reader<'_> {
    /// The second value lists the chunks that are missing.
    pub fn chunks(&self, names: Vec<String>) -> Result<(Chunks<'_>, Vec<String>), Error> {
        let (mut missing, mut length) = (Vec::new(), 0);
        let mut find = self.0.prepare_cached("SELECT length(data) FROM upload_chunks WHERE sha1 = ?1")?;
        for name in &names {
            match find.query_row([name], |row| row.get::<_, i64>(0)).optional()? {
                Some(bytes) => length += bytes as usize,
                None => missing.push(name.clone()),
            }
        }
        Ok((Chunks { connection: self.0, names, length, position: 0, held: None }, missing))
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let number = self.position / CHUNK;
        let Some(name) = self.names.get(number) else { return Ok(0) };
        let chunk = match self.held.take() {
            Some((held, chunk)) if held == number => chunk,
            _ => {
                let find = self.connection.prepare_cached("SELECT data FROM upload_chunks WHERE sha1 = ?1");
                let chunk = find.and_then(|mut find| find.query_row([name], |row| row.get(0)));
                chunk.map_err(|error| io::Error::other(Error::from(error).public()))?
            }
        };
        let n = chunk.get(self.position % CHUNK..).unwrap_or_default().read(out)?;
        self.position += n;
        self.held = Some((number, chunk));
        Ok(n)
    }
}
