//! Sentry's envelope: a line of JSON, then items. Read as a stream, of which only the lines and one event at a time are in
//! memory. (<https://develop.sentry.dev/sdk/foundations/transport/envelopes/>)
use crate::event::json;
use crate::event::sentry::EnvelopeHeader;
use std::io::{self, BufRead, Read};

/// Maximum length in bytes of a line that is not a payload.
const MAX_LINE: usize = 64 << 10;

pub struct Envelope<R> {
    pub header: EnvelopeHeader,
    stream: R,
    max_event: usize,
}

/// An event or a line.
#[derive(Debug, PartialEq)]
pub enum Part {
    Whole(Vec<u8>),
    /// Longer than it may be. It has been skipped.
    TooLong,
}

impl<R: BufRead> Envelope<R> {
    /// Returns `None` if the stream does not begin with an envelope's header.
    pub fn open(mut stream: R, max_event: usize) -> io::Result<Option<Envelope<R>>> {
        let Some(Part::Whole(line)) = line(&mut stream, MAX_LINE)? else { return Ok(None) };
        Ok(EnvelopeHeader::parse(&line).map(|header| Envelope { header, stream, max_event }))
    }

    /// The next item that is an event. Items of other types are skipped. A broken item ends the envelope. `keep` says
    /// whether the bytes that are read next are kept in memory.
    pub fn next_event(&mut self, keep: impl Fn(&mut R, bool)) -> io::Result<Option<Part>> {
        loop {
            keep(&mut self.stream, true);
            let Some(Part::Whole(header)) = line(&mut self.stream, MAX_LINE)? else { return Ok(None) };
            if header.trim_ascii().is_empty() {
                continue;
            }
            let Some((kind, length)) = item_header(&header) else { return Ok(None) };
            let is_event = kind == "event";
            keep(&mut self.stream, is_event);
            let payload = match length {
                Some(length) => self.payload(length, is_event)?,
                None => line(&mut self.stream, if is_event { self.max_event } else { 0 })?,
            };
            if is_event || payload.is_none() {
                return Ok(payload);
            }
        }
    }

    /// A payload of `length` bytes, and the line break after it. `None` if the envelope ends before.
    fn payload(&mut self, length: u64, is_event: bool) -> io::Result<Option<Part>> {
        let mut payload = Vec::new();
        let mut bytes = (&mut self.stream).take(length);
        let is_kept = is_event && length <= self.max_event as u64;
        let read = match is_kept {
            true => bytes.read_to_end(&mut payload)? as u64,
            false => io::copy(&mut bytes, &mut io::sink())?,
        };
        if self.stream.fill_buf()?.first() == Some(&b'\n') {
            self.stream.consume(1);
        }
        let payload = if is_kept { Part::Whole(payload) } else { Part::TooLong };
        Ok((read == length).then_some(payload))
    }
}

/// A line without its break, if it has one. `None` at the end of the stream.
fn line(stream: &mut impl BufRead, max: usize) -> io::Result<Option<Part>> {
    let mut line = Vec::new();
    if stream.take(max as u64 + 1).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() > max {
        stream.skip_until(b'\n')?;
        return Ok(Some(Part::TooLong));
    }
    line.pop_if(|byte| *byte == b'\n');
    Ok(Some(Part::Whole(line)))
}

/// An item's type and the length of its payload.
fn item_header(line: &[u8]) -> Option<(String, Option<u64>)> {
    let text = std::str::from_utf8(line).ok()?;
    let kind = json::string(json::field(text, "type")?)?;
    Some((kind, json::field(text, "length").and_then(|length| length.parse().ok())))
}
