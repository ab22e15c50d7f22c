//! What is known about one event besides its message and its traces.
use super::text::{counted, cut};
use super::when;
use crate::domain::StoredEvent;
use crate::event::MAX_FINGERPRINT;
use crate::event::json;
use crate::html;
use crate::views::html::Html;

/// Characters of each entry of a fingerprint. There are few.
const FINGERPRINT: usize = 200;

/// A list of those fields that are there.
pub fn metadata(event: &StoredEvent) -> Html {
    let summary = &event.summary;
    let suppressed = event.suppressed.filter(|n| *n > 0);
    let fingerprint = event
        .fingerprint
        .as_deref()
        .map(|json| Html::join(fingerprint(json).map(|entry| html!("<code>{}</code>", entry)), &html!(", ")));
    let first = [
        ("id", Some(html!("<code class=\"all\">{}</code>", summary.id))),
        ("time", Some(html!("<time datetime=\"{}\">{}</time>", summary.timestamp, time(event)))),
        ("received", Some(when::received(summary.timestamp, summary.received_at))),
    ];
    let last = [
        ("suppressed", suppressed.map(|n| html!("{} like it, held back by the client", counted(n, "event")))),
        ("fingerprint", fingerprint),
    ];
    let texts = texts(event).map(|(name, text)| (name, text.map(|text| html!("<span>{}</span>", text))));
    let rows = first.into_iter().chain(texts).chain(last);
    let rows = rows.filter_map(|(name, value)| Some(html!("<dt>{}</dt><dd>{}</dd>\n", name, value?)));
    html!("<dl>\n{}</dl>\n", rows.collect::<Html>())
}

/// When it happened, to the millisecond.
pub fn time(event: &StoredEvent) -> String {
    event.summary.timestamp.to_string().replace('T', " ").replace('Z', " UTC")
}

/// Those fields that are text.
pub fn texts(event: &StoredEvent) -> [(&'static str, Option<&str>); 6] {
    let summary = &event.summary;
    [
        ("level", Some(summary.level.as_str())),
        ("project", Some(event.project.as_str()).filter(|name| !name.is_empty())),
        ("platform", event.platform.as_deref()),
        ("environment", summary.environment.as_deref()),
        ("server", summary.server_name.as_deref()),
        ("release", summary.release.as_deref()),
    ]
}

/// The client's own grouping, entry by entry.
pub fn fingerprint(json: &str) -> impl Iterator<Item = String> {
    let entries = json::array(json).unwrap_or_default();
    let entries = entries.into_iter().take(MAX_FINGERPRINT).filter_map(|entry| json::string(entry.get()));
    entries.map(|entry| cut(&entry, FINGERPRINT).into_owned())
}
