//! Rows of names and values: scalars as text, the rest as indented JSON.
use super::screen::Screen;
use crate::event::json;
use crate::views::carried::{Row, Section};
use crate::views::extra::{DETAILS, NAME};
use crate::views::pretty_json::{on_one_line, pretty};
use crate::views::text::{MarkupBudget, cut};

/// Maximum bytes of a value, which is more than any page has room for.
const VALUE: usize = 1 << 20;

/// A section with its heading.
pub fn section(screen: &mut Screen, section: &Section) {
    let note = if section.note.is_empty() { "" } else { ", " };
    screen.heading(&format!("{}{note}{}", section.heading, section.note));
    rows(screen, &section.rows);
}

pub fn rows(screen: &mut Screen, rows: &[Row]) {
    for row in rows {
        if screen.is_full() {
            return;
        }
        let (name, value) = (cut(&row.name, NAME), value(&row.value));
        let names: Vec<&str> = [&*name, &row.kind].into_iter().filter(|name| !name.is_empty()).collect();
        let separator = if names.is_empty() { "" } else { ": " };
        let lead = format!("{}{separator}", names.join("  "));
        if !row.folded.is_empty() {
            self::rows(screen, &row.folded);
        } else if value.contains('\n') {
            screen.put("    ", 6, lead.trim_end());
            screen.lines(8, &value);
        } else {
            screen.put("    ", 8, &format!("{lead}{value}"));
        }
        if let Some(details) = &row.details {
            let line = on_one_line(details, DETAILS).map(|(line, _)| line);
            screen.lines(8, &line.unwrap_or_else(|| self::value(details)));
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
