//! Source maps: stored in slices that never hold up events for long, found by debug id or by script, removed in steps.
use super::error::Error;
use super::read::Reader;
use super::transaction::relaxed;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use std::io::Write;

/// Maximum bytes of a row.
const ROW: usize = 64 << 10;
/// About how many bytes one transaction adds or removes, which takes a few milliseconds. A row costs as much as so many.
const SLICE: usize = 1 << 20;
const ROW_COST: usize = 5 << 10;
/// Maximum number of maps of scripts with one name that are considered for a stack trace, the last uploads.
const CANDIDATES: i64 = 1000;
/// Maximum number of releases that are named.
const RELEASES: i64 = 10;

/// What all maps take, in bytes.
const BYTES: &str = "SELECT coalesce(sum(bytes), 0) FROM source_maps WHERE state = 'stored'";

/// A source map to be stored. Its parts come separately.
#[derive(Clone, Debug)]
pub struct NewSourceMap {
    /// The script's path, with or without `.map` at its end and `~/` at its start.
    pub path: String,
    pub release: Option<String>,
    /// UUIDs in lower case with hyphens.
    pub debug_ids: Vec<String>,
    pub sources: usize,
    pub with_content: usize,
}

/// A stored source map.
#[derive(Clone, Debug, Serialize)]
pub struct SourceMapInfo {
    pub id: i64,
    pub path: String,
    pub release: Option<String>,
    pub debug_ids: Vec<String>,
    pub uploaded_at: String,
    pub used_at: String,
    pub bytes: i64,
    pub sources: i64,
    pub with_content: i64,
}

/// A part's number, the row's number in it, and the bytes.
pub type PartRow = (usize, usize, Vec<u8>);

pub fn rows((part, data): (usize, Vec<u8>)) -> impl Iterator<Item = PartRow> {
    let count = data.len().div_ceil(ROW);
    (0..count).map(move |at| (part, at, data[at * ROW..data.len().min((at + 1) * ROW)].to_vec()))
}

/// True if these rows are enough for a transaction.
pub fn is_slice(rows: &[PartRow]) -> bool {
    rows.iter().map(|(.., data)| data.len() + ROW_COST).sum::<usize>() >= SLICE
}

/// The name of a script: the last part of its path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Marks the maps as deleted whose upload a crash has ended.
pub fn discard_incomplete(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE source_maps SET state = 'deleted' WHERE state = 'incoming'", []).map(drop)
}

/// Adds the row of a map that nobody sees yet.
pub fn begin(transaction: &Transaction, new: &NewSourceMap, now: Time) -> rusqlite::Result<i64> {
    let path = new.path.strip_suffix(".map").unwrap_or(&new.path);
    let path = path.strip_prefix("~/").unwrap_or(path);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO source_maps (file, path, release, uploaded_at, used_at, bytes, sources, with_content, state)
         VALUES (?1, ?2, ?3, ?4, ?4, 0, ?5, ?6, 'incoming')",
    )?;
    let (sources, with_content) = (new.sources as i64, new.with_content as i64);
    insert.insert(params![file_name(path), path, new.release, now.to_string(), sources, with_content])
}

pub fn add_rows(transaction: &Transaction, id: i64, rows: &[PartRow]) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO source_map_parts (map_id, part, piece, data) VALUES (?1, ?2, ?3, ?4)")?;
    rows.iter().try_for_each(|(part, row, data)| insert.execute(params![id, *part as i64, *row as i64, data]).map(drop))
}

/// From now on pages use the map. An earlier upload of the same file is removed if it has no other debug id.
pub fn finish(transaction: &Transaction, id: i64, debug_ids: &[String]) -> rusqlite::Result<()> {
    let bytes = "(SELECT coalesce(sum(length(data)), 0) FROM source_map_parts WHERE map_id = ?1)";
    let show = format!("UPDATE source_maps SET state = 'stored', bytes = {bytes} WHERE id = ?1");
    transaction.execute(&show, [id])?;
    for debug_id in debug_ids {
        transaction.execute("INSERT OR IGNORE INTO source_map_ids VALUES (?1, ?2)", params![debug_id, id])?;
    }
    let replaced = "UPDATE source_maps AS old SET state = 'deleted' FROM source_maps AS new
                    WHERE new.id = ?1 AND old.id < ?1 AND old.state = 'stored' AND old.file = new.file
                      AND old.path = new.path AND old.release IS new.release
                      AND NOT EXISTS (SELECT debug_id FROM source_map_ids WHERE map_id = old.id
                                      EXCEPT SELECT debug_id FROM source_map_ids WHERE map_id = ?1)";
    transaction.execute(replaced, [id]).map(drop)
}

/// Marks a map as deleted. Its parts are removed in the background. Returns false if there is no such map.
pub fn delete(transaction: &Transaction, id: i64) -> rusqlite::Result<bool> {
    let mark = "UPDATE source_maps SET state = 'deleted' WHERE id = ?1 AND state <> 'deleted'";
    Ok(transaction.execute(mark, [id])? > 0)
}

/// Records that pages have used these maps.
pub fn touch(transaction: &Transaction, ids: &[i64], now: Time) -> rusqlite::Result<()> {
    let mut touch = transaction.prepare_cached("UPDATE source_maps SET used_at = ?2 WHERE id = ?1")?;
    ids.iter().try_for_each(|id| touch.execute(params![id, now.to_string()]).map(drop))
}

