//! What is known about one event besides its message and its traces.
use super::text::{counted, cut};
use super::when;
use crate::domain::StoredEvent;
use crate::event::MAX_FINGERPRINT;
use crate::html;
use crate::html::Html;
use crate::json;

/// Characters of each entry of a fingerprint. There are few.
const FINGERPRINT: usize = 200;

/// A list of those fields that are there.
pub fn metadata(event: &StoredEvent) -> Html {
    let summary = &event.summary;
    let text = |text: &str| html!("<span>{}</span>", text);
    let time = summary.timestamp.to_string().replace('T', " ").replace('Z', " UTC");
    let suppressed = event.suppressed.filter(|n| *n > 0);
    let rows = [
        ("id", Some(html!("<code class=\"all\">{}</code>", summary.id))),
        ("time", Some(html!("<time datetime=\"{}\">{}</time>", summary.timestamp, time))),
        ("received", Some(when::received(summary.timestamp, summary.received_at))),
        ("level", Some(text(summary.level.as_str()))),
        ("project", Some(event.project.as_str()).filter(|name| !name.is_empty()).map(text)),
        ("platform", event.platform.as_deref().map(text)),
        ("environment", summary.environment.as_deref().map(text)),
        ("server", summary.server_name.as_deref().map(text)),
        ("release", summary.release.as_deref().map(text)),
        ("suppressed", suppressed.map(|n| html!("{} like it, held back by the client", counted(n, "event")))),
        ("fingerprint", event.fingerprint.as_deref().map(fingerprint)),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some(html!("<dt>{}</dt><dd>{}</dd>\n", name, value?)));
    html!("<dl>\n{}</dl>\n", rows.collect::<Html>())
}

fn fingerprint(json: &str) -> Html {
    let entries = json::array(json).unwrap_or_default();
    let entries = entries.iter().take(MAX_FINGERPRINT).filter_map(|entry| json::string(entry.get()));
    Html::join(entries.map(|entry| html!("<code>{}</code>", cut(&entry, FINGERPRINT))), &html!(", "))
}
