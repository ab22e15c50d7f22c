//! A body as it arrives, delimited by `Content-Length` or sent in chunks.
use super::head::{Framing, is_token, number};
use super::limits::{MAX_HEADERS, MAX_LINE};
use super::read_buffer::{Failure, ReadBuffer};
use super::refusal::Refusal;
use std::io::{self, BufRead, Read};

pub(super) struct Incoming<'a, 'b> {
    buffer: &'a mut ReadBuffer<'b>,
    /// Bytes left of the body, or of the current chunk.
    left: usize,
    /// Another chunk follows.
    has_more: bool,
    in_chunk: bool,
    /// Maximum length, and the length of what may still follow the current chunk.
    max: usize,
    room: usize,
    /// Why reading ended early. An `io::Error` cannot say so.
    pub failure: Option<Failure>,
}

impl<'a, 'b> Incoming<'a, 'b> {
    pub fn new(buffer: &'a mut ReadBuffer<'b>, framing: Framing, max: usize) -> Result<Incoming<'a, 'b>, Refusal> {
        let (left, has_more) = match framing {
            Framing::Length(length) if length > max => return Err(Refusal::BodyTooLarge(max)),
            Framing::Chunked if max == 0 => return Err(Refusal::BodyTooLarge(max)),
            Framing::Length(length) => (length, false),
            Framing::Chunked => (0, true),
        };
        Ok(Incoming { buffer, left, has_more, in_chunk: false, max, room: max, failure: None })
    }

    pub fn is_finished(&self) -> bool {
        self.left == 0 && !self.has_more
    }

    /// Waits until there are bytes, or the body is finished.
    fn advance(&mut self) -> Result<(), Failure> {
        while self.left == 0 && self.has_more {
            self.next_chunk()?;
        }
        if self.left > 0 && self.buffer.bytes().is_empty() {
            self.buffer.fill()?;
        }
        Ok(())
    }

    fn next_chunk(&mut self) -> Result<(), Failure> {
        if self.in_chunk {
            self.buffer.line(2, Refusal::BadRequest("chunk longer than its declared size"), |_| ())?;
        }
        let size = self.buffer.line(MAX_LINE, Refusal::BadRequest("chunk line too long"), chunk_size)??;
        let room = self.room.checked_sub(size).ok_or(Refusal::BodyTooLarge(self.max))?;
        (self.left, self.room, self.in_chunk) = (size, room, true);
        if size == 0 {
            skip_trailers(self.buffer)?;
            self.has_more = false;
        }
        Ok(())
    }
}

impl BufRead for Incoming<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Err(failure) = self.advance() {
            self.failure = Some(failure);
            return Err(io::Error::other("the rest of the body did not arrive"));
        }
        let bytes = self.buffer.bytes();
        Ok(&bytes[..bytes.len().min(self.left)])
    }

    fn consume(&mut self, n: usize) {
        self.buffer.consume(n);
        self.left -= n;
    }
}

impl Read for Incoming<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}

/// `Read` for a type that implements `BufRead`.
pub(super) fn read_buffered(reader: &mut impl BufRead, out: &mut [u8]) -> io::Result<usize> {
    let n = reader.fill_buf()?.read(out)?;
    reader.consume(n);
    Ok(n)
}

/// Parses hexadecimal digits, which extensions may follow. Those are ignored, but may not contain white space or anything
/// that another parser could take for the end of the line.
fn chunk_size(line: &[u8]) -> Result<usize, Refusal> {
    const MALFORMED: &str = "malformed chunk line";
    if !line.iter().all(u8::is_ascii_graphic) {
        return Err(Refusal::BadRequest(MALFORMED));
    }
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    number(digits, 16, MALFORMED)
}

fn skip_trailers(buffer: &mut ReadBuffer) -> Result<(), Failure> {
    for _ in 0..=MAX_HEADERS {
        if buffer.line(MAX_LINE, Refusal::HeadTooLarge, end_of_trailers)?? {
            return Ok(());
        }
    }
    Err(Refusal::HeadTooLarge.into())
}

/// Returns true at the empty line, false after a valid trailer.
fn end_of_trailers(line: &[u8]) -> Result<bool, Refusal> {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let named = !name.is_empty() && name.len() < line.len() && name.iter().all(|byte| is_token(*byte));
    let clean = line.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control());
    match line.is_empty() || (named && clean) {
        true => Ok(line.is_empty()),
        false => Err(Refusal::BadRequest("malformed trailer")),
    }
}
