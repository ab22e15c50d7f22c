//! Moves events out of a database and into one, as JSON Lines: `obs export` and `obs import`.
mod export;
mod import;
mod progress;

pub use export::export;
pub use import::import;
