//! A response as bytes: its head, then its body in blocks.
use super::head::is_token;
use rouille::Response;
use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

/// Maximum number of bytes per write.
pub(super) const BLOCK: usize = 64 << 10;
/// Headers that only the server sets.
const RESERVED: [&str; 6] = ["connection", "content-length", "date", "keep-alive", "trailer", "transfer-encoding"];

/// A response on its way out. Unlike rouille's, it tells its size.
pub(super) struct Outgoing {
    pub status: u16,
    headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    body: Box<dyn Read + Send>,
    /// Length of the body. If it is unknown, the body ends with the connection.
    pub size: Option<usize>,
}

impl From<Response> for Outgoing {
    fn from(response: Response) -> Outgoing {
        let (body, size) = response.data.into_reader_and_size();
        Outgoing { status: response.status_code, headers: response.headers, body, size }
    }
}

impl Outgoing {
    /// Writes the response, using `out` as the buffer. Returns true if the connection can be kept.
    pub fn send(mut self, mut to: &TcpStream, out: &mut Vec<u8>, head_only: bool, keep: bool) -> io::Result<bool> {
        let keep = keep && self.size.is_some();
        out.clear();
        self.write_head(out, keep)?;
        let mut left = if head_only || self.has_no_body() { 0 } else { self.size.unwrap_or(usize::MAX) };
        loop {
            out.reserve_exact(left.min(BLOCK)); // reading to the end would double it
            let n = self.body.by_ref().take(left.min(BLOCK) as u64).read_to_end(out)?;
            to.write_all(out)?;
            out.clear();
            left -= n;
            if left == 0 {
                return Ok(keep);
            }
            if n == 0 {
                return Ok(false); // the end of a body of unknown size, or less than was announced
            }
        }
    }

    fn has_no_body(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 304)
    }

    fn write_head(&self, out: &mut Vec<u8>, keep: bool) -> io::Result<()> {
        let (status, reason) = (self.status, reason(self.status));
        let date = httpdate::HttpDate::from(SystemTime::now());
        write!(out, "HTTP/1.1 {status} {reason}\r\nDate: {date}\r\n")?;
        for (name, value) in self.headers.iter().filter(|(name, value)| is_sendable(name, value)) {
            write!(out, "{name}: {value}\r\n")?;
        }
        // A 204 must not have a length, and a 304 would need that of the omitted body: RFC 9110, section 8.6.
        if let Some(size) = self.size.filter(|_| !self.has_no_body()) {
            write!(out, "Content-Length: {size}\r\n")?;
        }
        out.extend_from_slice(if keep { b"\r\n" } else { b"Connection: close\r\n\r\n" });
        Ok(())
    }
}

/// Returns false for a header that would split the response or contradict the server.
fn is_sendable(name: &str, value: &str) -> bool {
    let valid = !name.is_empty() && name.bytes().all(is_token) && !value.chars().any(char::is_control);
    valid && !RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        303 => "See Other",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "", // optional: RFC 9112, section 4
    }
}
