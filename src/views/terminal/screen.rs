//! Lines of text for a terminal. Everything written to a screen is made harmless first.
use super::width::{columns, fit, width};

pub const WIDTH: usize = 80;
/// Maximum indentation of a line of text from an event.
const DEEPEST: usize = 40;
/// Maximum bytes of a line, since characters that take no column could make it endless.
const LINE: usize = 8 * WIDTH;
/// Columns for the name of a field.
const NAME: usize = 14;

#[derive(Default)]
pub struct Screen {
    text: String,
    /// Where the current part must end.
    end: Option<usize>,
    is_full: bool,
}

impl Screen {
    pub fn into_string(self) -> String {
        self.text
    }

    /// Returns true if the current part has no room left, so that the rest of it need not be built.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// What `write` writes, up to a number of bytes. If that was too few, a line says how to fetch the `whole`.
    pub fn part(&mut self, bytes: usize, whole: &str, write: impl FnOnce(&mut Screen)) {
        self.end = Some(self.text.len() + bytes);
        write(self);
        self.end = None;
        if std::mem::take(&mut self.is_full) {
            self.command("truncated", &format!("the whole event: {whole}"));
        }
    }

    /// `lead` and the text after it, wrapped. Continuation lines are indented by `hang` columns.
    pub fn put(&mut self, lead: &str, hang: usize, text: &str) {
        let mut line: String = lead.chars().map(harmless).collect();
        let mut start = line.len();
        let mut taken = width(&line);
        let mut space = None;
        for c in text.chars().map(harmless) {
            if taken + columns(c) > WIDTH || line.len() > LINE {
                let fits = |at: &usize| hang + width(&line[*at..]) + columns(c) <= WIDTH && line.len() <= LINE;
                let rest = line.split_off(space.filter(fits).unwrap_or(line.len()));
                self.push(&line);
                if self.is_full {
                    return;
                }
                line = " ".repeat(hang) + rest.trim_start();
                (start, taken, space) = (hang, width(&line), None);
            }
            line.push(c);
            taken += columns(c);
            if c == ' ' && line.len() > start + 1 {
                space = Some(line.len());
            }
        }
        self.push(&line);
    }

    /// Lines of text from an event, indented so that none passes for a line written by obs.
    pub fn lines(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            if self.is_full {
                return;
            }
            let rest = line.trim_start_matches([' ', '\t']);
            let sent = line[..line.len() - rest.len()].bytes().map(|b| if b == b'\t' { 4 } else { 1 }).sum::<usize>();
            let indent = (indent + sent).min(DEEPEST.max(indent));
            self.put(&" ".repeat(indent), indent, rest);
        }
    }

    /// One line, truncated at the edge of the screen.
    pub fn line(&mut self, lead: &str, text: &str) {
        let line: String = lead.chars().chain(text.chars()).map(harmless).collect();
        self.push(&fit(&line, WIDTH));
    }

    pub fn blank(&mut self) {
        self.push("");
    }

    /// A line written by obs, at the left edge, after an empty line.
    pub fn heading(&mut self, text: &str) {
        self.blank();
        self.put("", 4, text);
    }

    pub fn field(&mut self, name: &str, value: &str) {
        self.put(&format!("  {name:<NAME$}"), 2 + NAME, value);
    }

    /// A line to copy, not wrapped.
    pub fn copy(&mut self, text: &str) {
        self.push(&format!("  {}", text.chars().map(harmless).collect::<String>()));
    }

    /// A command to run next, and what it shows.
    pub fn command(&mut self, name: &str, command: &str) {
        self.copy(&format!("{name:<NAME$}{command}"));
    }

    /// An error's type and message, in full.
    pub fn message(&mut self, kind: Option<&str>, message: &str) {
        self.blank();
        if let Some(kind) = kind {
            self.put("    ", 4, kind);
        }
        self.lines(4, message.trim());
    }

    /// Rows below their heads. A column is as wide as its widest cell and left out if all are empty; the last one takes
    /// the rest of the line. A head that starts with a space aligns its column to the right.
    pub fn table<const N: usize>(&mut self, heads: [&str; N], rows: &[[String; N]]) {
        let head_row = heads.map(|head| head.trim().to_string());
        let all = || [&head_row].into_iter().chain(rows);
        let widths: [usize; N] = std::array::from_fn(|at| all().map(|row| width(&row[at])).max().unwrap_or_default());
        for row in all() {
            let mut line = String::new();
            for (at, cell) in row[..N - 1].iter().enumerate().filter(|(at, _)| widths[*at] > 0) {
                let space = " ".repeat(widths[at] - width(cell));
                line += &match heads[at].starts_with(' ') {
                    true => format!("{space}{cell}  "),
                    false => format!("{cell}{space}  "),
                };
            }
            self.line(&line, &row[N - 1]);
        }
    }

    fn push(&mut self, line: &str) {
        let line = line.trim_end();
        self.is_full |= self.end.is_some_and(|end| self.text.len() + line.len() >= end);
        if !self.is_full {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }
}

