//! A request's body, for the application to decode and parse.
use super::budget::{Budget, Permit};
use super::coding::{BLOCK, Coding};
use super::incoming::{Incoming, read_buffered};
use super::read_buffer::Failure;
use super::refusal::Refusal;
use std::io::{self, BufRead, BufReader, Cursor, Read};

const NO_ROOM: Refusal = Refusal::Busy("too many requests in flight");
const UNDECODABLE: Refusal =
    Refusal::BadRequest("the body is damaged, incomplete, or not in the Content-Encoding that it declares");
/// The largest brotli window of a stream: that of an encoder's usual settings.
const STREAM_WINDOW: usize = (4 << 20) - 16;

/// A body, or as much of it as is read before it is handled.
pub struct Body<'a, 'b> {
    pub(super) bytes: Vec<u8>,
    /// What follows, unless the body is complete.
    pub(super) rest: Option<&'a mut (dyn BufRead + 'b)>,
    pub(super) budget: &'a Budget,
    pub(super) permit: &'a mut Permit<'b>,
}

impl<'a, 'b> Body<'a, 'b> {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn is_complete(&self) -> bool {
        self.rest.is_none()
    }

    /// Replaces a complete body by what it decodes to, of at most `max` bytes. If it fails, the body stays as it was sent.
    pub fn decode(&mut self, coding: Coding, max: usize) -> Result<(), Refusal> {
        let held = self.permit.held();
        self.bytes = self.decoded(coding, max).inspect_err(|_| self.permit.shrink(held))?;
        Ok(())
    }

    fn decoded(&mut self, coding: Coding, max: usize) -> Result<Vec<u8>, Refusal> {
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
        Ok(decoded)
    }

    /// Takes the bytes out of a complete body. They still count until the end of the request.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Replaces the bytes of a complete body by others, of which there are no more.
    pub fn replace(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }

    /// Parses a complete body, as soon as there is memory for it. `parse` must not wait for anything: others wait for it.
    pub fn parse<T>(self, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
        self.parser().parse(&self.bytes, parse)
    }

    pub fn parser(&self) -> Parser<'a> {
        Parser { budget: self.budget }
    }

    /// The body as a stream of at most `max` bytes, decoded as it arrives. `part` is how much of it the application keeps
    /// at any one time.
    pub fn stream(self, coding: Option<Coding>, part: usize, max: usize) -> Result<Stream<'a, 'b>, Refusal> {
        if !self.permit.grow(coding.map_or(0, |coding| coding.memory(STREAM_WINDOW) + BLOCK)) {
            return Err(NO_ROOM);
        }
        let sent: Box<dyn BufRead> = match self.rest {
            Some(rest) => Box::new(Cursor::new(self.bytes).chain(rest)),
            None => Box::new(Cursor::new(self.bytes)),
        };
        let reader: Box<dyn BufRead> = match coding {
            Some(coding) => {
                let decoder = coding.decoder(sent, STREAM_WINDOW).map_err(|_| UNDECODABLE)?;
                Box::new(BufReader::with_capacity(BLOCK, decoder))
            }
            None => sent,
        };
        Ok(Stream { reader, permit: self.permit, is_kept: true, part, max, left: max, refusal: None })
    }
}

/// A body as a stream. What the application keeps of it counts as it is read.
pub struct Stream<'a, 'b> {
    reader: Box<dyn BufRead + 'a>,
    permit: &'a mut Permit<'b>,
    /// The application keeps what it reads now.
    pub is_kept: bool,
    /// How much more of that counts.
    part: usize,
    max: usize,
    left: usize,
    /// Why the stream ends early, unless it is because of what the client sends.
    pub refusal: Option<Refusal>,
}

impl BufRead for Stream<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.refusal {
            None => self.reader.fill_buf(),
            Some(_) => Err(io::Error::other("the rest of the body is refused")),
        }
    }

    fn consume(&mut self, n: usize) {
        let counted = if self.is_kept { n.min(self.part) } else { 0 };
        self.part -= counted;
        if !self.permit.grow(counted) {
            self.refusal = Some(NO_ROOM);
        }
        match self.left.checked_sub(n) {
            Some(left) => self.left = left,
            None => self.refusal = Some(Refusal::BodyTooLarge(self.max)),
        }
        self.reader.consume(n);
    }
}

impl Read for Stream<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, out)
    }
}

/// Parses parts of a body under the bound on memory.
#[derive(Clone, Copy)]
pub struct Parser<'a> {
    budget: &'a Budget,
}

impl Parser<'_> {
    /// See [`Body::parse`].
    pub fn parse<T>(&self, bytes: &[u8], parse: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
        let Some(_permit) = self.budget.permit_parsing(bytes.len()) else {
            return Err(NO_ROOM);
        };
        Ok(parse(bytes))
    }
}

/// Reads a body, or the first `max` bytes of it. Memory is allocated, and counted in `permit`, as bytes arrive: a length
/// that is merely declared costs nothing.
pub(super) fn read(incoming: &mut Incoming, max: usize, permit: &mut Permit) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    loop {
        incoming.advance()?;
        let more = incoming.arrived().len().min(max - bytes.len());
        if incoming.is_finished() || more == 0 {
            return Ok(bytes);
        }
        reserve(&mut bytes, more, max, permit)?;
        bytes.extend_from_slice(&incoming.arrived()[..more]);
        incoming.consume(more);
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
