//! What all requests share while obs serves.
use super::auth::Dashboard;
use super::rate::Rate;
use crate::domain::Key;
use crate::store::Store;
use std::sync::Arc;

pub struct State {
    pub store: Arc<Store>,
    /// Never empty.
    pub keys: Vec<Key>,
    pub rate: Rate,
    pub dashboard: Dashboard,
    /// The URL at which people reach obs. `None`: what each request says.
    pub url: Option<String>,
    pub verbose: bool,
}
