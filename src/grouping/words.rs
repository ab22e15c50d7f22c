//! What grouping knows of words: tables, and what a word's letters and digits say.
//!
//! The words of a table are separated by spaces, and case does not count.

/// Types that any program throws. Without them, the same message is one issue in every language.
pub const SAYS_NOTHING: &str = "Error Exception RuntimeException RuntimeError panic string *errors.errorString \
    *fmt.wrapError *fmt.wrapErrors *errors.joinError";
/// Errors that a language itself raises, and whose message says little without the place.
pub const LANGUAGE_ERRORS: &str = "TypeError ReferenceError RangeError KeyError IndexError AttributeError NameError \
    ValueError ZeroDivisionError DivisionByZeroError ErrorException NullPointerException ClassCastException \
    NoMethodError AssertionError ArgumentError ArgumentCountError ArithmeticError UnboundLocalError RecursionError \
    OverflowError UnhandledMatchError FrozenError IndexOutOfBoundsException ArrayIndexOutOfBoundsException \
    StringIndexOutOfBoundsException ArithmeticException ConcurrentModificationException NullReferenceException \
    InvalidCastException IndexOutOfRangeException DivideByZeroException";
/// What languages write in place of a function's name. `{main}` and `<module>` are recognized by their brackets.
pub const NAMELESS: [&str; 9] =
    ["closure", "lambda", "module", "anonymous", "locals", "listcomp", "genexpr", "eval", "Object"];
/// A number after one of these is a code.
pub const CODE_WORDS: &str = "code status error errno err sqlstate exit signal hresult statuscode errorcode exitcode \
    returncode";
/// Three digits after one of these are an HTTP status.
pub const STATUS_WORDS: &str = "http returned returns got received response responded with";
/// What may stand between such a word and its number: `a status of 404`, `HTTP/1.1 404`.
pub const LINKS: [&str; 5] = [" of", " is", " was", "/1.1", "/2"];
/// First words of HTTP's reasons. Three digits before one are a status.
pub const REASONS: &str = "Bad Unauthorized Payment Forbidden Not Method Proxy Request Conflict Gone Payload \
    Unsupported Unprocessable Locked Too Internal Service Gateway Client Server Moved Found";
/// Ports of well-known services. Any other port may be a client's.
pub const PORTS: &str = "80 443 1433 1521 2181 2379 3000 3306 4222 4317 5000 5432 5672 6379 6443 8000 8080 8443 9000 \
    9042 9092 9200 11211 26379 27017 50051";
/// What belongs to the number before it: units, ordinals, and the letters in dates and exponents.
pub const UNITS: &str = "ns us ms s sec secs second seconds millisecond milliseconds m min mins minute minutes h hr \
    hrs hour hours d day days w b byte bytes kb mb gb tb kib mib gib tib k g x px st nd rd th e t z";
/// What belongs to a number before or after it.
pub const DATE_WORDS: &str = "Mon Tue Wed Thu Fri Sat Sun Monday Tuesday Wednesday Thursday Friday Saturday Sunday \
    Jan Feb Mar Apr May Jun Jul Aug Sep Sept Oct Nov Dec January February March April June July August September \
    October November December UTC GMT CET CEST EST EDT PST PDT AM PM";
/// Names with a width or a version of several digits: `int64`, `SHA256`, `x86`, `ES2015`, `UTF-16`.
pub const WIDTHS: &str = "int uint bigint float i u f utf sha md base x es arm amd win aes rsa hs rs iso latin";
/// What follows one of these in quotes is a value, not a name. A final `*` stands for one more word.
#[rustfmt::skip]
pub const ANNOUNCING: [&str; 22] = [
    "value", "value: *", "value for Integer()", "value for Float()", "duplicate entry", "dup key", "dup key: { *",
    "input string", "with base *", "string to *", "input syntax for type *", "value for enum *", "parse", "parsing",
    "parsing *", "time data", "date", "from String", "but got", "right syntax to use near", "invalid character",
    "no such file or directory",
];
/// What precedes one of these in quotes is a value, too.
#[rustfmt::skip]
pub const REJECTING: [&str; 7] = [
    "is not a valid", "is not valid JSON", "... is not valid JSON", "could not be parsed", "is out of range",
    "was not in a correct format", "does not match format",
];
/// A program made up the names below these directories.
pub const TEMPORARY: [&str; 3] = ["/tmp/", "/var/folders/", "\\Temp\\"];
/// Endings of files that bundlers name after their content.
pub const BUNDLED: [&str; 4] = [".js", ".mjs", ".css", ".js.map"];
/// Laravel ends a message with the query and its values.
pub const QUERY_TAILS: [&str; 2] = ["(SQL: ", "(Connection: "];

/// Returns true if a table contains the word, in any case.
pub fn listed(table: &str, word: &str) -> bool {
    !word.is_empty()
        && table.as_bytes().split(|byte| *byte == b' ').any(|entry| entry.eq_ignore_ascii_case(word.as_bytes()))
}

/// Replaced: a number with its units, or what begins with one in a date (`30s`, `1m30s`, `3rd`, `15T10`).
pub fn is_measure(word: &str) -> bool {
    word.starts_with(DIGIT)
        && word.contains(LETTER)
        && word.split(DIGIT).all(|unit| unit.is_empty() || listed(UNITS, unit))
}

/// Replaced: `0x…`, hex of 7 or more digits (`4d5e6f7`), and words that mix letters and digits like an id (`k2x9q7`,
/// `NffrFeUfNV2Hib`).
pub fn is_id(word: &str) -> bool {
    let name = leading(word, LETTER);
    let digits = word.matches(DIGIT).count();
    let has_many = digits >= 2 && (digits * 4 > word.len() || word.len() >= 20);
    let is_mixed = has_many && word[name.len()..].contains(LETTER);
    let is_pointer = word.strip_prefix("0x").is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    is_pointer
        || word.len() >= 7 && is_hex(word)
        || word.len() >= 8 && is_random(word)
        || is_mixed && (name.len() < 2 || !listed(WIDTHS, name))
}

pub fn is_hex(word: &str) -> bool {
    word.contains(DIGIT) && word.chars().all(|c| c.is_ascii_hexdigit())
}

/// Returns true if small letters, capitals and digits alternate more often than in words put together.
pub fn is_random(word: &str) -> bool {
    word.contains(DIGIT) && pieces(word) * 5 > word.matches(WORD).count() * 2
}

/// The number of runs of small letters (which a capital may begin), of capitals and of digits.
pub fn pieces(word: &str) -> usize {
    let kind = |c| (DIGIT(c), LETTER(c), CAPITAL(c));
    let before = std::iter::once('-').chain(word.chars());
    let begins =
        |(before, c): &(char, char)| WORD(*c) && kind(*before) != kind(*c) && !(CAPITAL(*before) && LETTER(*c));
    before.zip(word.chars()).filter(begins).count()
}

/// A guess without a dictionary: `rows`, but not `was`, `address` or `status`.
pub fn is_plural(word: &str) -> bool {
    word.len() >= 4 && word.ends_with('s') && !["ss", "us", "is", "does"].iter().any(|end| word.ends_with(end))
}

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
