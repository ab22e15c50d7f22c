//! The dashboard as text, for `curl` and its like: the same pages, 80 columns wide, without colour.
//!
//! | file | what |
//! |---|---|
//! | `list`, `issue`, `event`, `note` | one page each; `note` has those of a few sentences |
//! | `trace`, `metadata`, `extra` | parts of an event |
//! | `screen` | lines, and all that text of an event must not do to a terminal |
//! | `width` | how many columns a character takes |
//!
//! Invariants: pages are made of a [`Screen`] alone, which lets no control character through. What obs says begins at
//! the left edge or behind words of its own; text of an event is indented, so that it cannot pass for a line of obs's.
//! Whatever an event holds, a page stays under 256 KiB. Which frames are own and which fold, what is new and how
//! things are called is decided where the HTML pages decide it.
mod event;
mod extra;
mod issue;
mod list;
mod metadata;
mod note;
mod screen;
mod trace;
mod width;

pub use event::event;
pub use issue::issue;
pub use list::issues;
pub use note::{empty, error};
pub use screen::Screen;
