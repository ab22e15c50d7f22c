//! JSON for `curl` and tests: what the pages show and what they do, in the contract's names.
use super::acts::{self, found, join};
use super::error::Error;
use super::pages::period;
use super::response::{json, moved};
use super::state::State;
use crate::domain::{Cursor, Hour, Issue, IssueState, Page, Summary};
use crate::http::Body;
use crate::query::Listing;

use crate::time::Time;
use crate::views::Period;
use rouille::{Request, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

const DAY: usize = 24;
const TWO_WEEKS: usize = 14 * DAY;

#[derive(Serialize)]
struct Issues<'a> {
    issues: &'a [Issue],
    next: Option<String>,
    /// How many were scanned through, where that is not all that there are before `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scanned: Option<usize>,
}

#[derive(Serialize)]
struct IssueAndEvents<'a> {
    issue: IssueWithHours<'a>,
    events: &'a [Summary],
    next: Option<String>,
}

#[derive(Serialize)]
struct IssueWithHours<'a> {
    #[serde(flatten)]
    issue: &'a Issue,
    /// Events in each of the last 24 hours, the current one last.
    hours: Vec<i64>,
}

#[derive(Serialize)]
struct HourOf {
    hour: Time,
    #[serde(flatten)]
    counts: Hour,
}

pub fn issues(state: &State, listing: &Listing) -> Result<Response, Error> {
    state.store.read(|reader| {
        let found = reader.issues(&listing.query, listing.sort, listing.cursor, Time::now())?;
        let issues = &found.page.rows;
        Ok(json(&Issues { issues, next: next(&found.page), scanned: found.scanned }))
    })
}

pub fn issue(state: &State, id: i64, cursor: Cursor) -> Result<Response, Error> {
    state.store.read(|reader| {
        let Some(issue) = reader.issue(id)? else {
            return reader.merged_into(id)?.map(|id| moved(&format!("/api/issues/{id}"))).ok_or(Error::NotFound);
        };
        let page = reader.events(id, cursor)?;
        let issue = IssueWithHours { issue: &issue, hours: reader.hours_of(id, Time::now().hour(), DAY)? };
        Ok(json(&IssueAndEvents { issue, events: &page.rows, next: next(&page) }))
    })
}

pub fn event(state: &State, id: &str) -> Result<Response, Error> {
    state.store.read(|reader| {
        let event = reader.event(id)?.ok_or(Error::NotFound)?;
        Ok(json(&event))
    })
}

/// `?period=24h` or `14d`: events in each hour, and how many issues there are in each state.
pub fn stats(state: &State, request: &Request) -> Result<Response, Error> {
    let period = period(request)?;
    let count = match period {
        Period::Day => DAY,
        Period::Fortnight => TWO_WEEKS,
    };
    state.store.read(|reader| {
        let last = Time::now().hour();
        let hours = reader.hours(last, count)?;
        let sum = |of: fn(&Hour) -> i64| hours.iter().map(of).sum::<i64>();
        let start = |at: usize| Time::from_millis((last + 1 - count as i64 + at as i64) * 3_600_000);
        let each = hours.iter().enumerate().filter_map(|(at, hour)| Some(HourOf { hour: start(at)?, counts: *hour }));
        let states = reader.states()?.into_iter().map(|(state, issues)| (state.as_str().to_string(), issues.into()));
        Ok(json(&json!({
            "period": period.as_str(),
            "events": sum(|hour| hour.events),
            "errors": sum(|hour| hour.errors),
            "issues": states.collect::<serde_json::Map<_, _>>(),
            "hours": each.collect::<Vec<_>>(),
        })))
    })
}

/// `{"state": "open" | "resolved" | "ignored"}`
pub fn set_state(state: &State, id: i64, body: Body) -> Result<Response, Error> {
    #[derive(Deserialize)]
    struct Change {
        state: String,
    }
    let change: Change = read(body, r#"{"state": "resolved"}"#)?;
    let to = IssueState::parse(&change.state);
    let to = to.ok_or_else(|| Error::Bad("Invalid state: expected open, resolved or ignored".into()))?;
    found(&state.store, id, state.store.set_state(id, to)?)?;
    state.store.read(|reader| Ok(json(&json!({ "issue": reader.issue(id)?.ok_or(Error::NotFound)? }))))
}

pub fn delete_issue(state: &State, id: i64) -> Result<Response, Error> {
    found(&state.store, id, state.store.delete_issue(id)?).map(|()| Response::empty_204())
}

pub fn delete_event(state: &State, id: String) -> Result<Response, Error> {
    acts::delete_event(&state.store, id).map(|()| Response::empty_204())
}

/// `{"into": ID}`
pub fn merge(state: &State, from: i64, body: Body) -> Result<Response, Error> {
    #[derive(Deserialize)]
    struct Change {
        into: i64,
    }
    let Change { into } = read(body, r#"{"into": 1}, an issue's id"#)?;
    join(&state.store, from, into)?;
    state.store.read(|reader| Ok(json(&json!({ "issue": reader.issue(into)?.ok_or(Error::NotFound)? }))))
}

/// An object: the fields of a struct alone would also be taken out of an array, in their order.
fn read<T: DeserializeOwned>(body: Body, expected: &str) -> Result<T, Error> {
    let object = |bytes: &[u8]| bytes.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(bytes).ok());
    let change = body.parse(object)?.flatten();
    change.ok_or_else(|| Error::Bad(format!("Invalid change: expected JSON such as {expected}")))
}

/// A string, so that a client takes it as it is and its form may change one day.
fn next<T>(page: &Page<T>) -> Option<String> {
    page.older.map(|place| place.to_string())
}
