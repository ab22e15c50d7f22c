//! What the server serves: the trait that an application implements.
use super::body::Body;
use super::head::Version;
use super::refusal::Refusal;
use rouille::{Request, Response};
use std::time::Duration;

/// What [`App::admit`] grants: whatever `handle` needs to know, and how much of a body may follow, in bytes.
#[derive(Debug)]
pub struct Admission<P> {
    pub pass: P,
    pub max_body: usize,
    /// How much of the body is read before `handle` is called. The rest can be read as a stream.
    pub read_first: usize,
}

/// What [`App::admit`] refuses.
pub struct Denial {
    pub response: Response,
    /// The request tried to guess a secret. Such responses are sent one at a time, at most ten a second.
    pub is_guess: bool,
}

/// Every function is called from many threads. If one that answers a client panics, the client gets a 500.
pub trait App: Send + Sync + 'static {
    /// What `admit` found out about a request (its route, its sender). It is decided once, and `handle` cannot be called
    /// without it.
    type Pass;

    /// Decides from the head alone, before the body is read. The body of this `Request` is empty: `handle` gets the body
    /// as a slice, which saves the copy that rouille's reader would make.
    fn admit(&self, request: &Request, version: Version) -> Result<Admission<Self::Pass>, Denial>;

    fn handle(&self, pass: Self::Pass, request: &Request, body: Body) -> Response;

    /// Renders a refusal. `target` is the request target if it could be read. Often it can, even if the head is too
    /// large, late, or malformed further down.
    fn refuse(&self, refusal: Refusal, target: Option<&str>) -> Response;

    /// Called after the response to a request with a complete, well-formed head has been sent.
    fn answered(&self, _request: &Request, _status: u16, _took: Duration) {}

    /// Reports a problem that no client sees, such as a thread that could not be started.
    fn trouble(&self, _what: &str) {}
}
