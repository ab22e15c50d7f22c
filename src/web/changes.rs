//! What became of a change to an issue or an event, for the API and the dashboard's forms.
use super::error::Error;
use crate::store::{Merged, Store};

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
pub fn check_found(found: bool) -> Result<(), Error> {
    if found { Ok(()) } else { Err(Error::NotFound) }
}
