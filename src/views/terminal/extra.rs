//! JSON that a client added to an event: one line per key, scalars as text, the rest as indented JSON.
use super::screen::Screen;
use crate::event::json;
use crate::views::extra::KEY;
use crate::views::pretty_json::pretty;
use crate::views::text::{MarkupBudget, cut};

/// Maximum bytes of a value, which is more than any page has room for.
const VALUE: usize = 1 << 20;

/// A section with its own heading, if there is JSON.
pub fn extra(screen: &mut Screen, heading: &str, json: Option<&str>) {
    let Some(json) = json else { return };
    screen.heading(heading);
    let Some(entries) = json::object(json) else { return screen.lines(4, &value(json)) };
    for (key, json) in entries {
        if screen.is_full() {
            return;
        }
        let key = json::string(key.get()).unwrap_or_default();
        let (key, value) = (cut(&key, KEY), value(json.get()));
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
        None => pretty(json, &mut MarkupBudget::new(VALUE)),
    }
}
