//! How text and numbers are written: long text cut, counts grouped, markup bounded.
use crate::html;
use crate::views::html::{Html, escaped_len};
use std::borrow::Cow;

/// The first `most` characters, the last of them `…` where there were more.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(most - 1).chain(['…']).collect()),
    }
}

/// The last `most` characters, the first of them `…` where there were more: the end of a path tells more than its start.
pub fn cut_front(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().rev().nth(most - 1) {
        None | Some((0, _)) => Cow::Borrowed(text),
        Some((at, c)) => Cow::Owned(format!("…{}", &text[at + c.len_utf8()..])),
    }
}

/// The first line that is not blank.
pub fn first_line(message: &str) -> &str {
    message.trim().lines().next().unwrap_or_default().trim_end()
}

/// A text's first line, or as much of it as `most` characters, and what comes after.
pub fn split_head(text: &str, most: usize) -> (&str, &str) {
    let text = text.trim();
    let line = first_line(text);
    let end = line.char_indices().nth(most).map_or(line.len(), |(at, _)| at);
    text.split_at(end)
}

/// `1,204`; from a million on `1.2 M` with the exact number in `title`.
pub fn count(n: i64) -> Html {
    match n {
        ..1_000_000 => html!("{}", shortened(n)),
        _ => html!(r#"<span title="{}">{}</span>"#, grouped(n), shortened(n)),
    }
}

/// `1,204`; from a million on `1.2 M`.
pub fn shortened(n: i64) -> String {
    match n {
        ..1_000_000 => grouped(n),
        _ => format!("{}.{} M", grouped(n / 1_000_000), n / 100_000 % 10),
    }
}

/// `1 event`, `1,204 events`.
pub fn counted(n: i64, one: &str) -> Html {
    html!("{} {}{}", count(n), one, (n != 1).then_some("s"))
}

/// The same as text alone.
pub fn counted_text(n: i64, one: &str) -> String {
    format!("{} {one}{}", shortened(n), if n == 1 { "" } else { "s" })
}

/// Thousands parted by commas.
pub fn grouped(n: i64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many bytes of markup a part of a page may still take. What an event holds is bounded by the size of a request,
/// but markup can be many times as long: `"` takes six bytes, an empty frame fifty.
pub struct Budget(usize);

impl Budget {
    pub fn new(bytes: usize) -> Budget {
        Budget(bytes)
    }

    /// Nothing more fits: something has been, or has to be, left out.
    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }

    pub fn pay(&mut self, bytes: usize) {
        self.0 = self.0.saturating_sub(bytes);
    }

    /// As much of the text as fits.
    pub fn take<'a>(&mut self, text: &'a str) -> &'a str {
        for (at, c) in text.char_indices() {
            self.pay(escaped_len(c));
            if self.is_spent() {
                return &text[..at];
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_characters() {
        assert_eq!((cut("żółw", 4), cut("żółwie", 4)), ("żółw".into(), "żół…".into()));
        assert_eq!((cut_front("żółw", 4), cut_front("ażółw", 4)), ("żółw".into(), "…ółw".into()));
        assert_eq!(cut_front("", 4), "");
    }

    #[test]
    fn the_head_of_a_message_is_its_first_line() {
        assert_eq!(first_line(" \n\n\tfirst \r\nsecond"), "first");
        assert_eq!(split_head(" \nfirst\nsecond\n", 600), ("first", "\nsecond"));
        assert_eq!(split_head("abcdef", 4), ("abcd", "ef"));
        assert_eq!(split_head("", 4), ("", ""));
    }

    #[test]
    fn counts_are_grouped_and_from_a_million_on_shortened() {
        let text = |n| count(n).into_string();
        assert_eq!((text(0), text(999), text(1204)), ("0".into(), "999".into(), "1,204".into()));
        assert_eq!(text(999_999), "999,999");
        assert_eq!(text(1_290_000), r#"<span title="1,290,000">1.2 M</span>"#);
        assert_eq!(grouped(-1234), "-1,234");
        assert_eq!(counted(1, "event").as_str(), "1 event");
        assert_eq!(counted(1204, "event").as_str(), "1,204 events");
    }

    #[test]
    fn a_budget_counts_escaped_bytes() {
        let mut budget = Budget::new(13);
        assert_eq!(budget.take("\"a"), "\"a");
        assert_eq!(budget.take("\"é"), "");
        assert!(budget.is_spent());
    }
}
