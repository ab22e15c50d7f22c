//! JSON text with line ends and indentation. Tokens stay as they came: long numbers, escapes, order, duplicate keys.
//! Goes over the text once, without recursion, since a client can nest it as deep as it likes.
use super::text::Budget;

/// As much of the JSON as the budget allows.
pub fn pretty(json: &str, budget: &mut Budget) -> String {
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
            string if string.contains("\\u") => out += budget.take(&without_lone_surrogates(string)),
            other => out += budget.take(other),
        }
    }
    out
}

fn new_line(depth: usize, out: &mut String, budget: &mut Budget) {
    budget.pay(1 + 2 * depth);
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// A string with its quotes, a mark, or a number or word up to the next mark.
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

/// Half of a surrogate pair is no character, so its escape has none to show: U+FFFD stands for it.
fn without_lone_surrogates(string: &str) -> String {
    let mut out = String::with_capacity(string.len());
    let mut rest = string;
    while let Some(at) = rest.find('\\') {
        out += &rest[..at];
        rest = &rest[at..];
        let len = match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => 12,
            (Some(_), _) => {
                out.push(char::REPLACEMENT_CHARACTER);
                rest = &rest[6..];
                continue;
            }
            (None, _) => 2, // enough to get past an escaped backslash
        };
        let (escape, tail) = rest.split_at_checked(len).unwrap_or((rest, ""));
        out += escape;
        rest = tail;
    }
    out + rest
}

enum Half {
    High,
    Low,
}

/// Which half of a pair an escape is that the text begins with.
fn surrogate(text: &str) -> Option<Half> {
    let unit = u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()?;
    match unit {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        pretty(json, &mut Budget::new(1 << 20))
    }

    #[test]
    fn tokens_stay_as_they_came() {
        let json = r#" {"a":1.00000000000000000001, "a" : [ ] ,"b":[{"c\"}":"\u00e9\n\\"},{}, -1E+5,true ]} "#;
        let lines = [
            "{",
            r#"  "a": 1.00000000000000000001,"#,
            r#"  "a": [],"#,
            r#"  "b": ["#,
            "    {",
            r#"      "c\"}": "\u00e9\n\\""#,
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
    fn lone_surrogates_are_shown_as_replacement_characters() {
        assert_eq!(shown(r#"["\ud83d\ude00","\ud83d!","\ude00\ud83d"]"#).lines().nth(1), Some(r#"  "\ud83d\ude00","#));
        assert_eq!(shown(r#"["\ud83d!"]"#), "[\n  \"\u{FFFD}!\"\n]");
        assert_eq!(shown(r#"["\ude00\ud83d\\ud83d"]"#), "[\n  \"\u{FFFD}\u{FFFD}\\\\ud83d\"\n]");
        assert_eq!(shown(r#"["\ud83dé"]"#), "[\n  \"\u{FFFD}é\"\n]");
    }

    #[test]
    fn nothing_deep_or_long_outgrows_the_budget() {
        let deep = "[".repeat(127) + &"0,".repeat(300_000);
        for json in [deep.as_str(), &"{".repeat(9000), &format!("\"{}\"", "'".repeat(9000)), &" ".repeat(9000)] {
            assert!(pretty(json, &mut Budget::new(1000)).len() < 1300);
        }
    }
}
