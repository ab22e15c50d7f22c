//! How many columns a character takes in a terminal. An approximation: terminals differ, and so do versions of Unicode.

/// Characters that stand on the one before them, or are not seen.
const NONE: [(u32, u32); 24] = [
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0591, 0x05BD),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x06D6, 0x06DC),
    (0x06DF, 0x06E4),
    (0x0900, 0x0902),
    (0x0941, 0x0948),
    (0x094D, 0x094D),
    (0x0E31, 0x0E31),
    (0x0E34, 0x0E3A),
    (0x0E47, 0x0E4E),
    (0x1160, 0x11FF), // the vowels and ends of Korean syllables
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x200B, 0x200F), // spaces without width, joiners, marks of direction
    (0x2060, 0x2064),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F), // variation selectors
    (0xFE20, 0xFE2F),
    (0xFEFF, 0xFEFF),
    (0xE0000, 0xE007F),
    (0xE0100, 0xE01EF),
];

/// East Asian wide characters and emoji.
const TWO: [(u32, u32); 25] = [
    (0x1100, 0x115F),
    (0x231A, 0x231B),
    (0x23E9, 0x23F3),
    (0x25FD, 0x25FE),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x26A1, 0x26A1),
    (0x26BD, 0x26BE),
    (0x26C4, 0x26D4),
    (0x26EA, 0x26FD),
    (0x2705, 0x2705),
    (0x270A, 0x2728),
    (0x274C, 0x2757),
    (0x2795, 0x27BF),
    (0x2B1B, 0x2B55),
    (0x2E80, 0x303E),
    (0x3041, 0xA4CF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF01, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x16FE0, 0x1B2FF),
    (0x1F000, 0x3FFFD), // emoji, and the rarer characters of Chinese
];

pub fn columns(c: char) -> usize {
    let within = |table: &[(u32, u32)]| {
        let at = table.partition_point(|(_, last)| *last < c as u32);
        table.get(at).is_some_and(|(first, _)| *first <= c as u32)
    };
    match c {
        ..'\u{300}' => 1,
        _ if within(&NONE) => 0,
        _ if within(&TWO) => 2,
        _ => 1,
    }
}

pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// As much of a text as fits into so many columns, its last character `…` where there was more.
pub fn fit(text: &str, most: usize) -> String {
    let most_characters = 4 * most; // those without width have to end somewhere too
    if width(text) <= most && text.chars().nth(most_characters).is_none() {
        return text.to_string();
    }
    let mut left = most.saturating_sub(1);
    let fits = |c: &char| {
        let goes_on = columns(*c) <= left;
        left = left.saturating_sub(columns(*c));
        goes_on
    };
    text.chars().take(most_characters).take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        for table in [&NONE[..], &TWO] {
            assert!(table.iter().all(|(first, last)| first <= last));
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn columns_are_counted_as_terminals_show_them() {
        for (text, columns) in
            [("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한", 2), ("🚀", 2), ("", 0), ("…", 1)]
        {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_at_a_column() {
        assert_eq!((fit("abcd", 4), fit("abcde", 4)), ("abcd".to_string(), "abc…".to_string()));
        assert_eq!((fit("日本", 4), fit("日本語", 4)), ("日本".to_string(), "日…".to_string()));
        assert!(fit(&"a\u{301}\u{301}\u{301}\u{301}".repeat(9), 9).chars().count() <= 37);
    }
}
