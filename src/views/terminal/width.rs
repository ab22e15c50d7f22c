//! How many columns a character takes in a terminal. An approximation: terminals and versions of Unicode differ.

/// Characters without a column: combining marks, the vowels and finals of Korean syllables, joiners, direction marks and
/// variation selectors. The numbers alternate between the first character of a range and the first one after it.
const NONE: [u32; 48] = [
    0x0300, 0x0370, 0x0483, 0x048A, 0x0591, 0x05BE, 0x0610, 0x061B, 0x064B, 0x0660, 0x06D6, 0x06DD, 0x06DF, 0x06E5,
    0x0900, 0x0903, 0x0941, 0x0949, 0x094D, 0x094E, 0x0E31, 0x0E32, 0x0E34, 0x0E3B, 0x0E47, 0x0E4F, 0x1160, 0x1200,
    0x1AB0, 0x1B00, 0x1DC0, 0x1E00, 0x200B, 0x2010, 0x2060, 0x2065, 0x20D0, 0x2100, 0xFE00, 0xFE10, 0xFE20, 0xFE30,
    0xFEFF, 0xFF00, 0xE0000, 0xE0080, 0xE0100, 0xE01F0,
];

/// Characters of two columns, in the same form: East Asian wide characters and emoji.
const TWO: [u32; 50] = [
    0x1100, 0x1160, 0x231A, 0x231C, 0x23E9, 0x23F4, 0x25FD, 0x25FF, 0x2614, 0x2616, 0x2648, 0x2654, 0x26A1, 0x26A2,
    0x26BD, 0x26BF, 0x26C4, 0x26D5, 0x26EA, 0x26FE, 0x2705, 0x2706, 0x270A, 0x2729, 0x274C, 0x2758, 0x2795, 0x27C0,
    0x2B1B, 0x2B56, 0x2E80, 0x303F, 0x3041, 0xA4D0, 0xA960, 0xA980, 0xAC00, 0xD7A4, 0xF900, 0xFB00, 0xFE30, 0xFE70,
    0xFF01, 0xFF61, 0xFFE0, 0xFFE7, 0x16FE0, 0x1B300, 0x1F000, 0x3FFFE,
];

pub fn columns(c: char) -> usize {
    let is_in = |edges: &[u32]| edges.partition_point(|edge| *edge <= c as u32) % 2 == 1;
    match c {
        ..'\u{300}' => 1,
        _ if is_in(&NONE) => 0,
        _ if is_in(&TWO) => 2,
        _ => 1,
    }
}

pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// As much of a text as fits into `max` columns, ending in `…` if it was truncated.
pub fn fit(text: &str, max: usize) -> String {
    let max_chars = 4 * max; // bounds characters that take no column
    if width(text) <= max && text.chars().nth(max_chars).is_none() {
        return text.to_string();
    }
    let mut left = max.saturating_sub(1);
    let fits = |c: &char| {
        let fits = columns(*c) <= left;
        left = left.saturating_sub(columns(*c));
        fits
    };
    text.chars().take(max_chars).take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        for table in [&NONE[..], &TWO] {
            assert!(table.is_sorted_by(|a, b| a < b) && table.len() % 2 == 0);
        }
    }

    #[test]
    fn columns_are_counted_as_terminals_do() {
        for (text, columns) in
            [("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한", 2), ("🚀", 2), ("", 0), ("…", 1)]
        {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn text_that_does_not_fit_is_truncated_at_a_column() {
        assert_eq!((fit("abcd", 4), fit("abcde", 4)), ("abcd".to_string(), "abc…".to_string()));
        assert_eq!((fit("日本", 4), fit("日本語", 4)), ("日本".to_string(), "日…".to_string()));
        assert!(fit(&"a\u{301}\u{301}\u{301}\u{301}".repeat(9), 9).chars().count() <= 37);
    }
}
