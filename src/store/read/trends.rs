//! The stored counts: events by hour, by environment, release and server, and issues by state.
use super::pool::Reader;
use crate::domain::{Facet, Hour, IssueState};
use crate::store::counts::ALL_ISSUES;
use crate::store::error::Error;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};
use std::collections::{BTreeMap, HashMap};

/// Values of a facet that are listed.
const VALUES: usize = 10;
/// Environments that are offered as filters.
const ENVIRONMENTS: usize = 10;

impl Reader<'_> {
    /// Events of all issues in each of the `count` hours up to `last`, which is in whole hours since 1970.
    pub fn hours(&self, last: i64, count: usize) -> Result<Vec<Hour>, Error> {
        self.hours_of(ALL_ISSUES, last, count)
    }

    pub fn hours_of(&self, issue: i64, last: i64, count: usize) -> Result<Vec<Hour>, Error> {
        let hours = self.issue_hours(&[issue], last, count)?.remove(&issue);
        Ok(hours.unwrap_or_else(|| vec![Hour::default(); count]))
    }

    /// The same for several issues. An issue without events in these hours is left out.
    pub fn issue_hours(&self, ids: &[i64], last: i64, count: usize) -> Result<HashMap<i64, Vec<Hour>>, Error> {
        let first = last + 1 - count as i64;
        let placeholders = vec!["?"; ids.len()].join(", ");
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT issue_id, hour, events, errors FROM issue_hours
             WHERE issue_id IN ({placeholders}) AND hour BETWEEN ? AND ?"
        ))?;
        let mut rows = statement.query(params_from_iter(ids.iter().copied().chain([first, last]).map(Value::from)))?;
        let mut hours = HashMap::new();
        while let Some(row) = rows.next()? {
            let issue: &mut Vec<Hour> = hours.entry(row.get(0)?).or_insert_with(|| vec![Hour::default(); count]);
            issue[(row.get::<_, i64>(1)? - first) as usize] = Hour { events: row.get(2)?, errors: row.get(3)? };
        }
        Ok(hours)
    }

    /// The number of issues in each state.
    pub fn states(&self) -> Result<Vec<(IssueState, i64)>, Error> {
        let mut one = self.0.prepare_cached("SELECT issues FROM states WHERE state = ?1")?;
        let count = |state: IssueState| Ok((state, one.query_row([state.as_str()], |row| row.get(0))?));
        IssueState::ALL.into_iter().map(count).collect()
    }

    /// An issue's events by environment, release and server, and by each of its tags, in this order.
    pub fn facets(&self, issue: i64) -> Result<Vec<Facet>, Error> {
        let mut values = self.0.prepare_cached(
            "SELECT kind, value, events FROM issue_values WHERE issue_id = ?1 AND kind <> 'user'
             ORDER BY events DESC, value",
        )?;
        let mut rows = values.query([issue])?;
        let mut facets = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (value, events): (String, i64) = (row.get(1)?, row.get(2)?);
            let new = |kind: &String| Facet { kind: kind.clone(), values: Vec::new(), other: 0 };
            let facet = facets.entry(row.get(0)?).or_insert_with_key(new);
            match value.is_empty() || facet.values.len() == VALUES {
                true => facet.other += events,
                false => facet.values.push((value, events)),
            }
        }
        Ok(facets.into_values().collect())
    }

    /// The first environments in alphabetical order.
    pub fn environments(&self) -> Result<Vec<String>, Error> {
        // One look at the index per environment. DISTINCT would read every issue that has one.
        let mut next = self.0.prepare_cached(
            "SELECT value FROM issue_values INDEXED BY issue_values_by_value
             WHERE kind = 'environment' AND value > ?1 ORDER BY value LIMIT 1",
        )?;
        let mut found: Vec<String> = Vec::new();
        while found.len() < ENVIRONMENTS {
            let last = found.last().map_or("", String::as_str);
            let Some(value) = next.query_row([last], |row| row.get(0)).optional()? else { break };
            found.push(value);
        }
        Ok(found)
    }
}
