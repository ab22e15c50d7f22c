//! Opening the database: connections, the file's mode, and its tables brought up to date.
use super::LOCK_WAIT;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// In order; a database's `user_version` says how many of them it has had.
const MIGRATIONS: [&str; 4] = [
    include_str!("../../sql/0001_events_and_issues.sql"),
    include_str!("../../sql/0002_retention.sql"),
    include_str!("../../sql/0003_triage.sql"),
    include_str!("../../sql/0004_alerts.sql"),
];

/// "obs1" in ASCII, in the file's header: tells a database of obs from any other.
const APPLICATION_ID: i32 = 0x6f62_7331;

/// No links left in it, so that two names of one file share its lock; the file itself need not exist.
pub fn full_path(path: &Path) -> Result<PathBuf, String> {
    let failed = |e: io::Error| format!("cannot open {}: {e}", path.display());
    match fs::canonicalize(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::IsADirectory.into()))?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Ok(fs::canonicalize(folder).map_err(failed)?.join(name))
        }
        Ok(path) if path.is_dir() => Err(failed(io::ErrorKind::IsADirectory.into())),
        found => found.map_err(failed),
    }
}

/// A connection that writes. A path is only a path: never a URI, never `:memory:`.
pub fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    settle(&connection)?;
    connection.pragma_update(None, "secure_delete", "FAST")?; // zeros for what is deleted, where the page is written anyway
    connection.pragma_update(None, "foreign_keys", false)?; // a lookup an event, for what the writer takes care of itself
    Ok(connection)
}

/// A connection that cannot write.
pub fn connect_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    settle(&connection)?;
    connection.pragma_update(None, "cache_size", -1024)?; // KiB
    Ok(connection)
}

/// What both have in common.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Else a statement with a join is planned anew for each value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Opens the database, making it first where there is none, and brings its tables up to date.
/// Nothing is written before it is known to be a database of obs, of a version that this obs knows.
pub fn open(path: &Path) -> Result<Connection, String> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e.to_string()),
        _ => {}
    }
    if fs::metadata(path).is_ok_and(|file| file.len() == 1) {
        return Err("it is not a database".into()); // SQLite takes a file of one byte for an empty one
    }
    let mut connection = connect(path).map_err(in_words)?;
    let fresh = check(&connection)?;
    // The files beside it have the mode that it had when they were made, by a crashed obs or by the check.
    for suffix in ["", "-wal", "-shm"] {
        let mut path = path.as_os_str().to_owned();
        path.push(suffix);
        match fs::set_permissions(path, Permissions::from_mode(0o600)) {
            Err(e) if suffix.is_empty() || e.kind() != io::ErrorKind::NotFound => return Err(e.to_string()),
            _ => {}
        }
    }
    prepare(&mut connection, fresh).map_err(in_words)?;
    Ok(connection)
}

/// Opens a database of obs as it is.
pub fn open_existing(path: &Path) -> Result<Connection, String> {
    let failed = |why: String| format!("cannot open {}: {why}", path.display());
    let connection = connect(path).map_err(in_words).map_err(failed)?;
    match check(&connection).map_err(failed)? {
        true => Err(failed("it is empty".into())),
        false => Ok(connection),
    }
}

/// Whether the file is still empty; an error if it is none of ours.
fn check(connection: &Connection) -> Result<bool, String> {
    // Closing the last connection would write a WAL that a crash has left into the database.
    let keep_wal = |on| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on).map_err(in_words);
    keep_wal(true)?;
    let fresh = is_fresh(connection)?;
    keep_wal(false)?;
    Ok(fresh)
}

fn is_fresh(connection: &Connection) -> Result<bool, String> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(in_words);
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let version = number("PRAGMA user_version")?;
    let ours = number("PRAGMA application_id")? == i64::from(APPLICATION_ID);
    let known = MIGRATIONS.len() as i64;
    match (tables, version) {
        (0, 0) => Ok(true),
        _ if !ours => Err("it is a database, but not one of obs".into()),
        _ if version > known => Err(format!("a newer obs wrote it (schema {version}, this obs knows up to {known})")),
        _ => Ok(false),
    }
}

/// Whether it has all tables of this obs.
pub fn is_up_to_date(connection: &Connection) -> rusqlite::Result<bool> {
    let done: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(done == MIGRATIONS.len() as i64)
}

fn prepare(connection: &mut Connection, fresh: bool) -> rusqlite::Result<()> {
    if fresh {
        // Both only take effect before the first table, and outside a transaction.
        connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?; // bytes of WAL kept after a checkpoint
    let done: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (number, sql) in (1..).zip(MIGRATIONS).skip(done as usize) {
        let migration = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        migration.execute_batch(sql)?;
        migration.pragma_update(None, "application_id", APPLICATION_ID)?;
        migration.pragma_update(None, "user_version", number)?;
        migration.commit()?;
    }
    Ok(())
}

/// What is remembered under a name, or else `make`'s result, from now on.
pub fn setting(
    connection: &Connection,
    name: &str,
    make: impl FnOnce() -> Result<String, String>,
) -> Result<String, String> {
    let mut read = connection.prepare("SELECT value FROM settings WHERE name = ?1").map_err(in_words)?;
    if let Some(value) = read.query_row([name], |row| row.get(0)).optional().map_err(in_words)? {
        return Ok(value);
    }
    let value = make()?;
    connection.execute("INSERT INTO settings (name, value) VALUES (?1, ?2)", [name, &value]).map_err(in_words)?;
    Ok(value)
}

fn in_words(error: rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is not a database".into(),
        Some(ErrorCode::DatabaseBusy) => "another process has it locked".into(),
        Some(ErrorCode::DiskFull) => "the disk is full".into(),
        _ => error.to_string(),
    }
}
