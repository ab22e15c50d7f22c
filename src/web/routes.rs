//! The table of routes. A request's route, its sender and its largest body are checked from the head alone, so a
//! refused request is refused before its body is read.
use super::auth::{self, Sender};
use super::call::{Call, PathParams};
use super::error::Error;
use super::state::State;
use super::{api, assets, forms, ingest, metrics, pages, sentry, sentry_uploads, source_maps};
use crate::domain::is_name;
use crate::event::{MAX_EVENT, parse_id};
use crate::http::{Admission, Body, Coding, Version};
use crate::sourcemaps::map::MAX_BYTES as MAX_MAP;
use Access::{Anyone, ChangeByForm, ChangeByJson, Health, IngestKey, Read, SentryKey, Upload};
use rouille::percent_encoding::percent_decode_str;
use rouille::{Request, Response};
use std::borrow::Cow;

/// `GET`, `HEAD` and `OPTIONS` accept no body.
const NO_BODY: usize = 0;
/// Maximum size in bytes of a form, of the JSON of a change, and of a body that the route ignores.
const MAX_FORM: usize = 16 << 10;
/// Maximum size in bytes of an envelope as it is sent.
const MAX_ENVELOPE: usize = 20 << 20;
/// How much of a body that is read as a stream is read before it is handled.
const READ_FIRST: usize = 64 << 10;

/// Every route, in the order of the contract. `HEAD` works wherever `GET` does.
#[rustfmt::skip]
static ROUTES: &[Route] = &[
    route("POST",    "/api/events",              IngestKey,    MAX_EVENT, ingest::add_event).open_to_pages(Cors::Obs),
    route("OPTIONS", "/api/events",              Anyone,       NO_BODY,   ingest::preflight).open_to_pages(Cors::Obs),
    route("GET",     "/api/issues",              Read,         NO_BODY,   api::issues),
    route("GET",     "/api/issues/:issue",       Read,         NO_BODY,   api::issue),
    route("GET",     "/api/events/:event",       Read,         NO_BODY,   api::event),
    route("GET",     "/api/stats",               Read,         NO_BODY,   api::stats),
    route("PATCH",   "/api/issues/:issue",       ChangeByJson, MAX_FORM,  api::set_state),
    route("DELETE",  "/api/issues/:issue",       ChangeByJson, MAX_FORM,  api::delete_issue),
    route("DELETE",  "/api/events/:event",       ChangeByJson, MAX_FORM,  api::delete_event),
    route("POST",    "/api/issues/:issue/merge", ChangeByJson, MAX_FORM,  api::merge),
    route("POST",    "/api/:project/envelope",   SentryKey, MAX_ENVELOPE, sentry::envelope).open_to_pages(Cors::Sentry),
    route("POST",    "/api/:project/store",      SentryKey,    MAX_EVENT, sentry::event).open_to_pages(Cors::Sentry),
    route("POST",    "/api/:project/security",   SentryKey,    MAX_EVENT, sentry::csp_reports).open_to_pages(Cors::Sentry),
    route("OPTIONS", "/api/:project/envelope",   Anyone,       NO_BODY,   ingest::preflight).open_to_pages(Cors::Sentry),
    route("OPTIONS", "/api/:project/store",      Anyone,       NO_BODY,   ingest::preflight).open_to_pages(Cors::Sentry),
    route("OPTIONS", "/api/:project/security",   Anyone,       NO_BODY,   ingest::preflight).open_to_pages(Cors::Sentry),
    route("GET",     "/api/sourcemaps",          Read,         NO_BODY,   source_maps::list),
    route("PUT",     "/api/sourcemaps/*",        Upload,       MAX_MAP,   source_maps::upload),
    route("DELETE",  "/api/sourcemaps/:map",     ChangeByJson, MAX_FORM,  source_maps::delete),
    route("GET",  "/api/0/organizations/:any/chunk-upload", Upload, NO_BODY, sentry_uploads::options),
    route("POST", "/api/0/organizations/:any/chunk-upload", Upload, MAX_EVENT, sentry_uploads::chunk),
    route("POST", "/api/0/organizations/:any/artifactbundle/assemble", Upload, MAX_EVENT, sentry_uploads::assemble),
    route("POST", "/api/0/organizations/:any/releases", Upload, MAX_EVENT, sentry_uploads::release),
    route("PUT",  "/api/0/organizations/:any/releases/*", Upload, MAX_EVENT, sentry_uploads::release),
    route("POST", "/api/0/projects/:any/:any/releases", Upload, MAX_EVENT, sentry_uploads::release),
    route("PUT",  "/api/0/projects/:any/:any/releases/*", Upload, MAX_EVENT, sentry_uploads::release),
    route("GET",     "/",                        Read,         NO_BODY,   pages::issues),
    route("GET",     "/issues/:issue",           Read,         NO_BODY,   pages::issue),
    route("GET",     "/issues/:issue/latest",    Read,         NO_BODY,   pages::latest),
    route("GET",     "/events/:event",           Read,         NO_BODY,   pages::event),
    route("GET",     "/setup",                   Read,         NO_BODY,   pages::setup),
    route("GET",     "/setup/sourcemaps",        Read,         NO_BODY,   source_maps::page),
    route("POST",    "/setup/sourcemaps",        ChangeByForm, MAX_FORM,  source_maps::change),
    route("POST",    "/",                        ChangeByForm, MAX_FORM,  forms::change_issues),
    route("POST",    "/issues/:issue",           ChangeByForm, MAX_FORM,  forms::change_issue),
    route("POST",    "/events/:event",           ChangeByForm, MAX_FORM,  forms::change_event),
    route("GET",     "/style.css",               Anyone,       NO_BODY,   assets::style),
    route("GET",     "/favicon.svg",             Anyone,       NO_BODY,   assets::favicon),
    route("GET",     "/sdk.js",                  Anyone,       NO_BODY,   assets::sdk).open_to_pages(Cors::Obs),
    route("GET",     "/health",                  Health,       NO_BODY,   assets::health),
    route("GET",     "/metrics",                 Read,         NO_BODY,   metrics::metrics),
];

