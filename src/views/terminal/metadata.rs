//! The fields of an event besides its message and its stack traces, one per line.
use super::screen::Screen;
use crate::domain::StoredEvent;
use crate::views::metadata::fields;

pub fn metadata(screen: &mut Screen, heading: &str, event: &StoredEvent) {
    screen.heading(heading);
    for (name, text) in fields(event) {
        screen.field(name, &text);
    }
}
