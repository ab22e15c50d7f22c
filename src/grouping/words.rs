//! What grouping knows of words: tables, and what a word's letters and digits say.
//!
//! Case does not count in a table.
use std::sync::LazyLock;

pub type Table = &'static [&'static str];
macro_rules! table { ($($word:tt)*) => { &[$(stringify!($word)),*] } }

/// Types that any program throws. Without them, the same message is one issue in every language.
pub const VAGUE: Table = table![Error Exception RuntimeException RuntimeError panic string];
/// The words in the names of errors that a language itself raises, and whose message says little without the place.
pub const LANGUAGE: Table = table![Access Argument Arithmetic Array ArrayStore Assertion Attribute Bad BadMap Bounds By
    CaseClause Cast Class Clause Concurrent Cond Count Decode Divide Division Element Empty Encode Error Exception
    FloatDomain Format Found Frozen Function Illegal In Index Initialization Invalid Iteration Key Late Local LocalJump
    Match Method Modification Name Negative No Not Null Number Of Operation Out Overflow Pointer Property Range
    Recursion Reference Size Stack State Stop String Such SystemStack Type Unbound Undefined Unhandled Unicode
    Uninitialized Value Zero];
/// So do these, by how the type begins and how the file ends: Go's own errors, Apple's signals, PHP's `Error`, panics.
pub const RAISED: &[(&str, &str)] = &[("runtime.", ""), ("EXC_", ""), ("SIG", ""), ("Error", ".php"), ("panic", ".rs")];
/// A line of such words, numbers and punctuation says nothing.
pub const EMPTY: Table = table![error exception warning warn info debug fatal critical panic php uncaught unhandled
    promise rejection in thread main an has occurred status code level time timestamp null undefined none true false ok
    err http npm object oops Ошибка ОШИБКА ошибка エラー 错误 오류 Fehler Erreur Errore Erro];
/// Types of errors that browsers word differently.
pub const JAVASCRIPT: Table = table![TypeError ReferenceError SyntaxError RangeError InternalError URIError AbortError];
/// What other browsers and old versions of Chrome say, and Chrome's words for it. `*` stands for any text, and `#` for
/// an access to a property.
pub static WORDINGS: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| include_str!("browsers.txt").lines().filter_map(|line| line.split_once(" => ")).collect());
/// What languages write in place of a function's name. `{main}` and `<module>` are recognized by their brackets.
pub const NAMELESS: Table = table![closure lambda anonymous locals listcomp genexpr Object func MoveNext invokeSuspend];
/// A number after one of these is a code.
pub const CODES: Table = table![code status error errno err sqlstate exit signal hresult statuscode errorcode exitcode];
/// Three digits after one of these are an HTTP status.
pub const STATUS_WORDS: Table = table![http returned returns got received response responded with];
/// What may stand between such a word and its number: `a status of 404`, `HTTP/1.1 404`.
pub const LINKS: [&str; 5] = [" of", " is", " was", "/1.1", "/2"];
/// First words of HTTP's reasons. Three digits before one are a status.
pub const REASONS: Table = table![Bad Unauthorized Payment Forbidden Not Method Proxy Request Conflict Gone Payload
    Unsupported Unprocessable Locked Too Internal Service Gateway Client Server Moved Found];
/// Ports of well-known services. Any other port may be a client's.
pub const PORTS: Table = table![80 443 1433 1521 2181 2379 3000 3306 4222 4317 5000 5432 5672 6379 6443 8000 8080 8443
    9000 9042 9092 9200 11211 26379 27017 50051];
/// What belongs to the number before it: units, ordinals, and the letters in dates and exponents.
pub const UNITS: Table = table![ns us ms s sec secs second seconds millisecond milliseconds m min mins minute minutes
    h hr hrs hour hours d day days w b byte bytes kb mb gb tb kib mib gib tib k g x px st nd rd th e t z];
/// What belongs to a number before or after it.
pub const DATE_WORDS: Table = table![Mon Tue Wed Thu Fri Sat Sun Monday Tuesday Wednesday Thursday Friday Saturday
    Sunday Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec January February March April June July August September
    October November December Januar Februar Mai Juni Juli Oktober Dezember UTC GMT CET CEST EST EDT PST PDT AM PM];
/// Names with a width or a version of several digits: `int64`, `SHA256`, `x86`, `ES2015`, `UTF-16`.
pub const WIDTHS: Table = table![int uint bigint float i u f utf sha md base x es arm amd win aes rsa hs rs latin http];
/// What follows one of these in quotes is a value.
pub const VALUES: Table = table![value values entry string input literal data date datetime time character parse
    parsing got near user username customer email city search term];
