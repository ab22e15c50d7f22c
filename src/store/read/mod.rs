//! Reading: a few connections that only read, and the queries behind every page. Each costs the same however much is
//! stored, except a search, which is bounded in time.
mod contains;
mod events;
mod issues;
mod page;
mod pool;
mod search;
mod trends;

pub use events::{EVENT, event};
pub use pool::{Reader, Readers};
pub use search::MAX_MATCHES;
