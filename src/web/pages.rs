//! The dashboard's pages: the list of issues, one issue, one event, the setup; each as HTML or as plain text for a terminal.
use super::response::{self, Format, see_other};
use super::{call::Call, error::Error, state::State};
use crate::domain::{Cursor, Found, Issue, IssueState, Key, Matches, StoredEvent};
use crate::http::Body;
use crate::query::{Field, Query, Sort};
use crate::sourcemaps::resolve::resolve;
use crate::store::Reader;
use crate::time::Time;
use crate::views::{
    self, CameFrom, EventPage, Figures, IssuePage, ListPage, ListRequest, Period, Setup, Traces, terminal,
};
use rouille::{Request, Response};
use std::time::Duration;

const MARKDOWN: &str = "text/markdown; charset=utf-8";
/// Hours of events that a row of the list shows.
const ROW_HOURS: usize = 24;
/// How long the issues that a filter matches are collected for the figures above the list.
const FIGURES_TIME: Duration = Duration::from_millis(25);

pub fn issues(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin, now) = (Format::from_request(call.request), origin(state, call.request), Time::now());
    let listing = call.listing()?;
    let asked = ListRequest { listing: &listing, period: call.period()?, refresh: call.refresh()? };
    let done = call.done();
    state.store.read(|reader| {
        let mut states = reader.states(None)?;
        if states.iter().all(|(_, issues)| *issues == 0) {
            let setup = Setup { origin: &origin, keys: &state.keys, may_see_keys: call.sender.is_trusted };
            return Ok(format.answer(|| views::empty(&setup), || terminal::empty(&setup)));
        }
        if let Some(id) = listing.query.event_id()
            && reader.event(&id)?.is_some()
        {
            return Ok(see_other(&format!("/events/{id}")));
        }
        if let Some(project) = listing.query.value(Field::Project) {
            states = reader.states(Some(project))?;
        }
        let found = reader.issues(&listing.query, listing.sort, listing.cursor, now)?;
        let ids: Vec<i64> = found.page.rows.iter().map(|issue| issue.id).collect();
        let list = ListPage {
            asked,
            found: &found,
            figures: &figures(reader, asked, &states, &found, now)?,
            issue_hours: &reader.issue_hours(&ids, now.hour(), ROW_HOURS)?,
            states: &states,
            environments: &reader.environments()?,
            releases: &reader.releases()?,
            projects: &projects(&state.keys),
            newest_issue: reader.newest_issue()?,
            done: done.as_ref(),
            may_act: call.sender.is_trusted,
            now,
        };
        let response = format.answer(|| views::issues(&list), || terminal::issues(&list, &origin));
        Ok(match asked.refresh {
            // Without what was done, which is said once; relative, because a proxy may serve obs below a path.
            Some(seconds) => {
                let here = asked.at(listing.cursor);
                response.with_unique_header("Refresh", format!("{seconds};url={}", here.trim_start_matches('/')))
            }
            None => response,
        })
    })
}

/// Figures for the issues that the list is about: stored ones for all of a project, else the sum of a few issues.
fn figures(
    reader: &Reader,
    asked: ListRequest,
    states: &[(IssueState, i64)],
    found: &Found<Issue>,
    now: Time,
) -> Result<Figures, Error> {
    let (query, hours) = (&asked.listing.query, asked.period.hours(now));
    let shown = query.states();
    let counted = states.iter().filter(|(state, _)| shown.contains(state)).map(|(_, issues)| issues).sum();
    if query.is_counted() && views::counts_all(&shown) {
        let any_state = states.iter().any(|(state, issues)| !shown.contains(state) && *issues > 0);
        let hours = Some(reader.hours(query.value(Field::Project), now.hour(), hours)?);
        return Ok(Figures { issues: counted, is_complete: true, hours, any_state });
    }
    let page = &found.page;
    let is_whole = asked.listing.cursor == Cursor::Newest && page.older.is_none() && found.scanned.is_none();
    let matches = match is_whole && asked.listing.sort != Sort::Day {
        true => Matches { ids: page.rows.iter().map(|issue| issue.id).collect(), is_complete: true },
        false => reader.matches(query, FIGURES_TIME, now)?,
    };
    let hours = match matches.is_complete {
        true => Some(reader.hours_of_all(&matches.ids, now.hour(), hours)?),
        false => None,
    };
    let (issues, is_complete) = match query.is_counted() {
        true => (counted, true),
        false => (matches.ids.len() as i64, matches.is_complete),
    };
    Ok(Figures { issues, is_complete, hours, any_state: false })
}

