//! One commit of many events. Each is inserted whole or not at all, and their counts are written once at the end.
use super::incoming::{Added, NewEvent};
use crate::grouping;
use crate::log;
use crate::store::alerts::{AlertKind, AlertPolicy};
use crate::store::change::state;
use crate::store::counts::{self, Tally};
use crate::store::error::Error;
use crate::store::transaction::durable;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Stores the events and returns the outcome of each. An error means that none was stored.
pub fn commit(
    connection: &mut Connection,
    events: &[NewEvent],
    policy: AlertPolicy,
) -> Result<Vec<Result<Added, Error>>, Error> {
    durable(connection, |transaction| {
        let mut commit =
            Commit { now: Time::now(), issues: HashMap::new(), tallies: BTreeMap::new(), reopened: HashSet::new() };
        let outcomes = events.iter().map(|new| commit.store(transaction, new, policy)).collect::<Result<_, _>>()?;
        commit.count(transaction, policy)?;
        Ok(outcomes)
    })
}

/// A commit in progress.
struct Commit<'a> {
    now: Time,
    /// The issues met so far, by project and grouping hash. A flood consists of few.
    issues: HashMap<(&'a str, [u8; 16]), Home>,
    tallies: BTreeMap<i64, Tally<'a>>,
    reopened: HashSet<i64>,
}

/// The issue that an event belongs to.
#[derive(Clone, Copy)]
struct Home {
    issue: i64,
    is_resolved: bool,
}

impl<'a> Commit<'a> {
    /// An event that cannot be inserted fails alone.
    fn store(
        &mut self,
        transaction: &mut Transaction,
        new: &'a NewEvent,
        policy: AlertPolicy,
    ) -> Result<Result<Added, Error>, Error> {
        match self.insert(transaction, new, policy).map_err(Error::from) {
            Err(error @ Error::Row(_)) => {
                log::line(&format!("event {}: {error}", new.id));
                Ok(Err(error))
            }
            outcome => outcome.map(Ok),
        }
    }

    fn insert(
        &mut self,
        transaction: &mut Transaction,
        new: &'a NewEvent,
        policy: AlertPolicy,
    ) -> rusqlite::Result<Added> {
        let key = (new.project.as_str(), new.grouping.hash);
        let received_at = new.received_at.unwrap_or(self.now);
        let known = match self.issues.get(&key) {
            Some(home) => Some(*home),
            None => find_issue(transaction, new)?,
        };
        let (home, seq) = match known {
            Some(home) => (home, insert_event(transaction, new, home.issue, received_at)?),
            None => create_issue(transaction, new, received_at, policy)?,
        };
        let Some(seq) = seq else { return Ok(Added::Duplicate) };
        self.issues.insert(key, home);
        if home.is_resolved {
            self.reopened.insert(home.issue);
        }
        let tally = self.tallies.entry(home.issue).or_default();
        tally.last = Some((seq, received_at));
        let event = &new.event;
        let values = [&event.environment, &event.release, &event.server_name];
        tally.add(received_at, event.level, event.suppressed, values);
        Ok(Added::New)
    }

    fn count(&self, transaction: &Transaction, policy: AlertPolicy) -> Result<(), Error> {
        counts::add(transaction, &self.tallies)?;
        for (issue, tally) in &self.tallies {
            let Some((seq, last_seen)) = tally.last else { continue };
            for (hour, count) in &tally.hours {
                policy.note_rate(transaction, *issue, *hour, count.events, seq)?;
            }
            if self.reopened.contains(issue) {
                state::reopen(transaction, *issue, &last_seen.to_string())?;
                policy.note(transaction, AlertKind::Reopened, *issue, seq)?;
            }
        }
        Ok(())
    }
}

fn find_issue(connection: &Connection, new: &NewEvent) -> rusqlite::Result<Option<Home>> {
    let mut find = connection.prepare_cached(
        "SELECT id, state = 'resolved' FROM issue_keys CROSS JOIN issues ON issues.id = issue_id
         WHERE issue_keys.project = ?1 AND version = ?2 AND hash = ?3",
    )?;
    let home = |row: &rusqlite::Row| Ok(Home { issue: row.get(0)?, is_resolved: row.get(1)? });
    find.query_row(params![new.project, grouping::VERSION, new.grouping.hash], home).optional()
}

/// Creates an issue together with its first event. If the event's id is already stored, neither is created.
fn create_issue(
    transaction: &mut Transaction,
    new: &NewEvent,
    received_at: Time,
    policy: AlertPolicy,
) -> rusqlite::Result<(Home, Option<i64>)> {
    let savepoint = transaction.savepoint()?; // rolled back when dropped
    let grouping = &new.grouping;
    let mut issue = savepoint.prepare_cached(
        "INSERT INTO issues (project, title, culprit, grouped_by, count, stored, first_seen, first_release, last_seen, last_seq)
         VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?5, 0)", // the counts come with the rest of the batch
    )?;
    let id = issue.insert(params![
        new.project,
        grouping.title,
        grouping.culprit,
        grouping.grouped_by,
        received_at.to_string(),
        new.event.release
    ])?;
    drop(issue);
    let home = Home { issue: id, is_resolved: false };
    let Some(seq) = insert_event(&savepoint, new, id, received_at)? else { return Ok((home, None)) };
    savepoint
        .prepare_cached("INSERT INTO issue_keys (project, version, hash, issue_id) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![new.project, grouping::VERSION, grouping.hash, id])?;
    policy.note(&savepoint, AlertKind::New, id, seq)?;
    savepoint.commit()?;
    Ok((home, Some(seq)))
}

/// Returns the event's place in the order of arrival, or `None` if its id is already stored.
fn insert_event(
    connection: &Connection,
    new: &NewEvent,
    issue: i64,
    received_at: Time,
) -> rusqlite::Result<Option<i64>> {
    let event = &new.event;
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (id, issue_id, level, timestamp, received_at, platform, environment, server_name, release,
                             suppressed, type, message, fingerprint, stacktrace, causes, extra, more)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT (id) DO NOTHING",
    )?;
    let inserted = insert.execute(params![
        &*new.id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()),
        issue,
        event.level.as_str(),
        event.timestamp.unwrap_or(received_at).to_string(),
        received_at.to_string(),
        event.platform,
        event.environment,
        event.server_name,
        event.release,
        event.suppressed,
        event.r#type,
        event.message,
        event.fingerprint,
        event.stacktrace,
        event.causes,
        event.extra,
        event.more,
    ])?;
    Ok((inserted > 0).then(|| connection.last_insert_rowid()))
}