/// Replaces characters that a terminal would obey. Those of C0 and DEL have pictures; C1, line separators and direction
/// marks become U+FFFD.
pub fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..' ' => char::from_u32(0x2400 + c as u32).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7F}' => '␡',
        '\u{80}'..='\u{9F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// A command that fetches `target` from the obs at `origin`, ready to paste into a shell.
pub fn curl(origin: &str, target: &str) -> String {
    let origin = origin.strip_prefix("http://").unwrap_or(origin);
    let url = format!("{origin}{}", if target == "/" { "" } else { target });
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/".contains(&b);
    match url.bytes().all(plain) {
        true => format!("curl {url}"),
        false => format!("curl '{}'", url.replace('\'', "%27")),
    }
}

/// Short texts in one line; empty ones are left out.
pub fn dotted<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl FnOnce(&mut Screen)) -> String {
        let mut screen = Screen::default();
        write(&mut screen);
        screen.into_string()
    }

    #[test]
    fn control_characters_become_harmless() {
        let text = shown(|screen| screen.put("", 2, "\x1b[2J\r\n\x07\x7f\u{9b}31m\u{202e}x\u{2066}\ty"));
        assert_eq!(text, "␛[2J␍␊␇␡\u{FFFD}31m\u{FFFD}x\u{FFFD} y\n");
    }

    #[test]
    fn lines_break_at_spaces_or_at_the_edge_of_the_screen() {
        let words = shown(|screen| screen.put("  ", 4, &"word ".repeat(40)));
        assert!(words.lines().all(|line| line.len() <= WIDTH && line.ends_with("word")), "{words}");
        assert!(words.lines().skip(1).all(|line| line.starts_with("    word")), "{words}");
        let long = shown(|screen| screen.put("  a ", 4, &"x".repeat(200)));
        assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [80, 80, 52]);
        let wide = shown(|screen| screen.put("", 2, &"日".repeat(41)));
        assert_eq!(wide.lines().map(width).collect::<Vec<_>>(), [80, 4]);
        let marks = shown(|screen| screen.put("", 2, &"\u{301}".repeat(9000)));
        assert!(marks.lines().all(|line| line.len() <= LINE + 4));
    }

    #[test]
    fn lines_keep_their_indentation_up_to_a_limit() {
        let text = shown(|screen| screen.lines(4, &format!("a\n\tb\r\n\n{}c", " ".repeat(500))));
        assert_eq!(text, format!("    a\n        b\n\n{}c\n", " ".repeat(DEEPEST)));
    }

    #[test]
    fn a_part_ends_at_its_limit_and_says_how_to_fetch_the_rest() {
        let text = shown(|screen| {
            screen.part(100, "curl x/api/events/1", |screen| {
                screen.lines(2, &"0123456789\n".repeat(1000));
                assert!(screen.is_full());
            });
            screen.put("", 2, "after");
        });
        assert!(text.ends_with("0123456789\n  truncated     the whole event: curl x/api/events/1\nafter\n"), "{text}");
        assert!(text.len() < 170);
    }

    #[test]
    fn a_url_is_quoted_if_a_shell_would_interpret_it() {
        assert_eq!(curl("http://localhost:8000", "/issues/1"), "curl localhost:8000/issues/1");
        assert_eq!(curl("https://obs.example", "/?q=it's&after=5"), "curl 'https://obs.example/?q=it%27s&after=5'");
        assert_eq!(curl("http://[::1]:8000", "/"), "curl '[::1]:8000'");
    }
}
