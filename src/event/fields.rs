//! The fields of an object, looked up by name, in little memory whatever the object is made of.
use super::json;
use super::rejection::Rejection;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a raw value means, or `None` if it has the wrong type.
pub type Read<'a, T> = fn(&'a str) -> Option<T>;

/// The fields of an object. A field is removed once it has been read; `more` is what remains.
pub struct Fields<'a> {
    text: &'a str,
    /// Sorted by name, each name once.
    entries: Vec<Entry>,
}

/// Offsets in the text. (A body can consist of nothing but fields of five bytes, so slices would take eight times as
/// much memory as the body.)
#[derive(Clone, Copy)]
struct Entry {
    /// Where the name first occurs, which decides the order in `more`.
    place: u32,
    key: u32,
    key_end: u32,
    value: u32,
    value_end: u32,
    /// The key contains escapes, so its name is not what it looks like.
    is_escaped: bool,
}

impl<'a> Fields<'a> {
    pub fn read(text: &'a str) -> Result<Fields<'a>, Rejection> {
        let mut fields = Fields { text, entries: Vec::new() };
        let read = json::each_entry(text, |key, value| fields.push(key.get(), value.get()));
        if let Err(error) = read {
            // If it is not an object, whether it is JSON is only known after reading all of it.
            let whole = serde_json::from_str::<&RawValue>(text).err();
            return Err(match whole.or((!error.is_data()).then_some(error)) {
                Some(error) => Rejection::Json(error.to_string()),
                None => Rejection::Shape,
            });
        }
        fields.entries.sort_unstable_by(|a, b| (a.name(text), a.place).cmp(&(b.name(text), b.place)));
        // If a field is given twice, the last one counts, in the place of the first.
        fields.entries.dedup_by(|next, kept| {
            let is_same = next.name(text) == kept.name(text);
            if is_same {
                *kept = Entry { place: kept.place, ..*next };
            }
            is_same
        });
        Ok(fields)
    }

    fn push(&mut self, key: &str, value: &str) {
        let [place, start] = [key, value].map(|part| json::offset(self.text, part) as u32);
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(self.entries.len() / 4 + 16); // not twice the memory, as `push` would
        }
        self.entries.push(Entry {
            place,
            key: place,
            key_end: place + key.len() as u32,
            value: start,
            value_end: start + value.len() as u32,
            is_escaped: key.contains('\\'),
        });
    }

    /// A field that must have the right type if it is present.
    pub fn strict<T>(
        &mut self,
        field: &'static str,
        expected: &'static str,
        read: Read<'a, T>,
    ) -> Result<Option<T>, Rejection> {
        let value = self.optional(field, read);
        if self.find(field).is_some() { Err(Rejection::Field { name: field, expected }) } else { Ok(value) }
    }

    /// A field that counts as absent, and remains for `more`, if it has the wrong type.
    pub fn optional<T>(&mut self, field: &'static str, read: Read<'a, T>) -> Option<T> {
        let at = self.find(field)?;
        let value = self.entries[at].value(self.text);
        let read = if value == "null" { None } else { Some(read(value)?) };
        self.entries.remove(at);
        read
    }

    /// The raw value of a field, which remains.
    pub fn peek(&self, field: &str) -> Option<&'a str> {
        self.find(field).map(|at| self.entries[at].value(self.text))
    }

    fn find(&self, field: &str) -> Option<usize> {
        self.entries.binary_search_by(|entry| (*entry.name(self.text)).cmp(field.as_bytes())).ok()
    }

    /// The raw values of the fields that have not been read.
    pub fn values(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|entry| entry.value(self.text))
    }

    /// The fields that have not been read, as a JSON object.
    pub fn more(mut self) -> Option<String> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.sort_unstable_by_key(|entry| entry.place);
        let length = |entry: &Entry| (entry.value_end - entry.key) as usize + 1;
        let mut more = String::with_capacity(self.entries.iter().map(length).sum::<usize>() + 1);
        for entry in self.entries {
            more.push(if more.is_empty() { '{' } else { ',' });
            more.push_str(entry.key(self.text));
            more.push(':');
            more.push_str(entry.value(self.text));
        }
        more.push('}');
        Some(more)
    }
}

impl Entry {
    fn value(self, text: &str) -> &str {
        &text[self.value as usize..self.value_end as usize]
    }

    /// The raw key, with its quotes.
    fn key(self, text: &str) -> &str {
        &text[self.key as usize..self.key_end as usize]
    }

    /// The key's characters, as bytes, which compare faster.
    fn name(self, text: &str) -> Cow<'_, [u8]> {
        let raw = &text.as_bytes()[self.key as usize + 1..self.key_end as usize - 1];
        if self.is_escaped { self.unescaped(text) } else { raw.into() }
    }

    /// A key with a lone surrogate, which is no character, is its own name, as it was sent.
    #[cold]
    fn unescaped(self, text: &str) -> Cow<'_, [u8]> {
        let raw = self.key(text);
        let name = json::string(raw).filter(|name| !name.contains('\u{FFFD}'));
        name.map_or(raw.as_bytes().into(), |name| name.into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_fields_with_one_name_counts_in_the_place_of_the_first() {
        let more = |text| Fields::read(text).unwrap().more();
        assert_eq!(more(r#"{"x":1,"y":2,"\u0078":3}"#).unwrap(), r#"{"\u0078":3,"y":2}"#);
        assert_eq!(more(r#"{ "level" : 5 , "a:" : [ 1 ] , "level" : 6 }"#).unwrap(), r#"{"level":6,"a:":[ 1 ]}"#);
        assert_eq!(more(r#"{"\ud800":1,"\ud801":2,"\ud800":3}"#).unwrap(), r#"{"\ud800":3,"\ud801":2}"#);
        assert_eq!(more("{}"), None);
        let many = |value| (0..999).map(|n| format!("\"{n}\":{value}")).collect::<Vec<_>>().join(",");
        assert_eq!(more(&format!("{{{},{}}}", many(1), many(2))).unwrap(), format!("{{{}}}", many(2)));
    }

    #[test]
    fn tiny_fields_take_no_more_than_six_times_their_length() {
        let same = format!("{{{}\"\":0}}", "\"\":0,".repeat(13_000));
        let different: String = (0..9000).map(|n| format!("\"{n:x}\":0,")).collect();
        for text in [same, format!("{{{different}\"\":0}}")] {
            let fields = Fields::read(&text).unwrap();
            assert!(fields.entries.capacity() * size_of::<Entry>() <= text.len() * 5 + 1024);
            let more = fields.more().unwrap();
            assert!(more.capacity() <= text.len());
        }
    }
}
