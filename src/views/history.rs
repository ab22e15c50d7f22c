//! What became of an issue since its first event.
use super::when;
use crate::domain::{HistoryEntry, Issue};
use crate::html;
use crate::time::Time;
use crate::views::html::Html;

/// The newest first. Without anything but its first event, which the page tells already, nothing.
pub fn history(issue: &Issue, happenings: &[HistoryEntry], now: Time) -> Option<Html> {
    let rows = happenings.iter().map(|happening| {
        let other = happening.other.map(|id| html!(" with issue {}", id));
        html!("<dt>{}</dt><dd>{}{}</dd>\n", when::clock(happening.at, now), happening.what, other)
    });
    let first = html!("<dt>{}</dt><dd>created</dd>\n", when::clock(issue.first_seen, now));
    (!happenings.is_empty()).then(|| {
        html!("<h2>History <small>times in UTC</small></h2>\n<dl>\n{}{}</dl>\n", rows.collect::<Html>(), first)
    })
}
