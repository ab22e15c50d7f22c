//! The dashboard's pages. No SQL and no HTTP here: each page is a function from the values it shows to [`Html`],
//! or to a [`Screen`](terminal::Screen) of text.
//!
//! | file | contents |
//! |---|---|
//! | `list`, `issue`, `event`, `setup`, `source_maps`, `error` | one page each; `setup` also has the empty dashboard |
//! | `layout` | what pages share: the frame around them, the search, badges, headings, links |
//! | `overview`, `filters`, `no_results` | parts of the list; `list_url` builds the URLs that it links to |
//! | `chart`, `facets`, `history` | how often an issue occurred, where, and what happened to it |
//! | `buttons`, `done` | the forms that change or delete issues and events; what a form did, and Undo |
//! | `metadata`, `trace`, `frames`, `source` | parts of an event |
//! | `carried`, `extra` | what else an event carries, and the rows and tables that show it |
//! | `terminal` | the same pages as text for `curl` |
//! | `path`, `pretty_json`, `text`, `times` | how paths, JSON, long text, counts and times are written |
//! | `html`, `style` | markup that is always escaped; the style sheet |
//!
//! Invariants:
//! - Text from an event has an element of its own, which the style sheet isolates, so that right-to-left text
//!   inside it cannot reorder the text around it.
//! - A page stays under 2.5 MB, whatever an event contains: every text is truncated or charged to a
//!   [`MarkupBudget`](text::MarkupBudget).
mod buttons;
mod carried;
mod chart;
mod done;
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
mod list_url;
mod metadata;
mod no_results;
mod overview;
mod path;
mod pretty_json;
mod setup;
mod source;
mod source_maps;
mod style;
pub mod terminal;
mod text;
mod times;
mod trace;

pub use done::{Action, Done, done};
pub use error::error;
pub use event::{EventPage, event};
pub use issue::{IssuePage, issue};
pub use list::{ListPage, issues};
pub use list_url::{CameFrom, ListRequest, Period};
pub use overview::{Figures, counts_all};
pub use setup::{Setup, empty, setup};
pub use source_maps::{SourceMapsPage, source_maps};
pub use style::{FAVICON, STYLE, style_url};
pub use trace::Traces;
