//! JSON with line breaks and indentation. Numbers, key order and duplicate keys stay as they were sent.
//! One pass over the text, without recursion, because clients may nest it as deeply as they like.
use super::text::MarkupBudget;
use crate::event::json;

/// As much of the JSON as the budget allows.
pub fn pretty(json: &str, budget: &mut MarkupBudget) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut rest = json.trim_start();
    while !rest.is_empty() && !budget.is_spent() {
        let (token, tail) = rest.split_at(token_len(rest));
        rest = tail.trim_start();
        match token {
            "{" | "[" if rest.starts_with(['}', ']']) => {
                out += budget.take(token);
                out += budget.take(&rest[..1]);
                rest = rest[1..].trim_start();
            }
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
            string if string.contains("\\u") => out += budget.take(&unescaped(string)),
            other => out += budget.take(other),
        }
    }
    out
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

/// A JSON string with `\u` escapes, with the characters themselves. Half a surrogate pair becomes U+FFFD.
fn unescaped(string: &str) -> String {
    let text = json::string(string).and_then(|text| serde_json::to_string(&text).ok());
    text.unwrap_or_else(|| string.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        pretty(json, &mut MarkupBudget::new(1 << 20))
    }

    #[test]
    fn numbers_order_and_duplicate_keys_are_kept() {
        let json = r#" {"a":1.00000000000000000001, "a" : [ ] ,"b":[{"c\"}":"\u00e9\n\\"},{}, -1E+5,true ]} "#;
        let lines = [
            "{",
            r#"  "a": 1.00000000000000000001,"#,
            r#"  "a": [],"#,
            r#"  "b": ["#,
            "    {",
            r#"      "c\"}": "é\n\\""#,
            "    },",
            "    {},",
            "    -1E+5,",
            "    true",
            "  ]",
            "}",
        ];
        assert_eq!(shown(json), lines.join("\n"));
    }

    #[test]
    fn escaped_characters_are_shown_and_lone_surrogates_replaced() {
        assert_eq!(shown(r#"["\ud83d\ude00"]"#), "[\n  \"😀\"\n]");
        assert_eq!(shown(r#"["\ud83d!"]"#), "[\n  \"\u{FFFD}!\"\n]");
        assert_eq!(shown(r#"["\ude00\ud83d\\ud83d"]"#), "[\n  \"\u{FFFD}\u{FFFD}\\\\ud83d\"\n]");
        assert_eq!(shown(r#"["\ud83dé"]"#), "[\n  \"\u{FFFD}é\"\n]");
    }

    #[test]
    fn no_deep_or_long_json_exceeds_the_budget() {
        let deep = "[".repeat(127) + &"0,".repeat(300_000);
        for json in [deep.as_str(), &"{".repeat(9000), &format!("\"{}\"", "'".repeat(9000)), &" ".repeat(9000)] {
            assert!(pretty(json, &mut MarkupBudget::new(1000)).len() < 1300);
        }
    }
}
