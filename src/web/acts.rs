//! What the forms of the dashboard ask for: issues resolved, ignored, reopened, merged, deleted; an event deleted.
use super::error::Error;
use super::response::see_other;
use crate::domain::IssueState;
use crate::http::Body;

use super::state::State;
use crate::store::{Merged, Store};
use rouille::Response;
use rouille::url::form_urlencoded;

/// Issues that one form changes at most: more than a page has.
const MOST: usize = 100;

/// `do=…&id=…&id=…` from the list.
pub fn on_issues(state: &State, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::read)?;
    let ids = form.all("id").map(|id| id.parse().map_err(|_| Error::Bad("Invalid id of an issue".into())));
    let mut ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => return Err(Error::Bad("No issue is selected. Go back and select some".into())),
        1..=MOST => {}
        _ => return Err(Error::Bad(format!("Too many issues are selected: {MOST} are the most"))),
    }
    match form.one("do") {
        "merge" => merge(&state.store, &ids)?,
        // Someone else may have deleted one meanwhile: that is no reason to leave the others.
        act => ids.iter().try_for_each(|id| apply(&state.store, *id, act).map(drop))?,
    }
    Ok(see_other(form.back("/")))
}

/// `do=…` from an issue's page. One that was deleted has no page to come back to.
pub fn on_issue(state: &State, id: i64, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::read)?;
    found(&state.store, id, apply(&state.store, id, form.one("do"))?)?;
    Ok(see_other(form.back("/")))
}

/// `do=delete` from an event's page.
pub fn on_event(state: &State, id: String, body: Body) -> Result<Response, Error> {
    let form = body.parse(Form::read)?;
    if form.one("do") != "delete" {
        return Err(unknown());
    }
    delete_event(&state.store, id)?;
    Ok(see_other(form.back("/")))
}

pub fn delete_event(store: &Store, id: String) -> Result<(), Error> {
    if store.delete_event(id)? { Ok(()) } else { Err(Error::NotFound) }
}

/// Whether there is such an issue.
fn apply(store: &Store, id: i64, act: &str) -> Result<bool, Error> {
    Ok(match act {
        "resolve" => store.set_state(id, IssueState::Resolved)?,
        "ignore" => store.set_state(id, IssueState::Ignored)?,
        "reopen" => store.set_state(id, IssueState::Open)?,
        "delete" => store.delete_issue(id)?,
        _ => return Err(unknown()),
    })
}

/// Into the oldest of them: its address has been given to others for longest.
fn merge(store: &Store, ids: &[i64]) -> Result<(), Error> {
    let [into, others @ ..] = ids else { return Ok(()) };
    if others.is_empty() {
        return Err(Error::Bad("Select at least two issues to merge. Go back and select more".into()));
    }
    // Found out before any is merged, since what is merged cannot be parted.
    let projects: Vec<String> = store.read(|reader| {
        let project = |id: &i64| Ok(reader.issue(*id)?.ok_or(Error::NotFound)?.project);
        ids.iter().map(project).collect::<Result<_, Error>>()
    })?;
    if projects.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(unlike());
    }
    others.iter().try_for_each(|from| join(store, *from, *into))
}

/// What is not there cannot be changed; an issue that was merged leads to the other only whoever reads it.
pub fn found(store: &Store, issue: i64, found: bool) -> Result<(), Error> {
    if found { Ok(()) } else { Err(missing(store, &[issue])?) }
}

/// Merges two issues, or says why that cannot be.
pub fn join(store: &Store, from: i64, into: i64) -> Result<(), Error> {
    match store.merge(from, into)? {
        Merged::Done => Ok(()),
        Merged::NotFound => Err(missing(store, &[from, into])?),
        Merged::Incompatible => Err(unlike()),
    }
}

fn missing(store: &Store, issues: &[i64]) -> Result<Error, Error> {
    store.read(|reader| {
        for issue in issues.iter().copied() {
            if let Some(into) = reader.merged_into(issue)? {
                return Ok(Error::Merged(into));
            }
        }
        Ok(Error::NotFound)
    })
}

fn unlike() -> Error {
    Error::Bad("Only two different issues of one project can be merged".into())
}

fn unknown() -> Error {
    Error::Bad("The form does not say what to do".into())
}

/// Names and values, as a browser sends them.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Form {
        Form(form_urlencoded::parse(body).into_owned().collect())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// Where to come back to: a path of this site, never another one. (Browsers take `/\` and `//` for the start of a
    /// host's name, and leave out control characters before they look.)
    fn back<'a>(&'a self, default: &'a str) -> &'a str {
        let back = self.one("back");
        let is_path = back.starts_with('/') && !back[1..].starts_with(['/', '\\']);
        if is_path && back.bytes().all(|b| b.is_ascii_graphic()) { back } else { default }
    }
}
