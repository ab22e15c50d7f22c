//! Everything that can go wrong with a request: its status and text, as JSON, a page or plain text.
use super::response::{Format, json};
use crate::http::Refusal;
use crate::{log, store, text, views};
use rouille::{Response, ResponseBody};
use std::borrow::Cow;

/// Seconds after which a client may retry when obs is unavailable.
const RETRY_AFTER: &str = "2";

/// The codings in which a body may be sent.
const CODINGS: &str = "gzip, deflate, br";

const SIGN_IN: &str = "Sign in with the dashboard password and any user name, as in curl -u :PASSWORD. \
     An ingest key does not open the dashboard";
const NO_TOKEN: &str = "An upload needs a token. The dashboard has no password, so any will do, as in curl -u :x";
const NOT_LOCAL: &str = "Without a password, the dashboard serves this machine only, and no proxy. \
     Set OBS_DASHBOARD_PASSWORD or pass --public-dashboard";
const READ_ONLY: &str = "The dashboard is public, so it accepts changes only from local requests. \
     Set OBS_DASHBOARD_PASSWORD to make changes from elsewhere";
const HEAD_TOO_LARGE: &str = "The request head is over 16 KiB, or has over 100 headers or trailers. \
     In a browser, deleting the cookies of this site may help";

#[derive(Debug)]
pub enum Error {
    /// The target is at this path: without the trailing slash, or of the issue that this one was merged into.
    Moved(String),
    /// The request, or the event in it, is malformed. Says how.
    Bad(String),
    /// The ingest key is missing or wrong.
    WrongKey,
    /// The dashboard's password is missing.
    SignIn,
    WrongPassword,
    /// An upload without a token.
    NoToken,
    /// The dashboard has no password, and the request does not appear to come from this machine.
    NotLocal,
    /// The dashboard is public, and the request would change something.
    ReadOnly,
    /// Another site may have forged the request. Says what raised the suspicion, or what obs accepts instead.
    Forged(String),
    NotFound,
    /// The path does not have the request's method. Lists those that it has.
    Method(String),
    /// The key has used up its events for this minute. It may send more in so many seconds.
    TooMany(u64),
    /// obs cannot do this now. Says why.
    Unavailable(&'static str),
    /// The body is in a coding that obs does not decode. Names it.
    Coding(String),
    /// `http` refused the request.
    Refused(Refusal),
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
    fn from(refusal: Refusal) -> Error {
        Error::Refused(refusal)
    }
}

impl Error {
    /// The status, a heading for the page, and a text for people and JSON alike: what is wrong and what to do.
    fn describe(&self) -> (u16, &'static str, Cow<'_, str>) {
        match self {
            Error::Moved(to) => (308, "Moved", format!("Moved to {to}").into()),
            Error::Bad(why) => (400, "Bad request", why.into()),
            Error::WrongKey => (401, "Invalid API key", "Invalid API key".into()),
            Error::SignIn | Error::WrongPassword => (401, "Password required", SIGN_IN.into()),
            Error::NoToken => (401, "Token required", NO_TOKEN.into()),
            Error::NotLocal => (403, "Local access only", NOT_LOCAL.into()),
            Error::ReadOnly => (403, "Read-only", READ_ONLY.into()),
            Error::Forged(why) => {
                (403, "Request refused", format!("Another site may have forged this request: {why}").into())
            }
            Error::NotFound => {
                (404, "Not found", "No such page, issue or event. It may have been deleted or merged".into())
            }
            Error::Method(allowed) => (405, "Method not allowed", format!("This address accepts {allowed}").into()),
            Error::TooMany(seconds) => {
                (429, "Too many events", format!("Too many events. This key may send more in {seconds} seconds").into())
            }
            Error::Unavailable(why) => (503, "Temporarily unavailable", (*why).into()),
            Error::Coding(name) => {
                let name = text::head(name, 100);
                let text = format!("Content-Encoding: {name} is not supported. Use {CODINGS}, or none");
                (415, "Unsupported encoding", text.into())
            }
            Error::Refused(refusal) => {
                let (heading, text) = match refusal {
                    Refusal::BadRequest(why) => ("Bad request", format!("Malformed request: {why}")),
                    Refusal::Timeout => ("Request timeout", "The request took too long to arrive".into()),
                    Refusal::BodyTooLarge(0) => ("Body too large", "GET, HEAD and OPTIONS accept no body".into()),
                    Refusal::BodyTooLarge(max) => {
                        ("Body too large", format!("The body is over the limit of {max} bytes"))
                    }
                    Refusal::HeadTooLarge => ("Head too large", HEAD_TOO_LARGE.into()),
                    Refusal::Busy(why) => ("Temporarily unavailable", (*why).into()),
                    Refusal::Panicked => ("Internal error", "Internal error".into()),
                };
                (refusal.status(), heading, text.into())
            }
        }
    }

    /// The response that Sentry's SDKs expect: what is wrong in a header, and a 429 without a body, for errors only.
    pub fn response_for_sentry(&self, path: &str) -> Response {
        let response = self.response(path, Format::Page);
        match self {
            Error::TooMany(seconds) => Response { data: ResponseBody::empty(), ..response }
                .with_unique_header("X-Sentry-Rate-Limits", format!("{seconds}:error:key")),
            _ => response.with_unique_header("X-Sentry-Error", self.describe().2.into_owned()),
        }
    }

    /// The response to a request for a path: JSON under `/api`, otherwise a page or plain text.
    pub fn response(&self, path: &str, format: Format) -> Response {
        let (status, heading, text) = self.describe();
        let response = if path == "/api" || path.starts_with("/api/") {
            json(&serde_json::json!({ "error": text }))
        } else {
            let text = format!("{text}.");
            format.answer(|| views::error(status, heading, &text), || views::terminal::error(status, heading, &text))
        };
        let response = response.with_status_code(status);
        match self {
            Error::Moved(to) => response.with_unique_header("Location", to.clone()),
            Error::SignIn | Error::WrongPassword | Error::NoToken => {
                response.with_unique_header("WWW-Authenticate", "Basic realm=\"obs\", charset=\"UTF-8\"")
            }
            Error::Method(allowed) => response.with_unique_header("Allow", allowed.clone()),
            Error::Coding(_) => response.with_unique_header("Accept-Encoding", CODINGS),
            Error::TooMany(seconds) => response.with_unique_header("Retry-After", seconds.to_string()),
            _ if status == 503 => response.with_unique_header("Retry-After", RETRY_AFTER),
            _ => response,
        }
    }
}
