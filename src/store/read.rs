//! Reading: a few connections that only read, and the queries behind every page. Each costs the same however much is stored.
use super::{Error, open};
use crate::domain::{Cursor, Issue, IssueState, Level, Page, Position, StoredEvent, Summary};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Readers at the same time. More would only share the cores, and each holds a page in memory.
const MAX_READERS: usize = 4;
/// How long a request waits for one of them.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of a page.
pub(super) const PAGE: usize = 50;

pub struct Readers {
    path: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    in_use: usize,
    idle: Vec<Connection>,
}

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        Readers { path, pool: Mutex::default(), returned: Condvar::new() }
    }

    /// Waits for a slot, and looks at the database as it is then.
    pub fn look<T, E: From<Error>>(&self, look: impl FnOnce(&Reader) -> Result<T, E>) -> Result<T, E> {
        let slot = Slot::take(self)?;
        let idle = self.pool().idle.pop();
        let connection = idle.map_or_else(|| open::connect_to_read(&self.path), Ok).map_err(Error::from)?;
        connection.execute_batch("BEGIN").map_err(Error::from)?; // all that this reader sees is of one moment
        let result = look(&Reader(&connection));
        if connection.execute_batch("COMMIT").is_ok() {
            self.pool().idle.push(connection);
        }
        drop(slot);
        result
    }

    pub fn close(&self) {
        self.pool().idle.clear();
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to read, given back when dropped, panic or not.
struct Slot<'a>(&'a Readers);

impl Slot<'_> {
    fn take(readers: &Readers) -> Result<Slot<'_>, Error> {
        let full = |pool: &mut Pool| pool.in_use >= MAX_READERS;
        let waited = readers.returned.wait_timeout_while(readers.pool(), PATIENCE, full);
        let mut pool = waited.unwrap_or_else(PoisonError::into_inner).0;
        if full(&mut pool) {
            return Err(Error::TooManyReaders);
        }
        pool.in_use += 1;
        Ok(Slot(readers))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.pool().in_use -= 1;
        self.0.returned.notify_one();
    }
}

/// A view of the database that does not change meanwhile.
pub struct Reader<'a>(pub(super) &'a Connection);

/// What describes an issue is its own, or that of its newest event.
pub(super) const ISSUE: &str = "
    SELECT issues.id, project, title, culprit, grouped_by, count, stored, first_seen, first_release, last_seen,
           events.id, level, type, message, platform, environment, release, last_seq, state, reopened_at, resolved_at
    FROM issues CROSS JOIN events ON events.seq = issues.last_seq ";

const SUMMARY: &str = "
    SELECT seq, id, level, type, message, timestamp, received_at, environment, server_name, release FROM events ";

pub const EVENT: &str = "
    SELECT seq, events.id, level, type, message, timestamp, received_at, environment, server_name, release,
           coalesce((SELECT into_id FROM merged WHERE merged.id = issue_id), issue_id), project, platform, suppressed,
           fingerprint, stacktrace, causes, extra, more
    FROM events CROSS JOIN issues ON issues.id = issue_id AND state <> 'deleted' ";

impl Reader<'_> {
    pub fn issue(&self, id: i64) -> Result<Option<Issue>, Error> {
        self.one(&format!("{ISSUE} WHERE issues.id = ?1 AND state IN ('open', 'resolved', 'ignored')"), [id], issue)
    }

    /// An issue's events, the newest first.
    pub fn events(&self, issue: i64, cursor: Cursor) -> Result<Page<Summary>, Error> {
        let (side, from, order) = match cursor {
            Cursor::Newest => ("<=", i64::MAX, "DESC"),
            Cursor::After(place) => ("<", place.key, "DESC"),
            Cursor::Before(place) => (">", place.key, "ASC"),
        };
        let sql = format!("{SUMMARY} WHERE issue_id = ?1 AND seq {side} ?2 ORDER BY seq {order} LIMIT ?3");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([issue, from, PAGE as i64 + 1], summary)?;
        Ok(page(cursor, rows.collect::<Result<_, _>>()?, |event| Position { key: event.seq, id: 0 }))
    }

    pub fn event(&self, id: &str) -> Result<Option<StoredEvent>, Error> {
        self.one(&format!("{EVENT} WHERE events.id = ?1"), [id], event)
    }

    /// The event that came at this place in the order of arrival.
    pub fn event_at(&self, seq: i64) -> Result<Option<StoredEvent>, Error> {
        self.one(&format!("{EVENT} WHERE seq = ?1"), [seq], event)
    }

    /// The events of the same issue that came just before and just after one.
    pub fn neighbours(&self, event: &StoredEvent) -> Result<(Option<Summary>, Option<Summary>), Error> {
        let place = [event.issue_id, event.summary.seq];
        let older = format!("{SUMMARY} WHERE issue_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1");
        let newer = format!("{SUMMARY} WHERE issue_id = ?1 AND seq > ?2 ORDER BY seq LIMIT 1");
        Ok((self.one(&older, place, summary)?, self.one(&newer, place, summary)?))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: fn(&Row) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        Ok(self.0.prepare_cached(sql)?.query_row(params, read).optional()?)
    }
}

