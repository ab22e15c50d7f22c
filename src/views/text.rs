//! How text and numbers are written: long text cut, counts grouped, markup bounded.
use crate::html;
pub use crate::text::{cut, cut_front, first_line, split_head};
use crate::views::html::{Html, escaped_len};

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
