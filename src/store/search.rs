//! Looking for issues: among few of them where an index tells which, or else along the order of the list, for as long as a
//! reader would wait.
use super::Error;
use super::narrow::{kind, narrow};
use super::read::{ISSUE, PAGE, Reader, issue, page};
use crate::domain::{Cursor, Found, Issue, IssueState, Page, Position};
use crate::query::{Field, Is, Query, Sort, Term};
use crate::time::Time;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::time::{Duration, Instant};

/// How long a list is scanned through, and after how many issues the clock is looked at.
const TIME: Duration = Duration::from_millis(50);
const STRIDE: usize = 64;
const DAY: i64 = 24 * 3600 * 1000; // ms

impl Reader<'_> {
    /// The issues that a query asks for, a page of them.
    pub fn issues(&self, query: &Query, sort: Sort, cursor: Cursor, now: Time) -> Result<Found, Error> {
        let states = query.states();
        if states.is_empty() {
            return Ok(Found { page: Page { rows: Vec::new(), newer: None, older: None }, scanned: None });
        }
        let search = Search { conditions: conditions(query, now), few: narrow(self.0, query)?, sort, cursor };
        let walk = search.walk(self.0, &states)?;
        let issues = self.issues_of(&walk.found)?;
        // Someone else may have removed an issue's newest event. Then it is not shown, but hides none behind it.
        let unseen = issues.len() < walk.found.len() && walk.found.len() > PAGE;
        let mut page = page(cursor, issues, |issue| place(sort, issue));
        if page.rows.is_empty() {
            // The way back begins before the first issue that was looked at.
            match cursor {
                Cursor::After(_) => page.newer = walk.first,
                Cursor::Before(_) => page.older = walk.first,
                Cursor::Newest => {}
            }
        }
        if walk.scanned.is_some() || unseen {
            match cursor {
                Cursor::Before(_) => page.newer = walk.last,
                _ => page.older = walk.last,
            }
        }
        Ok(Found { page, scanned: walk.scanned })
    }
}

impl Reader<'_> {
    /// In that order.
    fn issues_of(&self, ids: &[i64]) -> Result<Vec<Issue>, Error> {
        let sql = format!("{ISSUE} WHERE issues.id IN ({})", vec!["?"; ids.len()].join(", "));
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(ids), issue)?;
        let mut issues = rows.collect::<Result<Vec<_>, _>>()?;
        issues.sort_by_key(|issue| ids.iter().position(|id| *id == issue.id));
        Ok(issues)
    }
}

fn place(sort: Sort, issue: &Issue) -> Position {
    match sort {
        Sort::LastSeen => Position { key: issue.last_seq, id: 0 },
        Sort::FirstSeen => Position { key: issue.id, id: 0 },
        Sort::Count => Position { key: issue.count, id: issue.id },
    }
}

/// A part of SQL with its values.
type Part = (String, Vec<Value>);

struct Search {
    /// What must hold of each.
    conditions: Part,
    /// Few issues among which all are, where that is known: their ids as a JSON array.
    few: Option<String>,
    sort: Sort,
    cursor: Cursor,
}

/// What was found on the way, how far it went, and how many were looked at if time ran out.
#[derive(Default)]
struct Walk {
    found: Vec<i64>,
    first: Option<Position>,
    last: Option<Position>,
    scanned: Option<usize>,
}

impl Search {
    fn walk(&self, connection: &Connection, states: &[IssueState]) -> Result<Walk, Error> {
        let (sql, values) = self.sql(states);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let begin = Instant::now();
        let mut walk = Walk::default();
        let mut scanned = 0;
        while let Some(row) = rows.next()? {
            let (key, id) = (row.get(0)?, row.get(1)?);
            walk.last = Some(Position { key, id: if self.sort == Sort::Count { id } else { 0 } });
            walk.first = walk.first.or(walk.last);
            if row.get(2)? {
                walk.found.push(id);
            }
            scanned += 1;
            if walk.found.len() > PAGE {
                break;
            }
            // Few issues were all looked at to sort them, before the first of them came.
            if self.few.is_none() && scanned % STRIDE == 0 && begin.elapsed() > TIME {
                walk.scanned = Some(scanned);
                break;
            }
        }
        Ok(walk)
    }

