//! The JSON API: what the pages show and what the forms do, under the contract's names.
use super::{call::Call, changes, error::Error, response::json, state::State};
use crate::domain::{Hour, Issue, IssueState, Page, Summary};
use crate::http::Body;
use crate::query::Query;
use crate::time::Time;
use crate::views::Period;
use rouille::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

const DAY: usize = 24;

#[derive(Serialize)]
struct IssueList<'a> {
    issues: &'a [Issue],
    next: Option<String>,
    /// How many issues were scanned for this page, if the search ran out of time.
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

pub fn issues(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let listing = call.listing()?;
    state.store.read(|reader| {
        let found = reader.issues(&listing.query, listing.sort, listing.cursor, Time::now())?;
        Ok(json(&IssueList { issues: &found.page.rows, next: next(&found.page), scanned: found.scanned }))
    })
}

pub fn issue(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (id, cursor) = (call.path.issue, call.cursor()?);
    state.store.read(|reader| {
        let Some(issue) = reader.issue(id)? else {
            return Err(reader
                .merged_into(id)?
                .map_or(Error::NotFound, |id| Error::Moved(format!("/api/issues/{id}"))));
        };
        let page = reader.events(id, &Query::default(), cursor)?.page;
        let hours = reader.hours_of(id, Time::now().hour(), DAY)?.iter().map(|hour| hour.events).collect();
        let issue = IssueWithHours { issue: &issue, hours };
        Ok(json(&IssueAndEvents { issue, events: &page.rows, next: next(&page) }))
    })
}

pub fn event(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    state.store.read(|reader| Ok(json(&reader.event(&call.path.event)?.ok_or(Error::NotFound)?)))
}

/// Events in each hour of `?period=`, and the number of issues in each state.
pub fn stats(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let period = call.period()?;
    let count = match period {
        Period::Day => DAY,
        Period::Fortnight => 14 * DAY,
    };
    state.store.read(|reader| {
        let last = Time::now().hour();
        let hours = reader.hours(None, last, count)?;
        let starts = (last + 1 - count as i64..).map(|hour| Time::from_millis(hour * 3_600_000));
        let hourly = starts
            .zip(&hours)
            .map(|(start, &Hour { events, errors })| json!({ "hour": start, "events": events, "errors": errors }));
        let states =
            reader.states(None)?.into_iter().map(|(state, issues)| (state.as_str().to_string(), issues.into()));
        Ok(json(&json!({
            "period": period.as_str(),
            "events": hours.iter().map(|hour| hour.events).sum::<i64>(),
            "errors": hours.iter().map(|hour| hour.errors).sum::<i64>(),
            "issues": states.collect::<Map<_, _>>(),
            "hours": hourly.collect::<Vec<_>>(),
        })))
    })
}

/// `{"state": "open" | "resolved" | "ignored"}`
pub fn set_state(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let state_name: String = parse_change(body, "state", r#"{"state": "resolved"}"#)?;
    let to = IssueState::parse(&state_name);
    let to = to.ok_or_else(|| Error::Bad("Invalid state: expected open, resolved or ignored".into()))?;
    changes::check_found(state.store.set_state(call.path.issue, to)?)?;
    changed_issue(state, call.path.issue)
}

pub fn delete_issue(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    changes::check_found(state.store.delete_issue(call.path.issue)?).map(|()| Response::empty_204())
}

pub fn delete_event(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    changes::check_found(state.store.delete_event(call.path.event.clone())?).map(|()| Response::empty_204())
}

/// `{"into": ID}`
pub fn merge(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let into = parse_change(body, "into", r#"{"into": 1}, with the id of an issue"#)?;
    changes::merge(&state.store, call.path.issue, into)?;
    changed_issue(state, into)
}

fn changed_issue(state: &State, id: i64) -> Result<Response, Error> {
    state.store.read(|reader| Ok(json(&json!({ "issue": reader.issue(id)?.ok_or(Error::NotFound)? }))))
}

/// The one field of an object that says what to change.
fn parse_change<T: DeserializeOwned>(body: Body, field: &str, expected: &str) -> Result<T, Error> {
    let value = |bytes: &[u8]| serde_json::from_slice::<Map<String, Value>>(bytes).ok()?.remove(field);
    let change = body.parse(value)?.and_then(|value| serde_json::from_value(value).ok());
    change.ok_or_else(|| Error::Bad(format!("Invalid change: expected JSON such as {expected}")))
}

/// A string, so that clients treat it as opaque and its form may change.
fn next<T>(page: &Page<T>) -> Option<String> {
    page.older.map(|position| position.to_string())
}
