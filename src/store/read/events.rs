//! Events: one, those of an issue, and the neighbours of one.
use super::page::{PAGE, level, page, side, time};
use super::pool::Reader;
use crate::domain::{Cursor, Page, Position, StoredEvent, Summary};
use crate::store::error::Error;
use rusqlite::Row;

const SUMMARY: &str = "
    SELECT seq, id, level, type, message, timestamp, received_at, environment, server_name, release FROM events ";

/// A whole event, read with [`event`].
pub const EVENT: &str = "
    SELECT seq, events.id, level, type, message, timestamp, received_at, environment, server_name, release,
           coalesce((SELECT into_id FROM merged WHERE merged.id = issue_id), issue_id), project, platform, suppressed,
           unhandled, fingerprint, stacktrace, causes, tags, user, request, breadcrumbs, contexts, extra, more
    FROM events CROSS JOIN issues ON issues.id = issue_id AND state <> 'deleted' ";

impl Reader<'_> {
    /// A page of an issue's events, the newest first.
    pub fn events(&self, issue: i64, cursor: Cursor) -> Result<Page<Summary>, Error> {
        let (side, from, order) = side(cursor);
        let sql = format!("{SUMMARY} WHERE issue_id = ?1 AND seq {side} ?2 ORDER BY seq {order} LIMIT ?3");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([issue, from.key, PAGE as i64 + 1], summary)?;
        let mut rows: Vec<Summary> = rows.collect::<Result<_, _>>()?;
        let goes_on = rows.len() > PAGE;
        rows.truncate(PAGE);
        let position = |event: &Summary| Position { key: event.seq, id: 0 };
        let (first, last) = (rows.first().map(position), rows.last().map(position));
        Ok(page(cursor, rows, first, last, goes_on))
    }

    pub fn event(&self, id: &str) -> Result<Option<StoredEvent>, Error> {
        self.one(&format!("{EVENT} WHERE events.id = ?1"), [id], event)
    }

    pub fn event_by_seq(&self, seq: i64) -> Result<Option<StoredEvent>, Error> {
        self.one(&format!("{EVENT} WHERE seq = ?1"), [seq], event)
    }

    /// The events of the same issue that arrived just before and just after this one.
    pub fn neighbours(&self, event: &StoredEvent) -> Result<(Option<Summary>, Option<Summary>), Error> {
        let place = [event.issue_id, event.summary.seq];
        let older = format!("{SUMMARY} WHERE issue_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1");
        let newer = format!("{SUMMARY} WHERE issue_id = ?1 AND seq > ?2 ORDER BY seq LIMIT 1");
        Ok((self.one(&older, place, summary)?, self.one(&newer, place, summary)?))
    }
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
        unhandled: row.get(14)?,
        fingerprint: row.get(15)?,
        stacktrace: row.get(16)?,
        causes: row.get(17)?,
        tags: row.get(18)?,
        user: row.get(19)?,
        request: row.get(20)?,
        breadcrumbs: row.get(21)?,
        contexts: row.get(22)?,
        extra: row.get(23)?,
        more: row.get(24)?,
    })
}
