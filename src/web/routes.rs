//! One `match` on method and path: what a request asks for, whether its sender may, and how large its body may be.
//! It is decided from the head alone, so that what is refused is refused before its body is read.
use super::auth::{self, By, Visitor};
use super::error::Error;
use super::state::State;
use super::{acts, api, assets, ingest, pages};
use crate::domain::{Cursor, Position};
use crate::event::parse_id;
use crate::http::{Admission, Body, Version};
use crate::query::{Listing, Query, Sort};
use rouille::{Request, Response};
use std::borrow::Cow;

/// The largest body of an event, in bytes.
pub const MAX_EVENT: usize = 1 << 20;
/// The largest form, and the largest JSON of a change.
pub const MAX_FORM: usize = 16 << 10;
/// Characters of a query that are looked at.
const MAX_QUERY: usize = 1000;

/// What an admitted request asks for, with what its admission found out.
pub enum Route {
    Ingest { project: String },
    Preflight,
    Issues(Listing, Visitor),
    Issue(i64, Cursor, Visitor),
    Event(String, Visitor),
    ActOnIssues,
    ActOnIssue(i64),
    ActOnEvent(String),
    ApiIssues(Listing),
    ApiIssue(i64, Cursor),
    ApiEvent(String),
    ApiStats,
    ApiSetState(i64),
    ApiDeleteIssue(i64),
    ApiDeleteEvent(String),
    ApiMerge(i64),
    Style,
    Sdk,
    Health,
}

/// Which methods a known path has.
const READ: &str = "GET, HEAD";
const INGEST: &str = "OPTIONS, POST";
const READ_AND_ACT: &str = "GET, HEAD, POST";
const READ_AND_CHANGE: &str = "DELETE, GET, HEAD, PATCH";
const READ_AND_DELETE: &str = "DELETE, GET, HEAD";
const MERGE: &str = "POST";

pub fn admit(state: &State, request: &Request, version: Version) -> Result<Admission<Route>, Error> {
    let path = path(request.raw_url());
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let method = if request.method() == "HEAD" { "GET" } else { request.method() };
    let sign_in = || state.dashboard.admit(request, version);
    let may_change = |by| sign_in().and_then(|visitor| auth::may_change(request, &visitor, by));
    let mut max_body = 0;
    let route = match (method, segments.as_slice()) {
        (_, [known @ .., ""]) if !known.is_empty() => {
            let found = !known.contains(&"") && methods(known).is_some();
            return Err(if found { Error::Moved(without_slash(request.raw_url())) } else { Error::NotFound });
        }
        ("POST", ["api", "events"]) => {
            max_body = MAX_EVENT;
            let key = auth::key(&state.keys, request)?;
            state.rate.take(&key.key).map_err(Error::TooMany)?;
            Route::Ingest { project: key.project.clone() }
        }
        ("OPTIONS", ["api", "events"]) => {
            max_body = MAX_EVENT;
            Route::Preflight
        }
        ("GET", ["api", "issues"]) => {
            sign_in()?;
            Route::ApiIssues(listing(request)?)
        }
        ("GET", ["api", "issues", id]) => {
            sign_in()?;
            Route::ApiIssue(number(id)?, cursor(request)?)
        }
        ("PATCH", ["api", "issues", id]) => {
            max_body = MAX_FORM;
            may_change(By::Json)?;
            Route::ApiSetState(number(id)?)
        }
        ("DELETE", ["api", "issues", id]) => {
            may_change(By::Json)?;
            Route::ApiDeleteIssue(number(id)?)
        }
        ("POST", ["api", "issues", id, "merge"]) => {
            max_body = MAX_FORM;
            may_change(By::Json)?;
            Route::ApiMerge(number(id)?)
        }
        ("GET", ["api", "events", id]) => {
            sign_in()?;
            Route::ApiEvent(uuid(id)?)
        }
        ("DELETE", ["api", "events", id]) => {
            may_change(By::Json)?;
            Route::ApiDeleteEvent(uuid(id)?)
        }
        ("GET", ["api", "stats"]) => {
            sign_in()?;
            Route::ApiStats
        }
        ("GET", [""]) => {
            let visitor = sign_in()?;
            Route::Issues(listing(request)?, visitor)
        }
        ("POST", [""]) => {
            max_body = MAX_FORM;
            may_change(By::Form)?;
            Route::ActOnIssues
        }
        ("GET", ["issues", id]) => {
            let visitor = sign_in()?;
            Route::Issue(number(id)?, cursor(request)?, visitor)
        }
        ("POST", ["issues", id]) => {
            max_body = MAX_FORM;
            may_change(By::Form)?;
            Route::ActOnIssue(number(id)?)
        }
        ("GET", ["events", id]) => {
            let visitor = sign_in()?;
            Route::Event(uuid(id)?, visitor)
        }
        ("POST", ["events", id]) => {
            max_body = MAX_FORM;
            may_change(By::Form)?;
            Route::ActOnEvent(uuid(id)?)
        }
        ("GET", ["style.css"]) => Route::Style,
        ("GET", ["sdk.js"]) => Route::Sdk,
        ("GET", ["health"]) => Route::Health,
        (_, known) => return Err(methods(known).map_or(Error::NotFound, Error::Method)),
    };
    Ok(Admission { pass: route, max_body })
}

