//! The bytes of a connection that have come and are not yet read.
use super::Refusal;
use super::conn::{Conn, Cut};
use super::limits::MAX_HEAD;
use std::io::{ErrorKind, Read};

/// Why a request could not be read.
#[derive(Debug)]
pub(super) enum Fail {
    /// There is nobody left to answer.
    Gone,
    Refused(Refusal),
}

impl From<Refusal> for Fail {
    fn from(refusal: Refusal) -> Fail {
        Fail::Refused(refusal)
    }
}

pub(super) struct Input<'a> {
    conn: &'a Conn,
    /// As large as the largest head, so that a head is parsed where it lies.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<'a> Input<'a> {
    pub fn new(conn: &'a Conn) -> Input<'a> {
        Input { conn, buffer: vec![0; MAX_HEAD].into_boxed_slice(), start: 0, end: 0 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// Waits for more bytes behind those that are here. They must not fill the buffer already.
    pub fn fill(&mut self) -> Result<(), Fail> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.end += receive(self.conn, &mut self.buffer[self.end..])?;
        Ok(())
    }

    /// Some bytes into `to`: what is here, else what comes next, past the buffer.
    pub fn read(&mut self, to: &mut [u8]) -> Result<usize, Fail> {
        let n = self.bytes().len().min(to.len());
        if n == 0 {
            return receive(self.conn, to);
        }
        to[..n].copy_from_slice(&self.bytes()[..n]);
        self.consume(n);
        Ok(n)
    }

    /// Throws away what comes until the client has no more to say, or until it is about `most` bytes.
    pub fn discard(&mut self, most: usize) {
        let mut left = most;
        while let Ok(n @ 1..) = (&self.conn.socket).read(&mut self.buffer) {
            left = left.saturating_sub(n);
            if left == 0 {
                break;
            }
        }
    }

    /// One line up to its CRLF, which is consumed with it. `over` is the answer if there is none within `max` bytes.
    pub fn line<T>(&mut self, max: usize, over: Refusal, read: impl FnOnce(&[u8]) -> T) -> Result<T, Fail> {
        let mut seen = 0;
        let end = loop {
            let bytes = self.bytes();
            if let Some(at) = bytes[seen..].iter().take(max - seen).position(|byte| *byte == b'\n') {
                break seen + at;
            }
            if bytes.len() >= max {
                return Err(over.into());
            }
            seen = bytes.len();
            self.fill()?;
        };
        let Some(line) = self.bytes()[..end].strip_suffix(b"\r") else {
            return Err(Refusal::BadRequest("a line ends without a carriage return").into());
        };
        let value = read(line);
        self.consume(end + 1);
        Ok(value)
    }
}

/// What has come, at least one byte; the end of the stream says why there is none.
fn receive(conn: &Conn, to: &mut [u8]) -> Result<usize, Fail> {
    loop {
        // A flood keeps the socket readable after its reading side was shut: time is up all the same.
        if conn.state().cut == Some(Cut::Overdue) {
            return Err(end(conn));
        }
        match (&conn.socket).read(to) {
            Ok(0) => return Err(end(conn)),
            Ok(n) => return Ok(n),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Fail::Gone),
        }
    }
}

fn end(conn: &Conn) -> Fail {
    let refusal = match conn.state().cut {
        None => return Fail::Refused(Refusal::BadRequest("the request ends early")),
        Some(Cut::Overdue) => Refusal::Timeout,
        Some(Cut::Evicted) => Refusal::Busy("too many connections"),
        Some(Cut::Stopping) => Refusal::Busy("the server is stopping"),
    };
    // Someone may be waiting for this place: the last word is said only if it need not be waited for.
    match conn.socket.set_nonblocking(true) {
        Ok(()) => refusal.into(),
        Err(_) => Fail::Gone,
    }
}
