//! How far a long command got, on standard error where somebody watches.
use crate::log;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often it is said.
const PAUSE: Duration = Duration::from_millis(200);

pub struct Progress {
    watched: bool,
    next: Instant,
}

impl Progress {
    pub fn new() -> Progress {
        Progress { watched: io::stderr().is_terminal(), next: Instant::now() }
    }

    /// Says it in place of what was said before, if it is time.
    pub fn show(&mut self, text: &str) {
        if self.watched && Instant::now() >= self.next {
            self.next = Instant::now() + PAUSE;
            let _ = write!(io::stderr(), "\r\x1b[K{text}"); // back to the line's begin, which is then cleared
        }
    }

    /// Makes room for another line.
    pub fn clear(&self) {
        if self.watched {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// Says it if somebody watches, and for good.
    pub fn end(&self, text: &str) {
        self.clear();
        if self.watched {
            log::plain(text);
        }
    }
}
