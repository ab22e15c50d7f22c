//! Changes to issues and events, for the API and the dashboard's forms, with the error if a change cannot be made.
use super::error::Error;
use crate::domain::IssueState;
use crate::store::{Merged, Store};

pub fn set_state(store: &Store, issue: i64, state: IssueState) -> Result<(), Error> {
    check_found(store.set_state(issue, state)?)
}

pub fn delete_issue(store: &Store, issue: i64) -> Result<(), Error> {
    check_found(store.delete_issue(issue)?)
}

pub fn delete_event(store: &Store, event: &str) -> Result<(), Error> {
    check_found(store.delete_event(event.into())?)
}

pub fn merge(store: &Store, from: i64, into: i64) -> Result<(), Error> {
    match store.merge(from, into)? {
        Merged::Done => Ok(()),
        Merged::NotFound => Err(Error::NotFound),
        Merged::Incompatible => Err(not_mergeable()),
    }
}

pub fn not_mergeable() -> Error {
    Error::Bad("Only two different issues of one project can be merged".into())
}

/// An issue that was merged cannot be found to change it. Only readers are redirected to the other issue.
fn check_found(found: bool) -> Result<(), Error> {
    if found { Ok(()) } else { Err(Error::NotFound) }
}
