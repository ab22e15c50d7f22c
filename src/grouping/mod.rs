//! Which events are one issue: a key, a title and a culprit from an event, and why in words.
//!
//! `docs/grouping.md` explains the rules; the comments here name the parts of its section "The key". [`text`] replaces
//! what changes in a message by `<*>`, and [`words`] has the tables. An event must get the same key in every release,
//! so anyone who changes a rule or a table raises [`VERSION`].
mod text;
mod words;

use crate::event::fingerprint;
use crate::event::frame::{self, Frame};
use crate::text::{cut, head};
use std::fmt::Write;
use text::{HOLE, replace, subject};
use uuid::Uuid;
use words::{LANGUAGE_ERRORS, NAMELESS, SAYS_NOTHING, listed, trailing};

/// The version of these rules; stored beside each key.
pub const VERSION: i64 = 1;

/// A fingerprint's entry for the parts that would have been used without it.
const DEFAULT: &str = "{{ default }}";
/// Maximum number of characters of a function in a culprit, and of the other texts made here: so many, and a `…`.
const FUNCTION: usize = 80 + 1;
const STORED: usize = 200 + 1;
/// A column past this one is in a minified file.
const MAX_COLUMN: u64 = 250;

/// What the rules look at.
pub struct Input<'a> {
    pub message: &'a str,
    pub r#type: Option<&'a str>,
    /// This and the stack trace as JSON.
    pub fingerprint: Option<&'a str>,
    pub stacktrace: Option<&'a str>,
}

/// What an event is grouped by, and what its issue is called if the event is the first.
pub struct Grouping {
    pub hash: [u8; 16],
    pub title: String,
    pub culprit: Option<String>,
    pub grouped_by: String,
}

pub fn group(input: &Input) -> Grouping {
    let frames = input.stacktrace.map(Frame::parse).unwrap_or_default();
    // Part 2, the text.
    let text = replace(&subject(input.message));
    // Part 3, the type: `PDOException`, but not `RuntimeException`.
    let r#type = input.r#type.map(str::trim).filter(|name| !name.is_empty());
    let telling = r#type.filter(|name| !listed(SAYS_NOTHING, name));
    // Part 4, the place: `total` in `Cart.php` for a `TypeError`.
    let place = telling.filter(|name| is_language_error(name)).and_then(|_| place(&frames));
    let place = place.map(|(function, file)| (function, replace(file))); // the file of a bundle has a hash in its name

    // A tag before each part says which part it is, so that keys of different kinds are never the same.
    let mut parts = vec![('t', text.as_str())];
    parts.extend(telling.map(|name| ('y', name)));
    parts.extend(place.iter().flat_map(|(function, file)| [('n', *function), ('f', file.as_str())]));
    let message = if text.contains(HOLE) { "message with changing parts as <*>" } else { "message" };
    let mut grouped_by = match (telling, &place) {
        (None, _) => message.to_string(),
        (Some(_), None) => format!("type and {message}"),
        (Some(_), Some((function, file))) => format!("type, {message} and place: {}", located(function, file)),
    };
    // Part 1, the client's fingerprint: `["checkout", "{{ default }}"]`.
    let fingerprint = input.fingerprint.and_then(fingerprint).filter(|entries| *entries != [DEFAULT]);
    if let Some(entries) = &fingerprint {
        let expand = |entry| if entry == DEFAULT { parts.clone() } else { vec![('e', entry)] };
        parts = entries.iter().flat_map(|entry| expand(entry.as_str())).collect();
        let shown: Vec<_> = entries.iter().map(|entry| head(entry, STORED)).collect();
        grouped_by = format!("the client's fingerprint: {}", shown.join(", "));
    }

    let title = match (r#type, telling) {
        (None, _) if text.is_empty() => "(no message)".to_string(),
        (Some(name), _) if text.is_empty() => cut(name, STORED).into_owned(),
        (_, Some(name)) => format!("{}: {text}", cut(name, STORED)),
        _ => text.clone(),
    };
    let grouped_by = cut(&grouped_by, STORED).into_owned();
    Grouping { hash: hash(&parts), title, culprit: culprit(&frames), grouped_by }
}

/// The length before each part distinguishes `["a", "b"]` from `["ab"]`.
fn hash(parts: &[(char, &str)]) -> [u8; 16] {
    let mut key = VERSION.to_string();
    for (tag, part) in parts {
        let _ = write!(key, "{tag}{}:{part}", part.len()); // writing to a String does not fail
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()).into_bytes()
}

/// With or without a package: `java.lang.NullPointerException`, `runtime.boundsError`.
fn is_language_error(name: &str) -> bool {
    let name = name.trim_start_matches('*');
    name.starts_with("runtime.") || listed(LANGUAGE_ERRORS, trailing(name, |c| !['.', '\\', ':'].contains(&c)))
}

/// The frame where a reader looks first: the first of the application's own, otherwise the first of all.
fn culprit_frame(frames: &[Frame]) -> Option<&Frame> {
    let first_own = frame::own(frames).iter().position(|own| *own);
    frames.get(first_own.unwrap_or(0))
}

/// That frame's function as it was sent, and its file with one directory: `App\Cart->total in src/Cart.php`.
fn culprit(frames: &[Frame]) -> Option<String> {
    let Frame { filename, function, .. } = culprit_frame(frames)?;
    let file = filename.rmatch_indices(['/', '\\']).nth(1).map_or(filename.as_str(), |(at, _)| &filename[at + 1..]);
    let culprit = located(&cut(function, FUNCTION), file);
    (!culprit.is_empty()).then(|| cut(&culprit, STORED).into_owned())
}

/// Part 4: that frame's bare function name and file, which stay the same from release to release. A minified frame has
/// neither: `app.min.js`, column 4,211, function `a.b`.
fn place(frames: &[Frame]) -> Option<(&str, &str)> {
    let frame = culprit_frame(frames)?;
    let path = frame.filename.split(['?', '#']).next().unwrap_or_default();
    let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut names = names(&frame.function).peekable();
    let is_minified = names.peek().is_some() && names.all(|name| name.len() <= 2);
    if is_minified || file.ends_with(".min.js") || frame.colno > Some(MAX_COLUMN) {
        return None;
    }
    Some((bare_name(&frame.function), file)).filter(|(function, file)| !function.is_empty() || !file.is_empty())
}

fn located(function: &str, file: &str) -> String {
    [function, file].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" in ")
}

/// A function's name, however its language writes it: `total` for `App\Cart::total`, `App\Cart->total`,
/// `shop.(*Cart).total.func1`, `block in Cart#total` and `total(int)`. A nameless function has the name of the one
/// around it.
fn bare_name(function: &str) -> &str {
    let function = function.rsplit(" in ").next().unwrap_or_default();
    let arguments = function.match_indices(['(', '[']).find(|(at, _)| *at > 0 && !function[..*at].ends_with('.'));
    let function = arguments.map_or(function, |(at, _)| &function[..at]);
    if function.starts_with(['{', '<']) {
        return "";
    }
    let is_number = |name: &str| name.trim_start_matches("func").bytes().all(|b| b.is_ascii_digit());
    names(function).rfind(|name| !is_number(name) && !NAMELESS.contains(name)).unwrap_or_default()
}

fn names(function: &str) -> impl DoubleEndedIterator<Item = &str> {
    function.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty())
}
