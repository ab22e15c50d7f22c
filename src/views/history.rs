//! What happened to an issue since its first event.
use super::html::{Html, html};
use super::times;
use crate::domain::{HistoryEntry, Issue};
use crate::time::Time;

/// Newest first. `None` if nothing happened after the first event, whose time the page shows anyway.
pub fn history(issue: &Issue, entries: &[HistoryEntry], now: Time) -> Option<Html> {
    let row = |at: Time, what: &str, other: Option<i64>| {
        let other = other.map(|id| html!(" with issue {}", id));
        html!("<dt>{}</dt><dd>{}{}</dd>\n", times::ago_at(at, now), what, other)
    };
    let rows: Html = entries.iter().map(|entry| row(entry.at, &entry.what, entry.other)).collect();
    let first = row(issue.first_seen, "created", None);
    (!entries.is_empty()).then(|| html!("<h2>History</h2>\n<dl>\n{}{}</dl>\n", rows, first))
}
