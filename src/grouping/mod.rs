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
use text::{HOLE, TEXT_BYTES, replace};
use uuid::Uuid;
use words::*;

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
    let (line, frames) = read(input.message);
    let frames = if frames.is_empty() { input.stacktrace.map(Frame::parse).unwrap_or_default() } else { frames };
    let is_vague = |name: &str| listed(VAGUE, name) || name.starts_with("*errors.") || name.starts_with("*fmt.wrap");
    // A message may begin with its type: `Uncaught TypeError: cart is undefined`.
    let sent = input.r#type.map(str::trim).filter(|name| !name.is_empty());
    let heading = heading(&line).filter(|_| sent.is_none_or(is_vague));
    let (r#type, line) = heading.map_or((sent, line.as_str()), |(name, text)| (Some(name), text));
    // Part 2, the text.
    let text = wording(replace(line));
    // Part 3, the type: `PDOException`, but not `RuntimeException`.
    let r#type = r#type.map(type_name);
    let telling = r#type.as_deref().filter(|name| !is_vague(name));
    // Part 4, the place: `total` in `Cart.php` for a `TypeError`. It is where a reader looks first: in the first frame
    // that is the application's own, otherwise in the first of all.
    let frame = frames.get(frame::own(&frames).iter().position(|own| *own).unwrap_or(0));
    let place = frame.and_then(place).filter(|(_, file)| r#type.as_deref().is_some_and(|name| is_raised(name, file)));
    let place = place.map(|(function, file)| (function, replace(file))); // the file of a bundle has a hash in its name

    // A tag before each part says which part it is, so that keys of different kinds are never the same.
    let mut parts = vec![('t', text.as_str())];
    parts.extend(telling.map(|name| ('y', name)));
    parts.extend(place.iter().flat_map(|(function, file)| [('n', *function), ('f', file.as_str())]));
    let message = if text.contains(HOLE) { "message with changing parts as <*>" } else { "message" };
    let typed = if telling.is_some() { "type" } else { "" };
    let mut grouped_by = match &place {
        None => join(typed, " and ", message),
        Some((function, file)) => join(&join(typed, ", ", message), " and place: ", &join(function, " in ", file)),
    };
    // Part 1, the client's fingerprint: `["checkout", "{{ default }}"]`.
    let fingerprint = input.fingerprint.and_then(fingerprint).filter(|entries| *entries != [DEFAULT]);
    if let Some(entries) = &fingerprint {
        let expand = |entry| if entry == DEFAULT { parts.clone() } else { vec![('e', entry)] };
        parts = entries.iter().flat_map(|entry| expand(entry.as_str())).collect();
        let shown: Vec<_> = entries.iter().map(|entry| head(entry, STORED)).collect();
        grouped_by = format!("the client's fingerprint: {}", shown.join(", "));
    }

    let name = telling.or(r#type.as_deref().filter(|_| text.is_empty()));
    let title = join(&cut(name.unwrap_or_default(), STORED), ": ", &text);
    let title = if title.is_empty() { "(no message)".to_string() } else { title };
    let grouped_by = cut(&grouped_by, STORED).into_owned();
    Grouping { hash: hash(&parts), title, culprit: frame.and_then(culprit), grouped_by }
}

/// The length before each part distinguishes `["a", "b"]` from `["ab"]`.
fn hash(parts: &[(char, &str)]) -> [u8; 16] {
    let parts: String = parts.iter().map(|(tag, part)| format!("{tag}{}:{part}", part.len())).collect();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{VERSION}{parts}").as_bytes()).into_bytes()
}

/// The line of a message that counts, and the stack trace in it. Python, and Ruby on a terminal, print the
/// exception's own line last. In an exception group, or a container's log, each line begins with the same columns.
fn read(message: &str) -> (String, Vec<Frame>) {
    let header = "Traceback (most recent call last):";
    let Some((_, traceback)) = message.find('\n').and_then(|_| message.rsplit_once(header)) else {
        return (subject(message.lines()), message.lines().skip(1).filter_map(frame_in).collect());
    };
    let column = traceback.lines().nth(1).and_then(|line| line.find("  File \"")).unwrap_or(0);
    let lines = traceback.lines().skip(1).map(|line| line.get(column..).unwrap_or_default());
    let text = subject(lines.skip_while(|line| line.is_empty() || line.starts_with([' ', '\t'])));
    // A message that was cut may have lost that line.
    let text = if text.is_empty() { subject(message.lines()) } else { text };
    (text, traceback.lines().rev().filter_map(frame_in).collect())
}

/// `File "cart.py", line 3, in total`, `at total (cart.js:3:5)` or `at Cart.total(Cart.java:3)`.
fn frame_in(line: &str) -> Option<Frame> {
    let python = line.split_once("File \"").and_then(|(_, line)| line.split_once("\", line "));
    let (function, place) = match python {
        Some((file, rest)) => (rest.split_once(", in ").map_or("", |(_, function)| function), file),
        None => line.trim().strip_prefix("at ")?.strip_suffix(')')?.rsplit_once('(')?,
    };
    let filename = place.trim_end_matches(|c| DIGIT(c) || c == ':').to_string();
    Some(Frame { filename, function: function.to_string(), ..Frame::default() })
        .filter(|frame| python.is_some() || frame.filename.len() < place.len())
}

/// The first line that says something. The next one belongs to it after a colon or an opening bracket
/// (`Request failed: {`), and a query at its end does not.
fn subject<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut lines = lines.map(str::trim).filter(|line| !line.is_empty());
    let mut telling = lines.clone().filter(|line| !says_nothing(line));
    let mut text = telling.next().or(lines.next()).unwrap_or_default().to_string();
    while let Some(line) = telling.next().filter(|_| text.len() < TEXT_BYTES && text.ends_with([':', '{', '[', '('])) {
        text = format!("{text} {line}");
    }
    text.truncate(TAILS.iter().filter_map(|tail| text.find(tail)).min().unwrap_or(text.len()));
    text.truncate(text.trim_end_matches([' ', '.']).len());
    text
}

/// Returns true if a line has no word of its own: only punctuation, markup, numbers, a time or a level.
fn says_nothing(line: &str) -> bool {
    let is_markup = line.starts_with('<') && line.split('<').skip(1).all(|tag| tag.trim_end().ends_with('>'));
    let is_empty = |w: &str| w.len() < 2 || w.contains(DIGIT) || listed(EMPTY, w) || listed(DATE_WORDS, w);
    is_markup || line.split(|c: char| !c.is_alphanumeric()).all(is_empty)
}

/// The type at the beginning of a line, and the rest: `TypeError` in `Uncaught TypeError: cart is undefined`.
fn heading(line: &str) -> Option<(&str, &str)> {
    let (start, text) = line.split_once(": ").unwrap_or((line, ""));
    let (before, name) = start.rsplit_once(' ').unwrap_or(("", start));
    let is_type = name.starts_with(LETTER) && (name.ends_with("Error") || name.ends_with("Exception"));
    (is_type && says_nothing(before)).then_some((name, text))
}

/// An error of JavaScript in the same words for every browser.
fn wording(text: String) -> String {
    if let Some(rest) = OF_NOTHING.iter().find_map(|start| text.strip_prefix(start)) {
        let expression = rest.split(['\'', '"']).nth(1).and_then(|quoted| quoted.split(' ').next()).unwrap_or_default();
        let value = if text.split(' ').any(|word| word == "null") { "null" } else { "undefined" };
        return format!("Cannot access property '{}' of {value}", trailing(expression, |c| c != '.'));
    }
    let translate = |(theirs, chromes): &(&str, &str)| Some(chromes.replace('*', text.strip_prefix(theirs)?));
    WORDINGS.iter().find_map(translate).filter(|said| !said.ends_with("JSON") || text.contains("JSON")).unwrap_or(text)
}

/// A type without what a runtime adds to it: a proxy's name, a release's folder, an address, a counter.
fn type_name(name: &str) -> String {
    let marks = if name.contains(['$', '\0']) { &GENERATED[..] } else { &[] };
    let end = marks.iter().filter_map(|mark| name.find(mark)).filter(|at| *at > 0).min().unwrap_or(name.len());
    replace(name[..end].trim_end_matches(|c| DIGIT(c) || "$_`".contains(c)))
}

/// With or without a package: `java.lang.NullPointerException`, `runtime.boundsError`. All words of the name are
/// about the language: `NoSuchElementException`, but not `NoSuchOrderException`.
fn is_raised(name: &str, file: &str) -> bool {
    let class = trailing(name, |c| !['.', '\\', ':'].contains(&c));
    let starts = || class.match_indices(CAPITAL).map(|(start, _)| start);
    let mut words = starts().zip(starts().skip(1).chain([class.len()])).map(|(start, end)| &class[start..end]);
    RAISED.iter().any(|(start, end)| name.trim_start_matches('*').starts_with(start) && file.ends_with(end))
        || starts().count() > 1 && words.all(|word| listed(LANGUAGE, word))
}

/// A frame's function as it was sent, and its file with one directory: `App\Cart->total in src/Cart.php`.
fn culprit(Frame { filename, function, .. }: &Frame) -> Option<String> {
    let file = filename.rmatch_indices(['/', '\\']).nth(1).map_or(filename.as_str(), |(at, _)| &filename[at + 1..]);
    let culprit = Some(join(&cut(function, FUNCTION), " in ", file)).filter(|culprit| !culprit.is_empty());
    culprit.map(|culprit| cut(&culprit, STORED).into_owned())
}

/// Part 4: a frame's bare function name and file, which stay the same from release to release. A minified frame has
/// neither: `app.min.js`, column 4,211, function `a.b`.
fn place(frame: &Frame) -> Option<(&str, &str)> {
    let file = trailing(frame.filename.split(['?', '#']).next().unwrap_or_default(), |c| c != '/' && c != '\\');
    let longest = names(&frame.function).map(str::len).max();
    let is_short = longest.is_some_and(|length| length <= 2);
    let is_minified = is_short || file.ends_with(".min.js") || frame.colno > Some(MAX_COLUMN);
    Some((bare_name(&frame.function), file)).filter(|place| !is_minified && *place != ("", ""))
}

fn join(first: &str, between: &str, second: &str) -> String {
    [first, second].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// A function's name, however its language writes it: `total` for `App\Cart::total`, `App\Cart->total`,
/// `shop.(*Cart).total.func1`, `block in Cart#total` and `total(int)`. A nameless function has the name of the one
/// around it.
fn bare_name(function: &str) -> &str {
    let function = function.rsplit(" in ").next().unwrap_or_default();
    let arguments = function.match_indices(['(', '[']).find(|(at, _)| *at > 0 && !function[..*at].ends_with('.'));
    let function = arguments.map_or(function, |(at, _)| &function[..at]);
    let is_bracketed = function.starts_with(['{', '<']) && function.ends_with(['}', '>']);
    names(function).rfind(|name| !is_bracketed && !is_generated(name)).unwrap_or_default()
}

fn names(function: &str) -> impl DoubleEndedIterator<Item = &str> {
    function.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty())
}

/// Returns true for the names that compilers and template engines make: `func1`, `b__10`, `MoveNext`,
/// `h0123456789abcdef`, `_show_html_erb___4007762299875990378_69876`.
fn is_generated(name: &str) -> bool {
    let stem = name.trim_end_matches(DIGIT);
    let is_hash = name.len() == 17 && name.starts_with('h') && is_hex(&name[1..]);
    is_hash || stem.is_empty() || listed(NAMELESS, stem) || stem.len() < name.len() && name.contains("__")
}
