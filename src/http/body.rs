//! A request's body: as long as `Content-Length` says, or in chunks.
use super::Refusal;
use super::budget::{Budget, Permit};
use super::head::{Framing, is_token, number};
use super::input::{Fail, Input};
use super::limits::{MAX_HEADERS, MAX_LINE};

/// What a body is turned into while it is parsed takes up to this many times its length.
const PARSING: usize = 3;

/// A request's body, for the application to parse.
pub struct Body<'a> {
    bytes: Vec<u8>,
    budget: &'a Budget,
}

impl<'a> Body<'a> {
    pub(super) fn new(bytes: Vec<u8>, budget: &'a Budget) -> Body<'a> {
        Body { bytes, budget }
    }

    /// Parses the body once there is memory for it. What is parsed at any one time counts against the budget.
    pub fn parse<T>(self, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
        let mut share = self.budget.permit();
        if !share.wait(PARSING * self.bytes.len()) {
            return Err(Refusal::Busy("too many requests in flight"));
        }
        Ok(parse(&self.bytes))
    }
}

/// Reads a body of at most `max` bytes. Room is made, and taken from `permit`, only once bytes are here to fill it: a
/// length that is merely declared costs nothing.
pub(super) fn read(input: &mut Input, framing: Framing, max: usize, permit: &mut Permit) -> Result<Vec<u8>, Fail> {
    let mut body = Incoming { bytes: Vec::new(), len: 0, most: max, permit };
    match framing {
        Framing::Length(length) if length > max => return Err(Refusal::BodyTooLarge.into()),
        Framing::Length(length) => {
            body.most = length;
            body.append(input, length)?;
        }
        Framing::Chunked => body.append_chunks(input)?,
    }
    body.bytes.truncate(body.len);
    Ok(body.bytes)
}

struct Incoming<'a, 'b> {
    /// The body's first `len` bytes, then zeros: room for those to come.
    bytes: Vec<u8>,
    len: usize,
    /// How long it may become.
    most: usize,
    permit: &'a mut Permit<'b>,
}

impl Incoming<'_, '_> {
    fn append_chunks(&mut self, input: &mut Input) -> Result<(), Fail> {
        loop {
            let size = input.line(MAX_LINE, Refusal::BadRequest("a chunk line that is too long"), chunk_size)??;
            if size > self.most - self.len {
                return Err(Refusal::BodyTooLarge.into());
            }
            if size == 0 {
                return skip_trailers(input);
            }
            self.append(input, size)?;
            input.line(2, Refusal::BadRequest("a chunk longer than its size"), |_| ())?;
        }
    }

    fn append(&mut self, input: &mut Input, n: usize) -> Result<(), Fail> {
        let end = self.len + n;
        while self.len < end {
            if self.len == self.bytes.len() {
                if input.bytes().is_empty() {
                    input.fill()?;
                }
                // Twice as much each time, or tiny chunks would have it copied over and over.
                let more = input.bytes().len().max(self.len).min(self.most - self.len);
                self.make_room(more)?;
            }
            let room = self.bytes.len().min(end);
            self.len += input.read(&mut self.bytes[self.len..room])?;
        }
        Ok(())
    }

    fn make_room(&mut self, more: usize) -> Result<(), Fail> {
        if !self.permit.grow(more) || self.bytes.try_reserve_exact(more).is_err() {
            return Err(Refusal::Busy("too many requests in flight").into());
        }
        self.bytes.resize(self.bytes.len() + more, 0);
        Ok(())
    }
}

/// Hexadecimal digits, then perhaps extensions, which nobody uses. They may hold no white space and nothing that another
/// parser might take for a line's end.
fn chunk_size(line: &[u8]) -> Result<usize, Refusal> {
    const MALFORMED: &str = "a malformed chunk line";
    if !line.iter().all(u8::is_ascii_graphic) {
        return Err(Refusal::BadRequest(MALFORMED));
    }
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    number(digits, 16, MALFORMED)
}

/// Trailers are read for their form only.
fn skip_trailers(input: &mut Input) -> Result<(), Fail> {
    for _ in 0..=MAX_HEADERS {
        if input.line(MAX_LINE, Refusal::HeadTooLarge, is_last)?? {
            return Ok(());
        }
    }
    Err(Refusal::HeadTooLarge.into())
}

/// Whether this is the empty line; if not, it must be a header field.
fn is_last(line: &[u8]) -> Result<bool, Refusal> {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let named = !name.is_empty() && name.len() < line.len() && name.iter().all(|byte| is_token(*byte));
    let clean = line.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control());
    match line.is_empty() || (named && clean) {
        true => Ok(line.is_empty()),
        false => Err(Refusal::BadRequest("a malformed trailer")),
    }
}
