//! A load generator: one thread with many kept-alive connections. It sends an event on each, then reads the answers in
//! turn and sends the next event on each connection it has read from. Answers arrive while it waits for an earlier one,
//! so it needs little CPU. A latency ends when the answer has been read.
use crate::events::{Ids, uniform};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub const KEY: &str = "bench-key";

/// One kept-alive connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn open(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Client { stream, buffer: Vec::with_capacity(4096) })
    }

    /// The body of the answer, whose status must be 200.
    pub fn get(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        match self.answer()? {
            (200, body) => Ok(body),
            (status, _) => Err(io::Error::other(format!("{path} answered {status}"))),
        }
    }

    /// Sends a request with a body. The body of the answer, whose status must be 201.
    pub fn send(&mut self, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
        let head = format!("{head}\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        self.stream.write_all(&[head.as_bytes(), body].concat())?;
        match self.answer()? {
            (201, body) => Ok(body),
            (status, body) => Err(io::Error::other(format!("{status}: {}", String::from_utf8_lossy(&body)))),
        }
    }

    /// Reads one whole answer: its status and body.
    fn answer(&mut self) -> io::Result<(u16, Vec<u8>)> {
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "malformed HTTP response");
        let body = loop {
            match self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.receive()?,
            }
        };
        let head = std::str::from_utf8(&self.buffer[..body]).map_err(|_| malformed())?.to_ascii_lowercase();
        let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        let length: usize = length.ok_or_else(malformed)?;
        while self.buffer.len() < body + length {
            self.receive()?;
        }
        Ok((status, self.buffer.drain(..body + length).skip(body).collect()))
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut part = [0; 16 << 10];
        let read = self.stream.read(&mut part)?;
        self.buffer.extend_from_slice(&part[..read]);
        if read > 0 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// The result of one run.
#[derive(Default)]
pub struct Run {
    pub events: usize,
    pub seconds: f64,
    /// Microseconds, sorted.
    pub latencies: Vec<u32>,
}

impl Run {
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.seconds
    }

    /// Milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        percentile(&self.latencies, percent)
    }
}

/// A percentile of sorted microseconds, in milliseconds.
pub fn percentile(sorted: &[u32], percent: f64) -> f64 {
    let at = (sorted.len() as f64 * percent / 100.0) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
}

/// Sends events for the given time, one at a time on each connection.
pub fn ingest(address: SocketAddr, connections: usize, ids: Ids, issues: usize, time: Duration) -> io::Result<Run> {
    let head = "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    let request = |n| {
        let body = uniform(ids.next(), n, issues);
        format!("{head}\r\nX-OBS-Key: {KEY}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    send(address, connections, request, time)
}

/// Sends requests for the given time, one at a time on each connection. The first tenth of the time does not count.
pub fn send(
    address: SocketAddr,
    connections: usize,
    request: impl Fn(usize) -> Vec<u8>,
    time: Duration,
) -> io::Result<Run> {
    let mut clients = (0..connections).map(|_| Client::open(address)).collect::<io::Result<Vec<_>>>()?;
    let mut n = 0;
    let mut send = |client: &mut Client| {
        n += 1;
        client.stream.write_all(&request(n)).map(|()| Instant::now())
    };
    let begin = Instant::now();
    let counted = begin + time / 10;
    let mut sent = clients.iter_mut().map(&mut send).collect::<io::Result<Vec<_>>>()?;
    let mut run = Run::default();
    let mut sending = true;
    while sending {
        sending = begin.elapsed() < time;
        for (client, sent) in clients.iter_mut().zip(&mut sent) {
            let (status, _) = client.answer()?;
            if status >= 300 {
                return Err(io::Error::other(format!("an event was answered with {status}")));
            }
            let now = Instant::now();
            if now > counted {
                run.latencies.push((now - *sent).as_micros() as u32);
            }
            if sending {
                *sent = send(client)?;
            }
        }
    }
    run.seconds = counted.elapsed().as_secs_f64();
    run.events = run.latencies.len();
    run.latencies.sort_unstable();
    Ok(run)
}
