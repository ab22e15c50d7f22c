//! A request's head: its lines, and what they say about the body and the connection.
use super::input::{Fail, Input};
use super::limits::{MAX_HEAD, MAX_HEADERS};
use super::{Refusal, Version, target};
use rouille::Request;
use std::net::SocketAddr;

pub(super) struct Head {
    /// With an empty body; the real one goes another way.
    pub request: Request,
    pub version: Version,
    pub framing: Framing,
    /// Whether the client will send another request on this connection.
    pub keep: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects: bool,
}

/// How the body's end is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

/// Reads one head. On a refusal the bytes stay in `input`, for a glance at whatever can be made out.
pub(super) fn read(input: &mut Input, peer: SocketAddr) -> Result<Head, Fail> {
    skip_blank_line(input)?;
    let end = find_end(input)?;
    let head = parse(&input.bytes()[..end], peer)?;
    input.consume(end);
    Ok(head)
}

/// Some clients send one CRLF too many after a body; RFC 9112, section 2.2, asks to let it pass.
fn skip_blank_line(input: &mut Input) -> Result<(), Fail> {
    while matches!(input.bytes(), b"" | b"\r") {
        input.fill()?;
    }
    if input.bytes().starts_with(b"\r\n") {
        input.consume(2);
        while input.bytes().is_empty() {
            input.fill()?;
        }
    }
    match input.bytes().first() {
        Some(byte) if is_token(*byte) => Ok(()),
        // Refused at once: most likely this is TLS, and no line end will ever come.
        _ => Err(Refusal::BadRequest("a request does not begin with a method").into()),
    }
}

/// Where the empty line ends. `httparse` would take lines that end without CR, so they are refused here.
fn find_end(input: &mut Input) -> Result<usize, Fail> {
    let (mut line, mut seen) = (0, 0);
    loop {
        let bytes = input.bytes();
        while let Some(at) = bytes[seen..].iter().position(|byte| *byte == b'\n') {
            seen += at + 1;
            match bytes[line..seen] {
                [b'\r', b'\n'] => return Ok(seen),
                [.., b'\r', b'\n'] => line = seen,
                _ => return Err(Refusal::BadRequest("a line ends without a carriage return").into()),
            }
        }
        seen = bytes.len();
        if seen == MAX_HEAD {
            return Err(Refusal::HeadTooLarge.into());
        }
        input.fill()?;
    }
}

pub(super) fn parse(bytes: &[u8], peer: SocketAddr) -> Result<Head, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::BadRequest("an incomplete head")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::BadRequest("a version other than HTTP/1.0 and 1.1")),
        Err(_) => return Err(Refusal::BadRequest("a malformed request line or header")),
    }
    let version = if parsed.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let mut headers = Vec::with_capacity(parsed.headers.len());
    let (mut host, mut length, mut coding) = (Once::Absent, Once::Absent, Once::Absent);
    let (mut keep, mut expects) = (version == Version::Http11, false);
    for field in parsed.headers.iter() {
        let value = String::from_utf8_lossy(field.value);
        match field.name {
            name if name.eq_ignore_ascii_case("host") => host.set(field.value),
            name if name.eq_ignore_ascii_case("content-length") => length.set(field.value),
            name if name.eq_ignore_ascii_case("transfer-encoding") => coding.set(field.value),
            name if name.eq_ignore_ascii_case("connection") => keep &= !lists(&value, "close"),
            name if name.eq_ignore_ascii_case("expect") => expects |= lists(&value, "100-continue"),
            _ => {}
        }
        headers.push((field.name.to_string(), value.into_owned()));
    }
    let host = match host {
        Once::Given(host) => Some(target::host(host).ok_or(Refusal::BadRequest("a malformed Host"))?),
        Once::Absent if version == Version::Http10 => None,
        Once::Absent => return Err(Refusal::BadRequest("no Host")),
        Once::Repeated => return Err(Refusal::BadRequest("more than one Host")),
    };
    let framing = framing(length, coding, version)?;
    let method = parsed.method.unwrap_or_default();
    let target = target::resolve(method, parsed.path.unwrap_or_default(), host)?;
    let request = Request::fake_http_from(peer, method, target, headers, Vec::new());
    Ok(Head { request, version, framing, keep, expects: expects && version == Version::Http11 })
}

/// Where the body ends. A front end that saw another end would let requests be smuggled past it: RFC 9112, section 6.3.
fn framing(length: Once, coding: Once, version: Version) -> Result<Framing, Refusal> {
    match (length, coding) {
        (Once::Absent, Once::Absent) => Ok(Framing::Length(0)),
        (Once::Given(digits), Once::Absent) => {
            number(digits, 10, "a Content-Length that is no number").map(Framing::Length)
        }
        (Once::Absent, Once::Given(coding))
            if version == Version::Http11 && coding.eq_ignore_ascii_case(b"chunked") =>
        {
            Ok(Framing::Chunked)
        }
        (Once::Absent, _) => Err(Refusal::BadRequest("a transfer coding other than one chunked, in HTTP/1.1")),
        (Once::Repeated, Once::Absent) => Err(Refusal::BadRequest("more than one Content-Length")),
        _ => Err(Refusal::BadRequest("both Content-Length and Transfer-Encoding")),
    }
}

/// Digits and nothing else: `from_str_radix` alone would take a sign. One too large to count is a body too large.
pub(super) fn number(digits: &[u8], radix: u32, malformed: &'static str) -> Result<usize, Refusal> {
    let text = str::from_utf8(digits).ok().filter(|text| !text.is_empty() && text.chars().all(|c| c.is_digit(radix)));
    let text = text.ok_or(Refusal::BadRequest(malformed))?;
    usize::from_str_radix(text, radix).map_err(|_| Refusal::BodyTooLarge)
}

/// A field that may be given once.
#[derive(Clone, Copy)]
enum Once<'a> {
    Absent,
    Given(&'a [u8]),
    Repeated,
}

impl<'a> Once<'a> {
    fn set(&mut self, value: &'a [u8]) {
        *self = if matches!(self, Once::Absent) { Once::Given(value) } else { Once::Repeated };
    }
}

fn lists(value: &str, token: &str) -> bool {
    value.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// What methods and field names are made of: RFC 9110, section 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
