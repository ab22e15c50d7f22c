//! The parts of a map, deflated in pieces, so that a large one takes little memory.
use crate::event::json;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::borrow::Cow;
use std::io::{self, Write};
use std::mem;

/// About how many bytes of a part are in memory at any one time.
const PIECE: usize = 256 << 10;

/// Passes what `write` writes to `store`, deflated, in pieces of the part with this number.
pub fn deflate<E>(
    number: usize,
    store: &mut impl FnMut(usize, Vec<u8>) -> Result<(), E>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), E> {
    let mut failure = None;
    let pieces = Pieces(Vec::new(), |piece| {
        store(number, piece).map_err(|error| {
            failure = Some(error);
            io::Error::other("the store failed")
        })
    });
    let mut encoder = DeflateEncoder::new(pieces, Compression::default());
    // Nothing but the store can fail.
    let _ = write(&mut encoder).and_then(|()| encoder.finish()).and_then(|Pieces(last, mut store)| store(last));
    failure.map_or(Ok(()), Err)
}

/// Collects bytes, and passes them on whenever there are enough for a piece.
struct Pieces<F>(Vec<u8>, F);

impl<F: FnMut(Vec<u8>) -> io::Result<()>> Write for Pieces<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if self.0.len() >= PIECE {
            (self.1)(mem::take(&mut self.0))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text of a JSON string, a part at a time, because it may be large.
pub fn texts(raw: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = raw.trim_matches('"');
    std::iter::from_fn(move || {
        let (bytes, mut end) = (rest.as_bytes(), 0);
        while end < PIECE.min(bytes.len()) || !rest.is_char_boundary(end) {
            end += match &bytes[end..] {
                [b'\\', b'u', b'D' | b'd', b'8'..=b'9' | b'A'..=b'B' | b'a'..=b'b', _, _, b'\\', b'u', ..] => 12,
                [b'\\', b'u', ..] => 6,
                [b'\\', ..] => 2,
                _ => 1,
            };
        }
        let (text, after) = rest.split_at_checked(end)?;
        rest = after;
        match text.contains('\\') {
            true => json::string(&format!("\"{text}\"")).map(Cow::from),
            false => Some(text.into()).filter(|text: &Cow<str>| !text.is_empty()),
        }
    })
}
