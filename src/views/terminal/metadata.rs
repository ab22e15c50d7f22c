//! What is known about one event besides its message and its traces, a line each.
use super::screen::Screen;
use crate::domain::StoredEvent;
use crate::views::text::counted_text;
use crate::views::{metadata, when};

pub fn metadata(screen: &mut Screen, heading: &str, event: &StoredEvent) {
    let summary = &event.summary;
    screen.heading(heading);
    screen.field("id", &summary.id);
    screen.field("time", &metadata::time(event));
    screen.field("received", &when::delay(summary.timestamp, summary.received_at));
    for (name, text) in metadata::texts(event) {
        if let Some(text) = text {
            screen.field(name, text);
        }
    }
    if let Some(count) = event.suppressed.filter(|count| *count > 0) {
        screen.field("suppressed", &format!("{} like it, held back by the client", counted_text(count, "event")));
    }
    if let Some(fingerprint) = &event.fingerprint {
        screen.field("fingerprint", &metadata::fingerprint(fingerprint).collect::<Vec<_>>().join(", "));
    }
}
