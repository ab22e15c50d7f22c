//! A body as it arrives, delimited by `Content-Length` or sent in chunks.
use super::head::{Framing, is_token, number};
use super::limits::{MAX_HEADERS, MAX_LINE};
use super::read_buffer::{Failure, ReadBuffer};
use super::refusal::Refusal;
use std::io::{self, BufRead, Read};

pub(super) struct Incoming<'a, 'b> {
    buffer: &'a mut ReadBuffer<'b>,
    is_chunked: bool,
    /// Bytes left of the body, or of the current chunk.
    left: usize,
    in_chunk: bool,
    /// Maximum length, and the length of what may still follow the current chunk.
    max: usize,
    room: usize,
    is_finished: bool,
    /// Why reading ended early. An `io::Error` cannot say so.
    pub failure: Option<Failure>,
}

impl<'a, 'b> Incoming<'a, 'b> {
    pub fn new(buffer: &'a mut ReadBuffer<'b>, framing: Framing, max: usize) -> Result<Incoming<'a, 'b>, Refusal> {
        let (is_chunked, left) = match framing {
            Framing::Length(length) if length > max => return Err(Refusal::BodyTooLarge(max)),
            Framing::Chunked if max == 0 => return Err(Refusal::BodyTooLarge(max)),
            Framing::Length(length) => (false, length),
            Framing::Chunked => (true, 0),
        };
        let is_finished = !is_chunked && left == 0;
        Ok(Incoming { buffer, is_chunked, left, in_chunk: false, max, room: max, is_finished, failure: None })
    }

    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Waits until there are bytes, or the body is finished.
    pub fn advance(&mut self) -> Result<(), Failure> {
        while self.left == 0 && !self.is_finished {
            self.next_chunk()?;
        }
        if !self.is_finished && self.buffer.bytes().is_empty() {
            self.buffer.fill()?;
        }
        Ok(())
    }

    /// What has arrived of the body and has not been consumed.
    pub fn arrived(&self) -> &[u8] {
        let bytes = self.buffer.bytes();
        &bytes[..bytes.len().min(self.left)]
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
            self.is_finished = true;
        }
        Ok(())
    }
}

impl BufRead for Incoming<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.advance() {
            Ok(()) => Ok(self.arrived()),
            Err(failure) => {
                self.failure = Some(failure);
                Err(io::Error::other("the rest of the body did not arrive"))
            }
        }
    }

    fn consume(&mut self, n: usize) {
        self.buffer.consume(n);
        self.left -= n;
        self.is_finished |= !self.is_chunked && self.left == 0;
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
