//! Which events are one issue: a key, a title and a culprit from an event, and why in words.
//!
//! `docs/grouping.md` explains the rules; the comments here name the parts of its section "The key". [`text`] replaces
//! what changes in a message by `<*>`, [`words`] has the tables, and `browsers.txt` the wordings of browsers. An event must
//! get the same key in every release, so anyone who changes a rule or a table raises [`VERSION`].
mod text;
#[rustfmt::skip] // its tables
mod words;

use crate::event::{fingerprint, frame, frame::Frame};
use crate::text::cut;
use text::{HOLE, TEXT_BYTES, replace};
use uuid::Uuid;
use words::*;

/// The version of these rules; stored beside each key.
pub const VERSION: i64 = 1;

/// A fingerprint's entry for the parts that would have been used without it.
const DEFAULT: &str = "{{ default }}";
/// Maximum number of characters of the texts made here: so many, and a `…`.
const STORED: usize = 200 + 1;

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
    let (line, trace) = line_and_trace(input.message);
    let frames = input.stacktrace.map(Frame::parse).filter(|frames| !frames.is_empty());
    let frames = frames.unwrap_or_else(|| trace.into_iter().filter_map(Frame::printed).collect());
    let is_vague = |name: &str| listed(VAGUE, name) || name.starts_with("*errors.") || name.starts_with("*fmt.wrap");
    // A message may begin with its type: `Uncaught TypeError: cart is undefined`.
    let sent = input.r#type.unwrap_or_default().trim();
    let heading = heading(&line).filter(|_| sent.is_empty() || is_vague(sent));
    let (r#type, line) = heading.unwrap_or((sent, &line));
    // Part 2, the text.
    let text = replace(line);
    let chromes = (r#type.is_empty() || listed(JAVASCRIPT, r#type)).then(|| in_chromes_words(&text)).flatten();
    // Part 3, the type: `PDOException`, but not `RuntimeException`. Chrome has a `RangeError` for Firefox's own type.
    let r#type = type_name(if chromes.is_some() && r#type == "InternalError" { "RangeError" } else { r#type });
    let telling = if is_vague(&r#type) { "" } else { &r#type };
    let text = chromes.unwrap_or(text);
    // Part 4, the place: `total` in `Cart.php` for a `TypeError`. It is where a reader looks first: in the first frame
    // that is the application's own, otherwise in the first of all.
    let frame = frames.get(frame::own(&frames).iter().position(|own| *own).unwrap_or(0));
    let place = frame.filter(|frame| is_raised(&r#type, &frame.filename)).map_or(String::new(), place);

    // A tag before each part says which part it is, so that keys of different kinds are never the same.
    let mut parts = vec![('t', text.as_str()), ('y', telling), ('p', &place)];
    parts.retain(|(_, part)| !part.is_empty());
    let message = if text.contains(HOLE) { "message with changing parts as <*>" } else { "message" };
    let typed = if telling.is_empty() { "" } else { "type" };
    let between = if place.is_empty() { " and " } else { ", " };
    let mut grouped_by = join(&join(typed, between, message), " and place: ", &place);
    // Part 1, the client's fingerprint: `["checkout", "{{ default }}"]`.
    let fingerprint = input.fingerprint.and_then(fingerprint).filter(|entries| *entries != [DEFAULT]);
    if let Some(entries) = &fingerprint {
        let expand = |entry| if entry == DEFAULT { parts.clone() } else { vec![('e', entry)] };
        parts = entries.iter().flat_map(|entry| expand(entry.as_str())).collect();
        grouped_by = format!("the client's fingerprint: {}", entries.join(", "));
    }

    let name = if text.is_empty() { &r#type } else { telling };
    let title = Some(join(&cut(name, STORED), ": ", &text)).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| "(no message)".to_string());
    // The length before each part distinguishes `["a", "b"]` from `["ab"]`.
    let parts: String = parts.iter().map(|(tag, part)| format!("{tag}{}:{part}", part.len())).collect();
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{VERSION}{parts}").as_bytes()).into_bytes();
    Grouping { hash, title, culprit: frame.and_then(culprit), grouped_by: cut(&grouped_by, STORED).into_owned() }
}

/// The line of a message that counts, and the lines that may be a stack trace. Python, and Ruby on a terminal, print
/// the exception's own line last. In an exception group, or a container's log, each line begins with the same columns.
fn line_and_trace(message: &str) -> (String, Vec<&str>) {
    let (_, trace) = message.find('\n').and_then(|_| message.rsplit_once("Traceback (most recent")).unwrap_or_default();
    let column = trace.lines().nth(1).and_then(|line| line.find("  File \"")).unwrap_or(0);
    let below = trace.lines().skip(1).map(|line| line.get(column..).unwrap_or_default());
    let text = subject(below.skip_while(|line| line.is_empty() || line.starts_with([' ', '\t'])));
    // A message that was cut may have lost that line.
    let text = if text.is_empty() { subject(message.lines()) } else { text };
    let lines = if trace.is_empty() { message.lines().skip(1).collect() } else { trace.lines().rev().collect() };
    (text, lines)
}

/// The first line that says something. The next one belongs to it after a colon or an opening bracket
/// (`Request failed: {`).
fn subject<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut lines = lines.map(str::trim).filter(|line| !line.is_empty());
    let mut telling = lines.clone().filter(|line| !says_nothing(line)).map(without_query);
    let mut text = telling.next().or(lines.next()).unwrap_or_default().to_string();
    while let Some(line) = telling.next().filter(|_| text.len() < TEXT_BYTES && text.ends_with([':', '{', '[', '('])) {
        text = format!("{text} {line}");
    }
    text.trim_end_matches([' ', '.']).to_string()
}

/// A line without the query in parentheses at its end, if it says something else too. They may close on another line.
fn without_query(line: &str) -> &str {
    let is_last = |tail: &str| tail.ends_with(')') || tail.matches('(').count() > tail.matches(')').count();
    let is_more = |text: &str| !text.ends_with(':') && !says_nothing(text);
    let starts = TAILS.iter().filter(|_| line.contains('(')).filter_map(|tail| line.find(tail));
    &line[..starts.filter(|at| is_last(&line[*at..]) && is_more(&line[..*at])).min().unwrap_or(line.len())]
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

/// An error of JavaScript in Chrome's words, if it is another browser's from beginning to end.
fn in_chromes_words(text: &str) -> Option<String> {
    let translate = |(theirs, chromes): &(&str, &str)| {
        let (start, end) = theirs.split_once(['*', '#']).unwrap_or((theirs, ""));
        let value = text.strip_prefix(start)?.strip_suffix(end)?;
        // The property that an expression reads: `total` for `cart.total`, `"total", cart` and `cart.total(x)`.
        let access = value.split(['(', ' ', ',']).next()?.trim_end_matches([']', '"', '\'']);
        let value = if theirs.contains('#') { trailing(access, |c| !".['\"".contains(c)) } else { value };
        (value.is_empty() || theirs.contains(['*', '#'])).then(|| chromes.replace('*', value))
    };
    WORDINGS.iter().filter(|(theirs, _)| theirs.get(..3) == text.get(..3)).find_map(translate)
}

/// A type without what a runtime adds to it: a proxy's name, a release's folder, an address, a counter. Other digits
/// are a code: `P2002`.
fn type_name(name: &str) -> String {
    let is_counter = |at: &usize| COUNTED.iter().any(|mark| name[..*at].ends_with(mark));
    let marks = GENERATED.iter().filter(|_| name.contains(['$', '\0', '@'])).filter_map(|mark| name.find(mark));
    let end = marks.filter(|at| *at > 0).chain(name.match_indices(DIGIT).map(|(at, _)| at).find(is_counter)).min();
    let parts = name[..end.unwrap_or(name.len())].trim_end_matches(['$', '_', '`']).split_inclusive(|c| !WORD(c));
    let is_hex = |word: &str| word.contains(LETTER) && word.trim_start_matches("0x").chars().all(HEX);
    let kept = |part| Some(leading(part, WORD)).filter(|word| word.len() < 8 || !is_hex(word)).unwrap_or(HOLE);
    parts.flat_map(|part| [kept(part), part.trim_start_matches(WORD)]).collect()
}

/// With or without a package: `java.lang.NullPointerException`, `runtime.boundsError`. The name consists of words about
/// the language: `NoSuchElementException`, but not `NoSuchOrderException`.
fn is_raised(name: &str, file: &str) -> bool {
    let class = trailing(name, |c| !['.', '\\', ':'].contains(&c));
    RAISED.iter().any(|(start, end)| name.trim_start_matches('*').starts_with(start) && file.ends_with(end))
        || !class.is_empty() && is_about_language(class) && !LANGUAGE.contains(&class)
}

fn is_about_language(words: &str) -> bool {
    words.is_empty() || LANGUAGE.iter().filter_map(|word| words.strip_prefix(word)).any(is_about_language)
}

/// A frame's function as it was sent, and its file with one directory: `App\Cart->total in src/Cart.php`.
fn culprit(Frame { filename, function, .. }: &Frame) -> Option<String> {
    let file = filename.rmatch_indices(['/', '\\']).nth(1).map_or(filename.as_str(), |(at, _)| &filename[at + 1..]);
    let culprit = Some(join(&cut(function, 80 + 1), " in ", file)).filter(|culprit| !culprit.is_empty());
    culprit.map(|culprit| cut(&culprit, STORED).into_owned())
}

/// Part 4: a frame's bare function name and file, which stay the same from release to release. A minified frame has
/// neither: `app.min.js`, column 4,211, function `a.b`. So have three letters in a frame with a column if they do not
/// look like a word: `aBc`, `Xyz`.
fn place(frame: &Frame) -> String {
    let file = file(frame);
    // The file of a bundle has a hash in its name.
    match is_minified(frame) {
        true => String::new(),
        false => join(bare_name(&frame.function), " in ", &replace(file)),
    }
}

fn file(frame: &Frame) -> &str {
    trailing(frame.filename.split(['?', '#']).next().unwrap_or_default(), |c| c != '/' && c != '\\')
}

/// True if a frame looks as if it were in a minified script.
pub fn is_minified(frame: &Frame) -> bool {
    let longest = names(&frame.function).max_by_key(|name| name.len()).unwrap_or("nameless");
    let is_odd = |name: &str| pieces(name) > 1 || !name.contains(|c| "aeiouAEIOU".contains(c));
    let is_short = longest.len() <= 2 || longest.len() == 3 && frame.colno.is_some() && is_odd(longest);
    is_short || file(frame).ends_with(".min.js") || frame.colno > Some(250)
}

fn join(first: &str, between: &str, second: &str) -> String {
    if first.is_empty() || second.is_empty() { [first, second].concat() } else { [first, between, second].concat() }
}

/// A function's name, however its language writes it: `total` for `App\Cart::total`, `App\Cart->total`,
/// `shop.(*Cart).total.func1`, `block in Cart#total` and `total(int)`. A nameless function has the name of the one
/// around it.
fn bare_name(function: &str) -> &str {
    let function = function.rsplit(" in ").next().and_then(|name| name.rsplit(">g__").next()).unwrap_or_default();
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
    let is_hash = name.len() == 17 && name.starts_with('h') && name[1..].chars().all(HEX);
    is_hash || name.starts_with(DIGIT) || listed(NAMELESS, stem) || stem.len() < name.len() && name.contains("__")
}
