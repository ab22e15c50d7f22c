//! A browser's report that a page violated its Content Security Policy, read as an [`Event`].
//! (<https://www.w3.org/TR/CSP3/#reporting>)
use super::fields::Fields;
use super::rejection::Rejection;
use super::{Event, MAX_MESSAGE, check_depth, json, lenient};
use crate::domain::Level;
use crate::text::cut;
use serde_json::value::RawValue;

/// Maximum number of reports in one request: as many as a browser holds back.
const MAX_REPORTS: usize = 100;

/// Reads the CSP violations that a browser reports: one, or a list of reports of any kind.
pub fn reports(body: &[u8]) -> Result<Vec<Event>, Rejection> {
    lenient(body, |text| {
        check_depth(text, text, json::MAX_DEPTH)?;
        let is_csp = |report: &&&RawValue| json::field(report.get(), "type") == Some(r#""csp-violation""#);
        let reports = match json::first(text, MAX_REPORTS) {
            Some(list) => list.iter().filter(is_csp).filter_map(|report| json::field(report.get(), "body")).collect(),
            None => Fields::read(text)?.peek("csp-report").into_iter().collect::<Vec<_>>(),
        };
        Ok(reports.into_iter().filter(|report| report.starts_with('{')).map(violation).collect())
    })
}

/// A violation as an event. Directive and blocked host are its fingerprint.
fn violation(report: &str) -> Event {
    let text = |names: [&str; 2]| {
        let text = names.iter().find_map(|name| json::field(report, name).and_then(json::string));
        text.unwrap_or_default()
    };
    let directive = Some(text(["effective-directive", "effectiveDirective"])).filter(|name| !name.is_empty());
    let directive = directive.unwrap_or_else(|| text(["violated-directive", "violatedDirective"]));
    let directive = directive.split_whitespace().next().unwrap_or_default();
    let blocked = text(["blocked-uri", "blockedURL"]);
    let blocked = match blocked.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => blocked.split(':').next().unwrap_or_default(), // `inline`, `eval`, `data:…`
    };
    let source = if blocked.is_empty() { String::new() } else { format!(" from {blocked}") };
    let page = json::quote(&text(["document-uri", "documentURL"]));
    Event {
        level: Level::Warning,
        r#type: Some("CSP".into()),
        message: cut(&format!("blocked '{directive}'{source}"), MAX_MESSAGE).into_owned(),
        fingerprint: Some(format!("[{},{}]", json::quote(directive), json::quote(blocked))),
        request: Some(format!(r#"{{"url":{page}}}"#)),
        extra: Some(report.to_string()),
        ..Event::default()
    }
}
