//! Opens the database: connections, the file's mode, and migrations.
use super::beside;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement waits for a lock that another process holds on the database.
pub const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Applied in order. The `user_version` of a database is the number of migrations that it has had.
const MIGRATIONS: &[&str] = &[include_str!("../../../sql/0001_schema.sql")];

/// "obs1" in ASCII, stored in the file's header. It distinguishes a database of obs from any other.
const APPLICATION_ID: u32 = 0x6f62_7331;

/// Resolves symbolic links, so that two names of one file share its lock. The file itself need not exist.
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

/// A connection that can write. The path is never interpreted as a URI or as `:memory:`.
pub fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "secure_delete", true)?; // overwrite deleted rows with zeros
    connection.pragma_update(None, "foreign_keys", false)?; // the writer maintains them; a check costs a lookup per event
    Ok(connection)
}

pub fn connect_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -1024)?; // KiB
    Ok(connection)
}

fn connect_with(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise a statement with a join is planned again for each value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Opens the database, or creates it, and applies the migrations that it lacks.
/// Nothing is written before the file is known to be a database of obs with a known schema version.
pub fn open(path: &Path) -> Result<Connection, String> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    if file.and_then(|file| file.metadata()).map_err(|e| e.to_string())?.len() == 1 {
        return Err("it is not a database".into()); // SQLite takes a file of one byte for an empty one
    }
    let mut connection = connect(path).map_err(in_words)?;
    let is_new = check(&connection)? == 0;
    // The WAL and its index have the mode that the database had when they were created, perhaps by an obs that crashed.
    for suffix in ["", "-wal", "-shm"] {
        match fs::set_permissions(beside(path, suffix), Permissions::from_mode(0o600)) {
            Err(e) if suffix.is_empty() || e.kind() != io::ErrorKind::NotFound => return Err(e.to_string()),
            _ => {}
        }
    }
    if is_new {
        // Both take effect only before the first table exists, and outside a transaction.
        let first = "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL";
        connection.execute_batch(first).map_err(in_words)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(in_words)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(in_words)?; // bytes of WAL after a checkpoint
    migrate(&mut connection, MIGRATIONS).map_err(in_words)?;
    Ok(connection)
}

/// Opens a database that must exist and need no migration.
pub fn open_existing(path: &Path) -> Result<Connection, String> {
    let open = || {
        if !path.is_file() {
            return Err("there is no such file".into());
        }
        let connection = connect(path).map_err(in_words)?;
        match check(&connection)? {
            0 => Err("it is empty".into()),
            version if version < MIGRATIONS.len() => {
                Err("an older obs wrote it; start this obs on it once to migrate it".into())
            }
            _ => Ok(connection),
        }
    };
    open().map_err(|why: String| format!("cannot open {}: {why}", path.display()))
}

/// Returns the schema version, which is 0 for an empty file, or an error if obs cannot use the database.
fn check(connection: &Connection) -> Result<usize, String> {
    // Closing the last connection would checkpoint a WAL that a crash has left, and so write to a file that may be
    // somebody else's.
    let keep_wal = |on| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on).map_err(in_words);
    keep_wal(true)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).map_err(in_words);
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let version = number("PRAGMA user_version")? as usize;
    let is_obs = number("PRAGMA application_id")? == APPLICATION_ID;
    let known = MIGRATIONS.len();
    if (tables, version) != (0, 0) && !is_obs {
        return Err("it is a database, but not one of obs".into());
    }
    if version > known {
        return Err(format!("a newer obs wrote it (schema {version}; this obs knows schemas up to {known})"));
    }
    keep_wal(false)?;
    Ok(version)
}

/// Applies each missing migration in a transaction of its own.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let done: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (version, sql) in (1..).zip(migrations).skip(done as usize) {
        let migration = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        migration.execute_batch(sql)?;
        migration.pragma_update(None, "application_id", APPLICATION_ID)?;
        migration.pragma_update(None, "user_version", version)?;
        migration.commit()?;
    }
    Ok(())
}

/// Reads a value from `settings`. The first time, generates and stores it.
pub fn setting(
    connection: &Connection,
    name: &str,
    generate: impl FnOnce() -> Result<String, String>,
) -> Result<String, String> {
    let mut read = connection.prepare("SELECT value FROM settings WHERE name = ?1").map_err(in_words)?;
    if let Some(value) = read.query_row([name], |row| row.get(0)).optional().map_err(in_words)? {
        return Ok(value);
    }
    let value = generate()?;
    connection.execute("INSERT INTO settings (name, value) VALUES (?1, ?2)", [name, &value]).map_err(in_words)?;
    Ok(value)
}

fn in_words(error: rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is not a database".into(),
        Some(ErrorCode::DatabaseBusy) => "another process has locked it".into(),
        Some(ErrorCode::DiskFull) => "the disk is full".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_later_migration_is_applied_once_and_keeps_the_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        connection.execute("INSERT INTO settings VALUES ('a', 'b')", []).unwrap();
        let later = [MIGRATIONS, &["ALTER TABLE settings ADD COLUMN note TEXT NOT NULL DEFAULT 'new'"]].concat();
        for _ in 0..2 {
            migrate(&mut connection, &later).unwrap();
        }
        let row = connection.query_row("SELECT value || note FROM settings", [], |row| row.get::<_, String>(0));
        assert_eq!((row.unwrap().as_str(), version(&connection)), ("bnew", later.len() as i64));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_database_at_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        let later = [MIGRATIONS, &["CREATE TABLE half (a); INSERT INTO no_such_table VALUES (1)"]].concat();
        assert!(migrate(&mut connection, &later).is_err());
        let half = connection.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'half'", [], |row| row.get(0));
        assert_eq!((half, version(&connection)), (Ok(0), MIGRATIONS.len() as i64));
    }
}
