//! Content codings: which one a request declares, and a decoder for each.
use brotli_decompressor::Decompressor;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use rouille::Request;
use std::io::{self, BufRead, Cursor, ErrorKind, Read};

/// Bytes that are decoded at a time.
pub(super) const BLOCK: usize = 16 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

impl Coding {
    /// The coding of a request's body. The error is the name of a coding that is not supported, or of several at once.
    pub fn from_request(request: &Request) -> Result<Option<Coding>, String> {
        let headers = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("Content-Encoding"));
        let names = headers.flat_map(|(_, value)| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
        let names: Vec<String> = names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect();
        match names.join(", ").as_str() {
            "" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Coding::Gzip)),
            "deflate" => Ok(Some(Coding::Deflate)),
            "br" => Ok(Some(Coding::Brotli)),
            other => Err(other.to_string()),
        }
    }

    /// Bytes that a decoder needs, apart from its output of at most `max` bytes.
    pub(super) fn memory(self, max: usize) -> usize {
        match self {
            // A window of 32 KiB, tables, and the texts in gzip's header.
            Coding::Gzip | Coding::Deflate => 256 << 10,
            // A window, half of it more while it grows, and up to 768 tables.
            Coding::Brotli => (3 << window_bits(max) >> 1) + (2 << 20),
        }
    }

    /// Decodes `input` to at most `max` bytes: beyond that, its output is undefined. A gzip stream may consist of several
    /// members. Anything else that follows a stream is an error, or is left in `input`.
    pub(super) fn decoder<'a>(self, mut input: impl BufRead + 'a, max: usize) -> io::Result<Box<dyn Read + 'a>> {
        let &[first, second, ..] = input.fill_buf()? else { return Err(ErrorKind::UnexpectedEof.into()) };
        Ok(match self {
            Coding::Gzip => Box::new(MultiGzDecoder::new(input)),
            // The standard says zlib's format, but some clients send the deflate stream alone. Taken as one, zlib's header
            // would begin a kind of block that no encoder writes.
            Coding::Deflate if first & 0xF == 8 && u16::from_be_bytes([first, second]) % 31 == 0 => {
                Box::new(ZlibDecoder::new(input))
            }
            Coding::Deflate => Box::new(DeflateDecoder::new(input)),
            Coding::Brotli => {
                input.consume(1);
                Box::new(Decompressor::new(Cursor::new([narrow(first, max)?]).chain(input), BLOCK))
            }
        })
    }
}

/// The base-2 logarithm of a brotli window that holds `max` bytes. A stream may declare a window of 16 MiB, and the
/// decoder fills it before it returns a byte.
fn window_bits(max: usize) -> u32 {
    (max.min(1 << 24) + 16).next_power_of_two().ilog2().clamp(18, 24)
}

/// The first byte of a brotli stream, with its window reduced to what `max` bytes can use. The window limits how far back
/// the stream refers, so as long as all of the output fits, a smaller window decodes to the same. RFC 7932, section 9.1.
fn narrow(first: u8, max: usize) -> io::Result<u8> {
    let bits = (window_bits(max) - 17) as u8;
    match first {
        _ if first & 0x7F == 0x11 => Err(ErrorKind::InvalidData.into()), // a window of up to 1 GiB, from beyond the RFC
        _ if first & 1 == 1 && first >> 1 & 7 > bits => Ok(first & 0xF0 | bits << 1 | 1),
        _ => Ok(first),
    }
}
