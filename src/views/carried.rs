//! What an event carries besides its error, as sections of rows that a page and a terminal show alike: request, user,
//! tags, breadcrumbs, contexts, and the client's own JSON.
use crate::domain::StoredEvent;
use crate::event::{json, tags, timestamp};
use crate::query::Term;
use crate::text::trim;
use serde_json::value::RawValue;

/// Breadcrumbs that are shown, the latest.
const CRUMBS: usize = 100;
/// Contexts that have a name and a version, by the names of these.
const CONTEXTS: [(&str, [&str; 4]); 6] = [
    ("browser", ["name", "version", "", ""]),
    ("os", ["name", "version", "build", ""]),
    ("client_os", ["name", "version", "build", ""]),
    ("device", ["family", "model", "arch", "name"]),
    ("runtime", ["name", "version", "", ""]),
    ("app", ["app_name", "app_version", "app_build", ""]),
];

/// A part of a page with its own heading.
pub struct Section {
    pub heading: &'static str,
    /// What the section contains, if its heading does not say so.
    pub note: &'static str,
    pub rows: Vec<Row>,
}

/// A name and a value, which is JSON.
#[derive(Default)]
pub struct Row {
    pub name: String,
    pub value: String,
    /// Finds the issues with this value.
    pub term: Option<Term>,
    /// JSON that belongs to the value and is folded.
    pub details: Option<String>,
}

impl Row {
    fn json(name: &str, value: &str) -> Row {
        Row { name: name.into(), value: value.into(), ..Row::default() }
    }

    fn text(name: &str, value: &str) -> Row {
        Row::json(name, &json::quote(value))
    }
}

/// The sections of an event that are not empty, in the order in which they are shown.
pub fn sections(event: &StoredEvent) -> impl Iterator<Item = Section> {
    let section = |heading, note, json: &Option<String>, rows: fn(&str) -> Vec<Row>| {
        let rows = json.as_deref().map(rows).unwrap_or_default();
        Section { heading, note, rows }
    };
    let sections = [
        section("Request", "", &event.request, request),
        section("User", "", &event.user, fields),
        section("Tags", "", &event.tags, tag_rows),
        section("Breadcrumbs", "what happened before, the error last", &event.breadcrumbs, breadcrumbs),
        section("Contexts", "", &event.contexts, contexts),
        section("Extra", "", &event.extra, fields),
        section("More", "fields that obs does not recognize", &event.more, more),
    ];
    sections.into_iter().filter(|section| !section.rows.is_empty())
}

/// One row per field of an object. Anything else is one row without a name.
pub fn fields(raw: &str) -> Vec<Row> {
    match json::object(raw) {
        Some(entries) => entries.iter().map(|(key, value)| Row::json(&name(key.get()), value.get())).collect(),
        None => vec![Row::json("", raw)],
    }
}

fn name(key: &str) -> String {
    json::string(key).unwrap_or_default()
}

/// Method and address first, then query, headers, body and whatever else there is.
fn request(raw: &str) -> Vec<Row> {
    let Some(entries) = json::object(raw) else { return fields(raw) };
    let field =
        |name: &str| entries.iter().find(|(key, _)| self::name(key.get()) == name).map(|(_, value)| value.get());
    let text = |name: &str| field(name).and_then(json::string).filter(|text| !trim(text).is_empty());
    let mut rows = Vec::new();
    if let Some(url) = text("url") {
        rows.push(Row::text(&text("method").unwrap_or_else(|| "address".into()), &url));
    }
    let in_url =
        |query: &str| Some(query) == text("url").as_deref().and_then(|url| url.split_once('?')).map(|(_, query)| query);
    let query = field("query_string").filter(says_something);
    rows.extend(
        query.filter(|raw| !json::string(raw).is_some_and(|query| in_url(&query))).map(|raw| Row::json("query", raw)),
    );
    rows.extend(field("headers").map(pairs).unwrap_or_default());
    rows.extend(field("data").filter(says_something).map(|body| Row::json("body", body)));
    let is_shown = |name: &str| {
        ["query_string", "headers", "data"].contains(&name) || (!rows.is_empty() && ["url", "method"].contains(&name))
    };
    let others = entries.iter().map(|(key, value)| (name(key.get()), value.get()));
    let others: Vec<Row> = others
        .filter(|(name, value)| !is_shown(name) && says_something(value))
        .map(|(name, value)| Row::json(&name, value))
        .collect();
    rows.extend(others);
    rows
}

