//! An object's fields, in little memory whatever the object is made of: those with a meaning by name, the rest as `more`.
use super::json;
use super::rejection::Rejection;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

/// The fields that have a meaning. The last three have one only in an exported event.
#[rustfmt::skip]
const KNOWN: [&str; 17] = [
    "message", "event_id", "level", "type", "stacktrace", "causes", "platform", "timestamp", "server_name",
    "environment", "release", "fingerprint", "suppressed", "extra", "project", "received_at", "more",
];

/// What a raw value means, or `None` if it has the wrong type.
pub type Read<'a, T> = fn(&'a str) -> Option<T>;

/// The fields of an object. A known field is removed once it has been read; `more` is what remains.
pub struct Fields<'a> {
    text: &'a str,
    known: [Option<Known<'a>>; KNOWN.len()],
    /// Every other field, duplicates included: the hash of its name and the offset of its key. A body may consist of
    /// nothing else, at five bytes each, so eight bytes are all that a field gets.
    unknown: Vec<(u32, u32)>,
}

/// The offsets of its first and its last key, and the last value.
#[derive(Clone, Copy)]
struct Known<'a> {
    first: u32,
    last: u32,
    value: &'a str,
}

impl<'a> Fields<'a> {
    pub fn read(text: &'a str) -> Result<Fields<'a>, Rejection> {
        let mut fields = Fields { text, known: [None; KNOWN.len()], unknown: Vec::new() };
        let hasher = RandomState::new();
        let read = json::each_entry(text, |key, value| fields.add(key.get(), value.get(), &hasher));
        let Err(error) = read else { return Ok(fields) };
        // If it is not an object, whether it is JSON is only known after reading all of it.
        let whole = serde_json::from_str::<&RawValue>(text).err();
        match whole.or((!error.is_data()).then_some(error)) {
            Some(error) => Err(Rejection::Json(error.to_string())),
            None => Err(Rejection::Shape),
        }
    }

    fn add(&mut self, key: &'a str, value: &'a str, hasher: &RandomState) {
        let at = json::offset(self.text, key) as u32;
        let name = name(key);
        if let Some(slot) = self.slot(&name) {
            *slot = Some(Known { first: slot.map_or(at, |earlier| earlier.first), last: at, value });
            return;
        }
        if self.unknown.len() == self.unknown.capacity() {
            self.unknown.reserve_exact(self.unknown.len() / 4 + 16); // not twice the memory, as `push` would
        }
        self.unknown.push((hasher.hash_one(name) as u32, at));
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Known<'a>>> {
        let at = KNOWN.iter().position(|known| *known == name)?;
        Some(&mut self.known[at])
    }

    /// A field that must have the right type if it is present.
    pub fn strict<T>(
        &mut self,
        field: &'static str,
        expected: &'static str,
        read: Read<'a, T>,
    ) -> Result<Option<T>, Rejection> {
        let value = self.optional(field, read);
        let unread = self.slot(field).is_some_and(|slot| slot.is_some());
        if unread { Err(Rejection::Field { name: field, expected }) } else { Ok(value) }
    }

    /// A field that counts as absent, and remains for `more`, if it has the wrong type.
    pub fn optional<T>(&mut self, field: &'static str, read: Read<'a, T>) -> Option<T> {
        let slot = self.slot(field)?;
        let value = (*slot)?.value;
        let read = if value == "null" { None } else { Some(read(value)?) };
        *slot = None;
        read
    }

    /// The raw values of the fields that have not been read.
    pub fn values(&self) -> impl Iterator<Item = &'a str> {
        let unknown = self.unknown.iter().filter_map(|(_, key)| entry_at(self.text, *key));
        self.known.iter().flatten().map(|known| known.value).chain(unknown.map(|(_, value)| value))
    }

