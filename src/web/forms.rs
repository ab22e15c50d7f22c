//! The dashboard's forms: resolve, ignore, reopen, merge and delete issues; delete an event; undo.
use super::{
    call::{Call, MAX_QUERY},
    changes,
    error::Error,
    response::see_other,
    state::State,
};
use crate::domain::IssueState;
use crate::http::Body;
use crate::query::Query;
use crate::store::{MAX_MATCHES, Store};
use crate::text::head;
use crate::time::Time;
use crate::views::{Action, Done};
use rouille::Response;
use rouille::url::form_urlencoded;
use std::time::Duration;

/// Maximum number of issues that one form selects: more than a page shows.
const MAX_ISSUES: usize = 100;
/// How long the issues that match a query are collected.
const MATCH_TIME: Duration = Duration::from_millis(150);
const OPEN: Option<IssueState> = Some(IssueState::Open);

/// `do=…&id=…&id=…` from the list, `do=resolve-all&q=…&up_to=…` for all that match, or `do=undo&did=…&ids=…`.
pub fn change_issues(state: &State, _: &Call, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::parse)?;
    let store = &state.store;
    let done = match form.first("do") {
        "undo" => undo(store, &form)?,
        "resolve-all" => set_states(store, Action::Resolve, &matches(store, &form)?, OPEN)?,
        "ignore-all" => set_states(store, Action::Ignore, &matches(store, &form)?, OPEN)?,
        action => change(store, action, &form.selected()?)?,
    };
    Ok(see_other(&done.url(form.back())))
}

/// `do=…` from an issue's page.
pub fn change_issue(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::parse)?;
    let id = call.path.issue;
    state.store.read(|reader| reader.issue(id)?.map(drop).ok_or(Error::NotFound))?;
    let done = match form.first("do") {
        "merge" => return Err(unknown_action()),
        action => change(&state.store, action, &[id])?,
    };
    Ok(see_other(&done.url(form.back())))
}

/// `do=delete` from an event's page.
pub fn change_event(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::parse)?;
    match form.first("do") {
        "delete" => changes::check_found(state.store.delete_event(call.path.event.clone())?)?,
        _ => return Err(unknown_action()),
    }
    Ok(see_other(&Done::new(Action::DeleteEvent, Vec::new()).url(form.back())))
}

/// Someone else may have deleted or merged some of the issues in the meantime. The others can still be changed.
fn change(store: &Store, action: &str, ids: &[i64]) -> Result<Done, Error> {
    match action {
        "resolve" => set_states(store, Action::Resolve, ids, None),
        "ignore" => set_states(store, Action::Ignore, ids, None),
        "reopen" => set_states(store, Action::Reopen, ids, None),
        "merge" => merge(store, ids),
        "delete" => {
            let mut deleted = Vec::new();
            for id in ids {
                deleted.extend(store.delete_issue(*id)?.then_some(*id));
            }
            Ok(Done::new(Action::Delete, deleted))
        }
        _ => Err(unknown_action()),
    }
}

/// With `from`, only issues in that state are changed.
fn set_states(store: &Store, action: Action, ids: &[i64], from: Option<IssueState>) -> Result<Done, Error> {
    let to = state_after(action).ok_or_else(unknown_action)?;
    let changed = store.set_states(ids, from, to)?;
    let mut done = Done::new(action, changed.iter().map(|(id, _)| *id).collect());
    if action != Action::Reopen && changed.iter().any(|(_, before)| *before != IssueState::Open) {
        done.ids.clear(); // to undo this, they would have to get different states
    }
    Ok(done)
}

fn state_after(action: Action) -> Option<IssueState> {
    match action {
        Action::Resolve => Some(IssueState::Resolved),
        Action::Ignore => Some(IssueState::Ignored),
        Action::Reopen => Some(IssueState::Open),
        Action::Merge | Action::Delete | Action::DeleteEvent => None,
    }
}

/// Reopens the issues that are still as the form left them.
fn undo(store: &Store, form: &Form) -> Result<Done, Error> {
    let done = Done::parse(|name| form.all(name).next().map(str::to_string)).ok_or_else(unknown_action)?;
    let from = state_after(done.action).filter(|state| *state != IssueState::Open).ok_or_else(unknown_action)?;
    let reopened = store.set_states(&done.ids, Some(from), IssueState::Open)?;
    Ok(Done::new(Action::Reopen, reopened.into_iter().map(|(id, _)| id).collect()))
}

/// The issues that match `q`, except those that are newer than the page with the form.
fn matches(store: &Store, form: &Form) -> Result<Vec<i64>, Error> {
    let newest = form.first("up_to").parse::<i64>().map_err(|_| unknown_action())?;
    let query = Query::parse(head(form.first("q"), MAX_QUERY));
    let matches = store.read(|reader| reader.matches(&query, MATCH_TIME, Time::now()))?;
    if !matches.is_complete {
        return Err(Error::Bad(format!("More than {MAX_MATCHES} issues match. Go back and search for fewer")));
    }
    let mut ids: Vec<i64> = matches.ids.into_iter().filter(|id| *id <= newest).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Merges issues into the oldest one, whose URL is the most likely to have been shared.
fn merge(store: &Store, ids: &[i64]) -> Result<Done, Error> {
    let [into, others @ ..] = ids else { return Err(unknown_action()) };
    if others.is_empty() {
        return Err(Error::Bad("Select at least two issues to merge. Go back and select more".into()));
    }
    // Checks all of them before merging any, because a merge cannot be undone.
    let projects: Vec<String> = store.read(|reader| {
        let project = |id: &i64| Ok(reader.issue(*id)?.ok_or(Error::NotFound)?.project);
        ids.iter().map(project).collect::<Result<_, Error>>()
    })?;
    if projects.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(changes::not_mergeable());
    }
    others.iter().try_for_each(|from| changes::merge(store, *from, *into))?;
    Ok(Done::new(Action::Merge, ids.to_vec()))
}

fn unknown_action() -> Error {
    Error::Bad("The form does not say what to do".into())
}

/// The names and values of a form, in the order sent.
pub struct Form(Vec<(String, String)>);

impl Form {
    pub fn parse(body: &[u8]) -> Form {
        Form(form_urlencoded::parse(body).into_owned().collect())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn first<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// The selected issues in ascending order, each once.
    fn selected(&self) -> Result<Vec<i64>, Error> {
        let ids = self.all("id").map(|id| id.parse().map_err(|_| Error::Bad("Invalid issue id".into())));
        let mut ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
        ids.sort_unstable();
        ids.dedup();
        match ids.len() {
            0 => Err(Error::Bad("No issue is selected. Go back and select some".into())),
            1..=MAX_ISSUES => Ok(ids),
            _ => Err(Error::Bad(format!("Too many issues are selected. The limit is {MAX_ISSUES}"))),
        }
    }

    /// The page to return to, always on this site. Browsers read `//` and `/\` as the start of a host name, and remove
    /// control characters first.
    fn back(&self) -> &str {
        let back = self.first("back");
        let is_path = back.starts_with('/') && !back[1..].starts_with(['/', '\\']);
        if is_path && back.bytes().all(|b| b.is_ascii_graphic()) { back } else { "/" }
    }
}
