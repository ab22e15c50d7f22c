//! The text of a message, with `<*>` for what changes from event to event.
//!
//! [`Scanner`] reads the text once, and each rule looks at what is ahead of it and at what it has written. The comments
//! name the rows of the table in `docs/grouping.md`: what is replaced and what is kept.
use super::words::*;
use std::net::Ipv6Addr;
use uuid::Uuid;

/// Stands for what changes.
pub const HOLE: &str = "<*>";
/// Maximum length of the text, after replacement.
const TEXT_BYTES: usize = 512;
/// How far from a word its neighbours can be, so that no message takes long.
const NEAR_BYTES: usize = 256;

/// The part of a message that counts: its first line that is not blank, with the next one if it ends in a colon
/// (`Uncaught exception:` …), and without Laravel's query (`(SQL: select …`).
pub fn subject(message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut text = lines.next().unwrap_or_default().to_string();
    if let Some(next) = lines.next().filter(|_| text.ends_with(':')) {
        text = format!("{text} {next}");
    }
    text.truncate(QUERY_TAILS.iter().filter_map(|tail| text.find(tail)).min().unwrap_or(text.len()));
    text.trim_end().to_string()
}

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
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or_default();
        if first == ' ' {
            self.keep(1);
        } else if let Some(length) = self.whole() {
            self.replace(length);
        } else if WORD(first) {
            self.word(leading(rest, WORD));
        } else if let Some(directory) = TEMPORARY.iter().find(|directory| rest.starts_with(**directory)) {
            // Replaced: what follows `/tmp/` (`/tmp/php8fA2kQ`).
            self.keep(directory.len());
            self.replace(leading(self.rest(), |c| !ends_path(c)).len());
        } else if let Some(length) = self.query() {
            self.at += length;
        } else if matches!(first, 'µ' | 'μ') && self.since_hole() == Some("") {
            self.replace(first.len_utf8()); // `250µs`
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
        self.hole = self.hole.filter(|_| kept.chars().all(|c| c.is_ascii() && !WORD(c)));
    }

    /// Puts a hole in place of so many bytes and of the sign before them (`-5`, but not `a-5`).
    fn replace(&mut self, length: usize) {
        self.at += length;
        let signed = self.out.strip_suffix(['-', '+']).filter(|before| !before.ends_with(char::is_alphanumeric));
        self.out.truncate(self.hole.or(signed.map(str::len)).unwrap_or(self.out.len()));
        if self.hole.is_none() {
            self.out.push_str(HOLE);
        }
        self.hole = Some(self.out.len());
    }

    /// A run of letters and digits.
    fn word(&mut self, word: &str) {
        if word.contains(DIGIT) && self.is_code(word) {
            self.keep(word.len());
        } else if is_measure(word) || is_id(word) || self.belongs_to_number(word) {
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

        let is_status = word.len() == 3 && word.chars().all(DIGIT);
        let is_short = word.len() <= 10 && (word.starts_with("0x") || word.chars().all(|c| DIGIT(c) || CAPITAL(c)));
        let host = self.before().strip_suffix(':').map(|before| trailing(before, |c| WORD(c) || c == '.' || c == '-'));
        let is_port = host.is_some_and(|host| host.is_empty() || !host.chars().all(DIGIT)) && listed(PORTS, word);
        let is_line = after.strip_prefix(':').is_some_and(|column| column.starts_with(DIGIT));
        let is_head = word.starts_with(CAPITAL)
            && word.trim_end_matches(DIGIT).chars().all(CAPITAL)
            && after.starts_with(':')
            && (self.at == 0 || self.before().ends_with(": "));
        is_short && follows(CODE_WORDS)
            || is_status && (follows(STATUS_WORDS) || next.starts_with(CAPITAL) && listed(REASONS, next))
            || is_head
            || is_port && !is_line
    }

    /// Replaced: a number's unit (`12 ms`), the words of a date (`27 Nov`), and the end of a pod's name, which has no
    /// vowels (`cart-6b7d8f9c45-zzplm`).
    fn belongs_to_number(&self, word: &str) -> bool {
        let since = self.since_hole();
        let is_unit = matches!(since, Some("" | " ")) && listed(UNITS, word);
        let is_pod = since == Some("-")
            && word.len() == 5
            && !word.contains(|c| CAPITAL(c) || matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y'));
        let is_date = |word: &str| word.starts_with(CAPITAL) && listed(DATE_WORDS, word);
        let next = self.rest()[word.len()..].trim_start_matches([' ', ',', '.']);
        let is_by_number =
            || next.starts_with(DIGIT) || is_date(leading(next, LETTER)) || since.is_some_and(|gap| gap.len() <= 2);
        is_unit || is_pod || is_date(word) && is_by_number()
    }

    /// Replaced: the query of a URL or path, without the punctuation that ends a sentence (`/cart?id=7,`).
    fn query(&self) -> Option<usize> {
        let begins = self.rest().strip_prefix('?').is_some_and(|query| query.starts_with(WORD));
        if !begins || !self.before().rsplit(ends_path).next().is_some_and(|path| path.contains('/')) {
            return None;
        }
        let query = leading(self.rest(), |c| !ends_path(c) || matches!(c, '[' | ']' | ',' | ':'));
        Some(query.trim_end_matches([',', ':', '.']).len())
    }

    /// Replaced: a quoted value before or after a phrase that announces one (`Duplicate entry 'ann'`). Its end is a
    /// quote that is not an apostrophe. Returns false for all other quoted text, which is kept.
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
            self.replace(end.unwrap_or(inside.len()));
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

    /// The longest run of such characters that begins here; empty inside of one, so that nothing is read twice.
    fn run(&self, belongs: impl Fn(char) -> bool) -> &'a str {
        if self.before().ends_with(&belongs) { "" } else { leading(self.rest(), belongs) }
    }

    /// Replaced: UUIDs, e-mail, IPv6 and MAC addresses, long base64, and the name of a bundled file with a hash in it
    /// (`app.9f3c.js`, `index-BkX0f_Zq.js`). An IPv4 address is numbers and dots, which merge.
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

/// Returns true if a number has a fraction or more groups of digits: `1.5`, `1,204`.
fn goes_on(after: &str) -> bool {
    after.strip_prefix(['.', ',']).is_some_and(|more| more.starts_with(DIGIT))
}

/// The end of the last whole character within so many bytes.
fn boundary(text: &str, bytes: usize) -> usize {
    (0..=bytes.min(text.len())).rfind(|end| text.is_char_boundary(*end)).unwrap_or(0)
}
