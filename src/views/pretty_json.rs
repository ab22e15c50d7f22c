//! JSON with line breaks and indentation where it is long. Numbers, key order and duplicate keys stay as they were sent.
//! One pass over the text, without recursion, because clients may nest it as deeply as they like.
use super::text::MarkupBudget;
use crate::event::json;
use crate::text::head;
use std::borrow::Cow;

/// Maximum bytes of an array or object that stays on one line.
const LINE: usize = 80;

/// As much of the JSON as the budget allows.
pub fn pretty(json: &str, budget: &mut MarkupBudget) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut rest = json.trim_start();
    while !rest.is_empty() && !budget.is_spent() {
        if let Some((line, tail)) = on_one_line(rest, LINE) {
            out += budget.take(&line);
            rest = tail;
            continue;
        }
        let (token, tail) = rest.split_at(token_len(rest));
        rest = tail.trim_start();
        match token {
            "{" | "[" => {
                depth += 1;
                out += budget.take(token);
                new_line(depth, &mut out, budget);
            }
            "}" | "]" => {
                depth = usize::saturating_sub(depth, 1);
                new_line(depth, &mut out, budget);
                out += budget.take(token);
            }
            "," => {
                out += budget.take(token);
                new_line(depth, &mut out, budget);
            }
            ":" => out += budget.take(": "),
            other => out += budget.take(&unescaped(other)),
        }
    }
    out
}

/// The array or object at the start of the JSON if it takes at most `max` bytes, and what follows it.
pub fn on_one_line(json: &str, max: usize) -> Option<(String, &str)> {
    let (mut line, mut depth) = (String::new(), 0);
    let mut rest = json.starts_with(['{', '[']).then(|| head(json, 2 * max))?;
    while !rest.is_empty() && line.len() <= max {
        let (token, tail) = rest.split_at(token_len(rest));
        rest = tail.trim_start();
        match token {
            "{" | "[" => depth += 1,
            "}" | "]" => depth -= 1,
            _ => {}
        }
        line += &unescaped(token);
        line += if matches!(token, "," | ":") { " " } else { "" };
        if depth == 0 {
            let end = json::offset(json, rest);
            return (line.len() <= max).then(|| (line, json[end..].trim_start()));
        }
    }
    None
}

fn new_line(depth: usize, out: &mut String, budget: &mut MarkupBudget) {
    budget.pay(1 + 2 * depth);
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// The length of the first token: a string with its quotes, a punctuation mark, or a number or word.
fn token_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    match bytes[0] {
        b'"' => {
            let mut escaped = false;
            let end = bytes[1..].iter().position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            end.map_or(bytes.len(), |end| end + 2)
        }
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        _ => rest.find(|c: char| "{}[],:\"".contains(c) || c.is_whitespace()).unwrap_or(rest.len()),
    }
}

/// A token with the characters themselves in place of `\u` escapes. Half a surrogate pair becomes U+FFFD.
fn unescaped(token: &str) -> Cow<'_, str> {
    let text = token.contains("\\u").then(|| json::string(token)).flatten();
    text.map_or(token.into(), |text| json::quote(&text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        pretty(json, &mut MarkupBudget::new(1 << 20))
    }

    #[test]
    fn numbers_order_and_duplicate_keys_are_kept() {
        let json = r#" {"a":1.000000000000001, "a" : [ ] ,"b":[{"c\"}":"\u00e9\n\\"},{}, -1E+5,true ]} "#;
        let line = r#"{"a": 1.000000000000001, "a": [], "b": [{"c\"}": "é\n\\"}, {}, -1E+5, true]}"#;
        assert_eq!(shown(json), line);
        let long = format!("[{json},[],\"\u{e9}\",{}]", "x".repeat(80));
        let lines = ["[", &format!("  {line},"), "  [],", "  \"é\",", &format!("  {}", "x".repeat(80)), "]"];
        assert_eq!(shown(&long), lines.join("\n"));
    }

    #[test]
    fn only_what_fits_stays_on_one_line() {
        let of = |n: usize| format!("[\"{}\"]", "x".repeat(n));
        assert_eq!(shown(&of(LINE - 4)), of(LINE - 4));
        assert_eq!(shown(&of(LINE - 3)), format!("[\n  \"{}\"\n]", "x".repeat(LINE - 3)));
        assert_eq!(on_one_line("{\"a\":[1]} ,2", LINE), Some(("{\"a\": [1]}".to_string(), ",2")));
        assert_eq!((on_one_line("7", LINE), on_one_line("[1", LINE), on_one_line("[\"a", LINE)), (None, None, None));
    }

    #[test]
    fn escaped_characters_are_shown_and_lone_surrogates_replaced() {
        assert_eq!(shown(r#"["\ud83d\ude00"]"#), "[\"😀\"]");
        assert_eq!(shown(r#"["\ud83d!"]"#), "[\"\u{FFFD}!\"]");
        assert_eq!(shown(r#"["\ude00\ud83d\\ud83d"]"#), "[\"\u{FFFD}\u{FFFD}\\\\ud83d\"]");
        assert_eq!(shown(r#"["\ud83dé"]"#), "[\"\u{FFFD}é\"]");
    }

    #[test]
    fn no_deep_or_long_json_exceeds_the_budget() {
        let deep = "[".repeat(127) + &"0,".repeat(300_000);
        for json in [deep.as_str(), &"{".repeat(9000), &format!("\"{}\"", "'".repeat(9000)), &" ".repeat(9000)] {
            assert!(pretty(json, &mut MarkupBudget::new(1000)).len() < 1300);
        }
    }
}
