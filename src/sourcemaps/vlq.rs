//! The mappings of a source map (ECMA-426, 9): segments of Base64 VLQ numbers, each relative to the one before it.
use serde::{Deserialize, Serialize};

/// A place in the script, and the place in a source that it stands for. All numbers count from 0. What a segment does not
/// say is as in the one before it, so that the next can be relative to this one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Segment {
    pub line: u32,
    pub column: u32,
    pub source: u32,
    pub source_line: u32,
    pub source_column: u32,
    pub name: u32,
    /// How many numbers it has: 1 if it stands for no place in a source, 4, or 5 with a name; 0 before the first segment.
    pub numbers: u8,
}

impl Segment {
    pub fn place(&self) -> (u32, u32) {
        (self.line, self.column)
    }

    pub fn has_source(&self) -> bool {
        self.numbers > 1
    }

    pub fn has_name(&self) -> bool {
        self.numbers == 5
    }
}

/// The segments of a text, in order, or a sentence on why they cannot be decoded.
pub struct Segments<'a> {
    text: &'a [u8],
    /// How many bytes have been decoded.
    pub at: usize,
    last: Segment,
}

/// The value of each Base64 digit; `OTHER` for what is none.
const DIGITS: [u8; 256] = digits();
const OTHER: u8 = 0xFF;
/// The bit that says that further digits follow, and bits of the value in a digit.
const MORE: u8 = 32;
const BITS: u32 = 5;

const fn digits() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = [OTHER; 256];
    let mut at = 0;
    while at < alphabet.len() {
        digits[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    digits
}

impl<'a> Segments<'a> {
    /// `last` is the segment before the text.
    pub fn new(text: &'a [u8], last: Segment) -> Segments<'a> {
        Segments { text, at: 0, last }
    }

    fn segment(&mut self) -> Result<Segment, &'static str> {
        let mut segment = self.last;
        segment.numbers = 0;
        let fields = [
            &mut segment.column,
            &mut segment.source,
            &mut segment.source_line,
            &mut segment.source_column,
            &mut segment.name,
        ];
        for field in fields {
            // After 1 number and after 4, a segment may end.
            if matches!(segment.numbers, 1 | 4) && self.digit() == OTHER {
                break;
            }
            *field = self.add(*field)?;
            segment.numbers += 1;
        }
        match segment.numbers == 5 && self.digit() != OTHER {
            true => Err("a segment has more than 5 numbers"),
            false => Ok(segment),
        }
    }

    fn digit(&self) -> u8 {
        self.text.get(self.at).map_or(OTHER, |byte| DIGITS[*byte as usize])
    }

    /// The sum of a number and the one that follows in the text, which may be negative.
    #[inline(always)] // takes a third off the time of a page
    fn add(&mut self, to: u32) -> Result<u32, &'static str> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let digit = self.digit();
            if digit == OTHER {
                return Err("a Base64 digit is missing");
            }
            value |= u64::from(digit & (MORE - 1)) << shift;
            self.at += 1;
            shift += BITS;
            if digit & MORE == 0 {
                break;
            }
            if shift > 6 * BITS {
                return Err("a number has over 32 bits");
            }
        }
        let size = (value >> 1) as i64;
        let sum = i64::from(to) + if value & 1 == 1 { -size } else { size };
        i32::try_from(sum).and_then(u32::try_from).map_err(|_| "the numbers lead below 0 or beyond 2147483647")
    }
}

impl Iterator for Segments<'_> {
    type Item = Result<Segment, String>;

    fn next(&mut self) -> Option<Result<Segment, String>> {
        loop {
            match self.text.get(self.at)? {
                b';' => (self.last.line, self.last.column) = (self.last.line + 1, 0), // a map has fewer than 2^32 bytes
                b',' => {}
                _ => break,
            }
            self.at += 1;
        }
        let segment = self.segment().map_err(|why| format!("The mappings are damaged at byte {}: {why}", self.at));
        Some(segment.inspect(|segment| self.last = *segment))
    }
}
