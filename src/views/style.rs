//! The style sheet, the URL that pages link to, and the icon of their tabs.
use std::sync::OnceLock;
use uuid::Uuid;

/// The only style sheet.
pub const STYLE: &str = include_str!("style.css");

/// Three bars, in the accent of the light or the dark colours.
pub const FAVICON: &str = include_str!("favicon.svg");

/// The URL changes with the sheet's contents, so that a browser may cache it for a year.
pub fn style_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| format!("/style.css?v={}", Uuid::new_v5(&Uuid::NAMESPACE_URL, STYLE.as_bytes()).simple()))
}
