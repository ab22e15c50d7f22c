//! Answers of each kind, with the headers that all of the kind have.
use crate::views::html::Html;
use crate::views::terminal::Screen;
use rouille::{Request, Response};
use serde::Serialize;

/// Nothing is allowed but what a page needs: its style sheet and forms to itself. Never a script.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src 'self'";

/// A page of the dashboard.
fn page(html: Html) -> Response {
    Response::html(html.into_string())
        .with_unique_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        .with_unique_header("Referrer-Policy", "same-origin")
        .with_unique_header("X-Frame-Options", "DENY")
        .with_unique_header("X-Content-Type-Options", "nosniff")
        .with_unique_header("Cache-Control", "no-store")
}

/// What begins the `User-Agent` of those that show an answer in a terminal as it is.
const TERMINALS: [&str; 3] = ["curl/", "Wget/", "HTTPie/"];

/// In which form the dashboard is answered. This is the one place that decides it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    Page,
    Text,
}

impl Format {
    /// Text for a terminal that does not ask for HTML, else a page.
    pub fn of(request: &Request) -> Format {
        let agent = request.header("User-Agent").unwrap_or_default();
        let mut accepted = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("Accept"));
        let asks_for_html = accepted.any(|(_, value)| value.to_ascii_lowercase().contains("text/html"));
        let is_terminal = TERMINALS.iter().any(|terminal| agent.starts_with(terminal));
        if is_terminal && !asks_for_html { Format::Text } else { Format::Page }
    }

    /// One of the two is made and sent, and caches are told by what it was chosen.
    pub fn answer(self, html: impl FnOnce() -> Html, text: impl FnOnce() -> Screen) -> Response {
        let response = match self {
            Format::Page => page(html()),
            Format::Text => Response::text(text().into_string())
                .with_unique_header("X-Content-Type-Options", "nosniff")
                .with_unique_header("Cache-Control", "no-store"),
        };
        response.with_unique_header("Vary", "User-Agent, Accept")
    }
}

pub fn json<T: Serialize>(value: &T) -> Response {
    // Cannot fail for what is passed here: no map has keys but strings, and `RawValue` was checked when it was made.
    let text = serde_json::to_string(value).unwrap_or_else(|_| r#"{"error":"Something went wrong"}"#.into());
    Response::from_data("application/json", text)
        .with_unique_header("X-Content-Type-Options", "nosniff")
        .with_unique_header("Cache-Control", "no-store")
}

/// After a form: look at that page now.
pub fn see_other(path: &str) -> Response {
    Response::redirect_303(path.to_string()).with_unique_header("Cache-Control", "no-store")
}

/// An issue that was merged is found there.
pub fn moved(path: &str) -> Response {
    Response::redirect_308(path.to_string()).with_unique_header("Cache-Control", "no-store")
}