/// What follows one of these in quotes is a name or a reason.
pub const NAMES: Table = table![column table relation field key property attribute parameter argument option variable
    name method function class module package index constraint command database schema host server driver type role job
    template view route service bean in with missing undefined required error errors message msg reason code status at
    detail title description response failed because exception state event desc err cause text stderr stdout output by
    said says declined refused rejected aborted crashed panicked replied answered];
/// A phrase in quotes is a value if one of these is near.
pub const ANNOUNCING: Table = table![invalid unknown find such named called matching];
/// Quoted text before one of these is a value: `'32 May' is not a valid date`.
pub const JUDGING: Table = table![valid parsed range format recognized];
/// Quotes, and what closes them.
pub const QUOTES: &[(char, char)] =
    &[('\'', '\''), ('"', '"'), ('`', '`'), ('“', '”'), ('«', '»'), ('‘', '’'), ('„', '“'), ('「', '」')];
/// A program made up the names below these directories.
pub const TEMPORARY: Table = &["/tmp/", "/var/folders/", "\\Temp\\"];
/// Whose folder is below these says nothing.
pub const HOMES: Table = &["/home/", "/export/home/", "/var/home/", "/Users/", r"\Users\", r"\users\", r"\\Users\\",
    r"\\users\\", r"\Documents and Settings\", r"\\Documents and Settings\\"];
/// After one of these, a path is a site's.
pub const REQUESTS: Table = table![GET POST PUT PATCH DELETE HEAD OPTIONS route page url uri endpoint];
/// What is added to a message in parentheses: Laravel the query with its values, Safari the expression.
pub const TAILS: Table = &[" (SQL: ", " (Connection: ", ". (In '", " (evaluating 'new "];
/// A counter follows these in a type.
pub const COUNTED: Table = &["$", "`", "AnonymousType", "DisplayClass", "Proxy", "Proxy_", ".proxy", "Script"];
/// What a runtime adds to a type, with all that follows.
pub const GENERATED: [&str; 6] = ["\0", "@anonymous/", "$$", "$HibernateProxy$", "$ByteBuddy$", "$MockitoMock$"];

/// Returns true if a table contains the word, in any case.
pub fn listed(table: &[&str], word: &str) -> bool {
    table.iter().any(|entry| entry.eq_ignore_ascii_case(word))
}

/// Replaced: hex of 7 or more digits (`d4e5f67`), and words that mix letters and digits like an id (`k2x9q7`,
/// `NffrFeUfNV2Hib`).
pub fn is_id(word: &str) -> bool {
    let name = leading(word, LETTER);
    let digits = word.matches(DIGIT).count();
    let has_many = digits >= 2 && (digits * 4 > word.len() || word.len() >= 20);
    let is_mixed = has_many && word[name.len()..].contains(LETTER) && (name.len() < 2 || !listed(WIDTHS, name));
    let is_hex = digits > 0 && word.len() >= 7 && word.chars().all(HEX);
    name.is_empty() && word.contains(LETTER) || is_mixed || is_hex || word.len() >= 8 && is_random(word)
}

/// Returns true if small letters, capitals and digits alternate more often than in words put together.
pub fn is_random(word: &str) -> bool {
    word.contains(DIGIT) && pieces(word) * 5 > word.matches(WORD).count() * 2
}

/// The number of runs of small letters (which a capital may begin), of capitals and of digits.
pub fn pieces(word: &str) -> usize {
    let kind = |c| (DIGIT(c), LETTER(c), CAPITAL(c));
    let before = std::iter::once('-').chain(word.chars());
    let begins = |(last, c): &(char, char)| WORD(*c) && kind(*last) != kind(*c) && !(CAPITAL(*last) && LETTER(*c));
    before.zip(word.chars()).filter(begins).count()
}

/// A guess without a dictionary: `rows`, but not `was`, `address` or `status`.
pub fn is_plural(word: &str) -> bool {
    word.len() >= 4 && word.ends_with('s') && !["ss", "us", "is", "does"].iter().any(|end| word.ends_with(end))
}

/// Returns true if a number has a fraction or more groups of digits: `1.5`, `1,204`.
pub fn goes_on(after: &str) -> bool {
    after.strip_prefix(['.', ',']).is_some_and(|more| more.starts_with(DIGIT))
}

pub const HEX: fn(char) -> bool = |c| c.is_ascii_hexdigit();
pub const DIGIT: fn(char) -> bool = |c| c.is_ascii_digit();
pub const LETTER: fn(char) -> bool = |c| c.is_ascii_alphabetic();
pub const CAPITAL: fn(char) -> bool = |c| c.is_ascii_uppercase();
pub const WORD: fn(char) -> bool = |c| c.is_ascii_alphanumeric();

/// The longest run of such characters at the start.
pub fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !belongs(c)).unwrap_or(text.len())]
}

/// The longest run of such characters at the end.
pub fn trailing(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    text.rsplit(|c| !belongs(c)).next().unwrap_or_default()
}
