//! A request's head: its lines, and what they say about the body and the connection.
use super::limits::{MAX_HEAD, MAX_HEADERS};
use super::read_buffer::{Failure, ReadBuffer};
use super::refusal::Refusal;
use super::target;
use httparse::Header;
use rouille::Request;
use std::net::SocketAddr;

/// The supported versions. Any other is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

pub(super) struct Head {
    /// Its body is empty: the application gets the body separately.
    pub request: Request,
    pub version: Version,
    pub framing: Framing,
    /// The client may send another request on this connection.
    pub keep: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects: bool,
}

/// How to find the end of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

/// Reads one head. If it is refused, its bytes stay in `buffer`, so that `target::glance` can look for the target.
pub(super) fn read(buffer: &mut ReadBuffer, peer: SocketAddr) -> Result<Head, Failure> {
    skip_blank_line(buffer)?;
    let end = find_end(buffer)?;
    let head = parse(&buffer.bytes()[..end], peer)?;
    buffer.consume(end);
    Ok(head)
}

/// Some clients send an extra CRLF after a body. RFC 9112, section 2.2, asks servers to ignore it.
fn skip_blank_line(buffer: &mut ReadBuffer) -> Result<(), Failure> {
    while matches!(buffer.bytes(), b"" | b"\r") {
        buffer.fill()?;
    }
    if buffer.bytes().starts_with(b"\r\n") {
        buffer.consume(2);
        while buffer.bytes().is_empty() {
            buffer.fill()?;
        }
    }
    match buffer.bytes().first() {
        Some(byte) if is_token(*byte) => Ok(()),
        // Refused at once: this is most likely TLS, and may never contain the end of a line.
        _ => Err(Refusal::BadRequest("the request does not begin with a method").into()),
    }
}

/// Returns the length of the head. `httparse` would accept lines that end without CR, so they are refused here.
fn find_end(buffer: &mut ReadBuffer) -> Result<usize, Failure> {
    let (mut line, mut searched) = (0, 0);
    loop {
        let bytes = buffer.bytes();
        while let Some(at) = bytes[searched..].iter().position(|byte| *byte == b'\n') {
            searched += at + 1;
            match bytes[line..searched] {
                [b'\r', b'\n'] => return Ok(searched),
                [.., b'\r', b'\n'] => line = searched,
                _ => return Err(Refusal::BadRequest("a line ends without a carriage return").into()),
            }
        }
        searched = bytes.len();
        if searched == MAX_HEAD {
            return Err(Refusal::HeadTooLarge.into());
        }
        buffer.fill()?;
    }
}

pub(super) fn parse(bytes: &[u8], peer: SocketAddr) -> Result<Head, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::BadRequest("incomplete head")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::BadRequest("HTTP version other than 1.0 and 1.1")),
        Err(_) => return Err(Refusal::BadRequest("malformed request line or header")),
    }
    let version = if parsed.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let fields = &*parsed.headers;
    let host = match at_most_one(fields, "host", "duplicate Host")? {
        Some(host) => Some(target::host(host).ok_or(Refusal::BadRequest("malformed Host"))?),
        None if version == Version::Http10 => None,
        None => return Err(Refusal::BadRequest("missing Host")),
    };
    let method = parsed.method.unwrap_or_default();
    let target = target::resolve(method, parsed.path.unwrap_or_default(), host)?;
    let header = |field: &Header| (field.name.to_string(), String::from_utf8_lossy(field.value).into_owned());
    let headers = fields.iter().map(header).collect();
    Ok(Head {
        request: Request::fake_http_from(peer, method, target, headers, Vec::new()),
        version,
        framing: framing(fields, version)?,
        keep: version == Version::Http11 && !lists(fields, "connection", "close"),
        expects: version == Version::Http11 && lists(fields, "expect", "100-continue"),
    })
}

/// How the body is delimited. If a proxy understood it differently, requests could be smuggled past it: RFC 9112,
/// section 6.3.
fn framing(fields: &[Header], version: Version) -> Result<Framing, Refusal> {
    const UNSUPPORTED: &str = "transfer coding other than a single chunked in HTTP/1.1";
    let length = at_most_one(fields, "content-length", "duplicate Content-Length")?;
    match (length, at_most_one(fields, "transfer-encoding", UNSUPPORTED)?) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(digits), None) => number(digits, 10, "Content-Length is not a number").map(Framing::Length),
        (Some(_), Some(_)) => Err(Refusal::BadRequest("both Content-Length and Transfer-Encoding")),
        (None, Some(coding)) if version == Version::Http11 && coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunked)
        }
        (None, Some(_)) => Err(Refusal::BadRequest(UNSUPPORTED)),
    }
}

/// Parses digits and nothing else (`from_str_radix` alone would accept a sign). A number that overflows is the largest
/// there is, which no body may have.
pub(super) fn number(digits: &[u8], radix: u32, malformed: &'static str) -> Result<usize, Refusal> {
    let text = str::from_utf8(digits).ok().filter(|text| !text.is_empty() && text.chars().all(|c| c.is_digit(radix)));
    let text = text.ok_or(Refusal::BadRequest(malformed))?;
    Ok(usize::from_str_radix(text, radix).unwrap_or(usize::MAX))
}

fn values<'a>(fields: &[Header<'a>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

fn at_most_one<'a>(fields: &[Header<'a>], name: &str, repeated: &'static str) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = values(fields, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Refusal::BadRequest(repeated)),
    }
}

/// Returns true if a header that is a comma-separated list contains `token`.
fn lists(fields: &[Header], name: &str, token: &str) -> bool {
    let mut items = values(fields, name).flat_map(|value| value.split(|byte| *byte == b','));
    items.any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// The characters of methods and header names: RFC 9110, section 5.6.2.
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
