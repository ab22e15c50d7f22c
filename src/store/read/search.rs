//! Search: scans the issue list along its order for as long as a reader would wait. A filter that few issues match is
//! looked up in an index first.
use super::page::{PAGE, page, side};
use super::pool::Reader;
use crate::domain::{Cursor, Found, Issue, IssueState, Matches, Page, Position};
use crate::query::{Field, Is, Query, Sort, Term};
use crate::store::error::Error;
use crate::store::labels::tag_kind;
use crate::text::fold;
use crate::time::Time;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::time::{Duration, Instant};

/// How long a search scans. The answer as a whole then takes less than 200 ms.
pub(super) const TIME: Duration = Duration::from_millis(150);
/// Issues that are collected for what concerns all matches.
pub const MAX_MATCHES: usize = 1000;
/// Hours of `sort=day`, the current one included.
const DAY_HOURS: i64 = 24;
/// Issues between two looks at the clock.
pub(super) const STRIDE: usize = 64;
/// Candidates from an index are sorted, so there must be no more than this many.
const MAX_CANDIDATES: i64 = 10_000;
const DAY: i64 = 24 * 3600 * 1000; // ms

impl Reader<'_> {
    /// A page of the issues that match a query.
    pub fn issues(&self, query: &Query, sort: Sort, cursor: Cursor, now: Time) -> Result<Found<Issue>, Error> {
        let states = query.states();
        if states.is_empty() {
            return Ok(Found { page: Page { rows: Vec::new(), newer: None, older: None }, scanned: None });
        }
        let mut scan = Search::new(self.0, query, sort, cursor, now)?.scan(self.0, &states, PAGE, TIME)?;
        if sort == Sort::Day {
            scan.sort(cursor);
        }
        let Scan { found, first, last, scanned, goes_on, timed_out } = scan;
        let issues = found.iter().filter_map(|(_, id)| self.issue(*id).transpose()).collect::<Result<_, _>>()?;
        let page = page(cursor, issues, first, last, goes_on);
        Ok(Found { page, scanned: timed_out.then_some(scanned) })
    }

    /// All issues that match a query, if they are few and found in time.
    pub fn matches(&self, query: &Query, time: Duration, now: Time) -> Result<Matches, Error> {
        let states = query.states();
        if states.is_empty() {
            return Ok(Matches { ids: Vec::new(), is_complete: true });
        }
        let search = Search::new(self.0, query, Sort::LastSeen, Cursor::Newest, now)?;
        let scan = search.scan(self.0, &states, MAX_MATCHES, time)?;
        Ok(Matches { ids: scan.found.into_iter().map(|(_, id)| id).collect(), is_complete: !scan.goes_on })
    }
}

/// A piece of SQL with its values.
type Sql = (String, Vec<Value>);

struct Search {
    /// An expression that is above 0 for the issues to be found; for [`Sort::Day`], their events of the day.
    conditions: Sql,
    /// A subquery for the ids of few issues that include every match, if an index supplies one.
    candidates: Option<Sql>,
    sort: Sort,
    cursor: Cursor,
}

/// The ids of the issues found, and the part of the list that was scanned.
#[derive(Default)]
struct Scan {
    /// The value of the conditions, and the id.
    found: Vec<(i64, i64)>,
    first: Option<Position>,
    last: Option<Position>,
    scanned: usize,
    /// There may be more behind `last`.
    goes_on: bool,
    timed_out: bool,
}

impl Scan {
    /// Orders what was found by its events of the day, and leaves the rows of a page.
    fn sort(&mut self, cursor: Cursor) {
        self.found.sort_unstable_by(|a, b| b.cmp(a));
        match cursor {
            Cursor::Newest => {}
            Cursor::After(Position { key, id }) => self.found.retain(|found| *found < (key, id)),
            Cursor::Before(Position { key, id }) => {
                self.found.retain(|found| *found > (key, id));
                self.found.reverse();
            }
        }
        self.goes_on = self.found.len() > PAGE;
        self.found.truncate(PAGE);
        let position = |(key, id): &(i64, i64)| Position { key: *key, id: *id };
        (self.first, self.last) = (self.found.first().map(position), self.found.last().map(position));
    }
}

