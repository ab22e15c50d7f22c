//! The dashboard's forms: resolve, ignore, reopen, merge and delete issues; delete an event.
use super::{call::Call, changes, error::Error, response::see_other, state::State};
use crate::domain::IssueState;
use crate::http::Body;
use crate::store::Store;
use rouille::Response;
use rouille::url::form_urlencoded;

/// Maximum number of issues that one form changes: more than a page shows.
const MAX_ISSUES: usize = 100;

/// `do=…&id=…&id=…` from the list.
pub fn change_issues(state: &State, _: &Call, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::parse)?;
    let ids = form.all("id").map(|id| id.parse().map_err(|_| Error::Bad("Invalid issue id".into())));
    let mut ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => return Err(Error::Bad("No issue is selected. Go back and select some".into())),
        1..=MAX_ISSUES => {}
        _ => return Err(Error::Bad(format!("Too many issues are selected. The limit is {MAX_ISSUES}"))),
    }
    match form.first("do") {
        "merge" => merge(&state.store, &ids)?,
        // If someone else deleted or merged one of them in the meantime, the others can still be changed.
        action => ids.iter().try_for_each(|id| change(&state.store, *id, action).map(drop))?,
    }
    Ok(see_other(form.back()))
}

/// `do=…` from an issue's page.
pub fn change_issue(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::parse)?;
    changes::check_found(change(&state.store, call.path.issue, form.first("do"))?)?;
    Ok(see_other(form.back()))
}

/// `do=delete` from an event's page.
pub fn change_event(state: &State, call: &Call, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::parse)?;
    match form.first("do") {
        "delete" => changes::check_found(state.store.delete_event(call.path.event.clone())?)?,
        _ => return Err(unknown_action()),
    }
    Ok(see_other(form.back()))
}

/// Returns false if there is no such issue.
fn change(store: &Store, issue: i64, action: &str) -> Result<bool, Error> {
    Ok(match action {
        "resolve" => store.set_state(issue, IssueState::Resolved)?,
        "ignore" => store.set_state(issue, IssueState::Ignored)?,
        "reopen" => store.set_state(issue, IssueState::Open)?,
        "delete" => store.delete_issue(issue)?,
        _ => return Err(unknown_action()),
    })
}

/// Merges issues into the oldest one, whose URL is the most likely to have been shared.
fn merge(store: &Store, ids: &[i64]) -> Result<(), Error> {
    let [into, others @ ..] = ids else { return Ok(()) };
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
    others.iter().try_for_each(|from| changes::merge(store, *from, *into))
}

fn unknown_action() -> Error {
    Error::Bad("The form does not say what to do".into())
}

/// The names and values of a form, in the order sent.
struct Form(Vec<(String, String)>);

impl Form {
    fn parse(body: &[u8]) -> Form {
        Form(form_urlencoded::parse(body).into_owned().collect())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn first<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// The page to return to, always on this site. Browsers read `//` and `/\` as the start of a host name, and remove
    /// control characters first.
    fn back(&self) -> &str {
        let back = self.first("back");
        let is_path = back.starts_with('/') && !back[1..].starts_with(['/', '\\']);
        if is_path && back.bytes().all(|b| b.is_ascii_graphic()) { back } else { "/" }
    }
}
