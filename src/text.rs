//! Text: comparing it without regard to case.

/// Folds the case of every letter, in any script. (Unicode's full case folding, approximated by upper and then lower
/// case: `ß` and `SS` become `ss`, all three forms of sigma become `σ`.)
pub fn fold(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect(),
    }
}

/// Returns true if the text contains the needle, which is folded already.
pub fn contains_folded(text: &str, needle: &str) -> bool {
    fold(text).contains(needle)
}
