//! Everything that can go wrong with a request, and the one place that renders it: JSON under `/api`, else a page or text.
use super::response::{Format, json};
use crate::http::Refusal;
use crate::store;
use crate::{log, views};
use rouille::Response;
use std::borrow::Cow;

/// Seconds after which a client may try again.
const RETRY_AFTER: &str = "2";

#[derive(Debug)]
pub enum Error {
    /// 308: the same path without its last slash is what there is.
    Moved(String),
    /// 400: the request, or the event in it, is malformed. Says how.
    Bad(String),
    /// 401: the ingest key is missing or wrong.
    WrongKey,
    /// 401: the dashboard's password is missing or wrong.
    SignIn,
    /// 403: the dashboard has no password and the request does not seem to come from this machine.
    NotLocal,
    /// 403: the dashboard is open to everyone, to be read.
    ReadOnly,
    /// 403: another site may be behind the request. Says what would show that none is.
    Forged(&'static str),
    /// 404
    NotFound,
    /// 404: the issue that is to be changed is part of another.
    Merged(i64),
    /// 405, with the methods that the path has.
    Method(&'static str),
    /// 408: the request took too long to arrive.
    Timeout,
    /// 413: the body is over the route's limit. Says the limit.
    TooLarge(&'static str),
    /// 429: the key has sent as many events as it may in a minute. In how many seconds it may send more.
    TooMany(u64),
    /// 431: the head is over the limit.
    HeadTooLarge,
    /// 500: a fault of obs.
    Internal,
    /// 503: try again in a few seconds. Says what is short.
    Unavailable(&'static str),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        if let store::Error::Failed(_) = error {
            log::line(&error.to_string());
        }
        Error::Unavailable(error.public())
    }
}

impl From<Refusal> for Error {
    /// A refusal once the body is here.
    fn from(refusal: Refusal) -> Error {
        Error::refused(refusal, "")
    }
}

impl Error {
    /// What `http` refused of a request to a path.
    pub fn refused(refusal: Refusal, path: &str) -> Error {
        match refusal {
            Refusal::BadRequest(why) => Error::Bad(format!("Malformed request: {why}")),
            Refusal::Timeout => Error::Timeout,
            Refusal::BodyTooLarge if path == "/api/events" => Error::TooLarge("the limit is 1 MiB (1048576 bytes)"),
            Refusal::BodyTooLarge => Error::TooLarge("the limit here is 16 KiB, for what takes a body"),
            Refusal::HeadTooLarge => Error::HeadTooLarge,
            Refusal::Busy(why) => Error::Unavailable(why),
            Refusal::Panicked => Error::Internal,
        }
    }

    pub fn status(&self) -> u16 {
        match self {
            Error::Moved(_) => 308,
            Error::Bad(_) => 400,
            Error::WrongKey | Error::SignIn => 401,
            Error::NotLocal | Error::ReadOnly | Error::Forged(_) => 403,
            Error::NotFound | Error::Merged(_) => 404,
            Error::Method(_) => 405,
            Error::Timeout => 408,
            Error::TooLarge(_) => 413,
            Error::TooMany(_) => 429,
            Error::HeadTooLarge => 431,
            Error::Internal => 500,
            Error::Unavailable(_) => 503,
        }
    }

    /// A heading, what it means, and what to do next.
    fn words(&self) -> (&'static str, String) {
        match self {
            Error::Moved(to) => ("Moved", format!("The page is at {to}.")),
            Error::Bad(why) => ("Bad request", why.clone()),
            Error::WrongKey => ("Invalid API key", "Send a valid ingest key as X-OBS-Key.".into()),
            Error::SignIn => (
                "Password needed",
                "This dashboard is closed. Reload and sign in with the dashboard password; any user name will do. \
                 The ingest key does not open it."
                    .into(),
            ),
            Error::NotLocal => (
                "Not from here",
                "This dashboard has no password, so it answers only requests from the machine that it runs on. \
                 Set OBS_DASHBOARD_PASSWORD to open it to those who know the password, or start obs with \
                 --public-dashboard to open it to everyone."
                    .into(),
            ),
            Error::ReadOnly => (
                "Only to be read",
                "This dashboard is open to everyone, so nothing can be changed on it but from the machine that it runs on. \
                 Set OBS_DASHBOARD_PASSWORD to sign in and change things."
                    .into(),
            ),
            Error::Forged(why) => ("Not from here", format!("Another site may have sent this: {why}. Go back and try again.")),
            Error::NotFound => (
                "No such page",
                "There is nothing at this address. An issue or event that was here may have been deleted.".into(),
            ),
            Error::Merged(into) => ("No issue of its own", format!("It was merged into issue {into}. That one can be changed.")),
            Error::Method(allowed) => ("Method not allowed", format!("This address answers {allowed}.")),
            Error::Timeout => ("Too slow", "The request took too long to arrive. Try again.".into()),
            Error::TooLarge(limit) => ("Too large", format!("The request's body is too large: {limit}.")),
            Error::TooMany(seconds) => ("Too many events", format!("This key may send more in {seconds} seconds.")),
            Error::HeadTooLarge => (
                "Too large",
                "The request's head is larger than 16 KiB or has more than 100 headers. Deleting this site's cookies may help."
                    .into(),
            ),
            Error::Internal => ("Something went wrong", "The fault is on this side. Nothing that was accepted is lost.".into()),
            Error::Unavailable(why) => (
                "Not available right now",
                format!("{why}. Nothing that was accepted is lost. Try again in a few seconds."),
            ),
        }
    }

    /// The same in the few words of an API answer.
    fn api_words(&self) -> String {
        match self {
            Error::Bad(why) => why.clone(),
            Error::TooLarge(limit) => format!("Body too large: {limit}"),
            Error::HeadTooLarge => "Head too large: the limits are 16 KiB, 100 headers and 100 trailers".into(),
            Error::TooMany(seconds) => format!("Too many events: this key may send more in {seconds} seconds"),
            Error::Timeout => "Timeout: the request took too long to arrive".into(),
            Error::Unavailable(why) => (*why).into(),
            Error::NotFound => "Not found".into(),
            Error::Merged(into) => format!("Not found: merged into issue {into}"),
            Error::Moved(_) | Error::WrongKey | Error::Method(_) | Error::Internal => self.words().0.into(),
            Error::SignIn => "Password needed: HTTP Basic with the dashboard password".into(),
            Error::ReadOnly => "A public dashboard is only to be read: set OBS_DASHBOARD_PASSWORD".into(),
            Error::Forged(why) => format!("Another site may have sent this: {why}"),
            Error::NotLocal => "The dashboard has no password and answers only this machine".into(),
        }
    }

    /// The same for a terminal, where nothing can be clicked and the address is typed.
    fn terminal_words(&self) -> String {
        match self {
            Error::SignIn => "curl -u :PASSWORD sends it. The ingest key does not open the dashboard.".into(),
            Error::NotLocal => {
                "OBS_DASHBOARD_PASSWORD is not set, so only this machine is answered. Set it, or start obs with --public-dashboard."
                    .into()
            }
            Error::Moved(to) => format!("It is at {to}."),
            Error::Bad(_) | Error::NotFound | Error::Method(_) => format!("{} The issues are at /.", sentence(&self.words().1)),
            _ => self.words().1,
        }
    }

    /// The answer for a request to a path, the empty one where it could not be read.
    pub fn response(&self, path: &str, form: Format) -> Response {
        let body = if path == "/api" || path.starts_with("/api/") {
            json(&serde_json::json!({ "error": self.api_words() }))
        } else {
            let (heading, text) = self.words();
            form.answer(
                || views::error(self.status(), heading, &text),
                || views::terminal::error(self.status(), heading, &self.terminal_words()),
            )
        };
        let mut response = body.with_status_code(self.status());
        let header: Option<(&'static str, Cow<'static, str>)> = match self {
            Error::Moved(to) => Some(("Location", to.clone().into())),
            Error::SignIn => Some(("WWW-Authenticate", "Basic realm=\"obs\", charset=\"UTF-8\"".into())),
            Error::Method(allowed) => Some(("Allow", (*allowed).into())),
            Error::Unavailable(_) => Some(("Retry-After", RETRY_AFTER.into())),
            Error::TooMany(seconds) => Some(("Retry-After", seconds.to_string().into())),
            _ => None,
        };
        response.headers.extend(header.map(|(name, value)| (name.into(), value)));
        response
    }
}

/// With its full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
