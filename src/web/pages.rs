//! The dashboard's pages: the list of issues, one issue, one event, the setup; each as HTML or as plain text for a terminal.
use super::{
    call::Call,
    error::Error,
    response::{Format, see_other},
    state::State,
};
use crate::domain::Key;
use crate::http::Body;
use crate::time::Time;
use crate::views::{self, EventPage, IssuePage, ListPage, ListRequest, Period, Setup, terminal};
use rouille::{Request, Response};

/// Hours of events that a row of the list shows.
const ROW_HOURS: usize = 24;

pub fn issues(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin, now) = (Format::from_request(call.request), origin(state, call.request), Time::now());
    let listing = call.listing()?;
    let asked = ListRequest { listing: &listing, period: call.period()? };
    state.store.read(|reader| {
        let states = reader.states(None)?;
        if states.iter().all(|(_, issues)| *issues == 0) {
            let setup = Setup { origin: &origin, keys: &state.keys, may_see_keys: call.sender.is_trusted };
            return Ok(format.answer(|| views::empty(&setup), || terminal::empty(&setup)));
        }
        if let Some(id) = listing.query.event_id()
            && reader.event(&id)?.is_some()
        {
            return Ok(see_other(&format!("/events/{id}")));
        }
        let found = reader.issues(&listing.query, listing.sort, listing.cursor, now)?;
        let ids: Vec<i64> = found.page.rows.iter().map(|issue| issue.id).collect();
        let list = ListPage {
            asked,
            found: &found,
            hours: &reader.hours(None, now.hour(), asked.period.hours(now))?,
            issue_hours: &reader.issue_hours(&ids, now.hour(), ROW_HOURS)?,
            states: &states,
            environments: &reader.environments()?.values,
            projects: &projects(&state.keys),
            may_act: call.sender.is_trusted,
            now,
        };
        Ok(format.answer(|| views::issues(&list), || terminal::issues(&list, &origin)))
    })
}

pub fn issue(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin, now) = (Format::from_request(call.request), origin(state, call.request), Time::now());
    let (id, cursor) = (call.path.issue, call.cursor()?);
    state.store.read(|reader| {
        let Some(issue) = reader.issue(id)? else {
            return Err(reader.merged_into(id)?.map_or(Error::NotFound, |id| Error::Moved(format!("/issues/{id}"))));
        };
        let newest = reader.event(&issue.last_event_id)?.ok_or(Error::NotFound)?;
        let events = reader.events(id, cursor)?;
        let hours = reader.hours_of(id, now.hour(), Period::Fortnight.hours(now))?;
        let page = IssuePage {
            issue: &issue,
            newest: &newest,
            events: &events,
            hours: &hours,
            facets: &reader.facets(id)?,
            history: &reader.history(id)?,
            may_act: call.sender.is_trusted,
            now,
        };
        Ok(format.answer(|| views::issue(&page), || terminal::issue(&page, &origin)))
    })
}

pub fn event(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin, now) = (Format::from_request(call.request), origin(state, call.request), Time::now());
    state.store.read(|reader| {
        let event = reader.event(&call.path.event)?.ok_or(Error::NotFound)?;
        let issue = reader.issue(event.issue_id)?.ok_or(Error::NotFound)?;
        let (older, newer) = reader.neighbours(&event)?;
        let (older, newer) = (older.as_ref(), newer.as_ref());
        let page = EventPage { event: &event, issue: &issue, older, newer, may_act: call.sender.is_trusted, now };
        Ok(format.answer(|| views::event(&page), || terminal::event(&page, &origin)))
    })
}

pub fn setup(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin) = (Format::from_request(call.request), origin(state, call.request));
    let setup = Setup { origin: &origin, keys: &state.keys, may_see_keys: call.sender.is_trusted };
    Ok(format.answer(|| views::setup(&setup), || terminal::setup(&setup)))
}

/// The projects to choose from; none if there is only one.
fn projects(keys: &[Key]) -> Vec<&str> {
    let mut names: Vec<&str> = keys.iter().map(|key| key.project.as_str()).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > 1 { names } else { Vec::new() }
}

/// The URL at which the reader reaches obs.
fn origin(state: &State, request: &Request) -> String {
    let host = request.header("Host").unwrap_or("localhost:8000");
    state.url.clone().unwrap_or_else(|| format!("{}://{host}", if is_https(request) { "https" } else { "http" }))
}

/// Whether the client used TLS, by what proxies say. Each appends to the list, so the first one talked to the client.
fn is_https(request: &Request) -> bool {
    let first = |name| request.header(name)?.split(',').next().filter(|value| !value.trim().is_empty());
    let scheme = first("X-Forwarded-Proto").or_else(|| {
        let pairs = first("Forwarded")?.split(';').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("proto")).map(|(_, scheme)| scheme).next()
    });
    scheme.is_some_and(|scheme| scheme.trim().trim_matches('"').eq_ignore_ascii_case("https"))
}
