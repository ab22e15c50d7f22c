//! What people do with issues. A change takes effect at once as a mark; `upkeep/purge.rs` does what takes long.
pub mod delete;
pub mod merge;
pub mod state;
