//! Reads JSON without changing it: values stay the text that was sent, so that key order, long numbers and duplicate
//! keys survive. Nothing here recurses, however deeply the text is nested.
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::fmt;

/// Maximum nesting of arrays and objects, counting the outermost. serde_json has the same limit.
pub const MAX_DEPTH: usize = 127;

/// Numbers that JSON does not have, as Python, Ruby, Java and C write them.
const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "inf"];

/// Calls `visit` with each raw key (with its quotes) and raw value of an object, in order.
pub fn each_entry<'a>(text: &'a str, visit: impl FnMut(&'a RawValue, &'a RawValue)) -> serde_json::Result<()> {
    struct Entries<F>(F);
    impl<'a, F: FnMut(&'a RawValue, &'a RawValue)> Visitor<'a> for Entries<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'a>>(mut self, mut map: M) -> Result<(), M::Error> {
            while let Some((key, value)) = map.next_entry()? {
                (self.0)(key, value);
            }
            Ok(())
        }
    }
    let mut json = Deserializer::from_str(text);
    json.deserialize_map(Entries(visit))?;
    json.end()
}

/// Calls `visit` with each raw element of an array, in order.
pub fn each_element<'a>(text: &'a str, visit: impl FnMut(&'a RawValue)) -> serde_json::Result<()> {
    struct Elements<F>(F);
    impl<'a, F: FnMut(&'a RawValue)> Visitor<'a> for Elements<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<S: SeqAccess<'a>>(mut self, mut seq: S) -> Result<(), S::Error> {
            while let Some(element) = seq.next_element()? {
                (self.0)(element);
            }
            Ok(())
        }
    }
    let mut json = Deserializer::from_str(text);
    json.deserialize_seq(Elements(visit))?;
    json.end()
}

/// The entries of an object, or `None` if the text is not one.
pub fn object(text: &str) -> Option<Vec<(&RawValue, &RawValue)>> {
    let mut entries = Vec::new();
    each_entry(text, |key, value| entries.push((key, value))).ok()?;
    Some(entries)
}

/// The raw value of an object's field. Of several with the same name, the last.
pub fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    each_entry(text, |key, value| found = (key.get().trim_matches('"') == name).then(|| value.get()).or(found)).ok()?;
    found
}

/// The elements of an array, or `None` if the text is not one.
pub fn array(text: &str) -> Option<Vec<&RawValue>> {
    first(text, usize::MAX)
}

/// The first `max` elements of an array, or `None` if the text is not one.
pub fn first(text: &str, max: usize) -> Option<Vec<&RawValue>> {
    let mut kept = Vec::new();
    each_element(text, |element| kept.extend((kept.len() < max).then_some(element))).ok()?;
    Some(kept)
}

/// The last `max` elements of an array, or `None` if the text is not one.
pub fn last(text: &str, max: usize) -> Option<Vec<&RawValue>> {
    let mut kept = VecDeque::new();
    each_element(text, |element| {
        if kept.len() == max {
            kept.pop_front();
        }
        kept.push_back(element);
    })
    .ok()?;
    Some(kept.into())
}

/// The byte offset of a part within its text.
pub fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The characters of a JSON string, or `None` if the text is not one. A lone surrogate, which has no character,
/// becomes U+FFFD.
pub fn string(text: &str) -> Option<String> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
    if !text.starts_with('"') {
        return None;
    }
    // Read as bytes, a lone surrogate is the three bytes that UTF-8 would use for it.
    let mut bytes = Deserializer::from_str(text).deserialize_bytes(Bytes).ok()?;
    for at in 0..bytes.len().saturating_sub(2) {
        if bytes[at] == 0xED && bytes[at + 1] >= 0xA0 {
            bytes[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    String::from_utf8(bytes).ok()
}

/// A text as a JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text with `null` for `NaN`, `Infinity` and the like outside strings, or `None` if it contains none.
pub fn without_nan(text: &str) -> Option<String> {
    let mut finite = String::new();
    let mut copied = 0;
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'n' | b'N' | b'i' | b'I' if !quoted && at >= copied => {
                let word = text[at..].bytes().take(9).take_while(u8::is_ascii_alphabetic).count();
                if NOT_FINITE.iter().any(|name| name.eq_ignore_ascii_case(&text[at..at + word])) {
                    finite.push_str(text[copied..at].trim_end_matches(['-', '+']));
                    finite.push_str("null");
                    copied = at + word;
                }
            }
            _ => {}
        }
    }
    (copied > 0).then(|| finite + &text[copied..])
}

/// The byte offset at which the text is nested more deeply than `limit`.
pub fn too_deep(text: &str, limit: usize) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > limit {
                    return Some(at);
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_surrogate_becomes_one_replacement_character() {
        assert_eq!(string(r#""a\ud83d""#).as_deref(), Some("a\u{FFFD}"));
        assert_eq!(string(r#""\udc00\ud83dx""#).as_deref(), Some("\u{FFFD}\u{FFFD}x"));
        assert_eq!(string(r#""\ud83d\ude00 \u0000 \ud7a3""#).as_deref(), Some("😀 \0 힣"));
        assert_eq!(string("17"), None);
        assert_eq!(string("[1]"), None);
    }

    #[test]
    fn depth_is_counted_outside_strings_only() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert_eq!(too_deep(&nested(MAX_DEPTH), MAX_DEPTH), None);
        assert_eq!(too_deep(&nested(MAX_DEPTH + 1), MAX_DEPTH), Some(MAX_DEPTH));
        assert_eq!(too_deep(&format!(r#"["\"{}"]"#, "[".repeat(500)), MAX_DEPTH), None);
        assert_eq!(too_deep(&"[]".repeat(500), MAX_DEPTH), None);
    }

    #[test]
    fn numbers_that_are_not_finite_become_null_outside_strings_only() {
        let sent = r#"{"NaN":NaN,"a":[-Infinity,+inf,nan,null],"b":"\\\"NaN","c":Infinity}"#;
        let read = r#"{"NaN":null,"a":[null,null,null,null],"b":"\\\"NaN","c":null}"#;
        assert_eq!(without_nan(sent).as_deref(), Some(read));
        for unchanged in [r#"{"NaN":[null,"inf"]}"#, "[nancy,information]", "n", ""] {
            assert_eq!(without_nan(unchanged), None, "{unchanged}");
        }
    }

    #[test]
    fn entries_keep_their_text() {
        let text = r#"{"a" : 1.000000000000000000001, "a":{"z":1,"y":[ ]}, "\u0062":null}"#;
        let entries: Vec<_> = object(text).unwrap().iter().map(|(k, v)| (k.get(), v.get())).collect();
        let sent = [(r#""a""#, "1.000000000000000000001"), (r#""a""#, r#"{"z":1,"y":[ ]}"#), (r#""\u0062""#, "null")];
        assert_eq!(entries, sent);
    }

    #[test]
    fn only_as_many_elements_are_kept_as_asked_for() {
        let texts = |elements: Vec<&RawValue>| elements.iter().map(|e| e.get().to_string()).collect::<Vec<_>>();
        assert_eq!(texts(first("[1, [2],3]", 2).unwrap()), ["1", "[2]"]);
        assert_eq!(texts(last("[1, [2],3]", 2).unwrap()), ["[2]", "3"]);
        assert_eq!(texts(last("[1]", 2).unwrap()), ["1"]);
        assert!(first("{}", 2).is_none() && first("[1,]", 1).is_none() && last("7", 1).is_none());
    }
}
