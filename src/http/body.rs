//! A request's body, for the application to decode and parse.
use super::budget::{Budget, NO_ROOM, Permit};
use super::coding::{BLOCK, Coding};
use super::incoming::read_buffered;
use super::read_buffer::Failure;
use super::refusal::Refusal;
use std::io::{self, BufRead, BufReader, Cursor, Read};

const UNDECODABLE: Refusal =
    Refusal::BadRequest("the body is damaged, incomplete, or not in the Content-Encoding that it declares");
/// The largest brotli window of a stream: that of an encoder's usual settings.
const STREAM_WINDOW: usize = (4 << 20) - 16;

/// A body, or as much of it as is read before it is handled.
pub struct Body<'a, 'b> {
    pub bytes: Vec<u8>,
    pub is_complete: bool,
    /// Parses the body, or a part of it, under the bound on memory.
    pub budget: &'a Budget,
    /// What follows `bytes`.
    pub(super) rest: &'a mut (dyn BufRead + 'b),
    /// What the request holds of the budget, until it has been handled.
    pub(super) permit: &'a mut Permit<'b>,
}

impl<'a, 'b> Body<'a, 'b> {
    /// Replaces a complete body by what it decodes to, of at most `max` bytes. If it fails, the body stays as it was sent.
    pub fn decode(&mut self, coding: Coding, max: usize) -> Result<(), Refusal> {
        let held = self.permit.held;
        self.bytes = self.decoded(coding, max).inspect_err(|_| self.permit.shrink(held))?;
        Ok(())
    }

    fn decoded(&mut self, coding: Coding, max: usize) -> Result<Vec<u8>, Refusal> {
        let _permit = self.budget.permit_work(coding.memory(max)).ok_or(NO_ROOM)?;
        let mut input = self.bytes.as_slice();
        let mut decoder = BufReader::new(coding.decoder(&mut input, max).map_err(|_| UNDECODABLE)?);
        let decoded = read(&mut decoder, max, self.permit).map_err(|failure| match failure {
            Failure::Refused(refusal) => refusal,
            Failure::Disconnected => UNDECODABLE,
        })?;
        // At the end of a brotli stream, this second read fails if the decoder has received more than that.
        if !decoder.fill_buf().map_err(|_| UNDECODABLE)?.is_empty() {
            return Err(Refusal::BodyTooLarge(max));
        }
        drop(decoder);
        if input.is_empty() { Ok(decoded) } else { Err(UNDECODABLE) }
    }

    /// Parses a complete body: see [`Budget::parse`].
    pub fn parse<T>(self, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
        self.budget.parse(&self.bytes, parse)
    }

    /// The body as a stream of at most `max` bytes, decoded as it arrives. `part` is how much of it the application keeps
    /// at any one time.
    pub fn stream(self, coding: Option<Coding>, part: usize, max: usize) -> Result<Stream<'a, 'b>, Refusal> {
        if !self.permit.grow(coding.map_or(0, |coding| coding.memory(STREAM_WINDOW) + BLOCK)) {
            return Err(NO_ROOM);
        }
        let sent = Cursor::new(self.bytes).chain(self.rest);
        let reader: Box<dyn BufRead> = match coding {
            Some(coding) => {
                let decoder = coding.decoder(sent, STREAM_WINDOW).map_err(|_| UNDECODABLE)?;
                Box::new(BufReader::with_capacity(BLOCK, decoder))
            }
            None => Box::new(sent),
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

/// Reads up to `max` bytes. Memory is allocated, and counted in `permit`, as bytes arrive: a length that is merely
/// declared costs nothing.
pub(super) fn read(reader: &mut impl BufRead, max: usize, permit: &mut Permit) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    loop {
        let arrived = reader.fill_buf()?;
        let (len, room) = (bytes.len(), bytes.capacity());
        let more = arrived.len().min(max - len);
        if more == 0 {
            return Ok(bytes);
        }
        if more > room - len {
            // At least doubled, or tiny chunks would have the body copied again and again.
            let wanted = (len + more).max(2 * room).min(max);
            if !permit.grow(wanted - room) || bytes.try_reserve_exact(wanted - len).is_err() {
                return Err(NO_ROOM.into());
            }
        }
        bytes.extend_from_slice(&arrived[..more]);
        reader.consume(more);
    }
}
