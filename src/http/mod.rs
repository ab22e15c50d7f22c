//! HTTP/1.1 from sockets to rouille's `Request` and back: what the rest of obs sees of the server.
//!
//! Blocking sockets and a thread per connection, so that one request reads as one function, top to bottom:
//!
//! | file | its one job |
//! |---|---|
//! | `listen` | a listening socket, and the thread that accepts from it |
//! | `server` | what all connections share; supervises listeners, sweeps, stops |
//! | `table` | every connection there is: room for a new one, deadlines |
//! | `conn` | one connection as other threads see it: its phase, since when, how it is cut |
//! | `exchange` | one request and its answer, in the connection's own thread |
//! | `input` | the bytes of a connection that have come and are not yet read |
//! | `head`, `target`, `body` | the parts of a request, each strict about what two parsers could read in two ways |
//! | `answer` | a response as bytes |
//! | `budget` | the memory that bodies and answers may take together |
//! | `limits` | the numbers |
//!
//! Connection threads set no time-outs. They note which phase they are in, and a sweep four times a second cuts those
//! that have been in one too long. So a deadline covers a whole phase, however slowly the bytes trickle.
//!
//! Nothing here knows obs: what is served is an [`App`].
mod answer;
mod body;
mod budget;
mod conn;
mod exchange;
mod head;
mod input;
mod limits;
mod listen;
mod server;
mod table;
mod target;

pub use body::Body;
pub use limits::Limits;
pub use listen::listen;
use rouille::{Request, Response};
pub use server::serve;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The versions that are spoken; any other is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

/// What HTTP itself refuses. The application renders it, so that it looks like the application's own refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request is malformed, or two parsers could read it in two ways. The text says what is wrong.
    BadRequest(&'static str),
    /// The head or the body did not arrive in time.
    Timeout,
    /// The body is longer than [`Admission::max_body`].
    BodyTooLarge,
    /// The head is too long, or there are too many headers or trailers.
    HeadTooLarge,
    /// There is no room now. The text says for what; the answer should carry `Retry-After`.
    Busy(&'static str),
    /// The application panicked.
    Panicked,
}

impl Refusal {
    pub fn status(&self) -> u16 {
        match self {
            Refusal::BadRequest(_) => 400,
            Refusal::Timeout => 408,
            Refusal::BodyTooLarge => 413,
            Refusal::HeadTooLarge => 431,
            Refusal::Panicked => 500,
            Refusal::Busy(_) => 503,
        }
    }
}

/// What [`App::admit`] grants: its findings, and how long a body the request may bring, in bytes.
#[derive(Debug)]
pub struct Admission<P> {
    pub pass: P,
    pub max_body: usize,
}

/// What the server serves. Every function is called from many threads, and may panic: that is a 500.
pub trait App: Send + Sync + 'static {
    /// What `admit` found out about a request (route, who sent it) and `handle` needs: so neither is decided twice,
    /// and nothing reaches `handle` unadmitted.
    type Pass;

    /// Sees the head before the body is read. The request's own data is empty: the body goes to `handle` directly,
    /// without the copy that rouille's reader would cost.
    fn admit(&self, request: &Request, version: Version) -> Result<Admission<Self::Pass>, Response>;

    fn handle(&self, pass: Self::Pass, request: &Request, body: Body) -> Response;

    /// `target` is the request target where it could be read: also from a head that is too large, overdue, or
    /// malformed further down.
    fn refuse(&self, refusal: Refusal, target: Option<&str>) -> Response;

    /// Called when the answer to a request with a whole, well-formed head has left.
    fn answered(&self, _request: &Request, _status: u16, _took: Duration) {}

    /// Called when something is wrong that no client gets to see: a listener that died, no thread to be had.
    fn trouble(&self, _what: &str) {}
}

/// What `tests/coverage` feeds.
#[cfg(fuzzing)]
pub fn fuzz_head(bytes: &[u8]) {
    let _ = head::parse(bytes, ([127, 0, 0, 1], 0).into());
}

/// Calls into the application; `None` if it panicked. Its own state is its own affair: it is never left half-changed
/// by us, so nothing of ours is broken by unwinding.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// A lock that one panicked thread does not close to all others. Nothing panics between two halves of a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
