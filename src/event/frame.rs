//! Stack frames: read leniently from the JSON that was sent, and which of them are the application's own.
use super::json;

/// The most frames of one stack trace that are stored, looked at and shown.
pub const MAX_FRAMES: usize = 250;

/// Anywhere in a path: the file belongs to a library. The list is part of grouping, version 1.
const LIBRARY: [&str; 9] = [
    "/vendor/",
    "/node_modules/",
    "/site-packages/",
    "/go/pkg/mod/",
    "/usr/local/go/",
    "/usr/lib/go",
    "/.cargo/",
    "/rustc/",
    "/gems/",
];
/// At the start of a path: the same.
const LIBRARY_PREFIX: [&str; 3] = ["node:", "internal/", "<"];

/// One frame. What is absent, or of a type that it cannot have, is empty or `None`.
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
    /// The first [`MAX_FRAMES`] frames of a JSON array. An entry that is no object stands as its own function's name.
    pub fn parse(stacktrace: &str) -> Vec<Frame> {
        let entries = json::array(stacktrace).unwrap_or_default();
        entries.iter().take(MAX_FRAMES).map(|entry| Frame::read(entry.get())).collect()
    }

    fn read(text: &str) -> Frame {
        let Some(entries) = json::object(text) else {
            return Frame { function: json::string(text).unwrap_or_else(|| text.to_string()), ..Frame::default() };
        };
        let mut frame = Frame::default();
        for (key, value) in entries {
            let value = value.get();
            match key.get() {
                r#""filename""# => frame.filename = json::string(value).unwrap_or_default(),
                r#""function""# => frame.function = json::string(value).unwrap_or_default(),
                r#""lineno""# => frame.lineno = value.parse().ok(),
                r#""colno""# => frame.colno = value.parse().ok(),
                r#""in_app""# => frame.in_app = value.parse().ok(),
                r#""context_line""# => frame.context_line = json::string(value),
                r#""pre_context""# => frame.pre_context = strings(value),
                r#""post_context""# => frame.post_context = strings(value),
                _ => {}
            }
        }
        frame
    }

    fn is_library(&self) -> bool {
        let path = &self.filename;
        LIBRARY.iter().any(|part| path.contains(part)) || LIBRARY_PREFIX.iter().any(|start| path.starts_with(start))
    }
}

fn strings(text: &str) -> Vec<String> {
    let entries = json::array(text).unwrap_or_default();
    entries.iter().filter_map(|entry| json::string(entry.get())).collect()
}

/// Which frames are the application's own: those that say so or, where no frame says either, those whose path is no library's.
pub fn own(frames: &[Frame]) -> Vec<bool> {
    let told = frames.iter().any(|frame| frame.in_app.is_some());
    frames.iter().map(|frame| if told { frame.in_app == Some(true) } else { !frame.is_library() }).collect()
}

/// What languages write in place of a function's name; `{main}` and `<module>` are told by their brackets. What encloses
/// it stands in, where that is told.
const NAMELESS: [&str; 9] =
    ["closure", "lambda", "module", "anonymous", "locals", "listcomp", "genexpr", "eval", "Object"];
/// Characters of a function, and of a whole culprit, in lists.
const FUNCTION: usize = 80;
const CULPRIT: usize = 200;
/// A column past this is a minified file's.
const MAX_COLUMN: u64 = 250;

/// Where an error is looked for first: the first frame of the application's own, or else the first of all.
pub fn culprit(frames: &[Frame]) -> Option<&Frame> {
    let first_own = own(frames).iter().position(|own| *own);
    frames.get(first_own.unwrap_or(0))
}

/// That frame's function as it was sent, and its file without most directories: what lists show below the title.
pub fn where_to_look(frames: &[Frame]) -> Option<String> {
    let Frame { filename, function, .. } = culprit(frames)?;
    let file = filename.rmatch_indices(['/', '\\']).nth(1).map_or(filename.as_str(), |(at, _)| &filename[at + 1..]);
    Some(cut(&located(&cut(function, FUNCTION), file), CULPRIT)).filter(|culprit| !culprit.is_empty())
}

/// That frame's function and file, as far as they stay the same from release to release: those of a minified one do not.
pub fn place(frames: &[Frame]) -> Option<(&str, &str)> {
    let frame = culprit(frames)?;
    let path = frame.filename.split(['?', '#']).next().unwrap_or_default();
    let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut names = words(&frame.function).peekable();
    let minified = names.peek().is_some() && names.all(|name| name.len() <= 2);
    if minified || file.ends_with(".min.js") || frame.colno > Some(MAX_COLUMN) {
        return None;
    }
    Some((bare_name(&frame.function), file)).filter(|(function, file)| !function.is_empty() || !file.is_empty())
}

pub fn located(function: &str, file: &str) -> String {
    [function, file].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" in ")
}

/// A function's name, however a language writes it: `total` of `App\Cart::total`, `App\Cart->total`,
/// `shop.(*Cart).total.func1`, `block in Cart#total` and `total(int)`.
fn bare_name(function: &str) -> &str {
    let function = function.rsplit(" in ").next().unwrap_or_default();
    let arguments = function.match_indices(['(', '[']).find(|(at, _)| *at > 0 && !function[..*at].ends_with('.'));
    let function = arguments.map_or(function, |(at, _)| &function[..at]);
    let numbered = |name: &str| name.trim_start_matches("func").bytes().all(|b| b.is_ascii_digit());
    if function.starts_with(['{', '<']) {
        return "";
    }
    let named = |name: &&str| !numbered(name) && !NAMELESS.contains(name);
    words(function).rfind(named).unwrap_or_default()
}

fn words(function: &str) -> impl DoubleEndedIterator<Item = &str> {
    function.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// At most so many characters, and `…` where there were more.
pub fn cut(text: &str, chars: usize) -> String {
    text.char_indices().nth(chars).map_or(text.to_string(), |(end, _)| format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_whatever_else_they_hold() {
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
    fn a_frame_is_own_by_its_word_or_else_by_its_path() {
        let by_path =
            Frame::parse(r#"[{"filename":"/srv/vendor/x.php"},{"filename":"node:fs"},{"filename":"/srv/a.php"}]"#);
        assert_eq!(own(&by_path), [false, false, true]);
        assert_eq!(culprit(&by_path), Some(&by_path[2]));
        let by_word = Frame::parse(r#"[{"filename":"/srv/a.php"},{"filename":"/srv/vendor/x.php","in_app":true}]"#);
        assert_eq!(own(&by_word), [false, true]);
        let libraries = Frame::parse(r#"[{"filename":"node:fs"},{"filename":"node:net"}]"#);
        assert_eq!(culprit(&libraries), Some(&libraries[0]));
        assert_eq!(culprit(&[]), None);
    }
}
