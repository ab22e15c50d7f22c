//! JSON that a client added to an event: one line per key, scalars as text, the rest as indented JSON.
use super::screen::Screen;
use crate::event::json;
use crate::text::cut;
use crate::views::pretty::pretty;
use crate::views::text::Budget;

/// Characters of a key.
const KEY: usize = 200;
/// What is made of one value: more than there is room for on any screen.
const VALUE: usize = 1 << 20;

/// A section under its own heading, if anything was sent.
pub fn extra(screen: &mut Screen, heading: &str, json: Option<&str>) {
    let Some(json) = json else { return };
    screen.heading(heading);
    let Some(entries) = json::object(json) else { return screen.lines(4, &value(json)) };
    for (key, json) in entries {
        if screen.is_full() {
            return;
        }
        let key = json::string(key.get()).unwrap_or_default();
        let key = cut(&key, KEY);
        let value = value(json.get());
        if value.contains('\n') {
            screen.put("    ", 6, &format!("{key}:"));
            screen.lines(8, &value);
        } else {
            screen.put("    ", 8, &format!("{key}: {value}"));
        }
    }
}

fn value(json: &str) -> String {
    match json::string(json) {
        Some(text) if text.is_empty() => "\"\"".to_string(),
        Some(text) => text,
        None => pretty(json, &mut Budget::new(VALUE)),
    }
}