/// Which methods a path answers, if there is anything at it.
fn methods(segments: &[&str]) -> Option<&'static str> {
    match segments {
        ["api", "events"] => Some(INGEST),
        ["style.css"] | ["sdk.js"] | ["health"] | ["api", "issues" | "stats"] => Some(READ),
        [""] | ["issues" | "events", _] => Some(READ_AND_ACT),
        ["api", "issues", _] => Some(READ_AND_CHANGE),
        ["api", "events", _] => Some(READ_AND_DELETE),
        ["api", "issues", _, "merge"] => Some(MERGE),
        _ => None,
    }
}

pub fn handle(state: &State, route: Route, request: &Request, body: Body) -> Result<Response, Error> {
    match route {
        Route::Ingest { project } => ingest::add(state, project, body),
        Route::Preflight => Ok(ingest::preflight()),
        Route::Issues(listing, visitor) => pages::issues(state, &listing, &visitor, request),
        Route::Issue(id, cursor, visitor) => pages::issue(state, id, cursor, &visitor, request),
        Route::Event(id, visitor) => pages::event(state, &id, &visitor, request),
        Route::ActOnIssues => acts::on_issues(state, body),
        Route::ActOnIssue(id) => acts::on_issue(state, id, body),
        Route::ActOnEvent(id) => acts::on_event(state, id, body),
        Route::ApiIssues(listing) => api::issues(state, &listing),
        Route::ApiIssue(id, cursor) => api::issue(state, id, cursor),
        Route::ApiEvent(id) => api::event(state, &id),
        Route::ApiStats => api::stats(state, request),
        Route::ApiSetState(id) => api::set_state(state, id, body),
        Route::ApiDeleteIssue(id) => api::delete_issue(state, id),
        Route::ApiDeleteEvent(id) => api::delete_event(state, id),
        Route::ApiMerge(id) => api::merge(state, id, body),
        Route::Style => Ok(assets::style(request)),
        Route::Sdk => Ok(assets::sdk()),
        Route::Health => assets::health(state),
    }
}

/// A target's path with its percent-encoding undone, except that an encoded slash never becomes one that parts.
/// What does not decode to text stays as it is, and so is found nowhere.
pub fn path(target: &str) -> Cow<'_, str> {
    let raw = target.split('?').next().unwrap_or_default();
    if !raw.contains('%') {
        return raw.into();
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let hex = hex.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if *first == b'%' && byte != b'/' => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(decoded).map_or(raw.into(), Cow::from)
}

/// The same target with the path's last slash gone. It starts with one slash and so stays on this state.
fn without_slash(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    format!("{}{query}", path.strip_suffix('/').unwrap_or(path))
}

/// What a list shows, in which order, and from where on.
fn listing(request: &Request) -> Result<Listing, Error> {
    let text = request.get_param("q").unwrap_or_default();
    let text: String = text.chars().take(MAX_QUERY).collect();
    let sort = request.get_param("sort").map_or(Some(Sort::default()), |sort| Sort::of(&sort));
    let sort = sort.ok_or_else(|| Error::Bad("Invalid sort: expected last_seen, first_seen or count".into()))?;
    Ok(Listing { query: Query::parse(&text), text, sort, cursor: cursor(request)? })
}

/// Where a list page begins. `after` is the contract's; `before` is how pages link to newer ones.
fn cursor(request: &Request) -> Result<Cursor, Error> {
    let place = |name| match request.get_param(name) {
        Some(text) => text.parse::<Position>().map(Some).map_err(|_| Error::Bad(format!("Invalid cursor: {name}"))),
        None => Ok(None),
    };
    Ok(match (place("after")?, place("before")?) {
        (None, None) => Cursor::Newest,
        (Some(after), None) => Cursor::After(after),
        (None, Some(before)) => Cursor::Before(before),
        (Some(_), Some(_)) => return Err(Error::Bad("Invalid cursor: either after or before".into())),
    })
}

/// A number as obs writes it: digits alone.
fn number(text: &str) -> Result<i64, Error> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or(Error::NotFound)
}

fn uuid(text: &str) -> Result<String, Error> {
    parse_id(text).map(|id| id.to_string()).ok_or(Error::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_keeps_its_segments() {
        assert_eq!(path("/api/%65vents?x=%41"), "/api/events");
        assert_eq!(path("/issues/1%2F2"), "/issues/1%2F2");
        assert_eq!(path("/a%2541"), "/a%41");
        assert_eq!(path("/a%zz%+f%4"), "/a%zz%+f%4");
        assert_eq!(path("/%ff"), "/%ff");
    }

    #[test]
    fn only_the_slash_goes() {
        assert_eq!(without_slash("/issues/5/?after=7"), "/issues/5?after=7");
        assert_eq!(without_slash("/api/events/"), "/api/events");
    }
}
