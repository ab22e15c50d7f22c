//! JSON taken apart without changing it: values stay the text that was sent, so that key order, long numbers and
//! duplicate keys survive. Nothing here recurses, however deep the text is nested.
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Arrays and objects inside each other, the outermost counted. As in serde_json's own limit.
pub const MAX_DEPTH: usize = 127;

/// The entries of an object in the order they came: raw key (with its quotes), raw value.
pub struct Object<'a>(pub Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut entries = Vec::with_capacity(16);
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        from.deserialize_map(Entries)
    }
}

/// The entries of an object, or `None` if the text is none.
pub fn object(text: &str) -> Option<Vec<(&RawValue, &RawValue)>> {
    serde_json::from_str::<Object>(text).ok().map(|object| object.0)
}

/// The elements of an array, or `None` if the text is none.
pub fn array(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// The characters of a JSON string, or `None` if the text is none. A lone surrogate, which has no
/// character, becomes U+FFFD.
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
    // As bytes, serde_json gives a lone surrogate as the three bytes that UTF-8 would have for it.
    let mut json = serde_json::Deserializer::from_str(text);
    let mut bytes = de::Deserializer::deserialize_bytes(&mut json, Bytes).ok()?;
    for at in 0..bytes.len().saturating_sub(2) {
        if bytes[at] == 0xED && bytes[at + 1] >= 0xA0 {
            bytes[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    String::from_utf8(bytes).ok()
}

/// Where the text is nested deeper than `limit`, as a byte offset.
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
    fn lone_surrogates_become_one_replacement_character() {
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
    fn entries_keep_their_text() {
        let text = r#"{"a" : 1.000000000000000000001, "a":{"z":1,"y":[ ]}, "\u0062":null}"#;
        let entries: Vec<_> = object(text).unwrap().iter().map(|(k, v)| (k.get(), v.get())).collect();
        let sent = [(r#""a""#, "1.000000000000000000001"), (r#""a""#, r#"{"z":1,"y":[ ]}"#), (r#""\u0062""#, "null")];
        assert_eq!(entries, sent);
    }
}