impl Search {
    fn new(connection: &Connection, query: &Query, sort: Sort, cursor: Cursor, now: Time) -> Result<Search, Error> {
        let (query, candidates) = resolve(connection, query)?;
        Ok(Search { conditions: conditions(&query, sort, now), candidates, sort, cursor })
    }

    /// Ends when `limit` are found or time is up. What [`Sort::Day`] orders is found first, all of it.
    fn scan(
        &self,
        connection: &Connection,
        states: &[IssueState],
        limit: usize,
        time: Duration,
    ) -> Result<Scan, Error> {
        let start = Instant::now();
        let (sql, values) = self.sql(states);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut scan = Scan::default();
        while let Some(row) = rows.next()? {
            let (key, id, value) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if value > 0 && scan.found.len() == limit && self.sort != Sort::Day {
                scan.goes_on = true;
                break;
            }
            scan.found.extend((value > 0).then_some((value, id)));
            scan.last = Some(Position { key, id: if self.sort == Sort::Count { id } else { 0 } });
            scan.first = scan.first.or(scan.last);
            scan.scanned += 1;
            if scan.scanned % STRIDE == 0 && start.elapsed() > time {
                (scan.goes_on, scan.timed_out) = (true, true);
                break;
            }
        }
        Ok(scan)
    }

    /// Selects key, id, and whether the conditions hold, in the order of the list and no faster than rows are read.
    fn sql(&self, states: &[IssueState]) -> Sql {
        let (side, from, order) = side(if self.sort == Sort::Day { Cursor::Newest } else { self.cursor });
        let (key, index, after) = match self.sort {
            Sort::LastSeen | Sort::Day => ("last_seq", "issues_by_activity", format!("last_seq {side} ?")),
            Sort::FirstSeen => ("issues.id", "issues_by_age", format!("issues.id {side} ?")),
            Sort::Count => ("count", "issues_by_count", format!("(count, issues.id) {side} (?, ?)")),
        };
        let (conditions, mut values) = self.conditions.clone();
        let issues = match &self.candidates {
            Some((ids, _)) => format!("({ids}) AS candidates CROSS JOIN issues ON issues.id = candidates.id"),
            None => format!("issues INDEXED BY {index}"),
        };
        // Each index is ordered within a state, so the states are scanned in parallel and merged.
        let arms = states.iter().map(|state| {
            values.extend(self.candidates.iter().flat_map(|(_, values)| values.iter().cloned()));
            values.extend([state.as_str().to_string().into(), from.key.into()]);
            values.extend((self.sort == Sort::Count).then_some(Value::from(from.id)));
            format!("SELECT {key} AS key, issues.id AS id FROM {issues} WHERE state = ? AND {after}")
        });
        let list = format!("{} ORDER BY key {order}, id {order}", arms.collect::<Vec<_>>().join(" UNION ALL "));
        // The newest event is read only if a condition is about it.
        let events = match conditions.contains("events.") {
            true => "CROSS JOIN events ON events.seq = issues.last_seq",
            false => "",
        };
        // LIMIT keeps SQLite from evaluating the conditions before it sorts the list.
        let sql = format!(
            "SELECT list.key, list.id, {conditions} FROM ({list} LIMIT -1) AS list
             CROSS JOIN issues ON issues.id = list.id {events}"
        );
        (sql, values)
    }
}

