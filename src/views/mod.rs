//! Domain values into pages. No SQL and no requests here: each page is a function from what it shows to [`Html`],
//! or to a [`Screen`](terminal::Screen).
//!
//! | file | what |
//! |---|---|
//! | `list`, `issue`, `event`, `empty`, `error` | one page each |
//! | `layout` | what pages share: the frame around them, the search, badges, headings, paging |
//! | `activity`, `filters`, `nomatch` | parts of the list; `address` writes where its links lead |
//! | `chart`, `facets`, `history` | how often, where from, and what became of it |
//! | `acts` | the buttons |
//! | `metadata`, `trace`, `frames`, `source`, `extra` | parts of an event |
//! | `terminal` | the same pages as text for `curl` |
//! | `path`, `pretty`, `text`, `when` | how paths, JSON, long text, counts and times are written |
//!
//! Invariants: all text of an event stands in an element of its own, which the style sheet isolates, so that
//! right-to-left text or an override inside it cannot reorder what is around it. Whatever an event holds, a page stays
//! under 2.5 MB: every text is cut or paid for out of a [`Budget`](text::Budget).
mod activity;
mod acts;
mod address;
mod chart;
mod empty;
mod error;
mod event;
mod extra;
mod facets;
mod filters;
mod frames;
mod history;
pub mod html;
mod issue;
mod layout;
mod list;
mod metadata;
mod nomatch;
mod path;
mod pretty;
mod source;
pub mod terminal;
mod text;
mod trace;
mod when;

pub use address::{ListRequest, Period};
pub use empty::empty;
pub use error::error;
pub use event::{EventPage, event};
pub use issue::{IssuePage, issue};
pub use list::{ListPage, issues};

use std::sync::OnceLock;
use uuid::Uuid;

/// The one style sheet.
pub const STYLE: &str = include_str!("style.css");

/// Where pages find the sheet. The URL changes with its bytes, so that a browser may keep it for a year.
pub fn style_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| format!("/style.css?v={}", Uuid::new_v5(&Uuid::NAMESPACE_URL, STYLE.as_bytes()).simple()))
}
