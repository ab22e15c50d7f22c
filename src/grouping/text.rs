//! The text of a message, with `<*>` for what changes from event to event.
//!
//! [`replace`] reads the text once. Each rule is a function of what is before a place (`before`), of what follows
//! (`rest`), and of what was copied since the last hole if only punctuation and spaces were (`gap`). The comments name the
//! rows of the table in `docs/grouping.md`: what is replaced and what is kept.
use super::words::*;
use uuid::Uuid;

/// Stands for what changes.
pub const HOLE: &str = "<*>";
/// Maximum length of the text, after replacement.
pub const TEXT_BYTES: usize = 512;
/// How far from a word its neighbours can be, so that no message takes long.
const NEAR_BYTES: usize = 256;

/// How many bytes are copied, then what stands for the next ones (a hole or nothing), and how many these are.
type Step = (usize, &'static str, usize);

/// The text with `<*>` for what changes.
pub fn replace(text: &str) -> String {
    let (mut out, mut at) = (String::new(), 0);
    // The end of the last hole in `out`, while only punctuation and spaces follow it. The next hole merges into it:
    // `2026-11-27, 10:15` is one.
    let mut hole = None;
    while at < text.len() && out.len() < TEXT_BYTES {
        let before = &text[boundary(text, at.saturating_sub(NEAR_BYTES))..at];
        let (kept, instead, length) = step(before, &text[at..], hole.map(|end| &out[end..]));
        let kept = &text[at..at + kept];
        out.push_str(kept);
        hole = hole.filter(|_| !kept.contains(char::is_alphanumeric));
        if instead == HOLE {
            hole = Some(add_hole(&mut out, hole));
        }
        at += kept.len() + length;
    }
    out.truncate(boundary(&out, TEXT_BYTES));
    out
}

/// Adds a hole in place of the last one, if they merge, or of a sign (`-5`, but not `a-5`). Returns its end.
fn add_hole(out: &mut String, last: Option<usize>) -> usize {
    let signed = out.strip_suffix(['-', '+', '−']).filter(|before| !before.ends_with(char::is_alphanumeric));
    let start = last.map(|end| end - HOLE.len()).or(signed.map(str::len)).unwrap_or(out.len());
    let is_bracket = |c| c == '(' && out[start..].contains(')'); // `(0170) 123`
    out.truncate(out[..start].trim_end_matches(is_bracket).len());
    out.push_str(HOLE);
    out.len()
}

/// Reads one word, one character, or a stretch that changes as a whole.
fn step(before: &str, rest: &str, gap: Option<&str>) -> Step {
    let first = rest.chars().next().unwrap_or_default();
    let step = match first {
        ' ' => None,
        c if WORD(c) && before.ends_with(WORD) => Some(word(before, rest, gap)),
        c if WORD(c) => whole(before, rest).or_else(|| Some(word(before, rest, gap))),
        '/' | '\\' => directory(before, rest),
        '?' => query(before, rest),
        'µ' | 'μ' | '%' if matches!(gap, Some("" | " ")) => Some((0, HOLE, first.len_utf8())), // `250µs`, `50 %`
        c if c.is_numeric() => Some((0, HOLE, c.len_utf8())),                                  // `۱۲۳`
        '.' | ':' | '_' | '%' | '+' | '-' | '@' if !before.ends_with(WORD) => whole(before, rest),
        _ => quoted(before, rest, gap),
    };
    step.unwrap_or((first.len_utf8(), "", 0))
}

/// A run of letters and digits. If it is not known as a whole, its letters and digits are read one after the other.
/// Kept: widths and versions in names (`int64`), a single digit attached to a name (`s3`), and digits before a capital
/// (`Log4Net`). Replaced: other digits at the end of a name (`worker12`), and bare numbers (`5`).
fn word(before: &str, rest: &str, gap: Option<&str>) -> Step {
    let word = leading(rest, WORD);
    let after = &rest[word.len()..];
    let is_inside = before.ends_with(WORD) && gap != Some("");
    if !is_inside && word.contains(DIGIT) && is_code(before, word, after) {
        return (word.len(), "", 0);
    }
    if !is_inside && (word.contains(DIGIT) && is_id(word) || is_of_number(word, after, gap)) {
        return (0, HOLE, word.len());
    }
    let (letters, digits) = (leading(word, LETTER).len(), leading(word, DIGIT).len());
    // Replaced: a plural `s` right after a number, so that `1 row` and `2 rows` are the same.
    if gap == Some(" ") && letters == word.len() && is_plural(word) {
        return (word.len() - 1, "", 1);
    }
    let after = &rest[digits..];
    let is_attached = || is_inside && (digits == 1 && !goes_on(after) || after.starts_with(CAPITAL));
    let is_width = || digits <= 4 && listed(WIDTHS, trailing(before.strip_suffix('-').unwrap_or(before), LETTER));
    if letters > 0 || is_attached() || is_width() { (letters + digits, "", 0) } else { (0, HOLE, digits) }
}

/// Replaced: a number's unit (`12 ms`), the words of a date (`27 Nov`), and the end of a pod's name, which has no vowels
/// (`cart-6b7d8f9c45-zzplm`).
fn is_of_number(word: &str, after: &str, gap: Option<&str>) -> bool {
    let is_unit = matches!(gap, Some("" | " ")) && listed(UNITS, word);
    let is_pod = gap == Some("-") && word.len() == 5 && !word.contains(|c| CAPITAL(c) || "aeiouy".contains(c));
    let is_date = |word: &str| word.starts_with(CAPITAL) && listed(DATE_WORDS, word);
    let next = after.trim_start_matches([' ', ',', '.']);
    let is_near = || next.starts_with(DIGIT) || is_date(leading(next, LETTER)) || gap.is_some_and(|s| s.len() < 3);
    is_unit || is_pod || is_date(word) && is_near()
}

/// Kept: a status or code, identified by its neighbours. That is a code after a word for one (`error 1146`), a status
/// after a verb (`returned 404`) or before a reason (`502 Bad Gateway`), a code that heads a message (`E1234: `), and
/// the port of a well-known service (`db:5432`).
fn is_code(before: &str, word: &str, after: &str) -> bool {
    let next = leading(after.trim_start_matches([' ', '(']), LETTER);
    let is_quantity = is_plural(next) || listed(UNITS, next) || goes_on(after) || after.starts_with('%');
    let announcing = before.trim_end_matches([' ', ':', '=', '[', '(', '{', '#', '"', '\'', '`', '-']);
    let announcing = LINKS.iter().find_map(|link| announcing.strip_suffix(link)).unwrap_or(announcing);
    let follows = |table| !is_quantity && listed(table, trailing(announcing, LETTER));

    let is_short = word.len() <= 10 && (word.starts_with("0x") || word.chars().all(|c| DIGIT(c) || CAPITAL(c)));
    let is_first = before.is_empty() || before.ends_with(": ");
    let is_head = is_first && is_short && word.starts_with(CAPITAL) && after.starts_with(':');
    let has_reason = next.starts_with(CAPITAL) && listed(REASONS, next);
    let is_status = word.len() == 3 && word.chars().all(DIGIT) && (has_reason || follows(STATUS_WORDS));
    is_status || is_head || listed(PORTS, word) && is_port(before, word, after) || is_short && follows(CODES)
}

/// Returns true if a number is a host's port and not a file's line. A line may have a column. A file is in a directory
/// (`/etc/nginx/shop:80`) or looks like source code: `cart.html:80` and `cart.js:3000`, but not `db.shop.sh:5432`.
fn is_port(before: &str, word: &str, after: &str) -> bool {
    let Some(host) = before.strip_suffix(':').map(|before| trailing(before, |c| !ends_path(c))) else { return false };
    let has_column = after.strip_prefix(':').is_some_and(|column| column.starts_with(DIGIT));
    let is_below = host.rsplit_once(['/', '\\']).is_some_and(|(above, file)| above != "/" && file.contains(LETTER));
    let is_likely = word.len() < 4 || host.matches('.').count() == 1 && trailing(host, LETTER).len() < 3;
    let is_source = host.contains('.') && host.ends_with(LETTER) && is_likely || host.ends_with("file");
    !has_column && !is_below && !is_source && (host.is_empty() || !host.chars().all(DIGIT))
}

/// Replaced: the query of a URL or path, without the punctuation that ends a sentence (`/cart?id=7,`).
fn query(before: &str, rest: &str) -> Option<Step> {
    let query = leading(&rest[1..], |c| !ends_path(c) || "[],:".contains(c)).trim_end_matches([',', ':', '.']);
    let is_path = trailing(before, |c| !ends_path(c)).contains('/');
    (is_path && query.starts_with(WORD)).then_some((0, "", 1 + query.len()))
}

/// Replaced: what follows `/tmp/` (`/tmp/php8fA2kQ`), and whose home folder it is (`/home/ann/`).
fn directory(before: &str, rest: &str) -> Option<Step> {
    let directory = TEMPORARY.iter().chain(HOMES).find(|directory| rest.starts_with(**directory))?;
    let is_home = HOMES.contains(directory);
    let verb = trailing(before.trim_end_matches(|c| !LETTER(c)), LETTER);
    let is_page = is_home && (before.ends_with(WORD) || listed(REQUESTS, verb));
    let below = &rest[directory.len()..];
    let is_name = |c| !(ends_path(c) || is_home && ['/', '\\', '?'].contains(&c));
    let spaced = leading(below, |c| is_name(c) || c == ' '); // `C:\Users\Ann Lee\`
    let is_spaced = below[spaced.len()..].starts_with('\\');
    let name = if is_spaced { spaced } else { leading(below, is_name).trim_end_matches('.') };
    (!is_page && !name.is_empty()).then_some((directory.len(), HOLE, name.len()))
}

/// Replaced: UUIDs, e-mail, IPv6 and MAC addresses, long base64, and the name of a bundled file with a hash in it
/// (`app.9f3c.js`, `index-BkX0f_Zq.js`). An IPv4 address is numbers and dots, which merge.
fn whole(before: &str, rest: &str) -> Option<Step> {
    // The longest run of such characters that begins here; empty inside of one, so that nothing is read twice.
    let run = |before: &str, fits: fn(char) -> bool| if before.ends_with(fits) { "" } else { leading(rest, fits) };
    let address = run(before.trim_end_matches(':'), |c| HEX(c) || c == ':').trim_end_matches(':');
    let ip = (address.matches(':').count() > 1 && address.contains(DIGIT)).then_some(address);

    let name = run(before, |c| WORD(c) || matches!(c, '.' | '_' | '%' | '+' | '-' | '@'));
    let uuid = rest.get(..36).filter(|text| Uuid::try_parse(text).is_ok());
    let (user, domain) = name.trim_end_matches(|c| !WORD(c)).split_once('@').unwrap_or_default();
    let is_domain = domain.contains('.') && domain.ends_with(LETTER) && !domain.starts_with(DIGIT);
    let email = (is_domain && !user.is_empty()).then(|| &rest[..user.len() + 1 + domain.len()]);

    let stem = [".js", ".mjs", ".css", ".js.map"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or_default();
    let (start, hash) = stem.split_at(stem.len().saturating_sub(8));
    let has_id = stem.split(|c| !WORD(c)).any(|part| part.len() >= 4 && is_id(part));
    let bundle = (has_id || start.ends_with(['.', '-']) && pieces(hash) >= 3).then_some(stem);
    let token = run(before, |c| WORD(c) || matches!(c, '+' | '_' | '-'));
    let is_base64 = token.len() >= 20 && token.contains(CAPITAL) && is_random(token);
    let padding = || leading(&rest[token.len()..], |c| c == '=').len();
    let base64 = is_base64.then(|| &rest[..token.len() + padding()]);
    uuid.or(ip).or(email).or(bundle).or(base64).map(|text| (0, HOLE, text.len()))
}

/// Replaced: a quoted value. Names stay: what looks like one, and what a word before it announces as one.
fn quoted(before: &str, rest: &str, gap: Option<&str>) -> Option<Step> {
    // A quote right after a hole closes a value.
    let (open, close) = QUOTES.iter().find(|(open, _)| gap != Some("") && rest.starts_with(*open))?;
    let inside = &rest[open.len_utf8()..];
    // The end of a quotation, an apostrophe, or a name (`orders."total"`).
    let is_end = before.ends_with(|c| WORD(c) || c == '.') || inside.starts_with([' ', ',', ';', ':', ')']);
    let near = &inside[..boundary(inside, NEAR_BYTES)];
    // The end is a quote that is not an apostrophe.
    let is_close = |end: &usize| !inside[end + close.len_utf8()..].starts_with(WORD);
    let end = near.match_indices(*close).map(|(at, _)| at).take(8).find(is_close);
    let (text, after) = end.map_or((near, ""), |end| (&near[..end], &near[end + close.len_utf8()..]));
    (!is_end && is_value(before, text, after)).then(|| (open.len_utf8(), HOLE, end.unwrap_or(inside.len())))
}

fn ends_path(c: char) -> bool {
    !WORD(c) && (c.is_whitespace() || r#"'"`()[]{}<>,;:|"#.contains(c))
}

/// The end of the last whole character within so many bytes.
fn boundary(text: &str, bytes: usize) -> usize {
    (0..=bytes.min(text.len())).rfind(|end| text.is_char_boundary(*end)).unwrap_or(0)
}

/// Returns true if quoted text is a value that someone typed, and not the name of a column, key or property, or a
/// reason.
fn is_value(before: &str, text: &str, after: &str) -> bool {
    // `Invalid date: '…'` or `user='…'`, but not the quoted key of JSON.
    let key = before.trim_end().strip_suffix([':', '=']);
    let is_json = key.is_some_and(|key| key.ends_with(['"', '\'']));
    let near = if key.is_some() && !is_json { 8 } else { 1 };
    let clause = before.trim_end_matches(|c| !WORD(c) && c != ')').rsplit([',', ';', ':', '.', '{', '}']).next();
    let words = clause.unwrap_or_default().rsplit(|c| !LETTER(c)).filter(|word| !word.is_empty());
    let says = |table, near| words.clone().take(near).any(|word| listed(table, word));
    let is_judged = || after.split(|c| !LETTER(c)).take(8).any(|word| listed(JUDGING, word));
    // A phrase is a reason if it is long, ends the message, or a word of saying or failing is next to it.
    let is_phrase = text.starts_with(char::is_alphabetic) && text.contains(|c: char| c == ' ' || !c.is_ascii());
    let is_short = !text.contains(|c| r"(){}<>=;*/\".contains(c)) && text.split(' ').count() <= 5;
    let is_inside = key.is_none() && after.contains(LETTER) && !listed(NAMES, leading(after.trim_start(), LETTER));
    let is_known = is_inside || says(ANNOUNCING, 8) || says(&["for"], 1);
    let is_typed = if is_phrase { is_short && is_known || before.ends_with('=') } else { near > 1 };
    says(VALUES, near) || !says(NAMES, near) && !text.contains("://") && (is_typed || is_judged())
}
