//! The dashboard's pages as plain text for `curl` and similar clients: 80 columns wide, without colour.
//!
//! | file | contents |
//! |---|---|
//! | `list`, `issue`, `event`, `source_maps`, `note` | one page each; `note` has `/setup`, the empty dashboard and errors |
//! | `markdown` | an issue or an event as Markdown |
//! | `trace`, `metadata`, `extra` | parts of an event |
//! | `screen` | lines of text, made harmless to a terminal |
//! | `width` | how many columns a character takes |
//!
//! Invariants:
//! - Pages are built only from a [`Screen`], which lets no control character through.
//! - Lines that obs writes start at the left edge or after fixed words. Text from an event is indented, so that it
//!   cannot pass for a line written by obs.
//! - A page stays under 256 KiB, whatever an event contains.
//! - The HTML pages decide which frames are own, which are folded, what is new and what things are called.
mod event;
mod extra;
mod issue;
mod list;
pub mod markdown;
mod metadata;
mod note;
mod screen;
mod source_maps;
mod trace;
mod width;

pub use event::event;
pub use issue::issue;
pub use list::issues;
pub use note::{empty, error, setup};
pub use screen::Screen;
pub use source_maps::source_maps;
