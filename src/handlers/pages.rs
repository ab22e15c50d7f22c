//! The dashboard: issues, one issue, one event.
use crate::auth::Visitor;
use crate::domain::Cursor;
use crate::error::Error;
use crate::query::Listing;
use crate::response::{moved, page};
use crate::state::State;
use crate::time::Time;
use crate::views;
use rouille::{Request, Response};

pub fn issues(state: &State, listing: &Listing, visitor: &Visitor, request: &Request) -> Result<Response, Error> {
    state.store.read(|reader| {
        let now = Time::now();
        let found = reader.issues(&listing.query, listing.sort, listing.cursor, now)?;
        let states = reader.states()?;
        if states.iter().all(|(_, issues)| *issues == 0) {
            let key = state.keys.first().filter(|_| visitor.is_trusted);
            return Ok(page(views::empty(&origin(request), key.map(|key| key.key.as_str()))));
        }
        Ok(page(views::issues(&found.page, now)))
    })
}

pub fn issue(
    state: &State,
    id: i64,
    cursor: Cursor,
    _visitor: &Visitor,
    _request: &Request,
) -> Result<Response, Error> {
    state.store.read(|reader| {
        let Some(issue) = reader.issue(id)? else {
            return reader.merged_into(id)?.map(|id| moved(&format!("/issues/{id}"))).ok_or(Error::NotFound);
        };
        let newest = reader.event(&issue.last_event_id)?.ok_or(Error::NotFound)?;
        let events = reader.events(id, cursor)?;
        Ok(page(views::issue(&issue, &newest, &events, Time::now())))
    })
}

pub fn event(state: &State, id: &str, _visitor: &Visitor, _request: &Request) -> Result<Response, Error> {
    state.store.read(|reader| {
        let event = reader.event(id)?.ok_or(Error::NotFound)?;
        let issue = reader.issue(event.issue_id)?.ok_or(Error::NotFound)?;
        let (older, newer) = reader.neighbours(&event)?;
        Ok(page(views::event(&event, &issue, older.as_ref(), newer.as_ref(), Time::now())))
    })
}

/// Where the reader reaches obs, as an SDK would. A proxy that ends TLS says so.
fn origin(request: &Request) -> String {
    let secure = request.header("X-Forwarded-Proto") == Some("https");
    let host = request.header("Host").unwrap_or("localhost:8000");
    format!("{}://{host}", if secure { "https" } else { "http" })
}
