//! What the server itself refuses, and with which status.

/// The application renders it, so that it looks like the application's own errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request is malformed, or two parsers could read it in two ways. The text says what is wrong.
    BadRequest(&'static str),
    /// The head or the body did not arrive in time.
    Timeout,
    /// The body is longer than this many bytes, as sent or decoded.
    BodyTooLarge(usize),
    /// The head is too long, or has too many headers, or the body has too many trailers.
    HeadTooLarge,
    /// The server has no room for the request now. The text says what is short; the response should carry
    /// `Retry-After`.
    Busy(&'static str),
    /// The application panicked.
    Panicked,
}

impl Refusal {
    pub fn status(&self) -> u16 {
        match self {
            Refusal::BadRequest(_) => 400,
            Refusal::Timeout => 408,
            Refusal::BodyTooLarge(_) => 413,
            Refusal::HeadTooLarge => 431,
            Refusal::Panicked => 500,
            Refusal::Busy(_) => 503,
        }
    }
}
