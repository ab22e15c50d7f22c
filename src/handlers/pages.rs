//! The dashboard: issues, one issue, one event; each as a page or as text for a terminal.
use crate::auth::Visitor;
use crate::domain::Cursor;
use crate::error::Error;
use crate::response::Form;
use crate::state::State;
use crate::time::Time;
use crate::views::{self, terminal};
use rouille::{Request, Response};

pub fn issues(state: &State, cursor: Cursor, visitor: &Visitor, request: &Request) -> Result<Response, Error> {
    let (form, origin, now) = (Form::of(request), origin(request), Time::now());
    state.store.read(|reader| {
        let issues = reader.issues(cursor)?;
        if issues.rows.is_empty() && cursor == Cursor::Newest {
            let key = state.keys.first().filter(|_| visitor.is_trusted).map(|key| key.key.as_str());
            return Ok(form.answer(|| views::empty(&origin, key), || terminal::empty(&origin, key)));
        }
        let older = issues.older.map(|at| older(request, at));
        Ok(form.answer(|| views::issues(&issues, now), || terminal::issues(&issues, older.as_deref(), &origin, now)))
    })
}

pub fn issue(state: &State, id: i64, cursor: Cursor, request: &Request) -> Result<Response, Error> {
    let (form, origin, now) = (Form::of(request), origin(request), Time::now());
    state.store.read(|reader| {
        let issue = reader.issue(id)?.ok_or(Error::NotFound)?;
        let newest = reader.event(&issue.last_event_id)?.ok_or(Error::NotFound)?;
        let events = reader.events(id, cursor)?;
        let older = events.older.map(|at| older(request, at));
        Ok(form.answer(
            || views::issue(&issue, &newest, &events, now),
            || terminal::issue(&issue, &newest, &events, older.as_deref(), &origin, now),
        ))
    })
}

pub fn event(state: &State, id: &str, request: &Request) -> Result<Response, Error> {
    let (form, origin, now) = (Form::of(request), origin(request), Time::now());
    state.store.read(|reader| {
        let event = reader.event(id)?.ok_or(Error::NotFound)?;
        let issue = reader.issue(event.issue_id)?.ok_or(Error::NotFound)?;
        let (older, newer) = reader.neighbours(&event)?;
        let (older, newer) = (older.as_ref(), newer.as_ref());
        Ok(form.answer(
            || views::event(&event, &issue, older, newer, now),
            || terminal::event(&event, &issue, older, newer, &origin, now),
        ))
    })
}

/// The target of the page that comes after this one. What was searched for, and in which order, stays.
fn older(request: &Request, at: i64) -> String {
    let (path, query) = request.raw_url().split_once('?').unwrap_or((request.raw_url(), ""));
    let kept = query.split('&').filter(|part| part.starts_with("q=") || part.starts_with("sort="));
    let kept: String = kept.map(|part| format!("{part}&")).collect();
    format!("{path}?{kept}after={at}")
}

/// Where the reader reaches obs, as an SDK would. A proxy that ends TLS says so.
fn origin(request: &Request) -> String {
    let secure = request.header("X-Forwarded-Proto") == Some("https");
    let host = request.header("Host").unwrap_or("localhost:8000");
    format!("{}://{host}", if secure { "https" } else { "http" })
}
