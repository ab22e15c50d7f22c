//! The mappings of a source map (ECMA-426, 9): segments of Base64 VLQ numbers, each relative to the one before it.
use serde::{Deserialize, Serialize};

/// A place in the script, and the place in a source that it stands for, if any. All numbers count from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Segment {
    pub line: u32,
    pub column: u32,
    pub original: Option<Original>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Original {
    pub source: u32,
    pub line: u32,
    pub column: u32,
    pub name: Option<u32>,
}

/// The segments of a text, in order.
pub struct Segments<'a> {
    text: &'a [u8],
    /// How many bytes have been decoded.
    pub at: usize,
    pub state: State,
}

/// The numbers that those of the next segment are relative to.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct State {
    line: u32,
    column: u32,
    source: u32,
    original_line: u32,
    original_column: u32,
    name: u32,
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
    /// `state` is that of the segment before the text.
    pub fn new(text: &'a str, state: State) -> Segments<'a> {
        Segments { text: text.as_bytes(), at: 0, state }
    }

    fn segment(&mut self) -> Result<Segment, Damage> {
        self.state.column = self.add(self.state.column)?;
        let mut segment = Segment { line: self.state.line, column: self.state.column, original: None };
        if !self.goes_on() {
            return Ok(segment);
        }
        self.state.source = self.add(self.state.source)?;
        self.state.original_line = self.add(self.state.original_line)?;
        self.state.original_column = self.add(self.state.original_column)?;
        let mut name = None;
        if self.goes_on() {
            self.state.name = self.add(self.state.name)?;
            name = Some(self.state.name);
        }
        if self.goes_on() {
            return Err(Damage { at: self.at, why: "a segment has more than 5 numbers" });
        }
        let State { source, original_line: line, original_column: column, .. } = self.state;
        segment.original = Some(Original { source, line, column, name });
        Ok(segment)
    }

    fn goes_on(&self) -> bool {
        self.digit() != OTHER
    }

    fn digit(&self) -> u8 {
        self.text.get(self.at).map_or(OTHER, |byte| DIGITS[*byte as usize])
    }

    /// The sum of a number and the one that follows in the text, which may be negative.
    #[inline(always)] // takes a third off the time of a page
    fn add(&mut self, to: u32) -> Result<u32, Damage> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let digit = self.digit();
            if digit == OTHER {
                return Err(Damage { at: self.at, why: "a Base64 digit is missing" });
            }
            value |= u64::from(digit & (MORE - 1)) << shift;
            self.at += 1;
            shift += BITS;
            if digit & MORE == 0 {
                break;
            }
            if shift > 6 * BITS {
                return Err(Damage { at: self.at, why: "a number has over 32 bits" });
            }
        }
        let size = (value >> 1) as i64;
        let sum = i64::from(to) + if value & 1 == 1 { -size } else { size };
        match u32::try_from(sum) {
            Ok(sum) if sum <= i32::MAX as u32 => Ok(sum),
            _ => Err(Damage { at: self.at, why: "the numbers lead below 0 or beyond 2147483647" }),
        }
    }
}

impl Iterator for Segments<'_> {
    type Item = Result<Segment, Damage>;

    fn next(&mut self) -> Option<Result<Segment, Damage>> {
        loop {
            match self.text.get(self.at)? {
                b';' => (self.state.line, self.state.column) = (self.state.line + 1, 0), // a map has fewer than 2^32 bytes
                b',' => {}
                _ => return Some(self.segment()),
            }
            self.at += 1;
        }
    }
}

/// Where and why mappings cannot be decoded.
#[derive(Clone, Copy, Debug)]
pub struct Damage {
    at: usize,
    why: &'static str,
}

impl From<Damage> for String {
    fn from(Damage { at, why }: Damage) -> String {
        format!("The mappings are damaged at byte {at}: {why}")
    }
}
