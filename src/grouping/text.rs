//! The text of a message, with `<*>` for what changes from event to event.
//!
//! [`Scanner`] reads the text once, and each rule looks at what is ahead of it and at what it has written. The comments
//! name the rows of the table in `docs/grouping.md`: what is replaced and what is kept.
use super::words::*;
use uuid::Uuid;

/// Stands for what changes.
pub const HOLE: &str = "<*>";
/// Maximum length of the text, after replacement.
pub const TEXT_BYTES: usize = 512;
/// How far from a word its neighbours can be, so that no message takes long.
const NEAR_BYTES: usize = 256;

/// The text with `<*>` for what changes.
pub fn replace(text: &str) -> String {
    let mut scanner = Scanner { text, at: 0, out: String::new(), hole: None };
    while scanner.at < text.len() && scanner.out.len() < TEXT_BYTES {
        scanner.step();
    }
    scanner.out.truncate(boundary(&scanner.out, TEXT_BYTES));
    scanner.out
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// The end of the last hole in `out`, while only punctuation and spaces follow it. The next hole merges into it:
    /// `2026-11-27, 10:15` is one.
    hole: Option<usize>,
}

impl<'a> Scanner<'a> {
    /// Reads one word, one character, or a stretch that changes as a whole.
    fn step(&mut self) {
        let first = self.rest().chars().next().unwrap_or_default();
        if first == ' ' {
            self.keep(1);
        } else if let Some(length) = self.whole() {
            self.replace(length);
        } else if WORD(first) {
            self.word(leading(self.rest(), WORD));
        } else if let Some((directory, length)) = self.directory() {
            self.keep(directory);
            self.replace(length);
        } else if let Some(length) = self.query() {
            self.at += length;
        } else if "µμ%".contains(first) && matches!(self.since_hole(), Some("" | " ")) || first.is_numeric() {
            self.replace(first.len_utf8()); // `250µs`, `50 %`, `۱۲۳`
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

    /// What was copied since the last hole, if only punctuation and spaces were.
    fn since_hole(&self) -> Option<&str> {
        self.hole.map(|end| &self.out[end..])
    }

    fn keep(&mut self, length: usize) {
        let kept = &self.rest()[..length];
        self.out.push_str(kept);
        self.at += length;
        self.hole = self.hole.filter(|_| !kept.contains(char::is_alphanumeric));
    }

    /// Puts a hole in place of so many bytes and of the sign before them (`-5`, but not `a-5`).
    fn replace(&mut self, length: usize) {
        self.at += length;
        let signed = self.out.strip_suffix(['-', '+', '−']).filter(|before| !before.ends_with(char::is_alphanumeric));
        let start = self.hole.map(|end| end - HOLE.len()).or(signed.map(str::len)).unwrap_or(self.out.len());
        let is_bracket = |c| c == '(' && self.out[start..].contains(')'); // `(0170) 123`
        self.out.truncate(self.out[..start].trim_end_matches(is_bracket).len());
        self.out.push_str(HOLE);
        self.hole = Some(self.out.len());
    }

    /// A run of letters and digits.
    fn word(&mut self, word: &str) {
        if word.contains(DIGIT) && self.is_code(word) {
            self.keep(word.len());
        } else if word.starts_with(DIGIT) && word.contains(LETTER) || is_id(word) || self.belongs_to_number(word) {
            self.replace(word.len());
        } else if self.since_hole() == Some(" ") && is_plural(word) {
            // Replaced: a plural `s` right after a number, so that `1 row` and `2 rows` are the same.
            self.keep(word.len() - 1);
            self.at += 1;
        } else {
            self.name(word.len());
        }
    }

    /// Kept: widths and versions in names (`int64`), a single digit attached to a name (`s3`), and digits before a
    /// capital (`Log4Net`). Replaced: other digits at the end of a name (`worker12`), and bare numbers (`5`).
    fn name(&mut self, length: usize) {
        let (start, end) = (self.at, self.at + length);
        while self.at < end {
            self.keep(leading(self.rest(), LETTER).len());
            let digits = leading(self.rest(), DIGIT).len();
            let after = &self.rest()[digits..];
            let name = || trailing(self.before().strip_suffix('-').unwrap_or(self.before()), LETTER);
            let is_attached = self.at > start && (digits == 1 && !goes_on(after) || after.starts_with(CAPITAL));
            if digits == 0 || is_attached || digits <= 4 && listed(WIDTHS, name()) {
                self.keep(digits);
            } else {
                self.replace(digits);
            }
        }
    }

    /// Kept: a status or code, identified by its neighbours. That is a code after a word for one (`error 1146`), a
    /// status after a verb (`returned 404`) or before a reason (`502 Bad Gateway`), a code that heads a message
    /// (`E1234: `), and the port of a well-known service (`db:5432`).
    fn is_code(&self, word: &str) -> bool {
        let after = &self.rest()[word.len()..];
        let next = leading(after.trim_start_matches([' ', '(']), LETTER);
        let is_quantity = is_plural(next) || listed(UNITS, next) || goes_on(after) || after.starts_with('%');
        let before = self.before().trim_end_matches([' ', ':', '=', '[', '(', '{', '#', '"', '\'', '`', '-']);
        let before = LINKS.iter().find_map(|link| before.strip_suffix(link)).unwrap_or(before);
        let follows = |table| !is_quantity && listed(table, trailing(before, LETTER));

        let is_short = word.len() <= 10 && (word.starts_with("0x") || word.chars().all(|c| DIGIT(c) || CAPITAL(c)));
        // A line follows a file, which has a directory or the ending of source code. `db.shop.sh:5432` is a host.
        let host = self.before().strip_suffix(':').map(|before| trailing(before, |c| !ends_path(c)));
        let path = host.unwrap_or_default().trim_start_matches("//");
        let ending = trailing(path, |c| !['/', '\\', '.'].contains(&c));
        let is_below = path.contains(['/', '\\']) && ending.contains(LETTER);
        let is_source = path.contains('.') && listed(SOURCES, ending) || ending.ends_with("file");
        let is_file = is_below || is_source && (word.len() < 4 || path.matches('.').count() < 2);
        let is_line = is_file || after.strip_prefix(':').is_some_and(|column| column.starts_with(DIGIT));
        let is_port = host.is_some_and(|h| h.is_empty() || !h.chars().all(DIGIT)) && !is_line && listed(PORTS, word);
        let is_first = self.at == 0 || self.before().ends_with(": ");
        let is_head = is_first && is_short && word.starts_with(CAPITAL) && after.starts_with(':');
        let has_reason = next.starts_with(CAPITAL) && listed(REASONS, next);
        let is_status = word.len() == 3 && word.chars().all(DIGIT) && (has_reason || follows(STATUS_WORDS));
        is_status || is_head || is_port || is_short && follows(CODES)
    }

    /// Replaced: a number's unit (`12 ms`), the words of a date (`27 Nov`), and the end of a pod's name, which has no
    /// vowels (`cart-6b7d8f9c45-zzplm`).
    fn belongs_to_number(&self, word: &str) -> bool {
        let gap = self.since_hole();
        let is_unit = matches!(gap, Some("" | " ")) && listed(UNITS, word);
        let is_pod = gap == Some("-") && word.len() == 5 && !word.contains(|c| CAPITAL(c) || "aeiouy".contains(c));
        let is_date = |word: &str| word.starts_with(CAPITAL) && listed(DATE_WORDS, word);
        let next = self.rest()[word.len()..].trim_start_matches([' ', ',', '.']);
        let is_near = || next.starts_with(DIGIT) || is_date(leading(next, LETTER)) || gap.is_some_and(|s| s.len() < 3);
        is_unit || is_pod || is_date(word) && is_near()
    }

    /// Replaced: the query of a URL or path, without the punctuation that ends a sentence (`/cart?id=7,`).
    fn query(&self) -> Option<usize> {
        let query = self.rest().strip_prefix('?').filter(|query| query.starts_with(WORD))?;
        let end = || leading(query, |c| !ends_path(c) || "[],:".contains(c)).trim_end_matches([',', ':', '.']).len();
        self.before().rsplit(ends_path).next().filter(|path| path.contains('/')).map(|_| 1 + end())
    }

    /// Replaced: what follows `/tmp/` (`/tmp/php8fA2kQ`), and whose home folder it is (`/home/ann/`). Returns the
    /// lengths of the directory and of what changes.
    fn directory(&self) -> Option<(usize, usize)> {
        self.rest().strip_prefix(['/', '\\'])?;
        let find = |table: Table| table.iter().find(|directory| self.rest().starts_with(**directory));
        let verb = trailing(self.before().trim_end_matches(|c| !LETTER(c)), LETTER);
        let home = || find(HOMES).filter(|_| !self.before().ends_with(WORD) && !listed(REQUESTS, verb));
        let directory = find(TEMPORARY).or_else(home)?;
        let rest = &self.rest()[directory.len()..];
        let is_home = HOMES.contains(directory);
        let is_name = |c| !(ends_path(c) || is_home && ['/', '\\', '?'].contains(&c));
        // `C:\Users\Ann Lee\`
        let spaced = leading(rest, |c| is_name(c) || c == ' ' && is_home && directory.starts_with('\\'));
        let is_spaced = rest[spaced.len()..].starts_with(['/', '\\']);
        let name = if is_spaced { spaced } else { leading(rest, is_name).trim_end_matches('.') };
        (!name.is_empty()).then_some((directory.len(), name.len()))
    }

    /// Replaced: a quoted value. Names stay: what looks like one, and what a word before it announces as one.
    /// Returns false for what stays.
    fn quoted(&mut self, quote: char) -> bool {
        let Some((_, close)) = QUOTES.iter().find(|(open, _)| *open == quote) else { return false };
        let before = self.before();
        let inside = &self.rest()[quote.len_utf8()..];
        // The end of a quotation, an apostrophe, or a name (`orders."total"`).
        let is_end = before.ends_with(|c| WORD(c) || c == '.') || inside.starts_with([' ', ',', ';', ':', ')']);
        let near = &inside[..boundary(inside, NEAR_BYTES)];
        // The end is a quote that is not an apostrophe.
        let is_close = |end: &usize| !inside[end + close.len_utf8()..].starts_with(WORD);
        let end = near.match_indices(*close).map(|(at, _)| at).take(8).find(is_close);
        let after = end.map_or("", |end| &near[end + close.len_utf8()..]);
        let is_value = !is_end && is_value(before, &near[..end.unwrap_or(near.len())], after);
        if is_value {
            self.keep(quote.len_utf8());
            self.replace(end.unwrap_or(inside.len()));
            self.keep(end.map_or(0, |_| close.len_utf8()));
        }
        is_value
    }

    /// The longest run of such characters that begins here; empty inside of one, so that nothing is read twice.
    fn run(&self, belongs: impl Fn(char) -> bool) -> &'a str {
        if self.before().ends_with(&belongs) { "" } else { leading(self.rest(), belongs) }
    }

    /// Replaced: UUIDs, e-mail, IPv6 and MAC addresses, long base64, and the name of a bundled file with a hash in it
    /// (`app.9f3c.js`, `index-BkX0f_Zq.js`). An IPv4 address is numbers and dots, which merge.
    fn whole(&self) -> Option<usize> {
        let is_ip = |text: &&str| text.matches(':').count() > 1 && text.contains(DIGIT);
        let ip = Some(self.run(|c| HEX(c) || c == ':').trim_end_matches(':')).filter(is_ip);

        let run = self.run(|c| WORD(c) || matches!(c, '.' | '_' | '%' | '+' | '-' | '@'));
        let is_uuid = |text: &&str| text.chars().all(|c| HEX(c) || c == '-') && Uuid::try_parse(text).is_ok();
        let uuid = self.rest().get(..36).filter(|_| !self.before().ends_with(WORD)).filter(is_uuid);
        let (name, domain) = run.trim_end_matches(|c| !WORD(c)).split_once('@').unwrap_or_default();
        let is_domain = domain.contains('.') && domain.ends_with(LETTER) && !domain.starts_with(DIGIT);
        let email = (is_domain && !name.is_empty()).then(|| &run[..name.len() + 1 + domain.len()]);

        let stem = [".js", ".mjs", ".css", ".js.map"].iter().find_map(|end| run.strip_suffix(end)).filter(|stem| {
            let (name, hash) = stem.split_at(stem.len().saturating_sub(8));
            let has_hex = stem.split(|c| !WORD(c)).any(|part| part.len() >= 4 && is_hex(part));
            has_hex || name.ends_with(['.', '-']) && pieces(hash) >= 3
        });
        let token = self.run(|c| WORD(c) || matches!(c, '+' | '_' | '-'));
        let is_base64 = token.len() >= 20 && token.contains(CAPITAL) && is_random(token);
        let padding = || leading(&self.rest()[token.len()..], |c| c == '=').len();
        let base64 = is_base64.then(|| &self.rest()[..token.len() + padding()]);
        uuid.or(ip).or(email).or(stem).or(base64).map(str::len)
    }
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
