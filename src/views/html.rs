//! HTML that is always escaped: only the macro [`html!`](crate::html!) can build an [`Html`].
pub use crate::html;

use crate::domain::Position;
use crate::time::Time;
use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// Markup that is safe to send.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Html(String);

/// Inserts values into literal markup. Text is escaped, [`Html`] is inserted unchanged, and `None` is empty:
///
/// ```
/// use obs::html;
/// let name = String::from("<b>");
/// let item = html!("<li>{}</li>", name);
/// assert_eq!(html!("<ul title='{}'>{}</ul>", "it's", item).as_str(), "<ul title='it&#39;s'><li>&lt;b&gt;</li></ul>");
/// ```
///
/// Attributes must be quoted. An inline capture would bypass the escaping, so it does not compile:
///
/// ```compile_fail
/// let name = "<b>";
/// let item = obs::html!("<li>{name}</li>");
/// ```
///
/// Neither does a value of any type not listed below:
///
/// ```compile_fail
/// let item = obs::html!("<li>{}</li>", format_args!("<b>"));
/// ```
#[macro_export]
macro_rules! html {
    ($markup:literal $(, $value:expr)* $(,)?) => {
        // `concat!` is there to forbid captures: a format string that comes from a macro cannot have any.
        $crate::views::html::Html::only_for_the_html_macro(
            ::std::format_args!(::std::concat!($markup) $(, $crate::views::html::Escaped(&$value))*)
        )
    };
}

impl Html {
    /// Calling this directly would bypass the escaping; a test checks that only the macro does.
    #[doc(hidden)]
    pub fn only_for_the_html_macro(markup: fmt::Arguments) -> Html {
        Html(markup.to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    /// The parts with the separator between them.
    pub fn join(parts: impl IntoIterator<Item = Html>, separator: &Html) -> Html {
        let mut all = Html::default();
        for (n, part) in parts.into_iter().enumerate() {
            if n > 0 {
                all.0.push_str(&separator.0);
            }
            all.0.push_str(&part.0);
        }
        all
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Html {
        Html::join(parts, &Html::default())
    }
}

/// A value to be inserted into markup. It implements only `Display`, so only `{}` works.
#[doc(hidden)]
pub struct Escaped<'a, T: ?Sized>(pub &'a T);

impl<T: Value + ?Sized> Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.write(f)
    }
}

use sealed::Value;
mod sealed {
    /// A type that may be inserted into markup. Sealed, so that no other module can add one without escaping.
    pub trait Value {
        fn write(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result;
    }
}

impl Value for Html {
    fn write(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn write(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (**self).write(f)
    }
}

impl<T: Value> Value for Option<T> {
    fn write(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.as_ref().map_or(Ok(()), |value| value.write(f))
    }
}

/// Types that are escaped as the text that `Display` writes.
macro_rules! text {
    ($($type:ty),*) => {
        $(impl Value for $type {
            fn write(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(Escaping(f), "{self}")
            }
        })*
    };
}
text!(str, String, Cow<'_, str>, char, u16, u32, u64, usize, i64, Time, Position);

/// A writer that escapes text.
struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_alphanumeric() || b"/.:_-".contains(&byte)) {
            return self.0.write_str(text); // most text needs no second look
        }
        let mut written = 0;
        for (at, c) in text.char_indices() {
            if let Some(escaped) = escape(c) {
                self.0.write_str(&text[written..at])?;
                self.0.write_str(escaped)?;
                written = at + c.len_utf8();
            }
        }
        self.0.write_str(&text[written..])
    }
}

/// The Unicode control pictures of the characters below U+0020, three bytes each.
const PICTURES: &str = "␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟";

/// Characters that change the direction of writing, which could make a text read as another one.
#[rustfmt::skip]
const DIRECTIONS: [(char, &str); 12] = [
    ('\u{061C}', "[U+061C]"), ('\u{200E}', "[U+200E]"), ('\u{200F}', "[U+200F]"), ('\u{202A}', "[U+202A]"),
    ('\u{202B}', "[U+202B]"), ('\u{202C}', "[U+202C]"), ('\u{202D}', "[U+202D]"), ('\u{202E}', "[U+202E]"),
    ('\u{2066}', "[U+2066]"), ('\u{2067}', "[U+2067]"), ('\u{2068}', "[U+2068]"), ('\u{2069}', "[U+2069]"),
];

/// The replacement for a character that has a meaning in HTML or is not allowed there. Control characters become their
/// pictures, and characters for the direction of writing their numbers, so that a reader sees them. Tabs and line breaks
/// stay.
fn escape(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        '\t' | '\n' | '\r' => None,
        '\0'..='\x1F' => Some(&PICTURES[3 * c as usize..][..3]),
        '\x7F' => Some("␡"),
        '\u{80}'..='\u{9F}' => Some("\u{FFFD}"),
        '\u{061C}'.. => DIRECTIONS.iter().find(|(direction, _)| *direction == c).map(|(_, number)| *number),
        _ => None,
    }
}

/// The number of bytes that a character takes in markup.
pub fn escaped_len(c: char) -> usize {
    escape(c).map_or(c.len_utf8(), str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_type_is_escaped() {
        let text = "<a href=\"x\">&'";
        let escaped = "&lt;a href=&quot;x&quot;&gt;&amp;&#39;";
        assert_eq!(html!("{}", text).as_str(), escaped);
        assert_eq!(html!("{}", String::from(text)).as_str(), escaped);
        assert_eq!(html!("{}", &&Cow::Borrowed(text)).as_str(), escaped);
        assert_eq!(html!("{}{}", Some(text), None::<&str>).as_str(), escaped);
        assert_eq!(html!("{}|{0}|{}", '<', -7i64).as_str(), "&lt;|&lt;|-7");
        assert_eq!(escaped.len(), text.chars().map(escaped_len).sum::<usize>());
    }

    #[test]
    fn markup_is_escaped_once() {
        let item = || html!("<li>{}</li>", "&");
        assert_eq!(html!("<ol>{}</ol>", item()).as_str(), "<ol><li>&amp;</li></ol>");
        assert_eq!([item(), item()].into_iter().collect::<Html>().as_str(), "<li>&amp;</li><li>&amp;</li>");
        assert_eq!(Html::join([item(), item()], &html!("<hr>")).as_str(), "<li>&amp;</li><hr><li>&amp;</li>");
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(html!("{}", "a\0\x1b[0m\x7f\u{9b}\t\r\n").as_str(), "a␀␛[0m␡\u{FFFD}\t\r\n");
    }

    #[test]
    fn characters_that_change_the_direction_of_writing_are_shown() {
        let text = "invoice\u{202E}fdp.exe \u{2067}x\u{2069} ש\u{200F}";
        assert_eq!(html!("{}", text).as_str(), "invoice[U+202E]fdp.exe [U+2067]x[U+2069] ש[U+200F]");
    }
}
