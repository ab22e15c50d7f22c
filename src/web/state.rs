//! What all requests share while obs serves.
use super::auth::Dashboard;
use super::rate::Rate;
use crate::domain::Key;
use crate::store::Store;

pub struct State {
    pub store: Store,
    /// Never empty.
    pub keys: Vec<Key>,
    pub rate: Rate,
    pub dashboard: Dashboard,
    pub verbose: bool,
}
