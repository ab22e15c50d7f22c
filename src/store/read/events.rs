//! Events: one, those of an issue, and the neighbours of one.
use super::page::{PAGE, level, page, side, time};
use super::pool::Reader;
use super::search::{STRIDE, TIME, counted};
use crate::domain::{Cursor, Found, Neighbours, Position, StoredEvent, Summary};
use crate::event::{Event, tags};
use crate::query::Query;
use crate::store::counts::KINDS;
use crate::store::error::Error;
use crate::store::labels::labels;
use rusqlite::Row;
use std::time::Instant;

/// How many events are counted to say which one of an issue's events is shown.
const MAX_COUNTED: i64 = 10_000;

const SUMMARY: &str = "
    SELECT seq, id, level, type, message, timestamp, received_at, environment, server_name, release, tags, user, contexts,
           request, more FROM events ";

/// A whole event, read with [`event`].
pub const EVENT: &str = "
    SELECT seq, events.id, level, type, message, timestamp, received_at, environment, server_name, release,
           coalesce((SELECT into_id FROM merged WHERE merged.id = issue_id), issue_id), project, platform, suppressed,
           unhandled, fingerprint, stacktrace, causes, tags, user, request, breadcrumbs, contexts, extra, more
    FROM events CROSS JOIN issues ON issues.id = issue_id AND state <> 'deleted' ";

impl Reader<'_> {
    /// A page of an issue's events, the newest first: those with every value that the query names and obs counts.
    pub fn events(&self, issue: i64, query: &Query, cursor: Cursor) -> Result<Found<Summary>, Error> {
        let wanted: Vec<(String, &str)> = query.0.iter().filter_map(counted).collect();
        let start = Instant::now();
        let (side, from, order) = side(cursor);
        let sql = format!("{SUMMARY} WHERE issue_id = ?1 AND seq {side} ?2 ORDER BY seq {order}");
        let mut statement = self.0.prepare_cached(&sql)?;
        let mut rows = statement.query([issue, from.key])?;
        let (mut found, mut scanned, mut first, mut last) = (Vec::new(), 0, None, None);
        let (mut goes_on, mut timed_out) = (false, false);
        while let Some(row) = rows.next()? {
            let is_wanted = has(row, &wanted)?;
            goes_on = timed_out || is_wanted && found.len() == PAGE;
            if goes_on {
                break;
            }
            last = Some(Position { key: row.get(0)?, id: 0 });
            first = first.or(last);
            if is_wanted {
                found.push(summary(row)?);
            }
            scanned += 1;
            timed_out = scanned % STRIDE == 0 && start.elapsed() > TIME;
        }
        Ok(Found {
            page: page(cursor, found, first, last, goes_on),
            scanned: (timed_out && goes_on).then_some(scanned),
        })
    }

    pub fn event(&self, id: &str) -> Result<Option<StoredEvent>, Error> {
        self.one(&format!("{EVENT} WHERE events.id = ?1"), [id], event)
    }

    pub fn event_by_seq(&self, seq: i64) -> Result<Option<StoredEvent>, Error> {
        self.one(&format!("{EVENT} WHERE seq = ?1"), [seq], event)
    }

    /// The events of the same issue around this one, in the order of arrival.
    pub fn neighbours(&self, event: &StoredEvent) -> Result<Neighbours, Error> {
        let place = [event.issue_id, event.summary.seq];
        let next = |side: &str, order: &str| {
            let sql = format!("{SUMMARY} WHERE issue_id = ?1 AND seq {side} ?2 ORDER BY seq {order} LIMIT 1");
            self.one(&sql, place, summary)
        };
        let count = |side: &str| {
            let events = format!("SELECT 1 FROM events WHERE issue_id = ?1 AND seq {side} ?2 LIMIT {MAX_COUNTED}");
            let count: Option<i64> = self.one(&format!("SELECT count(*) FROM ({events})"), place, |row| row.get(0))?;
            Ok::<_, Error>(count.filter(|count| *count < MAX_COUNTED))
        };
        Ok(Neighbours {
            first: next("<", "ASC")?,
            older: next("<", "DESC")?,
            newer: next(">", "ASC")?,
            last: next(">", "DESC")?,
            before: count("<")?,
            after: count(">")?,
        })
    }
}

/// Returns true if an event has all of these values, by kind.
fn has(row: &Row, wanted: &[(String, &str)]) -> rusqlite::Result<bool> {
    let text = |column: usize| -> rusqlite::Result<Option<&str>> { Ok(row.get_ref(column)?.as_str_or_null()?) };
    let mut others = None;
    for (kind, value) in wanted {
        let is_there = match KINDS.iter().position(|field| field == kind) {
            Some(0) => text(7)? == Some(value),
            Some(1) => text(9)? == Some(value),
            Some(_) => text(8)? == Some(value),
            None => {
                if others.is_none() {
                    let sent = |column: usize| text(column).map(|text| text.map(str::to_string));
                    let tags = text(10)?.and_then(tags::parse).unwrap_or_default();
                    let (user, contexts, request, more) = (sent(11)?, sent(12)?, sent(13)?, sent(14)?);
                    others = Some(labels(&Event { tags, user, contexts, request, more, ..Event::default() }));
                }
                others.iter().flatten().any(|(other, label)| other == kind && label == value)
            }
        };
        if !is_there {
            return Ok(false);
        }
    }
    Ok(true)
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
