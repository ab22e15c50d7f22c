//! Writes lines to standard error. They can contain text that clients sent, so control characters are escaped.
use crate::time::Time;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether something else, such as journald, adds the time to each line.
static TIMED_ELSEWHERE: AtomicBool = AtomicBool::new(false);

/// From now on, lines do not start with the time.
pub fn omit_time() {
    TIMED_ELSEWHERE.store(true, Relaxed);
}

/// Writes a line that starts with the time, unless it was told to omit it.
pub fn line(text: &str) {
    match TIMED_ELSEWHERE.load(Relaxed) {
        true => plain(text),
        false => plain(&format!("{} {text}", Time::now())),
    }
}

/// Writes a line without the time. Errors are ignored: a closed or full standard error must not stop obs.
pub fn plain(text: &str) {
    let _ = io::stderr().write_all(escaped(text).as_bytes());
}

/// The text as one line.
pub fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match c.is_control() {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
    line.push('\n');
    line
}
