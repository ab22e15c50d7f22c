//! Answers of each kind, with the headers that all of the kind have.
use crate::html::Html;
use rouille::Response;
use serde::Serialize;

/// Nothing is allowed but what a page needs: its style sheet and, one day, forms to itself. Never a script.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src 'self'";

/// A page of the dashboard.
pub fn page(html: Html) -> Response {
    Response::html(html.into_string())
        .with_unique_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        .with_unique_header("Referrer-Policy", "same-origin")
        .with_unique_header("X-Frame-Options", "DENY")
        .with_unique_header("X-Content-Type-Options", "nosniff")
        .with_unique_header("Cache-Control", "no-store")
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