/// Everything in a query except the states, as one expression.
fn conditions(query: &Query, sort: Sort, now: Time) -> Sql {
    let mut values = Vec::new();
    let first_hour = now.hour() + 1 - DAY_HOURS;
    let is_active = (sort == Sort::Day).then(|| {
        values.push(Time::from_millis(first_hour * 3_600_000).unwrap_or(Time::EPOCH).to_string().into());
        "last_seen >= ?"
    });
    let conditions = query.0.iter().filter_map(|term| {
        let (sql, value) = match term {
            Term::Is(Is::State(_) | Is::Any) => return None,
            Term::Is(Is::Reopened) => return Some("reopened_at IS NOT NULL"),
            Term::Is(Is::Unhandled) => return Some("events.unhandled"),
            Term::Is(Is::New) => ("first_seen > ?", Time::from_millis(now.millis() - DAY)?.to_string()),
            Term::Field(Field::Level, value) => ("events.level = ?", value.clone()),
            Term::Field(Field::Platform, value) => ("events.platform = ?", value.clone()),
            Term::Field(Field::Type, value) => ("events.type = ?", value.clone()),
            Term::Field(Field::Project, value) => ("project = ?", value.clone()),
            Term::Field(Field::Environment | Field::Release | Field::Server | Field::User, value)
            | Term::Tag(_, value) => {
                values.push(counted(term)?.0.into());
                (EVER, value.clone())
            }
            Term::Text(text) => ("contains(?, title, culprit, events.type, events.message)", fold(text)),
        };
        values.push(value.into());
        Some(sql)
    });
    let conditions: Vec<&str> = is_active.into_iter().chain(conditions).collect();
    let value = match sort {
        Sort::Day => {
            values.push(first_hour.into());
            "(SELECT ifnull(sum(events), 0) FROM issue_hours WHERE issue_id = issues.id AND hour >= ?)"
        }
        _ => "1",
    };
    // `iif` stops at the first condition that does not hold.
    let conditions = if conditions.is_empty() { "1".into() } else { conditions.join(" AND ") };
    (format!("iif({conditions}, {value}, 0)"), values)
}

/// True if an issue ever had an event with this value.
const EVER: &str = "EXISTS (SELECT 1 FROM issue_values WHERE issue_id = issues.id AND kind = ? AND value = ?)";

/// Kind and value of a term whose values are counted per issue, and which so matches any event ever received.
pub(super) fn counted(term: &Term) -> Option<(String, &str)> {
    let (kind, value) = match term {
        Term::Field(Field::Environment, value) => ("environment".into(), value),
        Term::Field(Field::Release, value) => ("release".into(), value),
        Term::Field(Field::Server, value) => ("server_name".into(), value),
        Term::Field(Field::User, value) => ("user".into(), value),
        Term::Tag(name, value) => (tag_kind(name), value),
        _ => return None,
    };
    Some((kind, value))
}

/// The query, in which a tag that no issue has, such as `http://x`, is text; and candidates from an index, certain to
/// contain every match: the issues that had the value of the first filter which few issues had.
fn resolve(connection: &Connection, query: &Query) -> Result<(Query, Option<Sql>), Error> {
    let ids = "SELECT issue_id AS id FROM issue_values INDEXED BY issue_values_by_value WHERE kind = ? AND value = ?";
    let mut count = connection.prepare_cached(&format!("SELECT count(*) FROM ({ids} LIMIT ?)"))?;
    let (mut terms, mut candidates) = (Vec::new(), None);
    for term in &query.0 {
        let mut term = term.clone();
        if let Some((kind, value)) = counted(&term) {
            let issues: i64 = count.query_row((&kind, value, MAX_CANDIDATES + 1), |row| row.get(0))?;
            match &term {
                Term::Tag(name, value) if issues == 0 => term = Term::Text(format!("{name}:{value}")),
                _ if issues > MAX_CANDIDATES || candidates.is_some() => {}
                _ => candidates = Some((ids.to_string(), vec![kind.into(), value.to_string().into()])),
            }
        }
        terms.push(term);
    }
    Ok((Query(terms), candidates))
}
