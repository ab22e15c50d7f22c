//! The dashboard: issues, one issue, one event; each as a page or as text for a terminal.
use super::auth::Visitor;
use super::error::Error;
use super::response::{Format, moved};
use super::state::State;
use crate::domain::Key;
use crate::domain::{Cursor, Found, Hour, Issue};
use crate::query::{Is, Listing, Query, Sort, Term};
use crate::store::Reader;
use crate::time::Time;
use crate::views::{self, EventPage, IssuePage, ListPage, ListRequest, Period, terminal};
use rouille::{Request, Response};

/// Hours that a row of the list shows.
const ROW_HOURS: usize = 24;

pub fn issues(state: &State, listing: &Listing, visitor: &Visitor, request: &Request) -> Result<Response, Error> {
    let (form, origin, now) = (Format::of(request), origin(request), Time::now());
    let asked = ListRequest { listing, period: period(request)? };
    state.store.read(|reader| {
        let states = reader.states()?;
        if states.iter().all(|(_, issues)| *issues == 0) {
            let key = state.keys.first().filter(|_| visitor.is_trusted).map(|key| key.key.as_str());
            return Ok(form.answer(|| views::empty(&origin, key), || terminal::empty(&origin, key)));
        }
        let found = reader.issues(&listing.query, listing.sort, listing.cursor, now)?;
        let ids: Vec<i64> = found.page.rows.iter().map(|issue| issue.id).collect();
        let projects = projects(&state.keys);
        let list = ListPage {
            asked,
            found: &found,
            scanned_to: scanned_to(reader, listing, &found, now)?,
            hours: &reader.hours(now.hour(), asked.period.hours(now))?,
            issue_hours: &reader.issue_hours(&ids, now.hour(), ROW_HOURS)?,
            states: &states,
            environments: &reader.environments()?,
            projects: &projects,
            may_act: visitor.is_trusted,
            now,
        };
        Ok(form.answer(|| views::issues(&list), || terminal::issues(&list, &origin)))
    })
}

pub fn issue(state: &State, id: i64, cursor: Cursor, visitor: &Visitor, request: &Request) -> Result<Response, Error> {
    let (form, origin, now) = (Format::of(request), origin(request), Time::now());
    state.store.read(|reader| {
        let Some(issue) = reader.issue(id)? else {
            return reader.merged_into(id)?.map(|id| moved(&format!("/issues/{id}"))).ok_or(Error::NotFound);
        };
        let newest = reader.event(&issue.last_event_id)?.ok_or(Error::NotFound)?;
        let events = reader.events(id, cursor)?;
        let fortnight = Period::Fortnight.hours(now);
        let hours = reader.hours_of(id, now.hour(), fortnight)?;
        let hours: Vec<Hour> = hours.into_iter().map(|events| Hour { events, errors: 0 }).collect();
        let whole = IssuePage {
            issue: &issue,
            newest: &newest,
            events: &events,
            hours: &hours,
            facets: &reader.facets(id)?,
            history: &reader.history(id)?,
            may_act: visitor.is_trusted,
            now,
        };
        Ok(form.answer(|| views::issue(&whole), || terminal::issue(&whole, &origin)))
    })
}

pub fn event(state: &State, id: &str, visitor: &Visitor, request: &Request) -> Result<Response, Error> {
    let (form, origin, now) = (Format::of(request), origin(request), Time::now());
    state.store.read(|reader| {
        let event = reader.event(id)?.ok_or(Error::NotFound)?;
        let issue = reader.issue(event.issue_id)?.ok_or(Error::NotFound)?;
        let (older, newer) = reader.neighbours(&event)?;
        let (older, newer) = (older.as_ref(), newer.as_ref());
        let one = EventPage { event: &event, issue: &issue, older, newer, may_act: visitor.is_trusted, now };
        Ok(form.answer(|| views::event(&one), || terminal::event(&one, &origin)))
    })
}

/// `?period=24h` or `14d`.
pub fn period(request: &Request) -> Result<Period, Error> {
    let period = request.get_param("period").map_or(Some(Period::default()), |period| Period::parse(&period));
    period.ok_or_else(|| Error::Bad("Invalid period: expected 24h or 14d".into()))
}

/// The names to choose from, where more than one key has one.
fn projects(keys: &[Key]) -> Vec<&str> {
    let mut names: Vec<&str> = keys.iter().map(|key| key.project.as_str()).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > 1 { names } else { Vec::new() }
}

/// Where a search that ran out of time stopped: when the issue there was seen. In the order of counts, no time tells.
fn scanned_to(reader: &Reader, listing: &Listing, found: &Found, now: Time) -> Result<Option<Time>, Error> {
    let place = match listing.cursor {
        Cursor::Before(_) => found.page.newer,
        Cursor::Newest | Cursor::After(_) => found.page.older,
    };
    let seen: fn(&Issue) -> Time = match listing.sort {
        Sort::LastSeen => |issue| issue.last_seen,
        Sort::FirstSeen => |issue| issue.first_seen,
        Sort::Count => return Ok(None),
    };
    let (Some(_), Some(mut place)) = (found.scanned, place) else { return Ok(None) };
    place.key -= 1; // the next one up is the issue there
    let state = |term: &&Term| matches!(term, Term::Is(Is::State(_) | Is::Any));
    let any = Query(listing.query.0.iter().filter(state).cloned().collect());
    let nearest = reader.issues(&any, listing.sort, Cursor::Before(place), now)?;
    Ok(nearest.page.rows.last().map(seen))
}

/// Where the reader reaches obs, as an SDK would. A proxy that ends TLS says so.
fn origin(request: &Request) -> String {
    let secure = request.header("X-Forwarded-Proto") == Some("https");
    let host = request.header("Host").unwrap_or("localhost:8000");
    format!("{}://{host}", if secure { "https" } else { "http" })
}
