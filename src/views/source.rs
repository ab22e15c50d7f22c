//! The source around a stack frame: a few lines without their shared indentation, the current one marked.
use super::html::{Html, html};
use super::text::cut;
use crate::event::frame::Frame;
use std::borrow::Cow;

/// Maximum lines before and after the current one, and characters of a line.
const AROUND: usize = 5;
const WIDTH: usize = 300;

/// A line of source, with its number if the frame has one.
pub struct Line<'a> {
    pub number: Option<String>,
    pub text: Cow<'a, str>,
    pub is_current: bool,
}

/// The source lines that were sent with the frame, if any.
pub fn lines(frame: &Frame) -> Option<Vec<Line<'_>>> {
    let current = frame.context_line.as_deref()?;
    let before = &frame.pre_context[frame.pre_context.len().saturating_sub(AROUND)..];
    let after = &frame.post_context[..frame.post_context.len().min(AROUND)];
    let lines = || before.iter().map(String::as_str).chain([current]).chain(after.iter().map(String::as_str));
    let indent = shared_indent(lines());
    let number =
        |offset: usize| frame.lineno.and_then(|line| line.checked_add(offset as u64)?.checked_sub(before.len() as u64));
    let width = number(before.len() + after.len()).map_or(0, |last| last.to_string().len());
    let rows = lines().enumerate().map(|(offset, line)| Line {
        number: number(offset).map(|number| format!("{number:width$}  ")),
        text: cut(line.strip_prefix(indent).unwrap_or(line.trim()).trim_end(), WIDTH),
        is_current: offset == before.len(),
    });
    Some(rows.collect())
}

/// The lines as a block of HTML.
pub fn source(frame: &Frame) -> Option<Html> {
    let rows = lines(frame)?.into_iter().map(|line| {
        let number = line.number.map(|number| html!("<i>{}</i>", number));
        let row = html!("{}<span>{}</span>", number, line.text);
        if line.is_current { html!("<mark>{}</mark>", row) } else { row }
    });
    let rows = Html::join(rows, &html!("\n"));
    // A block that scrolls must be reachable by keyboard and have a name.
    Some(html!("<pre class=\"src\" tabindex=\"0\" role=\"group\" aria-label=\"Source\">{}</pre>", rows))
}

/// The white space that all lines start with, except blank lines.
fn shared_indent<'a>(lines: impl Iterator<Item = &'a str>) -> &'a str {
    let indents =
        lines.filter(|line| !line.trim().is_empty()).map(|line| &line[..line.len() - line.trim_start().len()]);
    indents
        .reduce(|shared, indent| {
            let same = shared.char_indices().zip(indent.chars()).find(|((_, a), b)| a != b);
            &shared[..same.map_or(shared.len().min(indent.len()), |((at, _), _)| at)]
        })
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_lose_their_shared_indentation() {
        let frame = Frame {
            lineno: Some(100),
            context_line: Some("\t\tfail();\r\n".into()),
            pre_context: vec!["\tif (x) {".into(), "".into()],
            post_context: vec!["\t}".into()],
            ..Frame::default()
        };
        let html = source(&frame).unwrap().into_string();
        let lines = "<i> 98  </i><span>if (x) {</span>\n<i> 99  </i><span></span>\n\
                     <mark><i>100  </i><span>\tfail();</span></mark>\n<i>101  </i><span>}</span>";
        assert!(html.contains(lines), "{html}");
    }

    #[test]
    fn long_lines_and_small_numbers_are_shown() {
        let mut frame = Frame { context_line: Some("Z".repeat(999)), ..Frame::default() };
        frame.pre_context = (0..9).map(|n| format!("{n}")).collect();
        frame.post_context = frame.pre_context.clone();
        let html = source(&frame).unwrap().into_string();
        assert!(html.contains(">4<") && !html.contains(">3</span>\n<span>4</span>\n<span>5"), "{html}");
        assert!(html.matches("<span>").count() == 11 && html.matches('Z').count() == WIDTH - 1);
        frame.lineno = Some(2);
        assert!(source(&frame).unwrap().as_str().contains("<mark><i>2  "));
        frame.context_line = None;
        assert_eq!(source(&frame), None);
    }

    #[test]
    fn shared_indentation_may_be_any_white_space() {
        let shared = |lines: &[&'static str]| shared_indent(lines.iter().copied());
        assert_eq!(shared(&["  a", "    b", "", " \t", "  c"]), "  ");
        assert_eq!(shared(&["\ta", "  b"]), "");
        assert_eq!(shared(&["\u{3000}a", "\u{3000}\u{3000}b"]), "\u{3000}");
        assert_eq!(shared(&[]), "");
    }
}
