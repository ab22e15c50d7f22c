//! obs as `http` sees it: which requests it admits, how it answers them, and what it logs.
//!
//! `main` calls `serve::run`, which builds a [`State`] and hands it to `http::serve`. From then on `http` calls the
//! functions of `impl App for State` below: `admit` for a request's head, `handle` once its body is there.
//!
//! | file | its one job |
//! |---|---|
//! | `routes` | the table of routes; finds a request's route and checks who sent it |
//! | `ingest`, `sentry`, `api`, `pages`, `forms`, `assets`, `metrics` | the handlers |
//! | `sentry_uploads`, `source_maps` | uploads of source maps, and what is stored of them |
//! | `envelope` | Sentry's envelope, for `sentry` |
//! | `changes` | changes to issues and events, for `api` and `forms` |
//! | `call` | an admitted request as a handler sees it |
//! | `state` | what all requests share |
//! | `auth`, `rate` | who may do what, and how often |
//! | `refused` | how many requests to store events were refused, and why |
//! | `base` | serving below a path |
//! | `error` | everything that can go wrong with a request |
//! | `response` | JSON, pages and plain text, with their headers |
//!
//! Dependencies point down this list only.
mod api;
mod assets;
pub mod auth;
mod base;
mod call;
mod changes;
pub mod envelope;
mod error;
mod forms;
mod ingest;
mod metrics;
mod pages;
pub mod rate;
mod refused;
pub mod response;
pub mod routes;
mod sentry;
mod sentry_uploads;
mod source_maps;
mod state;

pub use state::State;

use crate::http::{Admission, App, Body, Denial, Refusal, Version};
use crate::log;
use error::Error;
use response::Format;
use rouille::{Request, Response};
use routes::{Admitted, Cors};
use std::time::Duration;

impl App for State {
    type Pass = Admitted;

    fn admit(&self, request: &Request, version: Version) -> Result<Admission<Admitted>, Denial> {
        routes::admit(self, request, version).map_err(|error| {
            let is_guess = matches!(error, Error::WrongPassword);
            // The health check answers wrong passwords too, but it must not tell them from right ones any faster.
            let is_health = is_guess && routes::path(self.target(request)) == "/health";
            let result = if is_health { assets::health_of(self, None) } else { Err(error) };
            Denial { is_guess, response: self.finish(self.target(request), Format::from_request(request), result) }
        })
    }

    fn handle(&self, admitted: Admitted, request: &Request, body: Body) -> Response {
        let result = routes::handle(self, admitted, request, body);
        self.finish(self.target(request), Format::from_request(request), result)
    }

    fn refuse(&self, refusal: Refusal, target: Option<&str>) -> Response {
        let target = base::strip(self.base(), target.unwrap_or_default());
        // The headers, which would ask for plain text, may be unreadable.
        self.finish(target, Format::Page, Err(refusal.into()))
    }

    /// The query is not logged: clients may put a key there.
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

impl State {
    /// Renders an error, and adds the CORS headers of the route. Refusals need them too: without them, a browser reports
    /// a refusal to its page as a network failure.
    fn finish(&self, target: &str, format: Format, result: Result<Response, Error>) -> Response {
        let path = routes::path(target);
        let cors = routes::cors(&path);
        let response = match result {
            Err(error) if cors == Some(Cors::Sentry) => error.response_for_sentry(&path),
            result => result.unwrap_or_else(|error| error.response(&path, format)),
        };
        let response = base::add(self.base(), response);
        let exposed = match cors {
            None => return response,
            Some(Cors::Obs) => "Retry-After",
            Some(Cors::Sentry) => "Retry-After, X-Sentry-Rate-Limits, X-Sentry-Error",
        };
        self.refused.count(response.status_code);
        response
            .with_unique_header("Access-Control-Allow-Origin", "*")
            .with_unique_header("Access-Control-Expose-Headers", exposed)
    }
}