    /// The fields that have not been read, as a JSON object.
    pub fn more(self) -> Option<String> {
        let Fields { text, known, unknown } = self;
        let mut left = without_duplicates(text, unknown);
        left.extend(known.iter().flatten().map(|known| (known.first, known.last)));
        if left.is_empty() {
            return None;
        }
        left.sort_unstable();
        let mut more = String::with_capacity(text.len());
        for (key, value) in left.into_iter().filter_map(|(_, last)| entry_at(text, last)) {
            more.push(if more.is_empty() { '{' } else { ',' });
            more.push_str(key);
            more.push(':');
            more.push_str(value);
        }
        more.push('}');
        more.shrink_to_fit();
        Some(more)
    }
}

/// Turns hashes and offsets of keys into the first and the last offset of each name: if a field is given twice, the last
/// one counts, in the place of the first.
fn without_duplicates(text: &str, mut fields: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    let name_at = |at| name(key_at(text, at));
    fields.sort_unstable();
    for same_hash in fields.chunk_by_mut(|a, b| a.0 == b.0) {
        same_hash.sort_unstable_by(|a, b| (name_at(a.1), a.1).cmp(&(name_at(b.1), b.1)));
    }
    fields.iter_mut().for_each(|field| field.0 = field.1);
    fields.dedup_by(|next, kept| {
        let is_same = name_at(next.1) == name_at(kept.1);
        if is_same {
            kept.1 = next.1;
        }
        is_same
    });
    fields
}

/// The raw key at an offset where one begins.
fn key_at(text: &str, at: u32) -> &str {
    let rest = &text[at as usize..];
    let mut is_escaped = true; // the opening quote does not end the key
    let end = rest.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(rest, |end| &rest[..=end])
}

/// That key with its raw value.
fn entry_at(text: &str, at: u32) -> Option<(&str, &str)> {
    let key = key_at(text, at);
    let value = text[at as usize + key.len()..].trim_start().strip_prefix(':')?;
    Some((key, json::leading(value)?))
}

/// A key's characters. A key with a lone surrogate, which has none, is its own name, as it was sent.
fn name(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return raw.trim_matches('"').into();
    }
    json::string(raw).filter(|name| !name.contains('\u{FFFD}')).map_or(raw.into(), Cow::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_fields_with_one_name_counts_in_the_place_of_the_first() {
        let more = |text| Fields::read(text).unwrap().more();
        assert_eq!(more(r#"{"x":1,"y":2,"\u0078":3}"#).unwrap(), r#"{"\u0078":3,"y":2}"#);
        assert_eq!(more(r#"{ "level" : 5 , "a" : [ 1 ] , "level" : 6 }"#).unwrap(), r#"{"level":6,"a":[ 1 ]}"#);
        assert_eq!(more(r#"{"\ud800":1,"\ud801":2,"\ud800":3}"#).unwrap(), r#"{"\ud800":3,"\ud801":2}"#);
        assert_eq!(more("{}"), None);
        let many = |value| (0..999).map(|n| format!("\"{n}\":{value}")).collect::<Vec<_>>().join(",");
        assert_eq!(more(&format!("{{{},{}}}", many(1), many(2))).unwrap(), format!("{{{}}}", many(2)));
    }

    #[test]
    fn names_with_the_same_hash_stay_apart() {
        let text = r#"{"a":1,"b":2,"a":3,"c":4,"b":5}"#;
        let fields = text.match_indices(['a', 'b', 'c']).map(|(at, _)| (7, at as u32 - 1)).collect();
        assert_eq!(without_duplicates(text, fields), [(1, 13), (7, 25), (19, 19)]);
    }

    #[test]
    fn tiny_fields_take_no_more_than_twice_their_length() {
        let same = format!("{{{}\"\":0}}", "\"\":0,".repeat(13_000));
        let different: String = (0..9000).map(|n| format!("\"{n:x}\":0,")).collect();
        for text in [same, format!("{{{different}\"\":0}}")] {
            let fields = Fields::read(&text).unwrap();
            assert!(fields.unknown.capacity() * size_of::<(u32, u32)>() <= text.len() * 2 + 128);
            let more = fields.more().unwrap();
            assert!(more.capacity() <= text.len());
        }
    }
}