/// Who may use a route.
enum Access {
    Anyone,
    /// Anyone. Readers get more.
    Health,
    /// The owner of an ingest key, within the key's rate limit.
    IngestKey,
    /// The same, as Sentry's SDKs send it. The rate limit is for events, not for what else they send.
    SentryKey,
    /// Anyone whom the dashboard admits.
    Read,
    /// A trusted reader, by a form on one of obs's own pages.
    ChangeByForm,
    /// A trusted reader, by a request that another site cannot make a browser send.
    ChangeByJson,
    /// The same, with a token. Tools put a slash at the end of the path.
    Upload,
}

struct Route {
    method: &'static str,
    /// `:issue` stands for an issue's id, `:event` for an event's id, `:map` for a source map's id and `:project` for a
    /// name. Any other value in their place is a 404. `:any` stands for any segment, and `*` for all that follow.
    path: &'static str,
    access: Access,
    max_body: usize,
    handler: Handler,
    cors: Option<Cors>,
}

/// A page of any origin may read the responses.
#[derive(Clone, Copy, PartialEq)]
pub enum Cors {
    Obs,
    /// And the responses are as Sentry's SDKs expect them. Their paths may end with a slash.
    Sentry,
}

type Handler = fn(&State, &Call, Body) -> Result<Response, Error>;

const fn route(method: &'static str, path: &'static str, access: Access, max_body: usize, handler: Handler) -> Route {
    Route { method, path, access, max_body, handler, cors: None }
}

impl Route {
    const fn open_to_pages(self, cors: Cors) -> Route {
        Route { cors: Some(cors), ..self }
    }

    /// The parameters in a path, if the path matches this route's.
    fn params(&self, path: &str) -> Option<PathParams> {
        let mut params = PathParams::default();
        let (mut pattern, mut segments) = (self.path.split('/'), path.split('/'));
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return Some(params),
                (None, Some("")) if self.cors == Some(Cors::Sentry) || matches!(self.access, Upload) => {
                    return segments.next().is_none().then_some(params);
                }
                (Some("*"), Some(first)) => {
                    params.rest = [first].into_iter().chain(segments).collect::<Vec<_>>().join("/");
                    return Some(params).filter(|params| !params.rest.is_empty());
                }
                (Some(":any"), Some(any)) if !any.is_empty() => {}
                (Some(":map"), Some(id)) => params.map = parse_number(id)?,
                (Some(":issue"), Some(id)) => params.issue = parse_number(id)?,
                (Some(":event"), Some(id)) => params.event = parse_id(id)?.to_string(),
                (Some(":project"), Some(name)) if is_name(name) => {}
                (Some(name), Some(segment)) if name == segment => {}
                _ => return None,
            }
        }
    }
}

/// A request that may be handled: its route, its path parameters, and what admission found out about its sender.
pub struct Admitted {
    route: &'static Route,
    path: PathParams,
    sender: Sender,
}

