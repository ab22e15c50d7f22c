//! Events leave as JSON Lines and come back: `obs export` and `obs import`.
mod export;
mod import;
mod progress;

pub use export::export;
pub use import::import;
