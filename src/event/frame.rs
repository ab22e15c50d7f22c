//! Stack frames: read leniently from the JSON that was sent, and which of them are the application's own.
use super::{json, library};
use serde_json::value::RawValue;

/// Maximum number of frames in a stack trace.
pub const MAX_FRAMES: usize = 250;
/// Maximum number of source lines before a frame's line, and after it.
const MAX_CONTEXT: usize = 5;

/// One frame. A field that is absent or has the wrong type is empty or `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub filename: String,
    pub function: String,
    pub lineno: Option<u64>,
    pub colno: Option<u64>,
    pub in_app: Option<bool>,
    pub context_line: Option<String>,
    pub pre_context: Vec<String>,
    pub post_context: Vec<String>,
}

impl Frame {
    /// The first [`MAX_FRAMES`] frames of a JSON array. For an entry that is not an object, the entry itself is the
    /// function's name.
    pub fn parse(stacktrace: &str) -> Vec<Frame> {
        let entries = json::first(stacktrace, MAX_FRAMES).unwrap_or_default();
        entries.into_iter().map(|entry| Frame::read(entry.get())).collect()
    }

    fn read(text: &str) -> Frame {
        let mut frame = Frame::default();
        let read = json::each_entry(text, |key, value| frame.set(key.get(), value.get()));
        match read {
            Ok(()) => frame,
            Err(_) => Frame { function: json::string(text).unwrap_or_else(|| text.to_string()), ..Frame::default() },
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            r#""filename""# => self.filename = json::string(value).unwrap_or_default(),
            r#""function""# => self.function = json::string(value).unwrap_or_default(),
            r#""lineno""# => self.lineno = value.parse().ok(),
            r#""colno""# => self.colno = value.parse().ok(),
            r#""in_app""# => self.in_app = value.parse().ok(),
            r#""context_line""# => self.context_line = json::string(value),
            r#""pre_context""# => self.pre_context = strings(json::last(value, MAX_CONTEXT)),
            r#""post_context""# => self.post_context = strings(json::first(value, MAX_CONTEXT)),
            _ => {}
        }
    }
}

fn strings(values: Option<Vec<&RawValue>>) -> Vec<String> {
    values.unwrap_or_default().into_iter().filter_map(|value| json::string(value.get())).collect()
}

/// Which frames are the application's own: those that say so. If no frame says either, those outside of libraries.
pub fn own(frames: &[Frame]) -> Vec<bool> {
    let is_said = frames.iter().any(|frame| frame.in_app.is_some());
    let is_own = |frame: &Frame| frame.in_app.unwrap_or(!is_said && !library::contains(&frame.filename));
    frames.iter().map(is_own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_however_odd_its_fields_are() {
        let frames =
            Frame::parse(r#"[{"filename":"a.go","function":7,"lineno":3,"in_app":null},"raw line",{"lineno":"4"},5]"#);
        assert_eq!((frames[0].filename.as_str(), frames[0].function.as_str(), frames[0].lineno), ("a.go", "", Some(3)));
        assert_eq!(
            (frames[1].function.as_str(), frames[2].lineno, frames[3].function.as_str()),
            ("raw line", None, "5")
        );
        assert_eq!(Frame::parse("{}"), []);
    }

    #[test]
    fn a_frame_is_own_if_it_says_so_or_by_its_path() {
        let own = |stacktrace| own(&Frame::parse(stacktrace));
        let by_path = r#"[{"filename":"/srv/vendor/x.php"},{"filename":"node:fs"},{"filename":"/srv/a.php"}]"#;
        assert_eq!(own(by_path), [false, false, true]);
        assert_eq!(own(r#"[{"filename":"/srv/a.php"},{"filename":"/srv/vendor/x.php","in_app":true}]"#), [false, true]);
        assert_eq!(own(r#"[{"filename":"/srv/a.php"},{"filename":"/srv/b.php","in_app":false}]"#), [false, false]);
    }

    #[test]
    fn only_the_source_lines_next_to_a_frame_are_kept() {
        let lines = r#"["1","2","3","4","5","6","7"]"#;
        let frame = &Frame::parse(&format!(r#"[{{"pre_context":{lines},"post_context":{lines}}}]"#))[0];
        assert_eq!(frame.pre_context, ["3", "4", "5", "6", "7"]);
        assert_eq!(frame.post_context, ["1", "2", "3", "4", "5"]);
    }
}
