//! What an event carries besides its error, as sections of rows that a page and a terminal show alike: request, user,
//! tags, breadcrumbs, contexts, and the client's own JSON.
use super::layout::title;
use crate::domain::StoredEvent;
use crate::event::{json, tags, timestamp};
use crate::query::{Field, Term};
use crate::text::{first_line, trim};
use crate::time::Time;

/// Breadcrumbs that are shown, the latest.
const CRUMBS: usize = 100;
/// Maximum number of headers that are not folded.
const HEADERS: usize = 8;
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
    pub form: Form,
    pub rows: Vec<Row>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    Rows,
    /// Rows with three columns: name, kind and value.
    Table,
    /// Rows that the page of an issue folds.
    Minor,
}

/// A name and a value, which is JSON.
#[derive(Default)]
pub struct Row {
    pub name: String,
    pub kind: String,
    pub value: String,
    /// Finds the issues with this value.
    pub term: Option<Term>,
    /// JSON that belongs to the value, which may be empty then. Folded if it is long.
    pub details: Option<String>,
    /// Rows to fold, with the name as their summary, in place of a value.
    pub folded: Vec<Row>,
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
    use Form::{Minor, Rows, Table};
    let section = |heading, note, form, json: &Option<String>, rows: fn(&str) -> Vec<Row>| {
        let rows = json.as_deref().map(rows).unwrap_or_default();
        Section { heading, note, form, rows }
    };
    let mut crumbs =
        section("Breadcrumbs", "what happened before, the error last", Table, &event.breadcrumbs, breadcrumbs);
    if !crumbs.rows.is_empty() {
        crumbs.rows.push(error(event));
    }
    let sections = [
        section("Request", "", Rows, &event.request, request),
        section("User", "", Rows, &event.user, user),
        section("Tags", "", Rows, &event.tags, tag_rows),
        crumbs,
        section("Contexts", "", Rows, &event.contexts, contexts),
        section("Extra", "", Minor, &event.extra, fields),
        section("More", "all other fields", Minor, &event.more, more),
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
    let mut rows = Vec::new();
    let mut shown = vec!["query_string", "headers", "data"];
    if let Some(url) = text(raw, "url") {
        shown.extend(["url", "method"]);
        rows.push(Row::text(&text(raw, "method").unwrap_or_else(|| "address".into()), &url));
    }
    let address = text(raw, "url").unwrap_or_default();
    let in_address = |query: &&str| json::string(query).is_some_and(|query| address.ends_with(&format!("?{query}")));
    let query = value(raw, "query_string").filter(|query| !in_address(query));
    rows.extend(query.map(|query| Row::json("query", query)));
    let headers = value(raw, "headers").map(pairs).unwrap_or_default();
    match headers.len() {
        ..=HEADERS => rows.extend(headers),
        many => rows.push(Row { name: format!("{many} headers"), folded: headers, ..Row::default() }),
    }
    rows.extend(value(raw, "data").map(|body| Row::json("body", body)));
    rows.extend(telling(raw).filter(|row| !shown.contains(&&*row.name)));
    rows
}

/// The other fields, with the SDK and a program's modules as their names and versions.
fn more(raw: &str) -> Vec<Row> {
    let module = |row: Row| Some(format!("{} {}", row.name, json::string(&row.value)?));
    let versions = |row: &Row| match row.name.as_str() {
        "sdk" => Some(format!("{} {}", text(&row.value, "name")?, text(&row.value, "version")?)),
        "modules" => Some(fields(&row.value).into_iter().map(module).collect::<Option<Vec<_>>>()?.join(", ")),
        _ => None,
    };
    let row = |row: Row| match versions(&row) {
        Some(versions) => Row::text(&row.name, &versions),
        None => row,
    };
    telling(raw).map(row).collect()
}

/// A field of an object that says something.
fn value<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    json::field(raw, name).filter(|value| says_something(value))
}

fn text(raw: &str, name: &str) -> Option<String> {
    value(raw, name).and_then(json::string).filter(|text| !trim(text).is_empty())
}

/// False for nothing, and for what SDKs send in place of a client's address that they do not know.
fn says_something(value: &str) -> bool {
    !matches!(value, "null" | "\"\"" | "{}" | "[]" | "\"{{auto}}\"")
}

/// The fields of an object that say something.
fn telling(raw: &str) -> impl Iterator<Item = Row> {
    fields(raw).into_iter().filter(|row| says_something(&row.value))
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

/// The field that tells users apart is a link.
fn user(raw: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = telling(raw).collect();
    if let Some((name, key)) = tags::user_key(raw)
        && let Some(row) = rows.iter_mut().find(|row| row.name == name)
    {
        row.term = Some(Term::Field(Field::User, key));
    }
    rows
}

fn breadcrumbs(raw: &str) -> Vec<Row> {
    let all = json::array(raw).unwrap_or_default();
    let left_out = all.len().saturating_sub(CRUMBS);
    let note = (left_out > 0).then(|| Row::text("", &format!("{left_out} earlier ones are in the raw JSON only")));
    note.into_iter().chain(all[left_out..].iter().map(|crumb| breadcrumb(crumb.get()))).collect()
}

/// `14:20:30.123`, `warning http`, and `GET /pay` with the data.
fn breadcrumb(raw: &str) -> Row {
    if !raw.starts_with('{') {
        return Row::json("", raw);
    }
    let level = text(raw, "level").filter(|level| !["info", "debug", "log"].contains(&&**level));
    let source = text(raw, "category").or(text(raw, "type").filter(|kind| kind != "default"));
    let kind: Vec<String> = level.into_iter().chain(source).collect();
    let message = text(raw, "message").map(|message| json::quote(&message)).unwrap_or_default();
    let time = value(raw, "timestamp").and_then(timestamp).map(clock).unwrap_or_default();
    Row { kind: kind.join(" "), details: value(raw, "data").map(str::to_string), ..Row::json(&time, &message) }
}

/// The event itself as the last breadcrumb.
fn error(event: &StoredEvent) -> Row {
    let summary = &event.summary;
    let text = title(summary.r#type.as_deref(), first_line(&summary.message));
    Row { kind: summary.level.as_str().into(), ..Row::text(&clock(summary.timestamp), &text) }
}

/// `14:20:30.123`
fn clock(time: Time) -> String {
    time.to_string().get(11..23).unwrap_or_default().into()
}

/// One line for each context that has a name and a version, the rest as JSON. What a context is, its `type` says, or else
/// its name.
fn contexts(raw: &str) -> Vec<Row> {
    let line = |kind: &str, context: &str| {
        let place = CONTEXTS.iter().position(|(known, _)| *known == kind)?;
        let mut parts: Vec<String> = CONTEXTS[place].1.iter().filter_map(|name| text(context, name)).collect();
        parts.iter_mut().for_each(|part| *part = trim(part).to_string());
        parts.dedup();
        (!parts.is_empty()).then(|| (place, parts.join(" ")))
    };
    let row = |row: Row| {
        let kind = text(&row.value, "type").unwrap_or_default();
        match line(&kind, &row.value).or_else(|| line(&row.name, &row.value)) {
            Some((place, text)) => (place, Row::text(&row.name, &text)),
            None => (CONTEXTS.len(), row),
        }
    };
    let mut rows: Vec<(usize, Row)> = telling(raw).map(row).collect();
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}
