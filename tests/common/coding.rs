//! Bytes in each content coding that obs accepts.
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compress, Compression, FlushCompress};
use std::io::Write;

pub fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

pub fn zlib(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

pub fn deflate(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// Brotli data that is not compressed: it can have any length and content.
pub fn brotli(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = vec![0b1100]; // a window of 64 KiB, then an empty block that ends at a byte
    for block in bytes.as_ref().chunks(1 << 16) {
        let header = (block.len() as u32 - 1) << 3 | 1 << 19; // not the last, 16 bits of length, not compressed
        stream.extend_from_slice(&header.to_le_bytes()[..3]);
        stream.extend_from_slice(block);
    }
    stream.push(0b11); // the last block, empty
    stream
}

/// Each coding, with something that encodes to it.
pub type Encoder = fn(&[u8]) -> Vec<u8>;
pub const ENCODERS: [(&str, Encoder); 4] = [
    ("gzip", |bytes| gzip(bytes)),
    ("deflate", |bytes| zlib(bytes)),
    ("deflate", |bytes| deflate(bytes)),
    ("br", |bytes| brotli(bytes)),
];

/// The same block of at most 1 MiB many times over, as raw deflate that does not end.
pub fn bomb(start: &[u8], block: &[u8], times: usize) -> Vec<u8> {
    let compress = |bytes: &[u8]| {
        let mut deflate = Compress::new(Compression::best(), false);
        let mut out = Vec::with_capacity(bytes.len() + (1 << 16));
        deflate.compress_vec(bytes, &mut out, FlushCompress::Full).unwrap();
        out
    };
    [compress(start), compress(block).repeat(times)].concat()
}
