//! The one request that obs itself sends: a `GET` over plain HTTP, for `obs health` and to find out that the server answers.
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Bounds the whole exchange, apart from the resolver.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a response is read.
const MAX_RESPONSE: usize = 16 << 10;

/// Returns the status and the start of the body. `host` has brackets around an IPv6 address.
pub fn get(host: &str, port: u16, path: &str) -> io::Result<(u16, String)> {
    let deadline = Instant::now() + TIMEOUT;
    let mut socket = connect(host, port, deadline)?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let (mut response, mut buffer) = (Vec::new(), [0; 4096]);
    while response.len() < MAX_RESPONSE {
        socket.set_read_timeout(Some(remaining(deadline)?))?;
        match socket.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => response.extend(&buffer[..length]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Err(timed_out()),
            Err(e) => return Err(e),
        }
    }
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the answer is not HTTP"))?;
    Ok((status, body.to_string()))
}

/// Tries each address of the host. `localhost` needs no resolver, which an empty container lacks.
fn connect(host: &str, port: u16, deadline: Instant) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = match host {
        "localhost" => vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()],
        host => format!("{host}:{port}").to_socket_addrs()?.collect(),
    };
    let mut first_error = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, remaining(deadline)?) {
            Ok(socket) => return Ok(socket),
            Err(e) => first_error = first_error.or(Some(e)),
        }
    }
    Err(first_error.unwrap_or_else(|| io::Error::new(ErrorKind::NotFound, "the host has no address")))
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() { Err(timed_out()) } else { Ok(remaining) }
}

fn timed_out() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, format!("no answer within {} seconds", TIMEOUT.as_secs()))
}
