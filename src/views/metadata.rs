//! The fields of an event besides its message and its stack traces.
use super::html::{Html, html};
use super::text::{counted, cut};
use super::times;
use crate::domain::StoredEvent;
use crate::event::MAX_FINGERPRINT;
use crate::event::json;

/// Maximum characters of an entry of the fingerprint.
const FINGERPRINT: usize = 200;

pub fn metadata(event: &StoredEvent) -> Html {
    let rows = fields(event).map(|(name, text)| match name {
        "id" => html!("<dt>id</dt><dd><code class=\"all\">{}</code></dd>\n", text),
        _ => html!("<dt>{}</dt><dd><span>{}</span></dd>\n", name, text),
    });
    html!("<dl>\n{}</dl>\n", rows.collect::<Html>())
}

/// The fields that are set, by name.
pub fn fields(event: &StoredEvent) -> impl Iterator<Item = (&'static str, String)> {
    let summary = &event.summary;
    let suppressed = event.suppressed.filter(|n| *n > 0).map(|n| counted(n, "event") + " held back by the client");
    let fields = [
        ("id", Some(summary.id.clone())),
        ("time", Some(times::exact(summary.timestamp))),
        ("received", Some(times::delay(summary.timestamp, summary.received_at))),
        ("level", Some(summary.level.as_str().to_string())),
        ("project", Some(event.project.clone()).filter(|name| !name.is_empty())),
        ("platform", event.platform.clone()),
        ("environment", summary.environment.clone()),
        ("server", summary.server_name.clone()),
        ("release", summary.release.clone()),
        ("suppressed", suppressed),
        ("fingerprint", event.fingerprint.as_deref().map(fingerprint)),
    ];
    fields.into_iter().filter_map(|(name, text)| Some((name, text?)))
}

fn fingerprint(json: &str) -> String {
    let entries = json::array(json).unwrap_or_default();
    let entries = entries.into_iter().take(MAX_FINGERPRINT).filter_map(|entry| json::string(entry.get()));
    entries.map(|entry| cut(&entry, FINGERPRINT).into_owned()).collect::<Vec<_>>().join(", ")
}
