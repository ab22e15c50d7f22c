//! The dashboard: issues, one issue, one event.
use crate::auth::{Key, Visitor};
use crate::domain::{Cursor, Found, Hour};
use crate::error::Error;
use crate::query::{Is, Listing, Query, Sort, Term};
use crate::response::{moved, page};
use crate::state::State;
use crate::store::Reader;
use crate::time::Time;
use crate::views;
use crate::views::{Asked, List, One, Period, Whole};
use rouille::{Request, Response};

/// Hours that a row of the list shows.
const ROW_HOURS: usize = 24;

pub fn issues(state: &State, listing: &Listing, visitor: &Visitor, request: &Request) -> Result<Response, Error> {
    let asked = Asked { listing, period: period(request)? };
    state.store.read(|reader| {
        let now = Time::now();
        let states = reader.states()?;
        if states.iter().all(|(_, issues)| *issues == 0) {
            let key = state.keys.first().filter(|_| visitor.is_trusted);
            return Ok(page(views::empty(&origin(request), key.map(|key| key.key.as_str()))));
        }
        let found = reader.issues(&listing.query, listing.sort, listing.cursor, now)?;
        let ids: Vec<i64> = found.page.rows.iter().map(|issue| issue.id).collect();
        Ok(page(views::issues(&List {
            asked,
            found: &found,
            looked_to: looked_to(reader, listing, &found, now)?,
            hours: &reader.hours(now.hour(), asked.period.hours(now))?,
            issue_hours: &reader.issue_hours(&ids, now.hour(), ROW_HOURS)?,
            states: &states,
            environments: &reader.environments()?,
            projects: &projects(&state.keys),
            may_act: visitor.is_trusted,
            now,
        })))
    })
}

pub fn issue(state: &State, id: i64, cursor: Cursor, visitor: &Visitor, _request: &Request) -> Result<Response, Error> {
    state.store.read(|reader| {
        let Some(issue) = reader.issue(id)? else {
            return reader.merged_into(id)?.map(|id| moved(&format!("/issues/{id}"))).ok_or(Error::NotFound);
        };
        let now = Time::now();
        let fortnight = Period::Fortnight.hours(now);
        let hours = reader.issue_hours(&[id], now.hour(), fortnight)?.remove(&id);
        let hours = hours.unwrap_or_else(|| vec![0; fortnight]);
        let hours: Vec<Hour> = hours.into_iter().map(|events| Hour { events, errors: 0 }).collect();
        Ok(page(views::issue(&Whole {
            issue: &issue,
            newest: &reader.event(&issue.last_event_id)?.ok_or(Error::NotFound)?,
            events: &reader.events(id, cursor)?,
            hours: &hours,
            facets: &reader.facets(id)?,
            history: &reader.history(id)?,
            may_act: visitor.is_trusted,
            now,
        })))
    })
}

pub fn event(state: &State, id: &str, visitor: &Visitor, _request: &Request) -> Result<Response, Error> {
    state.store.read(|reader| {
        let event = reader.event(id)?.ok_or(Error::NotFound)?;
        let issue = reader.issue(event.issue_id)?.ok_or(Error::NotFound)?;
        let (older, newer) = reader.neighbours(&event)?;
        Ok(page(views::event(&One {
            event: &event,
            issue: &issue,
            older: older.as_ref(),
            newer: newer.as_ref(),
            may_act: visitor.is_trusted,
            now: Time::now(),
        })))
    })
}

fn period(request: &Request) -> Result<Period, Error> {
    let period = request.get_param("period").map_or(Some(Period::default()), |period| Period::of(&period));
    period.ok_or_else(|| Error::Bad("Invalid period: expected 24h or 14d".into()))
}

/// The names to choose from, where more than one key has one.
fn projects(keys: &[Key]) -> Vec<&str> {
    let mut names: Vec<&str> = keys.iter().map(|key| key.project.as_str()).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > 1 { names } else { Vec::new() }
}

/// Where a search that ran out of time stopped: when the issue there was seen. By count, it has no time to tell.
fn looked_to(reader: &Reader, listing: &Listing, found: &Found, now: Time) -> Result<Option<Time>, Error> {
    let place = match (found.looked, listing.cursor) {
        (None, _) => None,
        (_, Cursor::Before(_)) => found.page.newer,
        (..) => found.page.older,
    };
    let Some(mut place) = place else { return Ok(None) };
    place.key -= 1; // the next one up is the issue itself
    let states = listing.query.0.iter().filter(|term| matches!(term, Term::Is(Is::State(_) | Is::Any)));
    let all = reader.issues(&Query(states.cloned().collect()), listing.sort, Cursor::Before(place), now)?;
    Ok(all.page.rows.last().and_then(|issue| match listing.sort {
        Sort::LastSeen => Some(issue.last_seen),
        Sort::FirstSeen => Some(issue.first_seen),
        Sort::Count => None,
    }))
}

/// Where the reader reaches obs, as an SDK would. A proxy that ends TLS says so.
fn origin(request: &Request) -> String {
    let secure = request.header("X-Forwarded-Proto") == Some("https");
    let host = request.header("Host").unwrap_or("localhost:8000");
    format!("{}://{host}", if secure { "https" } else { "http" })
}
