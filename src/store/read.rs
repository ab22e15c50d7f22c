//! Reading: a few connections that only read, and the queries behind every page. Each costs the same however much is stored.
use super::{Error, open};
use crate::domain::{Cursor, Issue, Level, Page, StoredEvent, Summary};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Params, Row, params_from_iter};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Readers at the same time. More would only share the cores, and each holds a page in memory.
const MAX_READERS: usize = 4;
/// How long a request waits for one of them.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of a page.
const PAGE: usize = 50;

pub struct Readers {
    path: PathBuf,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    in_use: usize,
    idle: Vec<Connection>,
}

impl Readers {
    pub fn new(path: PathBuf) -> Readers {
        Readers { path, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Waits for a slot, and looks at the database as it is then.
    pub fn look<T, E: From<Error>>(&self, look: impl FnOnce(&Reader) -> Result<T, E>) -> Result<T, E> {
        let slot = Slot::take(self)?;
        let idle = self.state().idle.pop();
        let connection = idle.map_or_else(|| open::connect_to_read(&self.path), Ok).map_err(Error::from)?;
        connection.execute_batch("BEGIN").map_err(Error::from)?; // all that this reader sees is of one moment
        let result = look(&Reader(&connection));
        if connection.execute_batch("COMMIT").is_ok() {
            self.state().idle.push(connection);
        }
        drop(slot);
        result
    }

    pub fn close(&self) {
        self.state().idle.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to read, given back when dropped, panic or not.
struct Slot<'a>(&'a Readers);

impl Slot<'_> {
    fn take(readers: &Readers) -> Result<Slot<'_>, Error> {
        let full = |state: &mut State| state.in_use >= MAX_READERS;
        let waited = readers.returned.wait_timeout_while(readers.state(), PATIENCE, full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if full(&mut state) {
            return Err(Error::TooManyReaders);
        }
        state.in_use += 1;
        Ok(Slot(readers))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.state().in_use -= 1;
        self.0.returned.notify_one();
    }
}

/// A view of the database that does not change meanwhile.
pub struct Reader<'a>(pub(super) &'a Connection);

/// What describes an issue is its own, or that of its newest event.
const ISSUE: &str = "
    SELECT issues.id, project, title, culprit, grouped_by, count, stored, first_seen, first_release, last_seen,
           events.id, level, type, message, platform, environment, release, last_seq
    FROM issues CROSS JOIN events ON events.seq = issues.last_seq ";

const SUMMARY: &str = "
    SELECT seq, id, level, type, message, timestamp, received_at, environment, server_name, release FROM events ";

const EVENT: &str = "
    SELECT seq, events.id, level, type, message, timestamp, received_at, environment, server_name, release,
           issue_id, project, platform, suppressed, fingerprint, stacktrace, causes, extra, more
    FROM events JOIN issues ON issues.id = issue_id ";

impl Reader<'_> {
    /// Issues, the last active one first.
    pub fn issues(&self, cursor: Cursor) -> Result<Page<Issue>, Error> {
        self.page(cursor, ISSUE, "last_seq", None, issue, |issue| issue.last_seq)
    }

    pub fn issue(&self, id: i64) -> Result<Option<Issue>, Error> {
        self.one(&format!("{ISSUE} WHERE issues.id = ?1"), [id], issue)
    }

    /// An issue's events, the newest first.
    pub fn events(&self, issue: i64, cursor: Cursor) -> Result<Page<Summary>, Error> {
        self.page(cursor, SUMMARY, "seq", Some(issue), summary, |event| event.seq)
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

    /// Part of a list, of one issue's events or of all rows, found by the `key` that orders it and never by counting.
    fn page<T>(
        &self,
        cursor: Cursor,
        select: &str,
        key: &str,
        issue: Option<i64>,
        read: fn(&Row) -> rusqlite::Result<T>,
        place: fn(&T) -> i64,
    ) -> Result<Page<T>, Error> {
        let (side, from, order) = match cursor {
            Cursor::Newest => ("<=", i64::MAX, "DESC"),
            Cursor::After(key) => ("<", key, "DESC"),
            Cursor::Before(key) => (">", key, "ASC"),
        };
        let of_issue = if issue.is_some() { "AND issue_id = ?3" } else { "" };
        let sql = format!("{select} WHERE {key} {side} ?1 {of_issue} ORDER BY {key} {order} LIMIT ?2");
        let mut statement = self.0.prepare_cached(&sql)?;
        let values = [from, PAGE as i64 + 1].into_iter().chain(issue);
        let rows = statement.query_map(params_from_iter(values), read)?;
        let mut rows: Vec<T> = rows.collect::<Result<_, _>>()?;
        let further = rows.len() > PAGE;
        rows.truncate(PAGE);
        if let Cursor::Before(_) = cursor {
            rows.reverse();
        }
        let first = rows.first().map(place);
        let last = rows.last().map(place);
        let (newer, older) = match cursor {
            Cursor::Newest => (None, last.filter(|_| further)),
            Cursor::After(_) => (first, last.filter(|_| further)),
            Cursor::Before(_) => (first.filter(|_| further), last),
        };
        Ok(Page { rows, newer, older })
    }
}

fn issue(row: &Row) -> rusqlite::Result<Issue> {
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

fn event(row: &Row) -> rusqlite::Result<StoredEvent> {
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

fn level(row: &Row, column: usize) -> rusqlite::Result<Level> {
    Ok(Level::of(row.get_ref(column)?.as_str()?))
}
