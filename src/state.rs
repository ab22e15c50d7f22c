//! What all requests share while obs serves.
use crate::auth::{Dashboard, Key};
use crate::rate::Rate;
use crate::store::Store;
use std::sync::Mutex;

pub struct State {
    pub store: Store,
    /// Never empty.
    pub keys: Vec<Key>,
    pub rate: Rate,
    pub dashboard: Dashboard,
    pub verbose: bool,
    /// Held while a large body is taken apart: made of tiny fields, it takes twenty times its size meanwhile.
    pub large: Mutex<()>,
}
