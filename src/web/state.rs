//! What all requests share while obs runs.
use super::auth::Dashboard;
use super::rate::Rate;
use crate::domain::Key;
use crate::store::Store;

pub struct State {
    pub store: Store,
    /// The ingest keys; at least one.
    pub keys: Vec<Key>,
    pub rate: Rate,
    pub dashboard: Dashboard,
    /// Whether every request is logged.
    pub verbose: bool,
}
