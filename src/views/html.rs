//! HTML in which escaping cannot be forgotten: only the macro [`html!`](crate::views::html!) makes an [`Html`].
use crate::domain::Position;
use crate::time::Time;
use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// Markup that is safe to send.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Html(String);

/// Fills a literal of markup. Text is escaped, [`Html`] passes as it is, and `None` is nothing:
///
/// ```
/// use obs::html;
/// let name = String::from("<b>");
/// let item = html!("<li>{}</li>", name);
/// assert_eq!(html!("<ul title='{}'>{}</ul>", "it's", item).as_str(), "<ul title='it&#39;s'><li>&lt;b&gt;</li></ul>");
/// ```
///
/// Attributes are quoted. An inline capture would get round the escaping, so it does not compile:
///
/// ```compile_fail
/// let name = "<b>";
/// let item = obs::html!("<li>{name}</li>");
/// ```
///
/// Nor does anything that is not known to be text or [`Html`]:
///
/// ```compile_fail
/// let item = obs::html!("<li>{}</li>", format_args!("<b>"));
/// ```
#[macro_export]
macro_rules! html {
    ($markup:literal $(, $value:expr)* $(,)?) => {
        // `concat!` is what forbids captures: a format string that comes out of a macro cannot have them.
        $crate::views::html::Html::only_for_the_html_macro(
            ::std::format_args!(::std::concat!($markup) $(, $crate::views::html::Escaped(&$value))*)
        )
    };
}

impl Html {
    /// A function that can be called by hand would be a way round the macro; a test holds that none does.
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

    /// The parts with the separator between each two.
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

/// One after the other.
impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Html {
        Html::join(parts, &Html::default())
    }
}

/// A value on its way into markup. It has no other form than `{}`.
#[doc(hidden)]
pub struct Escaped<'a, T: ?Sized>(pub &'a T);

impl<T: Value + ?Sized> Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.write(f)
    }
}

use sealed::Value;
mod sealed {
    /// What may stand in markup. Out of reach for other modules, so that none adds a type that is not escaped.
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

/// Types whose `Display` is text.
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

/// Escapes what is written through it.
struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain = 0; // where the text begins that has not been written yet
        for (at, c) in text.char_indices() {
            if let Some(escaped) = escape(c) {
                self.0.write_str(&text[plain..at])?;
                self.0.write_str(escaped)?;
                plain = at + c.len_utf8();
            }
        }
        self.0.write_str(&text[plain..])
    }
}

/// The pictures of the first 32 characters, three bytes each.
const PICTURES: &str = "␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟";

/// What stands for a character that HTML gives a meaning, or that it does not allow: control characters become
/// their pictures, so that a reader sees them. Tabs and line ends stay.
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
        _ => None,
    }
}

/// How many bytes a character takes in markup, for those that have to bound it.
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
    fn control_characters_are_shown_by_their_pictures() {
        assert_eq!(html!("{}", "a\0\x1b[0m\x7f\u{9b}\t\r\n").as_str(), "a␀␛[0m␡\u{FFFD}\t\r\n");
    }
}
