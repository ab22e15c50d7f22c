//! The stored counts: events by hour, by environment, release and server, and issues by state.
use super::pool::Reader;
use crate::domain::{Choices, Facet, Hour, IssueState};
use crate::store::error::Error;
use rusqlite::types::Value;
use rusqlite::{ToSql, params, params_from_iter};
use std::collections::{BTreeMap, HashMap};

/// Values of a facet that are listed.
const VALUES: usize = 10;
/// Environments and releases that the list offers.
const CHOICES: i64 = 6;

impl Reader<'_> {
    /// Events of a project, or of all, in each of the `count` hours up to `last`, which is in whole hours since 1970.
    pub fn hours(&self, project: Option<&str>, last: i64, count: usize) -> Result<Vec<Hour>, Error> {
        let sql = "SELECT hour, events, errors FROM project_hours
                   WHERE project = ifnull(?1, project) AND hour BETWEEN ?2 AND ?3";
        self.sums(sql, &[project], last, count)
    }

    /// The same for several issues together.
    pub fn hours_of_all(&self, ids: &[i64], last: i64, count: usize) -> Result<Vec<Hour>, Error> {
        let sql = "SELECT hour, events, errors FROM issue_hours WHERE issue_id = ?1 AND hour BETWEEN ?2 AND ?3";
        self.sums(sql, ids, last, count)
    }

    /// Adds up the hours of each owner, which is the first parameter of the query.
    fn sums(&self, sql: &str, owners: &[impl ToSql], last: i64, count: usize) -> Result<Vec<Hour>, Error> {
        let first = last + 1 - count as i64;
        let mut statement = self.0.prepare_cached(sql)?;
        let mut sums = vec![Hour::default(); count];
        for owner in owners {
            let mut rows = statement.query(params![owner, first, last])?;
            while let Some(row) = rows.next()? {
                let sum = &mut sums[(row.get::<_, i64>(0)? - first) as usize];
                (sum.events, sum.errors) = (sum.events + row.get::<_, i64>(1)?, sum.errors + row.get::<_, i64>(2)?);
            }
        }
        Ok(sums)
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

    /// The number of issues of a project, or of all, in each state.
    pub fn states(&self, project: Option<&str>) -> Result<Vec<(IssueState, i64)>, Error> {
        let mut one = self.0.prepare_cached(
            "SELECT ifnull(sum(issues), 0) FROM states WHERE state = ?1 AND project = ifnull(?2, project)",
        )?;
        let count = |state: IssueState| Ok((state, one.query_row((state.as_str(), project), |row| row.get(0))?));
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

    /// The environments of the most issues.
    pub fn environments(&self) -> Result<Choices, Error> {
        self.choices("environment", "issues DESC, value")
    }

    /// The releases that arrived last.
    pub fn releases(&self) -> Result<Choices, Error> {
        self.choices("release", "first_seq DESC, value")
    }

    fn choices(&self, kind: &str, order: &str) -> Result<Choices, Error> {
        let sql = format!("SELECT value FROM filter_values WHERE kind = ?1 ORDER BY {order} LIMIT ?2");
        let mut statement = self.0.prepare_cached(&sql)?;
        let values = statement.query_map((kind, CHOICES), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let all = self.one("SELECT count(*) FROM filter_values WHERE kind = ?1", [kind], |row| row.get::<_, i64>(0))?;
        Ok(Choices { more: all.unwrap_or_default() - values.len() as i64, values })
    }
}
