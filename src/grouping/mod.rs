//! Which events are one issue: a key, a title and a culprit from an event, and in words why.
//!
//! [`group`] puts the key together. [`Reader`] goes through the first line of the message once and puts `<*>` for what
//! changes from event to event. Whether a word stays is told by its letters and digits, by its neighbours and by the
//! tables below. An event must get the same key for ever, so whoever changes a rule or a table raises [`VERSION`].
use crate::event::frame::{self, Frame, cut};
use std::fmt::Write;
use std::net::Ipv6Addr;
use uuid::Uuid;

/// The version of these rules; stored beside each key.
pub const VERSION: i64 = 1;

/// Stands for what changes.
const HOLE: &str = "<*>";
/// A fingerprint's entry for the parts that would have been used without it.
const DEFAULT: &str = "{{ default }}";
/// So much of the text counts, after replacing.
const TEXT_BYTES: usize = 512;
/// A word's neighbours are looked at this far, so that no message takes long.
const NEAR_BYTES: usize = 256;
/// The longest explanation, and the longest type in a title.
const STORED_CHARS: usize = 200;

// The tables. Words are parted by spaces; case does not count.

/// Types that any program throws: without them the same message is one issue in every language.
const SAYS_NOTHING: &str = "Error Exception RuntimeException RuntimeError panic string *errors.errorString \
    *fmt.wrapError *fmt.wrapErrors *errors.joinError";
/// Errors that a language raises by itself, whose message says little without the place.
const LANGUAGE_ERRORS: &str = "TypeError ReferenceError RangeError KeyError IndexError AttributeError NameError \
    ValueError ZeroDivisionError DivisionByZeroError ErrorException NullPointerException ClassCastException \
    NoMethodError AssertionError ArgumentError ArgumentCountError ArithmeticError UnboundLocalError RecursionError \
    OverflowError UnhandledMatchError FrozenError IndexOutOfBoundsException ArrayIndexOutOfBoundsException \
    StringIndexOutOfBoundsException ArithmeticException ConcurrentModificationException NullReferenceException \
    InvalidCastException IndexOutOfRangeException DivideByZeroException";
/// A number after such a word is a code, and codes part.
const CODE_WORDS: &str = "code status error errno err sqlstate exit signal hresult statuscode errorcode exitcode \
    returncode";
/// Three digits after such a word are an HTTP status, and so are three before a reason, of which the first word will
/// do. A link may stand between the word and the digits: `a status of 404`.
const STATUS_WORDS: &str = "http returned returns got received response responded with";
const LINKS: [&str; 5] = [" of", " is", " was", "/1.1", "/2"];
const REASONS: &str = "Bad Unauthorized Payment Forbidden Not Method Proxy Request Conflict Gone Payload Unsupported \
    Unprocessable Locked Too Internal Service Gateway Client Server Moved Found";
/// Ports that tell which service it was. Any other may be a client's.
const PORTS: &str = "80 443 1433 1521 2181 2379 3000 3306 4222 4317 5000 5432 5672 6379 6443 8000 8080 8443 9000 \
    9042 9092 9200 11211 26379 27017 50051";
/// What belongs to the number before it: units, ordinals, and the letters in dates and exponents.
const UNITS: &str = "ns us ms s sec secs second seconds millisecond milliseconds m min mins minute minutes h hr hrs \
    hour hours d day days w b byte bytes kb mb gb tb kib mib gib tib k g x px st nd rd th e t z";
/// What belongs to the number on either side.
const DATE_WORDS: &str = "Mon Tue Wed Thu Fri Sat Sun Monday Tuesday Wednesday Thursday Friday Saturday Sunday Jan \
    Feb Mar Apr May Jun Jul Aug Sep Sept Oct Nov Dec January February March April June July August September October \
    November December UTC GMT CET CEST EST EDT PST PDT AM PM";
/// Names that have a width or a version of several digits: `int64`, `SHA256`, `x86`, `ES2015`, `UTF-16`.
const WIDTHS: &str = "int uint bigint float i u f utf sha md base x es arm amd win aes rsa hs rs iso latin";
/// What follows in quotes is a value, not a name. A last `*` stands for one more word.
#[rustfmt::skip]
const ANNOUNCING: [&str; 22] = [
    "value", "value: *", "value for Integer()", "value for Float()", "duplicate entry", "dup key", "dup key: { *",
    "input string", "with base *", "string to *", "input syntax for type *", "value for enum *", "parse", "parsing",
    "parsing *", "time data", "date", "from String", "but got", "right syntax to use near", "invalid character",
    "no such file or directory",
];
/// What was in quotes before one of these is a value too.
#[rustfmt::skip]
const REJECTING: [&str; 7] = [
    "is not a valid", "is not valid JSON", "... is not valid JSON", "could not be parsed", "is out of range",
    "was not in a correct format", "does not match format",
];
/// What follows in a path was made up by a program.
const TEMPORARY: [&str; 3] = ["/tmp/", "/var/folders/", "\\Temp\\"];
/// Files that bundlers name after their content.
const BUNDLED: [&str; 4] = [".js", ".mjs", ".css", ".js.map"];
/// Laravel ends a message with the query and its values.
const QUERY_TAILS: [&str; 2] = ["(SQL: ", "(Connection: "];

