//! How text and numbers are written: truncation, numbers with separators, bounded markup.
use super::html::{Html, escaped_len, html};
use std::borrow::Cow;

/// At most `most` characters, the last of them `…` if the text was truncated.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(most - 1).chain(['…']).collect()),
    }
}

/// Truncates at the start, because the end of a path says more than its start.
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

/// The first `most` characters of a text's first line, and the rest of the text.
pub fn split_head(text: &str, most: usize) -> (&str, &str) {
    let text = text.trim();
    let line = first_line(text);
    let end = line.char_indices().nth(most).map_or(line.len(), |(at, _)| at);
    text.split_at(end)
}

/// `1,204`; from a million, `1.2 M` with the exact number as its title.
pub fn count(n: i64) -> Html {
    match n {
        ..1_000_000 => html!("{}", shortened(n)),
        _ => html!(r#"<span title="{}">{}</span>"#, grouped(n), shortened(n)),
    }
}

/// `1,204`; from a million, `1.2 M`.
pub fn shortened(n: i64) -> String {
    match n {
        ..1_000_000 => grouped(n),
        _ => format!("{}.{} M", grouped(n / 1_000_000), n / 100_000 % 10),
    }
}

/// The ending of a noun after the number `n`.
pub fn plural(n: i64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// `1 event`, `1,204 events`.
pub fn counted(n: i64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), plural(n))
}

/// With a comma between groups of thousands.
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

/// The number of bytes of markup that part of a page may still use. The size of an event is bounded, but its markup can
/// be many times as long: `"` takes six bytes, an empty frame fifty.
pub struct MarkupBudget(usize);

impl MarkupBudget {
    pub fn new(bytes: usize) -> MarkupBudget {
        MarkupBudget(bytes)
    }

    /// Something was left out, or will be.
    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// `None` if the budget is spent.
    pub fn pay(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.saturating_sub(bytes);
        (!self.is_spent()).then_some(())
    }

    /// As much of the text as the budget allows.
    pub fn take<'a>(&mut self, text: &'a str) -> &'a str {
        let end = text.char_indices().find(|(_, c)| self.pay(escaped_len(*c)).is_none());
        end.map_or(text, |(end, _)| &text[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_truncated_at_characters() {
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
    fn counts_have_separators_and_are_shortened_from_a_million() {
        let text = |n| count(n).into_string();
        assert_eq!((text(0), text(999), text(1204)), ("0".into(), "999".into(), "1,204".into()));
        assert_eq!(text(999_999), "999,999");
        assert_eq!(text(1_290_000), r#"<span title="1,290,000">1.2 M</span>"#);
        assert_eq!(grouped(-1234), "-1,234");
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(1204, "event"), "1,204 events");
    }

    #[test]
    fn a_budget_counts_escaped_bytes() {
        let mut budget = MarkupBudget::new(13);
        assert_eq!(budget.take("\"a"), "\"a");
        assert_eq!(budget.take("\"é"), "");
        assert!(budget.is_spent());
    }
}
