//! A request's body, delimited by `Content-Length` or sent in chunks.
use super::budget::{Budget, Permit};
use super::coding::{BLOCK, Coding};
use super::head::{Framing, is_token, number};
use super::limits::{MAX_HEADERS, MAX_LINE};
use super::read_buffer::{Failure, ReadBuffer};
use super::refusal::Refusal;
use std::io::Read;

const NO_ROOM: Refusal = Refusal::Busy("too many requests in flight");
const UNDECODABLE: Refusal =
    Refusal::BadRequest("the body is damaged, incomplete, or not in the Content-Encoding that it declares");

/// A complete body, for the application to parse.
pub struct Body<'a, 'b> {
    bytes: Vec<u8>,
    budget: &'a Budget,
    permit: &'a mut Permit<'b>,
    max: usize,
}

impl<'a, 'b> Body<'a, 'b> {
    pub(super) fn new(bytes: Vec<u8>, max: usize, budget: &'a Budget, permit: &'a mut Permit<'b>) -> Body<'a, 'b> {
        Body { bytes, budget, permit, max }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Replaces the body by what it decodes to. That has the same limit as a body as sent. If it fails, the body stays as it
    /// was sent.
    pub fn decode(&mut self, coding: Coding) -> Result<(), Refusal> {
        let max = self.max;
        let _permit = self.budget.permit_work(coding.memory(max)).ok_or(NO_ROOM)?;
        let mut input = self.bytes.as_slice();
        let mut decoder = coding.decoder(&mut input, max).map_err(|_| UNDECODABLE)?;
        let (mut decoded, mut block) = (Vec::new(), [0; BLOCK]);
        loop {
            match decoder.read(&mut block).map_err(|_| UNDECODABLE)? {
                0 => break,
                n if n > max - decoded.len() => return Err(Refusal::BodyTooLarge(max)),
                n => {
                    reserve(&mut decoded, n, max, self.permit)?;
                    decoded.extend_from_slice(&block[..n]);
                }
            }
        }
        // After the end of a brotli stream, a second read fails if the decoder has received more than that.
        decoder.read(&mut block).map_err(|_| UNDECODABLE)?;
        drop(decoder);
        if !input.is_empty() {
            return Err(UNDECODABLE);
        }
        self.bytes = decoded;
        Ok(())
    }

    /// Parses the body, as soon as there is memory for it. `parse` must not wait for anything: others wait for it.
    pub fn parse<T>(self, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
        let Some(_permit) = self.budget.permit_parsing(self.bytes.len()) else {
            return Err(NO_ROOM);
        };
        Ok(parse(&self.bytes))
    }
}

/// Reads a body of at most `max` bytes. Memory is allocated, and counted in `permit`, as bytes arrive: a length that is
/// merely declared costs nothing.
pub(super) fn read(
    buffer: &mut ReadBuffer,
    framing: Framing,
    max: usize,
    permit: &mut Permit,
) -> Result<Vec<u8>, Failure> {
    let mut body = Incoming { bytes: Vec::new(), max, buffer, permit };
    match framing {
        Framing::Length(length) if length > max => return Err(Refusal::BodyTooLarge(max).into()),
        Framing::Length(length) => {
            body.max = length;
            body.append(length)?;
        }
        Framing::Chunked if max == 0 => return Err(Refusal::BodyTooLarge(max).into()),
        Framing::Chunked => body.append_chunks()?,
    }
    Ok(body.bytes)
}

struct Incoming<'a, 'b, 'c> {
    bytes: Vec<u8>,
    max: usize,
    buffer: &'a mut ReadBuffer<'b>,
    permit: &'a mut Permit<'c>,
}

impl Incoming<'_, '_, '_> {
    fn append_chunks(&mut self) -> Result<(), Failure> {
        loop {
            let size = self.buffer.line(MAX_LINE, Refusal::BadRequest("chunk line too long"), chunk_size)??;
            if size > self.max - self.bytes.len() {
                return Err(Refusal::BodyTooLarge(self.max).into());
            }
            if size == 0 {
                return skip_trailers(self.buffer);
            }
            self.append(size)?;
            self.buffer.line(2, Refusal::BadRequest("chunk longer than its declared size"), |_| ())?;
        }
    }

    fn append(&mut self, n: usize) -> Result<(), Failure> {
        let end = self.bytes.len() + n;
        while self.bytes.len() < end {
            if self.buffer.bytes().is_empty() {
                self.buffer.fill()?;
            }
            let more = self.buffer.bytes().len().min(end - self.bytes.len());
            reserve(&mut self.bytes, more, self.max, self.permit)?;
            self.bytes.extend_from_slice(&self.buffer.bytes()[..more]);
            self.buffer.consume(more);
        }
        Ok(())
    }
}

/// Makes room for `more` of at most `max` bytes, and counts it in the permit.
fn reserve(bytes: &mut Vec<u8>, more: usize, max: usize, permit: &mut Permit) -> Result<(), Refusal> {
    let (len, room) = (bytes.len(), bytes.capacity());
    if more > room - len {
        // At least doubled, or tiny chunks would have the body copied again and again.
        let wanted = (len + more).max(2 * room).min(max);
        if !permit.grow(wanted - room) || bytes.try_reserve_exact(wanted - len).is_err() {
            return Err(NO_ROOM);
        }
    }
    Ok(())
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
