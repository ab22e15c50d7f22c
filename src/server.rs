//! obs while it serves: what its parts share, and its side of `http::App`.
use crate::auth::{Dashboard, Key};
use crate::error::Error;
use crate::http::{Admission, App, Refusal, Version};
use crate::log;
use crate::routes::{self, Route};
use crate::store::Store;
use rouille::{Request, Response};
use std::time::Duration;

pub struct Server {
    pub store: Store,
    /// Never empty.
    pub keys: Vec<Key>,
    pub dashboard: Dashboard,
    pub verbose: bool,
}

impl App for Server {
    type Pass = Route;

    fn admit(&self, request: &Request, version: Version) -> Result<Admission<Route>, Response> {
        routes::admit(self, request, version).map_err(|error| error.response(&routes::path(request.raw_url())))
    }

    fn handle(&self, route: Route, request: &Request, body: Vec<u8>) -> Response {
        let answer = routes::handle(self, route, request, body);
        answer.unwrap_or_else(|error| error.response(&routes::path(request.raw_url())))
    }

    fn refuse(&self, refusal: Refusal, target: Option<&str>) -> Response {
        let path = routes::path(target.unwrap_or_default());
        Error::refused(refusal, &path).response(&path)
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
