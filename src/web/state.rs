//! What all requests share while obs serves.
use super::auth::Dashboard;
use super::base;
use super::error::Error;
use super::rate::Rate;
use super::refused::Refused;
use crate::domain::Key;
use crate::sourcemaps::turn::{Turn, Turns};
use crate::store::Store;
use rouille::Request;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for its turn to work on a source map.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct State {
    pub store: Arc<Store>,
    /// Never empty.
    pub keys: Vec<Key>,
    /// For everything that works on source maps.
    pub turns: Turns,
    pub rate: Rate,
    pub refused: Refused,
    pub dashboard: Dashboard,
    /// The URL at which people reach obs. `None`: what each request says.
    pub url: Option<String>,
    /// Maximum bytes of all source maps.
    pub max_source_maps: i64,
    pub verbose: bool,
}

impl State {
    /// The path below which people reach obs.
    pub fn base(&self) -> &str {
        self.url.as_deref().map_or("", base::of)
    }

    /// What a request is for, with the path without the base.
    pub fn target<'a>(&self, request: &'a Request) -> &'a str {
        base::strip(self.base(), request.raw_url())
    }
}

/// Waits for a turn to work on a source map.
pub fn turn(state: &State) -> Result<Turn<'_>, Error> {
    state.turns.wait(PATIENCE).ok_or(Error::Unavailable("Too many source maps at once"))
}
