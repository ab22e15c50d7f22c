//! Writes lines to standard error. They can contain text that clients sent, so control characters are escaped.
use crate::time::Time;
use std::io::{self, Write};

/// Writes a line that starts with the time.
pub fn line(text: &str) {
    plain(&format!("{} {text}", Time::now()));
}

/// Writes a line without the time. Errors are ignored: a closed or full standard error must not stop obs.
pub fn plain(text: &str) {
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match c.is_control() {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
    line.push('\n');
    let _ = io::stderr().write_all(line.as_bytes());
}