/// The other fields, with the SDK and a program's modules as their names and versions.
fn more(raw: &str) -> Vec<Row> {
    let Some(entries) = json::object(raw) else { return fields(raw) };
    let text = |raw: &str, name| json::field(raw, name).and_then(json::string);
    let module = |name: &str, version: &str| Some(format!("{} {}", json::string(name)?, json::string(version)?));
    let row = |(key, value): &(&RawValue, &RawValue)| {
        let (name, value) = (name(key.get()), value.get());
        let versions = match name.as_str() {
            "sdk" => text(value, "name").zip(text(value, "version")).map(|(name, version)| format!("{name} {version}")),
            "modules" => json::object(value).and_then(|modules| {
                let all = modules.iter().map(|(name, version)| module(name.get(), version.get()));
                Some(all.collect::<Option<Vec<_>>>()?.join(", "))
            }),
            _ => None,
        };
        versions.map_or_else(|| Row::json(&name, value), |versions| Row::text(&name, &versions))
    };
    entries.iter().filter(|(_, value)| says_something(&value.get())).map(row).collect()
}

fn says_something(value: &&str) -> bool {
    !matches!(*value, "null" | "\"\"" | "{}" | "[]")
}

/// The entries of an object or of a list of pairs. A list with one value is that value.
fn pairs(raw: &str) -> Vec<Row> {
    let only = |value: &str| match json::array(value).as_deref() {
        Some([only]) => only.get().to_string(),
        _ => value.to_string(),
    };
    if let Some(entries) = json::object(raw) {
        return entries.iter().map(|(key, value)| Row::json(&name(key.get()), &only(value.get()))).collect();
    }
    let pairs = json::array(raw).unwrap_or_default();
    let pair = |pair: &str| match json::array(pair)?.as_slice() {
        [key, value] => Some(Row::json(&json::string(key.get())?, &only(value.get()))),
        _ => None,
    };
    pairs.iter().filter_map(|entry| pair(entry.get())).collect()
}

fn tag_rows(raw: &str) -> Vec<Row> {
    let tags = tags::parse(raw).unwrap_or_default().into_iter();
    tags.map(|(name, value)| Row { term: Some(Term::Tag(name.clone(), value.clone())), ..Row::text(&name, &value) })
        .collect()
}

fn breadcrumbs(raw: &str) -> Vec<Row> {
    json::last(raw, CRUMBS).unwrap_or_default().iter().map(|crumb| breadcrumb(crumb.get())).collect()
}

/// `14:20:30.123`, and `warning, http: GET /pay` with the data folded.
fn breadcrumb(raw: &str) -> Row {
    let Some(entries) = json::object(raw) else { return Row::json("", raw) };
    let field =
        |name: &str| entries.iter().find(|(key, _)| self::name(key.get()) == name).map(|(_, value)| value.get());
    let text = |name: &str| field(name).and_then(json::string).filter(|text| !trim(text).is_empty());
    let time = field("timestamp").and_then(timestamp).map(|time| time.to_string());
    let level = text("level").filter(|level| level != "info" && level != "debug" && level != "log");
    let source = text("category").or(text("type").filter(|kind| kind != "default"));
    let about: Vec<String> = level.into_iter().chain(source).collect();
    let parts: Vec<String> =
        [Some(about.join(", ")), text("message")].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    Row {
        details: field("data").filter(says_something).map(str::to_string),
        ..Row::text(time.as_deref().and_then(|time| time.get(11..23)).unwrap_or_default(), &parts.join(": "))
    }
}

/// One line for each context that has a name and a version, the rest as JSON. What a context is, its `type` says, or else
/// its name.
fn contexts(raw: &str) -> Vec<Row> {
    let Some(entries) = json::object(raw) else { return fields(raw) };
    let line = |kind: &str, context: &str| {
        let place = CONTEXTS.iter().position(|(known, _)| *known == kind)?;
        let text = |name: &&str| json::field(context, name).and_then(json::string);
        let parts = CONTEXTS[place].1.iter().filter_map(text);
        let mut parts: Vec<String> =
            parts.map(|part| trim(&part).to_string()).filter(|part| !part.is_empty()).collect();
        parts.dedup();
        (!parts.is_empty()).then(|| (place, parts.join(" ")))
    };
    let row = |(key, value): &(&RawValue, &RawValue)| {
        let (name, value) = (name(key.get()), value.get());
        let kind = json::field(value, "type").and_then(json::string).unwrap_or_default();
        match line(&kind, value).or_else(|| line(&name, value)) {
            Some((place, text)) => (place, Row::text(&name, &text)),
            None => (CONTEXTS.len(), Row::json(&name, value)),
        }
    };
    let mut rows: Vec<(usize, Row)> =
        entries.iter().filter(|(_, value)| says_something(&value.get())).map(row).collect();
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}
