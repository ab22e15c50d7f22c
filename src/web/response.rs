//! The kinds of response, each with the headers that all of its kind have.
use crate::views::html::Html;
use crate::views::terminal::Screen;
use rouille::{Request, Response};
use serde::Serialize;

/// Allows only what a page needs: its style sheet and icon, and forms that post to obs. Never a script.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self'; style-src 'self'";

/// Programs that show a response in a terminal, by the start of their `User-Agent`.
const TERMINALS: [&str; 3] = ["curl/", "Wget/", "HTTPie/"];

/// How the dashboard is shown. This is the one place that decides it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    Page,
    /// Plain text for a terminal.
    Text,
    /// An issue or an event for a ticket; plain text elsewhere.
    Markdown,
}

impl Format {
    /// `?format=text` or `md`; otherwise what suits the client.
    pub fn from_request(request: &Request) -> Format {
        match request.get_param("format").as_deref() {
            Some("text") => return Format::Text,
            Some("md") => return Format::Markdown,
            _ => {}
        }
        let agent = request.header("User-Agent").unwrap_or_default();
        let mut accepted = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("Accept"));
        let asks_for_html = accepted.any(|(_, value)| value.to_ascii_lowercase().contains("text/html"));
        let is_terminal = TERMINALS.iter().any(|terminal| agent.starts_with(terminal));
        if is_terminal && !asks_for_html { Format::Text } else { Format::Page }
    }

    /// Renders one of the two, and names the headers that decided which.
    pub fn answer(self, html: impl FnOnce() -> Html, text: impl FnOnce() -> Screen) -> Response {
        let response = match self {
            Format::Page => page(html()),
            Format::Text | Format::Markdown => private(Response::text(text().into_string())),
        };
        response.with_unique_header("Vary", "User-Agent, Accept")
    }
}

pub fn text(media_type: &'static str, text: String) -> Response {
    private(Response::from_data(media_type, text))
}

fn page(html: Html) -> Response {
    private(Response::html(html.into_string()))
        .with_unique_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        .with_unique_header("Referrer-Policy", "same-origin")
        .with_unique_header("X-Frame-Options", "DENY")
}

pub fn json<T: Serialize>(value: &T) -> Response {
    // Serialization cannot fail here: all map keys are strings, and a `RawValue` was checked when it was made.
    let text = serde_json::to_string(value).unwrap_or_else(|_| r#"{"error":"Internal error"}"#.into());
    private(Response::from_data("application/json", text))
}

/// Sends a browser to a page after a form.
pub fn see_other(path: &str) -> Response {
    Response::redirect_303(path.to_string()).with_unique_header("Cache-Control", "no-store")
}

fn private(response: Response) -> Response {
    response.with_unique_header("X-Content-Type-Options", "nosniff").with_unique_header("Cache-Control", "no-store")
}