/// Removes a few rows of a deleted map. If there is none and the maps exceed `limit` bytes, marks the least recently used
/// one as deleted. Returns true if there is more to do.
pub fn step(connection: &mut Connection, limit: i64) -> Result<bool, Error> {
    let deleted = "SELECT id FROM source_maps WHERE state = 'deleted' LIMIT 1";
    if let Some(id) = connection.query_row(deleted, [], |row| row.get::<_, i64>(0)).optional()? {
        relaxed(connection, |transaction| Ok(remove_rows(transaction, id)?))?;
        return Ok(true);
    }
    if connection.query_row(BYTES, [], |row| row.get::<_, i64>(0))? <= limit {
        return Ok(false);
    }
    relaxed(connection, |transaction| {
        let oldest = "SELECT id FROM source_maps WHERE state = 'stored' ORDER BY used_at, id LIMIT 1";
        let id = transaction.query_row(oldest, [], |row| row.get(0))?;
        Ok(delete(transaction, id)?)
    })
}

fn remove_rows(transaction: &Transaction, id: i64) -> rusqlite::Result<()> {
    let some = "DELETE FROM source_map_parts WHERE rowid IN
                (SELECT rowid FROM source_map_parts WHERE map_id = ?1 LIMIT ?2)";
    if transaction.execute(some, [id, (SLICE / ROW) as i64])? == 0 {
        transaction.execute("DELETE FROM source_map_ids WHERE map_id = ?1", [id])?;
        transaction.execute("DELETE FROM source_maps WHERE id = ?1", [id])?;
    }
    Ok(())
}

impl Reader<'_> {
    /// All stored maps, the last upload first: at most `limit` of those before the id `before`.
    pub fn source_maps(&self, before: i64, limit: i64) -> Result<Vec<SourceMapInfo>, Error> {
        self.infos("state = 'stored' AND id < ?1 ORDER BY id DESC LIMIT ?2", params![before, limit])
    }

    /// What all stored maps take, in bytes.
    pub fn source_map_bytes(&self) -> Result<i64, Error> {
        Ok(self.0.prepare_cached(BYTES)?.query_row([], |row| row.get(0))?)
    }

    /// The map with a debug id, the last upload.
    pub fn source_map(&self, debug_id: &str) -> Result<Option<SourceMapInfo>, Error> {
        let with_id = "id IN (SELECT map_id FROM source_map_ids WHERE debug_id = ?1) AND state = 'stored'
                       ORDER BY id DESC LIMIT 1";
        Ok(self.infos(with_id, [debug_id])?.pop())
    }

    /// The maps of scripts with a name that belong to a release or to none, the last upload first.
    pub fn source_maps_of(&self, file: &str, release: Option<&str>) -> Result<Vec<SourceMapInfo>, Error> {
        let condition = "file = ?1 AND (release = ?2 OR release IS NULL) AND state = 'stored'";
        self.infos(&format!("{condition} ORDER BY id DESC LIMIT ?3"), params![file, release, CANDIDATES])
    }

    /// Some releases that have a map of a script with a name, the last upload first.
    pub fn releases_with_source_map(&self, file: &str) -> Result<Vec<String>, Error> {
        let mut select = self.0.prepare_cached(
            "SELECT release FROM source_maps WHERE file = ?1 AND state = 'stored' AND release IS NOT NULL
             GROUP BY release ORDER BY max(id) DESC LIMIT ?2",
        )?;
        let releases = select.query_map(params![file, RELEASES], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(releases)
    }

    /// Writes a part of a map, which is deflated, to `out`. Returns false if the map has no such part.
    pub fn source_map_part(&self, id: i64, part: usize, out: &mut impl Write) -> Result<bool, Error> {
        let select = "SELECT data FROM source_map_parts WHERE map_id = ?1 AND part = ?2 ORDER BY piece";
        let mut select = self.0.prepare_cached(select)?;
        let mut rows = select.query([id, part as i64])?;
        let mut is_there = false;
        while let Some(row) = rows.next()? {
            let data = row.get_ref(0)?.as_blob().map_err(|e| Error::Failed(e.to_string()))?;
            out.write_all(data).map_err(|e| Error::Failed(format!("source map {id} is damaged: {e}")))?;
            is_there = true;
        }
        Ok(is_there)
    }

    fn infos(&self, condition: &str, params: impl rusqlite::Params) -> Result<Vec<SourceMapInfo>, Error> {
        let sql = format!(
            "SELECT id, path, release, (SELECT group_concat(debug_id) FROM source_map_ids WHERE map_id = id),
                    uploaded_at, used_at, bytes, sources, with_content
             FROM source_maps WHERE {condition}"
        );
        let info = |row: &Row| {
            let debug_ids: Option<String> = row.get(3)?;
            Ok(SourceMapInfo {
                id: row.get(0)?,
                path: row.get(1)?,
                release: row.get(2)?,
                debug_ids: debug_ids.iter().flat_map(|ids| ids.split(',')).map(String::from).collect(),
                uploaded_at: row.get(4)?,
                used_at: row.get(5)?,
                bytes: row.get(6)?,
                sources: row.get(7)?,
                with_content: row.get(8)?,
            })
        };
        let mut select = self.0.prepare_cached(&sql)?;
        let infos = select.query_map(params, info)?.collect::<Result<_, _>>()?;
        Ok(infos)
    }
}
