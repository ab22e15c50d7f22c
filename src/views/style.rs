//! The style sheet and the URL that pages link to.
use std::sync::OnceLock;
use uuid::Uuid;

/// The only style sheet.
pub const STYLE: &str = include_str!("style.css");

/// The URL changes with the sheet's contents, so that a browser may cache it for a year.
pub fn style_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| format!("/style.css?v={}", Uuid::new_v5(&Uuid::NAMESPACE_URL, STYLE.as_bytes()).simple()))
}
