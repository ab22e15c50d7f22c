//! obs as `http` sees it: what it admits, how it answers, what it logs.
mod acts;
mod api;
mod assets;
pub mod auth;
mod error;
pub mod ingest;
mod pages;
pub mod rate;
pub mod response;
pub mod routes;
mod state;

pub use state::State;

use crate::http::{Admission, App, Body, Refusal, Version};
use crate::log;
use error::Error;
use response::Format;
use rouille::{Request, Response};
use routes::Route;
use std::time::Duration;

impl App for State {
    type Pass = Route;

    fn admit(&self, request: &Request, version: Version) -> Result<Admission<Route>, Response> {
        routes::admit(self, request, version)
            .map_err(|error| answer(request.raw_url(), Format::of(request), Err(error)))
    }

    fn handle(&self, route: Route, request: &Request, body: Body) -> Response {
        answer(request.raw_url(), Format::of(request), routes::handle(self, route, request, body))
    }

    fn refuse(&self, refusal: Refusal, target: Option<&str>) -> Response {
        let target = target.unwrap_or_default();
        // A target is all that is known here: what `http` refuses is a page for everyone.
        answer(target, Format::Page, Err(Error::refused(refusal, &routes::path(target))))
    }

    /// The query stays out of the log: clients may put a key there.
    fn answered(&self, request: &Request, status: u16, took: Duration) {
        if self.verbose {
            let path = request.raw_url().split('?').next().unwrap_or_default();
            log::line(&format!("{} {path} {status} {:.1} ms", request.method(), took.as_secs_f64() * 1000.0));
        }
    }

    fn trouble(&self, what: &str) {
        log::line(what);
    }
}

/// What leaves for a target. Pages of any origin may load `/sdk.js` and read what `/api/events` answers, refusals too:
/// without these headers a browser would show its SDK a refusal as a broken network.
fn answer(target: &str, form: Format, result: Result<Response, Error>) -> Response {
    let path = routes::path(target);
    let response = result.unwrap_or_else(|error| error.response(&path, form));
    match path.strip_suffix('/').unwrap_or(&path) {
        "/api/events" => response
            .with_unique_header("Access-Control-Allow-Origin", "*")
            .with_unique_header("Access-Control-Expose-Headers", "Retry-After"),
        "/sdk.js" => response.with_unique_header("Access-Control-Allow-Origin", "*"),
        _ => response,
    }
}
