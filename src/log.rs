//! Lines for the operator, on standard error. What clients sent can be in them, so control characters are escaped.
use crate::time::Time;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// One line with the time in front.
pub fn line(text: &str) {
    plain(&format!("{} {text}", Time::now()));
}

/// One line as it is. A standard error that is closed or full is no reason to fail.
pub fn plain(text: &str) {
    let _ = io::stderr().write_all(format!("{}\n", printable(text)).as_bytes());
}

fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        match c.is_control() {
            true => drop(write!(line, "{}", c.escape_default())),
            false => line.push(c),
        }
        line
    })
}
