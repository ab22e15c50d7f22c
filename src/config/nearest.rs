//! The command or flag that someone meant who mistyped it.
use std::iter::once;

/// How many letters may be wrong, missing or superfluous.
const MAX_DISTANCE: usize = 2;

/// Returns the nearest of the commands and flags that a help text names, unless all are far from what was typed.
pub fn nearest<'a>(typed: &str, help: &'a str) -> Option<&'a str> {
    let commands = help.lines().filter_map(|line| line.strip_prefix("  obs ")?.split(' ').next());
    let flags = help.split([' ', '\n', '[', ']', ',', '=']).filter(|word| word.starts_with("--"));
    let names = once("help").chain(commands).chain(flags).filter(|name| name.len() > 2 && !name.starts_with('['));
    let near = names.map(|name| (distance(typed, name), name)).filter(|(distance, _)| *distance <= MAX_DISTANCE);
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// The number of letters to insert, delete or replace (Levenshtein's distance), one row of its table at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (at, a) in (1..).zip(from.chars()) {
        let mut diagonal = row[0];
        row[0] = at;
        for (column, b) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn the_distance_is_the_number_of_wrong_missing_and_superfluous_letters() {
        for (from, to, expected) in
            [("", "", 0), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ä", "a", 1)]
        {
            assert_eq!((distance(from, to), distance(to, from)), (expected, expected), "{from} {to}");
        }
    }
}
