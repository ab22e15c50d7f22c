//! Lines of text for a terminal. Whatever is put on a screen comes out harmless: there is no other way onto one.
use super::width::{columns, fit, width};

pub const WIDTH: usize = 80;
/// The deepest that a line of sent text is indented, however deep it was sent.
const DEEPEST: usize = 40;
/// Bytes of one line: characters that take no column could make it endless.
const LINE: usize = 8 * WIDTH;
/// Columns of a field's name.
const NAME: usize = 14;

#[derive(Default)]
pub struct Screen {
    text: String,
    /// Where the part that is being written has to end.
    end: Option<usize>,
    is_full: bool,
}

impl Screen {
    pub fn into_string(self) -> String {
        self.text
    }

    /// Whether the part that is being written has no room left, so that no more of it is worth making.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// What `write` writes, up to so many bytes, and where to find `whole` if that was too few.
    pub fn part(&mut self, bytes: usize, whole: &str, write: impl FnOnce(&mut Screen)) {
        self.end = Some(self.text.len() + bytes);
        write(self);
        self.end = None;
        if std::mem::take(&mut self.is_full) {
            self.command("cut here;", &format!("all of it: {whole}"));
        }
    }

    /// `lead` and the text after it, wrapped. Lines that go on begin below column `hang`.
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

    /// Sent text of any number of lines, each indented, so that none passes for a line of obs's own.
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

    /// One line, cut where it would leave the screen.
    pub fn line(&mut self, lead: &str, text: &str) {
        let line: String = lead.chars().chain(text.chars()).map(harmless).collect();
        self.push(&fit(&line, WIDTH));
    }

    pub fn blank(&mut self) {
        self.push("");
    }

    /// What obs says, at the left edge, after an empty line.
    pub fn heading(&mut self, text: &str) {
        self.blank();
        self.put("", 4, text);
    }

    pub fn field(&mut self, name: &str, value: &str) {
        self.put(&format!("  {name:<NAME$}"), 2 + NAME, value);
    }

    /// A line to copy: it is as long as it is.
    pub fn copy(&mut self, text: &str) {
        self.push(&format!("  {}", text.chars().map(harmless).collect::<String>()));
    }

    /// Where to go next, and how.
    pub fn command(&mut self, name: &str, command: &str) {
        self.copy(&format!("{name:<NAME$}{command}"));
    }

    /// Rows below their heads. A column is as wide as its widest cell and gone where all are empty; the last takes what
    /// is left. A head that begins with a space has its cells at the right.
    pub fn table<const N: usize>(&mut self, heads: [&str; N], rows: &[[String; N]]) {
        let all = || [heads.map(|head| head.trim().to_string())].into_iter().chain(rows.iter().cloned());
        let mut widths = [0; N];
        for row in all() {
            for (widest, cell) in widths.iter_mut().zip(&row) {
                *widest = width(cell).max(*widest);
            }
        }
        for row in all() {
            let mut line = String::new();
            for (at, cell) in row[..N - 1].iter().enumerate().filter(|(at, _)| widths[*at] > 0) {
                let space = " ".repeat(widths[at] - width(cell));
                let (before, after) =
                    if heads[at].starts_with(' ') { (space, String::new()) } else { (String::new(), space) };
                line += &format!("{before}{cell}{after}  ");
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

/// A character that a terminal shows and does not obey. C0 and DEL have pictures; the rest, C1, separators of lines and
/// what turns the direction of writing, have none.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..' ' => char::from_u32(0x2400 + c as u32).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7F}' => '␡',
        '\u{80}'..='\u{9F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// How to fetch something from the obs that is reached at `origin`, ready to paste into a shell.
pub fn curl(origin: &str, target: &str) -> String {
    let origin = origin.strip_prefix("http://").unwrap_or(origin);
    let url = format!("{origin}{}", if target == "/" { "" } else { target });
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/".contains(&b);
    match url.bytes().all(plain) {
        true => format!("curl {url}"),
        false => format!("curl '{}'", url.replace('\'', "%27")),
    }
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
    fn a_terminal_obeys_nothing_that_was_sent() {
        let text = shown(|screen| screen.put("", 2, "\x1b[2J\r\n\x07\x7f\u{9b}31m\u{202e}x\u{2066}\ty"));
        assert_eq!(text, "␛[2J␍␊␇␡\u{FFFD}31m\u{FFFD}x\u{FFFD} y\n");
    }

    #[test]
    fn lines_break_at_spaces_or_else_where_the_screen_ends() {
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
    fn sent_lines_keep_their_indentation_up_to_a_depth() {
        let text = shown(|screen| screen.lines(4, &format!("a\n\tb\r\n\n{}c", " ".repeat(500))));
        assert_eq!(text, format!("    a\n        b\n\n{}c\n", " ".repeat(DEEPEST)));
    }

    #[test]
    fn a_part_ends_at_its_limit_and_says_where_the_rest_is() {
        let text = shown(|screen| {
            screen.part(100, "curl x/api/events/1", |screen| {
                screen.lines(2, &"0123456789\n".repeat(1000));
                assert!(screen.is_full());
            });
            screen.put("", 2, "after");
        });
        assert!(text.ends_with("0123456789\n  cut here;     all of it: curl x/api/events/1\nafter\n"), "{text}");
        assert!(text.len() < 160);
    }

    #[test]
    fn a_url_is_quoted_where_a_shell_would_read_it() {
        assert_eq!(curl("http://localhost:8000", "/issues/1"), "curl localhost:8000/issues/1");
        assert_eq!(curl("https://obs.example", "/?q=it's&after=5"), "curl 'https://obs.example/?q=it%27s&after=5'");
        assert_eq!(curl("http://[::1]:8000", "/"), "curl '[::1]:8000'");
    }
}
