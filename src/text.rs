//! Cuts text to a number of characters, finds its first line, folds its case, and writes sizes.
use std::borrow::Cow;

/// The first `max` characters.
pub fn head(text: &str, max: usize) -> &str {
    match text.len() <= max {
        true => text, // as nearly all are
        false => text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end]),
    }
}

/// The first `max` characters; the last one is `…` if there were more.
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    match head(text, max).len() == text.len() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{}…", head(text, max - 1))),
    }
}

/// The last `max` characters; the first one is `…` if there were more. The end of a path says more than its start.
pub fn cut_front(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().rev().nth(max - 1) {
        None | Some((0, _)) => Cow::Borrowed(text),
        Some((at, c)) => Cow::Owned(format!("…{}", &text[at + c.len_utf8()..])),
    }
}

/// True for white space, control characters and all others that show nothing (Unicode's Default_Ignorable_Code_Point,
/// and the empty Braille pattern).
pub fn is_invisible(c: char) -> bool {
    match c {
        ' '..='~' => c == ' ',
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' => true,
        '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => true,
        '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' => true,
        '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}' => true,
        _ => c.is_whitespace() || c.is_control(),
    }
}

/// The text without invisible characters around it. Blank text becomes empty.
pub fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text, // as nearly all are
        _ => text.trim_matches(is_invisible),
    }
}

/// At most `max` characters, without invisible ones around them. `None` if that leaves nothing.
pub fn short(text: &str, max: usize) -> Option<String> {
    let text = trim(head(trim(text), max));
    (!text.is_empty()).then(|| text.to_string())
}

/// The first line that is not blank.
pub fn first_line(text: &str) -> &str {
    trim(text).lines().next().unwrap_or_default().trim_end()
}

/// A size as people read it, such as `1.2 GB`.
pub fn size(bytes: i64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB")];
    let (unit, name) = units.into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1000, "kB"));
    format!("{} {name}", (bytes * 10 / unit) as f64 / 10.0)
}

/// Splits a text after its first line, or after `max` characters of it.
pub fn split_head(text: &str, max: usize) -> (&str, &str) {
    let text = trim(text);
    text.split_at(head(first_line(text), max).len())
}

/// Folds the case of every letter, in any script. (Unicode's full case folding, approximated by upper and then lower
/// case: `ß` and `SS` become `ss`, all three forms of sigma become `σ`.)
pub fn fold(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => {
            let mut folded = String::with_capacity(text.len());
            for c in text.chars() {
                match c.is_ascii() {
                    true => folded.push(c.to_ascii_lowercase()),
                    false => folded.extend(c.to_uppercase().flat_map(char::to_lowercase)),
                }
            }
            folded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!((cut("żółw", 4), cut("żółwie", 4)), ("żółw".into(), "żół…".into()));
        assert_eq!((cut_front("żółw", 4), cut_front("ażółw", 4)), ("żółw".into(), "…ółw".into()));
        assert_eq!((cut_front("", 4), cut("", 4), head("żółw", 2)), ("".into(), "".into(), "żó"));
    }

    #[test]
    fn the_head_of_a_message_is_its_first_line() {
        assert_eq!(first_line(" \n\n\tfirst \r\nsecond"), "first");
        assert_eq!(first_line("\u{FEFF}\u{200B}\n\u{2800}\nfirst\u{301}\n"), "first\u{301}");
        assert_eq!(split_head(" \nfirst\nsecond\n", 600), ("first", "\nsecond"));
        assert_eq!(split_head("abcdef", 4), ("abcd", "ef"));
        assert_eq!(split_head("", 4), ("", ""));
    }
}
