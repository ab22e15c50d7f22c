//! What all requests share while obs serves.
use super::auth::Dashboard;
use super::base;
use super::rate::Rate;
use super::refused::Refused;
use crate::domain::Key;
use crate::store::Store;
use rouille::Request;
use std::sync::Arc;

pub struct State {
    pub store: Arc<Store>,
    /// Never empty.
    pub keys: Vec<Key>,
    pub rate: Rate,
    pub refused: Refused,
    pub dashboard: Dashboard,
    /// The URL at which people reach obs. `None`: what each request says.
    pub url: Option<String>,
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