    /// In the order of the list: key, id, and whether all conditions hold.
    fn sql(&self, states: &[IssueState]) -> Part {
        let (side, order, from) = match self.cursor {
            Cursor::Newest => ("<=", "DESC", Position { key: i64::MAX, id: i64::MAX }),
            Cursor::After(place) => ("<", "DESC", place),
            Cursor::Before(place) => (">", "ASC", place),
        };
        let (key, index, place) = match self.sort {
            Sort::LastSeen => ("last_seq", "issues_by_activity", format!("last_seq {side} ?")),
            Sort::FirstSeen => ("issues.id", "issues_by_age", format!("issues.id {side} ?")),
            Sort::Count => ("count", "issues_by_count", format!("(count, issues.id) {side} (?, ?)")),
        };
        let (conditions, condition_values) = &self.conditions;
        let issues = match &self.few {
            Some(_) => "json_each(?) AS few CROSS JOIN issues ON issues.id = few.value".to_string(),
            None => format!("issues INDEXED BY {index}"),
        };
        let events = match conditions.contains("events.") {
            true => "CROSS JOIN events ON events.seq = issues.last_seq",
            false => "",
        };
        // An index has the order within each state; few issues are sorted together.
        let each = if self.few.is_some() { states.len() } else { 1 };
        let mut values = Vec::new();
        let arms: Vec<String> = states
            .chunks(each)
            .map(|states| {
                values.extend(condition_values.iter().cloned());
                values.extend(self.few.iter().map(|few| Value::from(few.clone())));
                values.extend(states.iter().map(|state| Value::from(state.as_str().to_string())));
                values.push(from.key.into());
                values.extend((self.sort == Sort::Count).then_some(Value::from(from.id)));
                let states = vec!["?"; states.len()].join(", ");
                format!(
                    "SELECT {key} AS key, issues.id AS id, {conditions} FROM {issues} {events}
                     WHERE state IN ({states}) AND {place}"
                )
            })
            .collect();
        (format!("{} ORDER BY key {order}, id {order}", arms.join(" UNION ALL ")), values)
    }
}

/// All that a query says except the states, as one expression.
fn conditions(query: &Query, now: Time) -> Part {
    let mut values = Vec::new();
    let conditions = query.0.iter().filter_map(|term| {
        let (sql, value) = match term {
            Term::Is(Is::State(_) | Is::Any) => return None,
            Term::Is(Is::New) => ("first_seen > ?", Time::from_millis(now.millis() - DAY)?.to_string()),
            Term::Is(Is::Reopened) => ("reopened_at IS NOT NULL AND ? = ''", String::new()),
            Term::Field(Field::Level, value) => ("events.level = ?", value.clone()),
            Term::Field(Field::Platform, value) => ("events.platform = ?", value.clone()),
            Term::Field(Field::Type, value) => ("events.type = ?", value.clone()),
            Term::Field(Field::Project, value) => ("project = ?", value.clone()),
            Term::Field(field, value) => {
                let kind = kind(*field)?;
                let had = format!(
                    "(SELECT 1 FROM issue_values WHERE issue_id = issues.id AND kind = '{kind}' AND value = ?)"
                );
                values.push(value.clone().into());
                return Some(format!("EXISTS {had}"));
            }
            Term::Text(text) => {
                ("instr(lower(title || char(10) || ifnull(culprit, '')), ?) > 0", text.to_ascii_lowercase())
            }
        };
        values.push(value.into());
        Some(sql.to_string())
    });
    let conditions: Vec<String> = conditions.collect();
    (if conditions.is_empty() { "1".into() } else { format!("ifnull({}, 0)", conditions.join(" AND ")) }, values)
}
