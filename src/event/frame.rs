//! Stack frames: read leniently from the JSON that was sent, and which of them are the application's own.
use super::{json, library};
use crate::text;
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
    /// Local variables, as a JSON object.
    pub vars: Option<String>,
}

impl Frame {
    /// The first [`MAX_FRAMES`] frames of a JSON array, or none. For an entry that is not an object, the entry itself is
    /// the function's name.
    pub fn parse(stacktrace: &str) -> Vec<Frame> {
        let entries = json::first(stacktrace, MAX_FRAMES).unwrap_or_default();
        entries.into_iter().map(|entry| Frame::read(entry.get())).collect()
    }

    /// A frame as a runtime prints it: `File "cart.py", line 3, in total`, `at total (cart.js:3:5)`,
    /// `at Cart.total(Cart.java:3)` or `at Shop.Cart.Total() in C:\Cart.cs:line 3`.
    pub fn printed(line: &str) -> Option<Frame> {
        let python = line.split_once("File \"").and_then(|(_, line)| line.split_once("\", line "));
        let rest = line.trim().strip_prefix("at ").unwrap_or_default();
        let (function, place) = match python {
            Some((file, rest)) => (rest.split_once(", in ").map_or("", |(_, function)| function), file),
            None => rest.split_once(" in ").or_else(|| rest.rsplit_once('('))?,
        };
        let place = place.split(')').next().unwrap_or_default();
        let file = place.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':').trim_end_matches(":line ");
        let is_place = python.is_some() || !file.is_empty() && place[file.len()..].starts_with(':');
        let frame = || Frame { filename: file.to_string(), function: function.trim().to_string(), ..Frame::default() };
        is_place.then(frame)
    }

    pub fn read(text: &str) -> Frame {
        let (mut frame, mut class) = (Frame::default(), None);
        let read = json::each_entry(text, |key, value| match key.get().trim_matches('"') {
            "class" | "className" | "declaringClass" => class = json::string(value.get()),
            key => frame.set(key, value.get()),
        });
        if read.is_err() {
            return Frame { function: json::string(text).unwrap_or_else(|| text.to_string()), ..Frame::default() };
        }
        let class = class.filter(|class: &String| !class.is_empty() && !frame.function.starts_with(class));
        if let Some(class) = class.filter(|_| !frame.function.is_empty()) {
            frame.function.insert_str(0, &format!("{class}."));
        }
        frame
    }

    /// Besides obs's own names, knows those that runtimes give to the parts of a frame.
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "filename" => set_text(&mut self.filename, value),
            "file" | "fileName" | "abs_path" | "path" | "source" | "url" if self.filename.is_empty() => {
                set_text(&mut self.filename, value)
            }
            "function" => set_text(&mut self.function, value),
            "method" | "methodName" | "func" | "functionName" | "name" if self.function.is_empty() => {
                set_text(&mut self.function, value)
            }
            "lineno" | "line" | "lineNumber" | "line_number" => self.lineno = number(value).or(self.lineno),
            "colno" | "column" | "col" | "columnNumber" => self.colno = number(value).or(self.colno),
            "in_app" => self.in_app = value.parse().ok(),
            "context_line" => self.context_line = json::string(value),
            "pre_context" => self.pre_context = strings(json::last(value, MAX_CONTEXT)),
            "vars" => self.vars = Some(value.to_string()).filter(|vars| vars.starts_with('{') && vars != "{}"),
            "post_context" => self.post_context = strings(json::first(value, MAX_CONTEXT)),
            _ => {}
        }
    }
}

/// Sets a field to the value, unless that is no text, blank, or the `?` that Sentry's SDKs send for the unknown.
fn set_text(field: &mut String, value: &str) {
    if let Some(value) = json::string(value).filter(|value| !["", "?"].contains(&text::trim(value))) {
        *field = value;
    }
}

/// A whole number, also as `12.0` or as text.
fn number(value: &str) -> Option<u64> {
    let text = value.trim_matches('"').trim();
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..=u64::MAX as f64).contains(number);
    text.parse().ok().or_else(|| text.parse().ok().filter(whole).map(|number: f64| number as u64))
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
            ("raw line", Some(4), "5")
        );
        assert_eq!(Frame::parse("{}"), []);
    }

    #[test]
    fn a_frame_may_use_the_names_of_its_runtime() {
        let read = |frame: &str| {
            let Frame { filename, function, lineno, colno, .. } = Frame::read(frame);
            (filename, function, lineno, colno)
        };
        let pay = |file: &str, function: &str| (file.to_string(), function.to_string(), Some(3), None);
        assert_eq!(read(r#"{"file":"a.php","line":"3","method":"pay"}"#), pay("a.php", "pay"));
        assert_eq!(read(r#"{"abs_path":"/srv/a.py","function":"pay","lineno":3.0}"#), pay("/srv/a.py", "pay"));
        assert_eq!(
            read(r#"{"abs_path":"/srv/a.py","filename":"a.py","name":"pay","lineno":" 3 "}"#),
            pay("a.py", "pay")
        );
        assert_eq!(
            read(r#"{"filename":"a.py","function":"pay","file":"b","method":"c","filename":null,"lineno":3}"#),
            pay("a.py", "pay")
        );
        let java = r#"{"declaringClass":"com.shop.Order","methodName":"pay","fileName":"Order.java","lineNumber":3}"#;
        assert_eq!(read(java), pay("Order.java", "com.shop.Order.pay"));
        let whole = java.replace("\"pay\"", "\"com.shop.Order.pay\"");
        assert_eq!(read(&whole), pay("Order.java", "com.shop.Order.pay"));
        assert_eq!(read(r#"{"class":"Order","file":"a.php","line":3}"#), pay("a.php", ""));
        assert_eq!(read(r#"{"function":"?","filename":"b.js","lineno":3}"#), pay("b.js", ""));
        assert_eq!(read(r#"{"class":"","function":"pay","source":"a.lua","line":3}"#), pay("a.lua", "pay"));
        assert_eq!(
            read(r#"{"line":-1,"column":"x","lineno":2.5,"col":1e400}"#),
            (String::new(), String::new(), None, None)
        );
    }

    #[test]
    fn a_frame_is_read_as_runtimes_print_it() {
        let read = |line: &str| Frame::printed(line).map(|frame| (frame.function, frame.filename));
        let frame = |function: &str, filename: &str| Some((function.to_string(), filename.to_string()));
        assert_eq!(read("  File \"/srv/cart.py\", line 3, in total"), frame("total", "/srv/cart.py"));
        assert_eq!(read("    at total (src/cart.js:3:5)"), frame("total", "src/cart.js"));
        assert_eq!(read("\tat shop.Cart.total(Cart.java:3) ~[shop.jar:1.0]"), frame("shop.Cart.total", "Cart.java"));
        assert_eq!(read("   at Shop.Cart.Total() in C:\\Cart.cs:line 3"), frame("Shop.Cart.Total()", "C:\\Cart.cs"));
        assert_eq!(read(" at least (3)"), None);
        assert_eq!(read(" at home (version 3)"), None);
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