/// What the rules look at.
pub struct Input<'a> {
    pub message: &'a str,
    pub r#type: Option<&'a str>,
    pub fingerprint: Option<&'a [String]>,
    pub frames: &'a [Frame],
}

/// What an event is grouped by, and how its issue is called if it is the first.
pub struct Grouping {
    pub hash: [u8; 16],
    pub title: String,
    pub culprit: Option<String>,
    pub grouped_by: String,
}

/// The key, title and culprit of an event.
pub fn group(input: &Input) -> Grouping {
    let text = replace(&subject(input.message));
    let r#type = input.r#type.map(str::trim).filter(|name| !name.is_empty());
    let telling = r#type.filter(|name| !listed(SAYS_NOTHING, name));
    let place = telling.filter(|name| is_language_error(name)).and_then(|_| frame::place(input.frames));
    let place = place.map(|(function, file)| (function, replace(file))); // a bundled file's name has a hash in it

    // A tag before each part says which it is, so that no two kinds of key can be the same.
    let mut parts = vec![('t', text.as_str())];
    parts.extend(telling.map(|name| ('y', name)));
    parts.extend(place.iter().flat_map(|(function, file)| [('n', *function), ('f', file.as_str())]));
    let message = if text.contains(HOLE) { "message with changing parts as <*>" } else { "message" };
    let mut grouped_by = match (telling, &place) {
        (None, _) => message.to_string(),
        (Some(_), None) => format!("type and {message}"),
        (Some(_), Some((function, file))) => format!("type, {message} and place: {}", frame::located(function, file)),
    };
    if let Some(entries) = input.fingerprint.filter(|entries| !entries.is_empty() && *entries != [DEFAULT]) {
        let expand = |entry| if entry == DEFAULT { parts.clone() } else { vec![('e', entry)] };
        parts = entries.iter().flat_map(|entry| expand(entry.as_str())).collect();
        grouped_by = format!("the client's fingerprint: {}", entries.join(", "));
    }

    let title = match (r#type, telling) {
        (None, _) if text.is_empty() => "(no message)".to_string(),
        (Some(name), _) if text.is_empty() => cut(name, STORED_CHARS),
        (_, Some(name)) => format!("{}: {text}", cut(name, STORED_CHARS)),
        _ => text.clone(),
    };
    Grouping {
        hash: hash(&parts),
        title,
        culprit: frame::where_to_look(input.frames),
        grouped_by: cut(&grouped_by, STORED_CHARS),
    }
}

/// The length before each part keeps `["a", "b"]` from being `["ab"]`.
fn hash(parts: &[(char, &str)]) -> [u8; 16] {
    let mut key = VERSION.to_string();
    for (tag, part) in parts {
        let _ = write!(key, "{tag}{}:{part}", part.len()); // writing to a String does not fail
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()).into_bytes()
}

fn is_language_error(name: &str) -> bool {
    let name = name.trim_start_matches('*');
    name.starts_with("runtime.") || listed(LANGUAGE_ERRORS, last(name, |c| !['.', '\\', ':'].contains(&c)))
}

/// What of a message is looked at: the first line that is not blank, with the next one if it ends in a colon.
fn subject(message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut text = lines.next().unwrap_or_default().to_string();
    if let Some(next) = lines.next().filter(|_| text.ends_with(':')) {
        text = format!("{text} {next}");
    }
    text.truncate(QUERY_TAILS.iter().filter_map(|tail| text.find(tail)).min().unwrap_or(text.len()));
    text.trim_end().to_string()
}

/// The text with `<*>` for what changes.
fn replace(text: &str) -> String {
    let mut reader = Reader { text, at: 0, out: String::new(), hole: None };
    while reader.at < text.len() && reader.out.len() < TEXT_BYTES {
        reader.step();
    }
    reader.out.truncate(boundary(&reader.out, TEXT_BYTES));
    reader.out
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// Where in `out` the last hole ends, while only punctuation and spaces follow it: the next one melts into it.
    hole: Option<usize>,
}