pub fn admit(state: &State, request: &Request, version: Version) -> Result<Admission<Admitted>, Error> {
    let (route, path) = find(request.method(), state.target(request))?;
    let mut read_first = if route.max_body > MAX_EVENT { READ_FIRST } else { route.max_body };
    let reader = || state.dashboard.admit(request, version);
    let sender = match route.access {
        Anyone => Sender::default(),
        IngestKey => {
            let key = auth::ingest_key(&state.keys, request)?;
            state.rate.check(&key.key).map_err(Error::TooMany)?;
            Coding::from_request(request).map_err(Error::Coding)?;
            Sender { key: key.key.clone(), project: key.project.clone(), ..Sender::default() }
        }
        SentryKey => {
            let key = auth::sentry_key(&state.keys, request)?;
            if Coding::from_request(request).map_err(Error::Coding)? == Some(Coding::Brotli) {
                read_first = read_first.max(MAX_EVENT); // as a stream, brotli needs far more memory
            }
            Sender { key: key.key.clone(), project: key.project.clone(), ..Sender::default() }
        }
        Health => match reader() {
            Err(Error::WrongPassword) => return Err(Error::WrongPassword),
            sender => sender.unwrap_or_default(),
        },
        Read => reader()?,
        ChangeByForm => auth::check_form(request, reader()?, state.url.as_deref())?,
        ChangeByJson => auth::check_json(request, reader()?)?,
        Upload => auth::check_upload(request, reader()?)?,
    };
    Ok(Admission { max_body: route.max_body, read_first, pass: Admitted { route, path, sender } })
}

pub fn handle(state: &State, admitted: Admitted, request: &Request, body: Body) -> Result<Response, Error> {
    let Admitted { route, path, sender } = admitted;
    (route.handler)(state, &Call { request, path, sender }, body)
}

/// Whether and how a page of any origin may read responses from a path, including a redirect to it.
pub fn cors(path: &str) -> Option<Cors> {
    routes_at(path.strip_suffix('/').unwrap_or(path)).find_map(|(route, _)| route.cors)
}

fn find(method: &str, target: &str) -> Result<(&'static Route, PathParams), Error> {
    let method = if method == "HEAD" { "GET" } else { method };
    let path = path(target);
    if let Some(found) = routes_at(&path).find(|(route, _)| route.method == method) {
        return Ok(found);
    }
    let mut methods: Vec<&str> = routes_at(&path).map(|(route, _)| route.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if !methods.is_empty() {
        methods.sort_unstable();
        return Err(Error::Method(methods.join(", ")));
    }
    match path.strip_suffix('/') {
        Some(known) if known != "/" && routes_at(known).next().is_some() => Err(Error::Moved(without_slash(target))),
        _ if path.is_empty() => Err(Error::Moved(format!("/{target}"))),
        _ => Err(Error::NotFound),
    }
}

fn routes_at(path: &str) -> impl Iterator<Item = (&'static Route, PathParams)> {
    ROUTES.iter().filter_map(move |route| Some((route, route.params(path)?)))
}

/// The path of a request target, percent-decoded. An encoded slash stays encoded, since it does not separate segments.
/// A path that does not decode to UTF-8 stays encoded too, and matches no route.
pub fn path(target: &str) -> Cow<'_, str> {
    let raw = target.split('?').next().unwrap_or_default();
    if !raw.contains('%') {
        return raw.into();
    }
    let slashes_kept = raw.replace("%2F", "%252F").replace("%2f", "%252f");
    percent_decode_str(&slashes_kept).decode_utf8().map_or(raw.into(), |path| path.into_owned().into())
}

/// A target without the last slash of its path.
fn without_slash(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    format!("{}{query}", path.strip_suffix('/').unwrap_or(path))
}

/// Parses a number that consists of digits only.
fn parse_number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_keeps_its_segments() {
        assert_eq!(path("/api/%65vents?x=%41"), "/api/events");
        assert_eq!(path("/issues/1%2F2"), "/issues/1%2F2");
        assert_eq!(path("/a%2541"), "/a%41");
        assert_eq!(path("/a%zz%+f%4"), "/a%zz%+f%4");
        assert_eq!(path("/%ff"), "/%ff");
    }

    #[test]
    fn only_the_last_slash_of_the_path_is_removed() {
        assert_eq!(without_slash("/issues/5/?after=7/"), "/issues/5?after=7/");
        assert_eq!(without_slash("/api/events/"), "/api/events");
    }
}
