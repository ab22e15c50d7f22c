//! Bytes that a connection has received and that have not been parsed yet.
use super::conn::{Conn, Cut};
use super::limits::MAX_HEAD;
use super::refusal::Refusal;
use std::io::{self, Read};

/// Why an exchange ends early.
pub(super) enum Failure {
    Disconnected,
    Refused(Refusal),
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Failure {
        Failure::Disconnected
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

pub(super) struct ReadBuffer<'a> {
    conn: &'a Conn,
    /// As large as the largest head, so that a head is parsed in place.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<'a> ReadBuffer<'a> {
    pub fn new(conn: &'a Conn) -> ReadBuffer<'a> {
        ReadBuffer { conn, buffer: vec![0; MAX_HEAD].into_boxed_slice(), start: 0, end: 0 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub fn consume(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
    }

    /// Waits for more bytes and appends them. The buffer must not be full.
    pub fn fill(&mut self) -> Result<(), Failure> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        // Shutting down the reading side does not stop a client that keeps sending: the socket stays readable.
        let is_overdue = self.conn.phase_state().cut == Some(Cut::Overdue);
        let n = if is_overdue { 0 } else { (&self.conn.socket).read(&mut self.buffer[self.end..])? };
        self.end += n;
        if n > 0 { Ok(()) } else { Err(end_of_stream(self.conn)) }
    }

    /// Passes one line without its CRLF to `parse`, and consumes it. Returns `too_long` if the line exceeds `max` bytes.
    pub fn line<T>(&mut self, max: usize, too_long: Refusal, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Failure> {
        let mut searched = 0;
        let end = loop {
            let bytes = self.bytes();
            if let Some(at) = bytes[searched..].iter().take(max - searched).position(|byte| *byte == b'\n') {
                break searched + at;
            }
            if bytes.len() >= max {
                return Err(too_long.into());
            }
            searched = bytes.len();
            self.fill()?;
        };
        let Some(line) = self.bytes()[..end].strip_suffix(b"\r") else {
            return Err(Refusal::BadRequest("a line ends without a carriage return").into());
        };
        let value = parse(line);
        self.consume(end + 1);
        Ok(value)
    }
}

fn end_of_stream(conn: &Conn) -> Failure {
    let refusal = match conn.phase_state().cut {
        None => return Refusal::BadRequest("the request ends early").into(),
        Some(Cut::Overdue) => Refusal::Timeout,
        Some(Cut::Evicted) => Refusal::Busy("too many connections"),
        Some(Cut::Stopping) => Refusal::Busy("the server is stopping"),
    };
    // A new connection may be waiting for this one to close, so the refusal is sent only if that does not block.
    match conn.socket.set_nonblocking(true) {
        Ok(()) => refusal.into(),
        Err(_) => Failure::Disconnected,
    }
}
