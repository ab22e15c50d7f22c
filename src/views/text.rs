//! How text and numbers are written: truncation, numbers with separators, bounded markup.
use super::html::{Html, escaped_len, html};
pub use crate::text::{cut, cut_front, first_line, split_head};

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