pub fn issue(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin, now) = (Format::from_request(call.request), origin(state, call.request), Time::now());
    let (id, query, cursor) = (call.path.issue, Query::parse(&call.text("q")), call.cursor()?);
    let done = call.done();
    let (response, used) = state.store.read(|reader| {
        let Some(issue) = reader.issue(id)? else {
            return Err(reader.merged_into(id)?.map_or(Error::NotFound, |id| Error::Moved(format!("/issues/{id}"))));
        };
        let newest = reader.event(&issue.last_event_id)?.ok_or(Error::NotFound)?;
        let events = reader.events(id, &query, cursor)?;
        let hours = reader.hours_of(id, now.hour(), Period::Fortnight.hours(now))?;
        let (traces, used) = traces(state, reader, &newest, &origin)?;
        let failed_alert = reader.failed_alert(id)?;
        let page = IssuePage {
            issue: &issue,
            newest: &newest,
            traces,
            events: &events,
            query: &query,
            came_from: &CameFrom(call.text("list")),
            done: done.as_ref(),
            hours: &hours,
            facets: &reader.facets(id)?,
            history: &reader.history(id)?,
            failed_alert: failed_alert.as_ref(),
            may_act: call.sender.is_trusted,
            now,
        };
        let response = match format {
            Format::Markdown => response::text(MARKDOWN, terminal::markdown::issue(&page, &origin)),
            _ => format.answer(|| views::issue(&page), || terminal::issue(&page, &origin)),
        };
        Ok::<_, Error>((response, used))
    })?;
    record(state, used);
    Ok(response)
}

/// The stack traces of an event, as its source maps have them, and the maps whose use is to be recorded.
fn traces(state: &State, reader: &Reader, event: &StoredEvent, origin: &str) -> Result<(Traces, Vec<i64>), Error> {
    let mut used = Vec::new();
    let traces = Traces::parse(event).mapped(|stacks| {
        let resolved = resolve(reader, &state.turns, event, stacks, origin)?;
        used = resolved.used;
        Ok::<_, Error>(resolved.notes)
    })?;
    Ok((traces, used))
}

/// A page does not fail because nothing can be written.
fn record(state: &State, used: Vec<i64>) {
    if !used.is_empty() {
        let _ = state.store.touch_source_maps(used);
    }
}

pub fn event(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let (format, origin, now) = (Format::from_request(call.request), origin(state, call.request), Time::now());
    let (response, used) = state.store.read(|reader| {
        let event = reader.event(&call.path.event)?.ok_or(Error::NotFound)?;
        let issue = reader.issue(event.issue_id)?.ok_or(Error::NotFound)?;
        let done = call.done();
        let (traces, used) = traces(state, reader, &event, &origin)?;
        let page = EventPage {
            event: &event,
            traces,
            issue: &issue,
            neighbours: &reader.neighbours(&event)?,
            came_from: &CameFrom(call.text("list")),
            done: done.as_ref(),
            may_act: call.sender.is_trusted,
            now,
        };
        let response = match format {
            Format::Markdown => response::text(MARKDOWN, terminal::markdown::event(&page, &origin)),
            _ => format.answer(|| views::event(&page), || terminal::event(&page, &origin)),
        };
        Ok::<_, Error>((response, used))
    })?;
    record(state, used);
    Ok(response)
}

/// Leads to the newest event of an issue.
pub fn latest(state: &State, call: &Call, _: Body) -> Result<Response, Error> {
    let id = call.path.issue;
    let issue = state.store.read(|reader| match (reader.issue(id)?, reader.merged_into(id)?) {
        (None, Some(into)) => Err(Error::Moved(format!("/issues/{into}/latest"))),
        (issue, _) => issue.ok_or(Error::NotFound),
    })?;
    Ok(see_other(&format!("/events/{}", issue.last_event_id)))
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
pub fn origin(state: &State, request: &Request) -> String {
    let host = request.header("Host").unwrap_or("localhost:8000");
    state.url.clone().unwrap_or_else(|| format!("{}://{host}", if is_https(request) { "https" } else { "http" }))
}

/// Whether the client used TLS, by what proxies say. Each appends to the list, so the first one talked to the client.
pub fn is_https(request: &Request) -> bool {
    let first = |name| request.header(name)?.split(',').next().filter(|value| !value.trim().is_empty());
    let scheme = first("X-Forwarded-Proto").or_else(|| {
        let pairs = first("Forwarded")?.split(';').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("proto")).map(|(_, scheme)| scheme).next()
    });
    scheme.is_some_and(|scheme| scheme.trim().trim_matches('"').eq_ignore_ascii_case("https"))
}
