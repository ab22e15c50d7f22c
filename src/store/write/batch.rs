//! One commit of many events. Each is inserted whole or not at all, and their counts are written once at the end.
use super::incoming::{Added, NewEvent};
use crate::event::tags;
use crate::grouping;
use crate::log;
use crate::store::alerts::AlertPolicy;
use crate::store::change::state;
use crate::store::counts::{self, Tally};
use crate::store::error::Error;
use crate::store::transaction::durable;
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Ids that are derived for one event before it gets a random one. A second is needed only if somebody guessed the first.
const MAX_DERIVED: usize = 4;
/// How far back an event's own timestamp is believed. Further back, a wrong clock is more likely than an event so late,
/// and must not hide a regression.
const WEEK: i64 = 7 * 24 * 3600 * 1000; // ms

/// Stores the events and returns the outcome of each. An error means that none was stored.
pub fn commit(
    connection: &mut Connection,
    events: &[impl Borrow<NewEvent>],
    policy: AlertPolicy,
) -> Result<Vec<Result<Added, Error>>, Error> {
    durable(connection, |transaction| {
        let (issues, tallies, reopened) = (HashMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut commit = Commit { now: Time::now(), policy, issues, tallies, reopened };
        let outcomes = events.iter().map(|new| commit.store(transaction, new.borrow())).collect::<Result<_, _>>()?;
        commit.count(transaction)?;
        Ok(outcomes)
    })
}

/// A commit in progress.
struct Commit<'a> {
    now: Time,
    policy: AlertPolicy,
    /// The issues met so far, by project and grouping hash. A flood consists of few.
    issues: HashMap<(&'a str, [u8; 16]), Home>,
    tallies: BTreeMap<i64, Tally<'a>>,
    /// The issues to reopen, each with the `seq` of the last event that does.
    reopened: BTreeMap<i64, i64>,
}

/// The issue that an event belongs to.
#[derive(Clone, Copy)]
struct Home {
    issue: i64,
    /// `None`: it is not resolved.
    resolved_at: Option<Time>,
}

impl<'a> Commit<'a> {
    /// An event that cannot be inserted fails alone.
    fn store(&mut self, transaction: &mut Transaction, new: &'a NewEvent) -> Result<Result<Added, Error>, Error> {
        match self.insert(transaction, new).map_err(Error::from) {
            Err(error @ Error::Row(_)) => {
                log::line(&format!("event {}: {error}", new.id));
                Ok(Err(error))
            }
            outcome => outcome.map(Ok),
        }
    }

    fn insert(&mut self, transaction: &mut Transaction, new: &'a NewEvent) -> rusqlite::Result<Added> {
        let key = (new.project.as_str(), new.grouping.hash);
        let received_at = new.received_at.unwrap_or(self.now);
        let known = match self.issues.get(&key) {
            Some(home) => Some(*home),
            None => find_issue(transaction, new)?,
        };
        let (home, (id, seq)) = match known {
            Some(home) => (home, insert_event(transaction, new, home.issue, received_at)?),
            None => create_issue(transaction, new, received_at, self.policy)?,
        };
        let Some(seq) = seq else { return Ok(Added::Duplicate(id)) };
        self.issues.insert(key, home);
        if home.resolved_at.is_some_and(|resolved_at| self.reopens(new, resolved_at)) {
            self.reopened.insert(home.issue, seq);
        }
        let tally = self.tallies.entry(home.issue).or_insert_with(|| Tally::new(&new.project));
        tally.add(seq, received_at, &new.event, &new.labels);
        Ok(Added::New(id))
    }

    /// Returns false for an imported event, and for one that says that it happened before the resolution. One that does
    /// not say, or whose timestamp is not credible, happened when it arrived.
    fn reopens(&self, new: &NewEvent, resolved_at: Time) -> bool {
        let credible = |time: &Time| (0..=WEEK).contains(&(self.now.millis() - time.millis()));
        let happened_at = new.happened_at.or(new.event.timestamp.filter(credible));
        new.received_at.is_none() && happened_at.is_none_or(|time| time >= resolved_at)
    }

    fn count(&self, transaction: &Transaction) -> Result<(), Error> {
        counts::add(transaction, &self.tallies, self.now)?;
        for (issue, tally) in &self.tallies {
            for (hour, count) in &tally.hours {
                self.policy.note_rate(transaction, *issue, *hour, count.events, tally.last_seq)?;
            }
        }
        for (issue, seq) in &self.reopened {
            state::reopen(transaction, *issue, self.now)?;
            self.policy.note(transaction, "reopened", *issue, *seq, None)?;
        }
        Ok(())
    }
}

fn find_issue(connection: &Connection, new: &NewEvent) -> rusqlite::Result<Option<Home>> {
    let mut find = connection.prepare_cached(
        "SELECT id, iif(state = 'resolved', ifnull(resolved_at, ''), NULL)
         FROM issue_keys CROSS JOIN issues ON issues.id = issue_id
         WHERE issue_keys.project = ?1 AND version = ?2 AND hash = ?3",
    )?;
    let home = |row: &Row| {
        let resolved_at = row.get_ref(1)?.as_str_or_null()?;
        Ok(Home { issue: row.get(0)?, resolved_at: resolved_at.map(|text| Time::parse(text).unwrap_or(Time::EPOCH)) })
    };
    find.query_row(params![new.project, grouping::VERSION, new.grouping.hash], home).optional()
}

/// Creates an issue together with its first event. If the event is already stored, neither is created.
fn create_issue(
    transaction: &mut Transaction,
    new: &NewEvent,
    received_at: Time,
    policy: AlertPolicy,
) -> rusqlite::Result<(Home, StoredAs)> {
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
    let home = Home { issue: id, resolved_at: None };
    let place = insert_event(&savepoint, new, id, received_at)?;
    let (_, Some(seq)) = place else { return Ok((home, place)) };
    savepoint
        .prepare_cached("INSERT INTO issue_keys (project, version, hash, issue_id) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![new.project, grouping::VERSION, grouping.hash, id])?;
    policy.note(&savepoint, "new", id, seq, None)?;
    savepoint.commit()?;
    Ok((home, place))
}

/// The id under which an event is stored, and its `seq`, or `None` if it was stored before.
type StoredAs = (Uuid, Option<i64>);

/// The id of an event that is still to be purged is free. In place of an id that another project has, the event gets one
/// that is derived from it, so that a retry finds the same one.
fn insert_event(connection: &Connection, new: &NewEvent, issue: i64, received_at: Time) -> rusqlite::Result<StoredAs> {
    let event = &new.event;
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (id, issue_id, level, timestamp, received_at, platform, environment, server_name, release,
                             suppressed, unhandled, type, message, fingerprint, stacktrace, causes, tags, user, request,
                             breadcrumbs, contexts, extra, more)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
         ON CONFLICT (id) DO NOTHING",
    )?;
    let (tags, arrival) = (tags::to_json(&event.tags), received_at.to_string());
    let timestamp = event.timestamp.map(|time| time.to_string());
    let (mut id, mut derived) = (new.id, 0);
    loop {
        let inserted = insert.execute(params![
            &*id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()),
            issue,
            event.level.as_str(),
            timestamp.as_ref().unwrap_or(&arrival),
            arrival,
            event.platform,
            event.environment,
            event.server_name,
            event.release,
            event.suppressed,
            event.unhandled,
            event.r#type,
            event.message,
            event.fingerprint,
            event.stacktrace,
            event.causes,
            tags,
            event.user,
            event.request,
            event.breadcrumbs,
            event.contexts,
            event.extra,
            event.more,
        ])?;
        if inserted > 0 {
            return Ok((id, Some(connection.last_insert_rowid())));
        }
        let mut find = connection.prepare_cached(
            "SELECT seq, ifnull(state, 'deleted') = 'deleted', project = ?2
             FROM events LEFT JOIN issues ON issues.id = issue_id WHERE events.id = ?1",
        )?;
        let holder = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<bool>>(2)?));
        match find.query_row((id.to_string(), &new.project), holder)? {
            (seq, true, _) => counts::remove(connection, seq)?,
            (_, false, Some(true)) => return Ok((id, None)),
            _ if derived < MAX_DERIVED => (id, derived) = (Uuid::new_v5(&id, new.project.as_bytes()), derived + 1),
            _ => id = Uuid::now_v7(),
        }
    }
}
