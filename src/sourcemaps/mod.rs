//! Source maps: which place of the source a place in a minified script stands for.
//!
//! | file | its job |
//! |---|---|
//! | `resolve` | finds the maps for an event's stack traces, and says which are missing |
//! | `bundle` | reads what Sentry's uploaders send |
//! | `missing` | says what is missing, with the command that helps |
//! | `lookup` | finds places in a map that is stored |
//! | `map` | checks a map, and splits it for the store |
//! | `vlq` | decodes a map's mappings |
//! | `turn` | lets one request at a time work on a map |
//!
//! Dependencies point down this table only.
pub mod bundle;
pub mod lookup;
pub mod map;
pub mod missing;
pub mod resolve;
pub mod turn;
pub mod vlq;
