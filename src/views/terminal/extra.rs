//! Rows of names and values: scalars as text, the rest as indented JSON.
use super::screen::Screen;
use crate::event::json;
use crate::views::carried::Section;
use crate::views::extra::NAME;
use crate::views::pretty_json::pretty;
use crate::views::text::{MarkupBudget, cut};

/// Maximum bytes of a value, which is more than any page has room for.
const VALUE: usize = 1 << 20;

/// A section with its heading.
pub fn section(screen: &mut Screen, section: &Section) {
    let note = if section.note.is_empty() { "" } else { ", " };
    screen.heading(&format!("{}{note}{}", section.heading, section.note));
    for row in &section.rows {
        if screen.is_full() {
            return;
        }
        let separator = if row.name.is_empty() { "" } else { ": " };
        let (name, value) = (cut(&row.name, NAME), value(&row.value));
        if value.contains('\n') {
            screen.put("    ", 6, &format!("{name}{}", separator.trim_end()));
            screen.lines(8, &value);
        } else {
            screen.put("    ", 8, &format!("{name}{separator}{value}"));
        }
        if let Some(details) = &row.details {
            screen.lines(8, &self::value(details));
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
