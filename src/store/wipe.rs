//! Writes zeros over what SQLite leaves in the unused part of pages: where it has moved rows to other pages, the old page
//! keeps their bytes, and deleting the rows later does not find those. Done after a deletion, a little at a time.
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::ops::Range;
use std::time::{Duration, Instant};

/// SQLite has the table of its own pages only if it is built with these.
const _: &str = env!("LIBSQLITE3_FLAGS", "build obs in its own folder, where .cargo/config.toml sets this");
/// How long one step takes, about.
const TIME: Duration = Duration::from_millis(5);
/// From the end of the file.
const ALL: i64 = i64::MAX;

// Pages of SQLite's file format (https://www.sqlite.org/fileformat2.html). Where `auto_vacuum` is on, as here, pages 2, 2 + N,
// 2 + 2 N, … map the N - 1 pages behind them: five bytes each, the first of which is the kind.
const ENTRY: i64 = 5;
const FIRST_MAP: i64 = 2;
const ROOT: u8 = 1;
const TREE: u8 = 5;
/// Where the first page says how many bytes at the end of each are kept for something else.
const RESERVED: usize = 20;
/// The page with this byte of the file is never used.
const LOCK_BYTE: i64 = 1 << 30;

/// From now on all pages are due. They are gone through downwards, since SQLite gives pages back by moving them to lower
/// places; and once again, since where events come meanwhile it puts neighbours of a tree in order, and so moves few up.
/// A round that has begun goes on, lest its lowest pages are never reached where something is deleted every minute.
pub fn begin(transaction: &Transaction) -> rusqlite::Result<()> {
    let begin = "INSERT INTO settings (name, value) VALUES ('wipe', ?1) ON CONFLICT DO NOTHING";
    transaction.prepare_cached(begin)?.execute([ALL.to_string()])?;
    transaction.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('wipe_again', '1')", [])?;
    Ok(())
}

fn remember(transaction: &Transaction, page: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO settings (name, value) VALUES ('wipe', ?1) ON CONFLICT DO UPDATE SET value = excluded.value";
    transaction.prepare_cached(sql)?.execute([page.to_string()])?;
    Ok(())
}

/// The page that is next.
pub fn next(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'wipe'";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
}

/// Goes through some pages. Whether there are more.
pub fn step(transaction: &Transaction) -> rusqlite::Result<bool> {
    let Some(next) = next(transaction)? else { return Ok(false) };
    let number = |of: &str| transaction.pragma_query_value(None, of, |row| row.get::<_, i64>(0));
    let mut file = Pages { transaction, size: number("page_size")?, map: (0, Vec::new()) };
    // Someone may have made the file anew, in another form.
    let is_ours = number("auto_vacuum")? != 0 && file.read(1)?.get(RESERVED) == Some(&0);
    let mut page = if is_ours { next.min(number("page_count")?) } else { 0 };
    let begin = Instant::now();
    while page > FIRST_MAP && begin.elapsed() < TIME {
        file.wipe(page)?;
        page -= 1;
    }
    if page > FIRST_MAP {
        remember(transaction, page)?;
        return Ok(true);
    }
    let again = transaction.execute("DELETE FROM settings WHERE name = 'wipe_again'", [])? > 0;
    match again {
        true => remember(transaction, ALL)?,
        false => drop(transaction.execute("DELETE FROM settings WHERE name = 'wipe'", [])?),
    }
    Ok(again)
}

struct Pages<'a> {
    transaction: &'a Transaction<'a>,
    size: i64,
    /// The last page of the map that was read.
    map: (i64, Vec<u8>),
}

impl Pages<'_> {
    fn read(&self, page: i64) -> rusqlite::Result<Vec<u8>> {
        let mut read = self.transaction.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        read.query_row([page], |row| row.get(0))
    }

    fn wipe(&mut self, page: i64) -> rusqlite::Result<()> {
        if !matches!(self.kind(page)?, Some(ROOT | TREE)) {
            return Ok(());
        }
        let mut data = self.read(page)?;
        let Some(unused) = unused(&data).and_then(|unused| data.get_mut(unused)) else { return Ok(()) };
        if unused.iter().any(|byte| *byte != 0) {
            unused.fill(0);
            let mut write = self.transaction.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
            write.execute((page, data))?;
        }
        Ok(())
    }

    /// None for pages of the map and the one that is never used.
    fn kind(&mut self, page: i64) -> rusqlite::Result<Option<u8>> {
        let every = self.size / ENTRY + 1;
        let lock = LOCK_BYTE / self.size + 1;
        let mut map = (page - FIRST_MAP) / every * every + FIRST_MAP;
        map += i64::from(map == lock);
        if page == map || page == lock {
            return Ok(None);
        }
        if self.map.0 != map {
            self.map = (map, self.read(map)?);
        }
        let entry = usize::try_from((page - map - 1) * ENTRY).ok();
        Ok(entry.and_then(|entry| self.map.1.get(entry)).copied())
    }
}

/// The bytes between the pointers to the rows of a B-tree's page and the first row.
fn unused(page: &[u8]) -> Option<Range<usize>> {
    let header = match page.first()? {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    let begin = header + 2 * number(3)?;
    let end = match number(5)? {
        0 => 1 << 16,
        end => end,
    };
    (begin <= end && end <= page.len()).then_some(begin..end)
}