impl<'a> Reader<'a> {
    /// Takes one word, one character, or a stretch that changes as a whole.
    fn step(&mut self) {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or_default();
        if first == ' ' {
            self.keep(1);
        } else if let Some(length) = self.whole() {
            self.leave(length);
        } else if WORD(first) {
            self.word(head(rest, WORD));
        } else if let Some(dir) = TEMPORARY.iter().find(|dir| rest.starts_with(**dir)) {
            self.keep(dir.len());
            self.leave(head(self.rest(), |c| !ends_path(c)).len());
        } else if first == '?'
            && rest[1..].starts_with(WORD)
            && self.before().rsplit(ends_path).next().is_some_and(|path| path.contains('/'))
        {
            self.at += head(rest, |c| !ends_path(c) || matches!(c, '[' | ']' | ',' | ':'))
                .trim_end_matches([',', ':', '.'])
                .len();
        } else if matches!(first, 'µ' | 'μ') && self.since_hole() == Some("") {
            self.leave(first.len_utf8());
        } else if !self.quoted(first) {
            self.keep(first.len_utf8());
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn before(&self) -> &'a str {
        let before = &self.text[..self.at];
        &before[boundary(before, self.at.saturating_sub(NEAR_BYTES))..]
    }

    /// What was copied since the last hole, if only punctuation and spaces.
    fn since_hole(&self) -> Option<&str> {
        self.hole.map(|end| &self.out[end..])
    }

    /// Copies so many bytes.
    fn keep(&mut self, length: usize) {
        let kept = &self.rest()[..length];
        self.out.push_str(kept);
        self.at += length;
        self.hole = self.hole.filter(|_| kept.chars().all(|c| c.is_ascii() && !WORD(c)));
    }

    /// Leaves out so many bytes, with the sign before them.
    fn leave(&mut self, length: usize) {
        self.at += length;
        let signed = self.out.strip_suffix(['-', '+']).filter(|before| !before.ends_with(char::is_alphanumeric));
        self.out.truncate(self.hole.or(signed.map(str::len)).unwrap_or(self.out.len()));
        if self.hole.is_none() {
            self.out.push_str(HOLE);
        }
        self.hole = Some(self.out.len());
    }

    /// Judges a run of letters and digits.
    fn word(&mut self, word: &str) {
        if word.contains(DIGIT) && self.is_code(word) {
            self.keep(word.len());
        } else if is_measure(word) || is_id(word) || self.belongs_to_number(word) {
            self.leave(word.len());
        } else if self.since_hole() == Some(" ") && is_plural(word) {
            self.keep(word.len() - 1);
            self.at += 1;
        } else {
            self.name(word.len());
        }
    }

    /// A name: one digit, a width, and digits before a capital are part of it. Others change, and so does a bare
    /// number.
    fn name(&mut self, length: usize) {
        let (start, end) = (self.at, self.at + length);
        while self.at < end {
            self.keep(head(self.rest(), LETTER).len());
            let digits = head(self.rest(), DIGIT).len();
            let after = &self.rest()[digits..];
            let name = || last(self.before().strip_suffix('-').unwrap_or(self.before()), LETTER);
            let glued = self.at > start && (digits == 1 && !goes_on(after) || after.starts_with(CAPITAL));
            if digits == 0 || glued || digits <= 4 && listed(WIDTHS, name()) {
                self.keep(digits);
            } else {
                self.leave(digits);
            }
        }
    }

    /// Whether digits, or capitals with digits, tell what went wrong.
    fn is_code(&self, word: &str) -> bool {
        let after = &self.rest()[word.len()..];
        let next = head(after.trim_start_matches([' ', '(']), LETTER);
        let counts = is_plural(next) || listed(UNITS, next) || goes_on(after) || after.starts_with('%');
        let before = self.before().trim_end_matches([' ', ':', '=', '[', '(', '{', '#', '"', '\'', '`', '-']);
        let before = LINKS.iter().find_map(|link| before.strip_suffix(link)).unwrap_or(before);
        let told_by = |table| !counts && listed(table, last(before, LETTER));

        let status = word.len() == 3 && word.chars().all(DIGIT);
        let code = word.len() <= 10 && (word.starts_with("0x") || word.chars().all(|c| DIGIT(c) || CAPITAL(c)));
        let host = self.before().strip_suffix(':').map(|before| last(before, |c| WORD(c) || c == '.' || c == '-'));
        let port = host.is_some_and(|host| host.is_empty() || !host.chars().all(DIGIT)) && listed(PORTS, word);
        let heads =
            word.starts_with(CAPITAL) && word.trim_end_matches(DIGIT).chars().all(CAPITAL) && after.starts_with(':');
        code && told_by(CODE_WORDS)
            || status && (told_by(STATUS_WORDS) || next.starts_with(CAPITAL) && listed(REASONS, next))
            || heads && (self.at == 0 || self.before().ends_with(": "))
            || port && !after.strip_prefix(':').is_some_and(|column| column.starts_with(DIGIT))
    }

    /// A unit, a part of a date, or the end of a pod's name, which has no vowels (`cart-6b7d8f9c45-zzplm`).
    fn belongs_to_number(&self, word: &str) -> bool {
        let since = self.since_hole();
        let is_unit = matches!(since, Some("" | " ")) && listed(UNITS, word);
        let is_pod = since == Some("-")
            && word.len() == 5
            && !word.contains(|c| CAPITAL(c) || matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y'));
        let is_date = |word: &str| word.starts_with(CAPITAL) && listed(DATE_WORDS, word);
        let next = self.rest()[word.len()..].trim_start_matches([' ', ',', '.']);
        let by_number =
            || next.starts_with(DIGIT) || is_date(head(next, LETTER)) || since.is_some_and(|gap| gap.len() <= 2);
        is_unit || is_pod || is_date(word) && by_number()
    }

    /// Puts a hole into quotes that hold a value, told by the words around them. They end at a quote that is no
    /// apostrophe.
    fn quoted(&mut self, quote: char) -> bool {
        if !matches!(quote, '\'' | '"' | '`') || self.before().ends_with(WORD) {
            return false;
        }
        let inside = &self.rest()[1..];
        let mut ends = inside[..boundary(inside, NEAR_BYTES)].match_indices(quote).map(|(at, _)| at).take(8);
        let end = ends.find(|end| !inside[end + 1..].starts_with(WORD));
        let after = end.map_or("", |end| inside[end + 1..].trim_start());
        let is_value = self.is_announced() || REJECTING.iter().any(|phrase| after.starts_with(phrase));
        if is_value {
            self.keep(1);
            self.leave(end.unwrap_or(inside.len()));
            self.keep(end.map_or(0, |_| 1));
        }
        is_value
    }

    fn is_announced(&self) -> bool {
        let before = self.before().trim_end_matches([' ', ':', '=', '(', '{', '[', '\\']);
        let but_one = before.rsplit_once(' ').map_or("", |(before, _)| before);
        ANNOUNCING.iter().any(|&phrase| {
            let (text, phrase) = phrase.strip_suffix(" *").map_or((before, phrase), |phrase| (but_one, phrase));
            let start = text.len().checked_sub(phrase.len()).filter(|start| text.is_char_boundary(*start));
            start.is_some_and(|start| text[start..].eq_ignore_ascii_case(phrase) && !text[..start].ends_with(WORD))
        })
    }

    /// The longest stretch of such characters that begins here; none inside of one, so that nothing is looked at twice.
    fn run(&self, belongs: impl Fn(char) -> bool) -> &'a str {
        if self.before().ends_with(&belongs) { "" } else { head(self.rest(), belongs) }
    }

    /// What changes as a whole: a UUID, an e-mail, IPv6 or MAC address, base64, the name of a bundled file with a hash
    /// in it (`app.9f3c.js`, `index-BkX0f_Zq.js`). An IPv4 address is numbers and dots.
    fn whole(&self) -> Option<usize> {
        let hex = |c: char| c.is_ascii_hexdigit();
        let is_mac =
            |text: &str| text.len() == 17 && text.split(':').all(|pair| pair.len() == 2 && pair.chars().all(hex));
        let is_ip = |text: &&str| {
            is_mac(text) || text.contains("::") && text.contains(DIGIT) && text.parse::<Ipv6Addr>().is_ok()
        };
        let ip = Some(self.run(|c| hex(c) || c == ':' || c == '.').trim_end_matches([':', '.'])).filter(is_ip);

        let run = self.run(|c| WORD(c) || matches!(c, '.' | '_' | '%' | '+' | '-' | '@'));
        let is_uuid = |text: &&str| text.chars().all(|c| hex(c) || c == '-') && Uuid::try_parse(text).is_ok();
        let uuid = self.rest().get(..36).filter(|_| !self.before().ends_with(WORD)).filter(is_uuid);
        let (name, domain) = run.trim_end_matches(|c| !WORD(c)).split_once('@').unwrap_or_default();
        let is_top = |top: &str| top.len() >= 2 && top.chars().all(LETTER);
        let is_email = !name.is_empty() && domain.rsplit_once('.').is_some_and(|(_, top)| is_top(top));
        let email = is_email.then(|| &run[..name.len() + 1 + domain.len()]);

        let stem = BUNDLED.iter().find_map(|end| run.strip_suffix(end)).filter(|stem| {
            let (name, hash) = stem.split_at(stem.len().saturating_sub(8));
            let short = stem.split(|c| !WORD(c)).any(|part| part.len() >= 4 && is_hex(part));
            short || name.ends_with(['.', '-']) && pieces(hash) >= 3
        });
        let token = self.run(|c| WORD(c) || matches!(c, '+' | '_' | '-'));
        let is_base64 = token.len() >= 20 && token.contains(CAPITAL) && is_random(token);
        let padding = || head(&self.rest()[token.len()..], |c| c == '=').len();
        let base64 = is_base64.then(|| &self.rest()[..token.len() + padding()]);
        uuid.or(ip).or(email).or(stem).or(base64).map(str::len)
    }
}

/// A number with its units, or what begins with one in a date: `30s`, `1m30s`, `3rd`, `15T10`.
fn is_measure(word: &str) -> bool {
    word.starts_with(DIGIT)
        && word.contains(LETTER)
        && word.split(DIGIT).all(|unit| unit.is_empty() || listed(UNITS, unit))
}

/// Letters and digits as no one would name a thing: `4d5e6f7`, `0x7ffe`, `k2x9q7`, `NffrFeUfNV2Hib`.
fn is_id(word: &str) -> bool {
    let name = head(word, LETTER);
    let digits = word.matches(DIGIT).count();
    let many = digits >= 2 && (digits * 4 > word.len() || word.len() >= 20);
    let mixed = many && word[name.len()..].contains(LETTER);
    let pointer = word.strip_prefix("0x").is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    pointer
        || word.len() >= 7 && is_hex(word)
        || word.len() >= 8 && is_random(word)
        || mixed && (name.len() < 2 || !listed(WIDTHS, name))
}

fn is_hex(word: &str) -> bool {
    word.contains(DIGIT) && word.chars().all(|c| c.is_ascii_hexdigit())
}

/// Whether it changes between small letters, capitals and digits more often than words put together do.
fn is_random(word: &str) -> bool {
    word.contains(DIGIT) && pieces(word) * 5 > word.matches(WORD).count() * 2
}

/// How many runs of small letters (a capital may begin one), of capitals and of digits there are.
fn pieces(word: &str) -> usize {
    let kind = |c| (DIGIT(c), LETTER(c), CAPITAL(c));
    let before = std::iter::once('-').chain(word.chars());
    let begins =
        |(before, c): &(char, char)| WORD(*c) && kind(*before) != kind(*c) && !(CAPITAL(*before) && LETTER(*c));
    before.zip(word.chars()).filter(begins).count()
}

/// A guess without a dictionary, in which `was` and `has` are too short.
fn is_plural(word: &str) -> bool {
    word.len() >= 4 && word.ends_with('s') && !["ss", "us", "is", "does"].iter().any(|end| word.ends_with(end))
}

/// Whether a number has a fraction, or more groups of digits.
fn goes_on(after: &str) -> bool {
    after.strip_prefix(['.', ',']).is_some_and(|more| more.starts_with(DIGIT))
}

fn ends_path(c: char) -> bool {
    !WORD(c) && (c.is_whitespace() || r#"'"`()[]{}<>,;:|"#.contains(c))
}

const DIGIT: fn(char) -> bool = |c| c.is_ascii_digit();
const LETTER: fn(char) -> bool = |c| c.is_ascii_alphabetic();
const CAPITAL: fn(char) -> bool = |c| c.is_ascii_uppercase();
const WORD: fn(char) -> bool = |c| c.is_ascii_alphanumeric();

fn head(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !belongs(c)).unwrap_or(text.len())]
}

fn last(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    text.rsplit(|c| !belongs(c)).next().unwrap_or_default()
}

fn listed(table: &str, word: &str) -> bool {
    !word.is_empty()
        && table.as_bytes().split(|byte| *byte == b' ').any(|entry| entry.eq_ignore_ascii_case(word.as_bytes()))
}

/// The end of the last whole character within so many bytes.
fn boundary(text: &str, bytes: usize) -> usize {
    (0..=bytes.min(text.len())).rfind(|end| text.is_char_boundary(*end)).unwrap_or(0)
}
