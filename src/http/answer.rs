//! A response as bytes: its head, and its body in blocks.
use super::head::is_token;
use rouille::Response;
use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

/// Answers up to this many bytes leave in one write, larger ones in blocks of it.
pub(super) const BLOCK: usize = 64 << 10;
/// What rouille leaves to the server, and an application may therefore not say.
const OURS: [&str; 6] = ["connection", "content-length", "date", "keep-alive", "trailer", "transfer-encoding"];

pub(super) struct Answer {
    pub status: u16,
    headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    body: Box<dyn Read + Send>,
    /// The body's length. Where it is unknown the body ends with the connection.
    pub size: Option<usize>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Answer {
        let (body, size) = response.data.into_reader_and_size();
        Answer { status: response.status_code, headers: response.headers, body, size }
    }
}

impl Answer {
    /// Writes the answer, without its body if it is `bare`, by way of `out`. Whether the connection can be kept.
    pub fn send(mut self, mut to: &TcpStream, out: &mut Vec<u8>, bare: bool, keep: bool) -> io::Result<bool> {
        let keep = keep && self.size.is_some();
        out.clear();
        self.write_head(out, keep)?;
        let mut left = if bare || self.has_no_body() { 0 } else { self.size.unwrap_or(usize::MAX) };
        loop {
            out.reserve_exact(left.min(BLOCK)); // or it would double
            let n = self.body.by_ref().take(left.min(BLOCK) as u64).read_to_end(out)?;
            to.write_all(out)?;
            out.clear();
            left -= n;
            if left == 0 {
                return Ok(keep);
            }
            if n == 0 {
                return Ok(false); // the end, or less than was announced
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
        for (name, value) in self.headers.iter().filter(|(name, value)| may_leave(name, value)) {
            write!(out, "{name}: {value}\r\n")?;
        }
        // What a 304 leaves out is not empty, and a 204 must not have it: RFC 9110, section 8.6.
        if let Some(size) = self.size.filter(|_| !self.has_no_body()) {
            write!(out, "Content-Length: {size}\r\n")?;
        }
        out.extend_from_slice(if keep { b"\r\n" } else { b"Connection: close\r\n\r\n" });
        Ok(())
    }
}

/// A header that would split the answer, or contradict the server, is dropped.
fn may_leave(name: &str, value: &str) -> bool {
    let valid = !name.is_empty() && name.bytes().all(is_token) && !value.chars().any(char::is_control);
    valid && !OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "", // allowed, and nobody reads it
    }
}
