//! Shows the progress of a long command on standard error, if that is a terminal.
use crate::log;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Minimum time between two updates.
const INTERVAL: Duration = Duration::from_millis(200);
/// Moves to the start of the line and clears it.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Dropping it clears the line.
pub struct Progress {
    terminal: bool,
    next_update: Instant,
}

impl Progress {
    pub fn new() -> Progress {
        Progress { terminal: io::stderr().is_terminal(), next_update: Instant::now() }
    }

    /// Replaces the text on the line.
    pub fn show(&mut self, text: impl Display) {
        if self.terminal && Instant::now() >= self.next_update {
            self.next_update = Instant::now() + INTERVAL;
            let _ = write!(io::stderr(), "{CLEAR_LINE}{text}");
        }
    }

    /// Replaces the text with a last line that stays.
    pub fn finish(self, text: &str) {
        let terminal = self.terminal;
        drop(self);
        if terminal {
            log::plain(text);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(io::stderr(), "{CLEAR_LINE}");
        }
    }
}