/// A page of what was found on one side of a cursor: at most `PAGE` rows, and one more where there are more.
pub(super) fn page<T>(cursor: Cursor, mut rows: Vec<T>, place: impl Fn(&T) -> Position) -> Page<T> {
    let further = rows.len() > PAGE;
    rows.truncate(PAGE);
    if let Cursor::Before(_) = cursor {
        rows.reverse();
    }
    let first = rows.first().map(&place);
    let last = rows.last().map(place);
    let (newer, older) = match cursor {
        Cursor::Newest => (None, last.filter(|_| further)),
        Cursor::After(_) => (first, last.filter(|_| further)),
        Cursor::Before(_) => (first.filter(|_| further), last),
    };
    Page { rows, newer, older }
}

pub(super) fn issue(row: &Row) -> rusqlite::Result<Issue> {
    Ok(Issue {
        id: row.get(0)?,
        project: row.get(1)?,
        title: row.get(2)?,
        culprit: row.get(3)?,
        grouped_by: row.get(4)?,
        count: row.get(5)?,
        stored: row.get(6)?,
        first_seen: time(row, 7)?,
        first_release: row.get(8)?,
        last_seen: time(row, 9)?,
        last_event_id: row.get(10)?,
        level: level(row, 11)?,
        r#type: row.get(12)?,
        message: row.get(13)?,
        platform: row.get(14)?,
        environment: row.get(15)?,
        release: row.get(16)?,
        last_seq: row.get(17)?,
        state: IssueState::parse(row.get_ref(18)?.as_str()?).unwrap_or(IssueState::Open),
        reopened_at: time_if_any(row, 19)?,
        resolved_at: time_if_any(row, 20)?,
    })
}

fn summary(row: &Row) -> rusqlite::Result<Summary> {
    Ok(Summary {
        seq: row.get(0)?,
        id: row.get(1)?,
        level: level(row, 2)?,
        r#type: row.get(3)?,
        message: row.get(4)?,
        timestamp: time(row, 5)?,
        received_at: time(row, 6)?,
        environment: row.get(7)?,
        server_name: row.get(8)?,
        release: row.get(9)?,
    })
}

pub fn event(row: &Row) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        summary: summary(row)?,
        issue_id: row.get(10)?,
        project: row.get(11)?,
        platform: row.get(12)?,
        suppressed: row.get(13)?,
        fingerprint: row.get(14)?,
        stacktrace: row.get(15)?,
        causes: row.get(16)?,
        extra: row.get(17)?,
        more: row.get(18)?,
    })
}

/// The file is open to other hands: a time that obs never wrote reads as 1970 rather than hiding the row.
fn time(row: &Row, column: usize) -> rusqlite::Result<Time> {
    Ok(Time::parse(row.get_ref(column)?.as_str()?).unwrap_or(Time::EPOCH))
}

fn time_if_any(row: &Row, column: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.and_then(Time::parse))
}

fn level(row: &Row, column: usize) -> rusqlite::Result<Level> {
    Ok(Level::parse(row.get_ref(column)?.as_str()?).unwrap_or(Level::Error))
}
