//! Numbers that are kept rather than counted: events by the hour, by environment, release and server, issues by state.
use super::Error;
use super::read::Reader;
use crate::domain::{Facet, HistoryEntry, Hour, IssueState};
use crate::time::Time;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};
use std::collections::HashMap;

/// Values of a facet that are told apart.
const VALUES: i64 = 10;
/// Values of a field that all issues together have, as far as they are listed.
const CHOICES: usize = 10;
/// The newest of what became of an issue.
const HAPPENINGS: i64 = 10;

impl Reader<'_> {
    /// Events in each of `count` hours up to and with `last`, in whole hours since 1970.
    pub fn hours(&self, last: i64, count: usize) -> Result<Vec<Hour>, Error> {
        let first = last + 1 - count as i64;
        let mut hours = vec![Hour::default(); count];
        let mut rows = self.0.prepare_cached("SELECT hour, events, errors FROM hours WHERE hour BETWEEN ?1 AND ?2")?;
        let mut rows = rows.query([first, last])?;
        while let Some(row) = rows.next()? {
            hours[(row.get::<_, i64>(0)? - first) as usize] = Hour { events: row.get(1)?, errors: row.get(2)? };
        }
        Ok(hours)
    }

    /// The same of each of some issues. Those without events then are left out.
    pub fn issue_hours(&self, ids: &[i64], last: i64, count: usize) -> Result<HashMap<i64, Vec<i64>>, Error> {
        let first = last + 1 - count as i64;
        let mut hours = HashMap::new();
        let places = vec!["?"; ids.len()].join(", ");
        let sql = format!(
            "SELECT issue_id, hour, events FROM issue_hours WHERE issue_id IN ({places}) AND hour BETWEEN ? AND ?"
        );
        let mut rows = self.0.prepare_cached(&sql)?;
        let values = ids.iter().copied().chain([first, last]).map(Value::from);
        let mut rows = rows.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let of_issue: &mut Vec<i64> = hours.entry(row.get(0)?).or_insert_with(|| vec![0; count]);
            of_issue[(row.get::<_, i64>(1)? - first) as usize] = row.get(2)?;
        }
        Ok(hours)
    }

    /// The same of one issue.
    pub fn hours_of(&self, id: i64, last: i64, count: usize) -> Result<Vec<i64>, Error> {
        let hours = self.issue_hours(&[id], last, count)?.remove(&id);
        Ok(hours.unwrap_or_else(|| vec![0; count]))
    }

    /// How many issues are in each state.
    pub fn states(&self) -> Result<Vec<(IssueState, i64)>, Error> {
        let mut one = self.0.prepare_cached("SELECT issues FROM states WHERE state = ?1")?;
        let count = |state: IssueState| Ok((state, one.query_row([state.as_str()], |row| row.get(0))?));
        IssueState::ALL.into_iter().map(count).collect()
    }

    /// An issue's events by environment, release and server.
    pub fn facets(&self, issue: i64) -> Result<Vec<Facet>, Error> {
        let mut largest = self.0.prepare_cached(
            "SELECT value, events FROM issue_values WHERE issue_id = ?1 AND kind = ?2 AND value <> ''
             ORDER BY events DESC, value LIMIT ?3",
        )?;
        let mut all = self
            .0
            .prepare_cached("SELECT ifnull(sum(events), 0) FROM issue_values WHERE issue_id = ?1 AND kind = ?2")?;
        let facet = |kind: &'static str| {
            let rows = largest.query_map((issue, kind, VALUES), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let values: Vec<(String, i64)> = rows.collect::<Result<_, _>>()?;
            let all: i64 = all.query_row((issue, kind), |row| row.get(0))?;
            let told: i64 = values.iter().map(|(_, events)| events).sum();
            Ok(Facet { kind, values, other: all - told })
        };
        ["environment", "release", "server_name"].into_iter().map(facet).collect()
    }

    /// The environments that events ever came from, in their order, as far as they are listed.
    pub fn environments(&self) -> Result<Vec<String>, Error> {
        let mut next = self.0.prepare_cached(
            "SELECT value FROM issue_values INDEXED BY issue_values_by_value
             WHERE kind = 'environment' AND value > ?1 ORDER BY value LIMIT 1",
        )?;
        let mut found: Vec<String> = Vec::new();
        while found.len() < CHOICES {
            let last = found.last().map_or("", String::as_str);
            let Some(value) = next.query_row([last], |row| row.get(0)).optional()? else { break };
            found.push(value);
        }
        Ok(found)
    }

    /// What became of an issue since it was made, the newest first.
    pub fn history(&self, issue: i64) -> Result<Vec<HistoryEntry>, Error> {
        let mut rows = self.0.prepare_cached(
            "SELECT at, what, other_id FROM issue_history WHERE issue_id = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = rows.query_map([issue, HAPPENINGS], |row| {
            let at = Time::parse(row.get_ref(0)?.as_str()?).unwrap_or(Time::EPOCH);
            Ok(HistoryEntry { at, what: row.get(1)?, other: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Where an issue that was merged has gone.
    pub fn merged_into(&self, id: i64) -> Result<Option<i64>, Error> {
        let mut find = self.0.prepare_cached("SELECT into_id FROM merged WHERE id = ?1")?;
        Ok(find.query_row([id], |row| row.get(0)).optional()?)
    }
}
