//! JSON reads for `curl` and tests: what the pages show, in the contract's names.
use crate::domain::{Cursor, Issue, Page, Summary};
use crate::error::Error;
use crate::response::json;
use crate::state::State;
use rouille::Response;
use serde::Serialize;

#[derive(Serialize)]
struct Issues<'a> {
    issues: &'a [Issue],
    next: Option<String>,
}

#[derive(Serialize)]
struct IssueAndEvents<'a> {
    issue: &'a Issue,
    events: &'a [Summary],
    next: Option<String>,
}

pub fn issues(state: &State, cursor: Cursor) -> Result<Response, Error> {
    state.store.read(|reader| {
        let page = reader.issues(cursor)?;
        Ok(json(&Issues { issues: &page.rows, next: next(&page) }))
    })
}

pub fn issue(state: &State, id: i64, cursor: Cursor) -> Result<Response, Error> {
    state.store.read(|reader| {
        let issue = reader.issue(id)?.ok_or(Error::NotFound)?;
        let page = reader.events(id, cursor)?;
        Ok(json(&IssueAndEvents { issue: &issue, events: &page.rows, next: next(&page) }))
    })
}

pub fn event(state: &State, id: &str) -> Result<Response, Error> {
    state.store.read(|reader| {
        let event = reader.event(id)?.ok_or(Error::NotFound)?;
        Ok(json(&event))
    })
}

/// A string, so that a client takes it as it is and its form may change one day.
fn next<T>(page: &Page<T>) -> Option<String> {
    page.older.map(|seq| seq.to_string())
}
