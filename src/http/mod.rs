//! HTTP/1.1 over sockets, with rouille's `Request` and `Response` as types. Knows nothing of obs: it serves an [`App`].
//!
//! Sockets block and every connection has its own thread, so one request reads as one function, from top to bottom. Each
//! file uses only files below it:
//!
//! | file | its job |
//! |---|---|
//! | `client` | the one request that obs itself sends |
//! | `server` | accepts connections, enforces deadlines, stops |
//! | `exchange` | reads requests and writes responses, in the connection's own thread |
//! | `shared` | what all threads share |
//! | `app` | the trait that an application implements |
//! | `response` | a response as bytes |
//! | `body` | a request's body, for the application to decode and parse |
//! | `incoming`, `head`, `target` | the parts of a request; each refuses what two parsers could read in two ways |
//! | `coding` | decodes a body's Content-Encoding |
//! | `read_buffer` | received bytes that have not been parsed yet |
//! | `table` | all open connections: makes room for new ones, finds the overdue |
//! | `budget` | the bound on memory |
//! | `limits` | the other bounds: sizes, counts and times |
//! | `conn` | one connection as other threads see it: its phase, and how to cut it off |
//! | `listen` | creates a listening socket, classifies errors of `accept` |
//! | `refusal`, `lock` | small types that the others share |
//!
//! Connection threads set no timeouts. They record their phase, and ten times a second the server cuts off connections
//! that have been in one phase for too long. A deadline thus covers the whole phase, however slowly the bytes trickle in.
mod app;
mod body;
mod budget;
mod client;
mod coding;
mod conn;
mod exchange;
mod head;
mod incoming;
mod limits;
mod listen;
mod lock;
mod read_buffer;
mod refusal;
mod response;
mod server;
mod shared;
mod table;
mod target;

pub use app::{Admission, App, Denial};
pub use body::{Body, Stream};
pub use budget::Budget;
pub use client::get;
pub use coding::Coding;
pub use head::{Version, is_token};
pub use limits::Limits;
pub use listen::listen;
pub use refusal::Refusal;
pub use server::serve;

/// The entry point for `tests/coverage`.
#[cfg(fuzzing)]
pub fn fuzz_head(bytes: &[u8]) {
    let _ = head::parse(bytes, ([127, 0, 0, 1], 0).into());
}
