//! A load generator: one thread, many kept-alive connections. It sends on each, then takes the answers in turn and sends on
//! where it has taken one; while it waits for one answer the others arrive. So it costs little, and never waits in vain,
//! since obs answers those whose events share a commit together. A latency runs until its answer has been taken.
use crate::events::{Ids, json};
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

    pub fn get(&mut self, path: &str) -> io::Result<u16> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        Ok(self.answer()?.0)
    }

    pub fn text(&mut self, path: &str) -> io::Result<String> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
        Ok(String::from_utf8_lossy(&self.answer()?.1).into_owned())
    }

    fn post(&mut self, body: &str) -> io::Result<()> {
        let head = "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        let request = format!("{head}\r\nX-OBS-Key: {KEY}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        self.stream.write_all(request.as_bytes())
    }

    /// Reads one whole answer: its status and body.
    fn answer(&mut self) -> io::Result<(u16, Vec<u8>)> {
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "no HTTP answer");
        let mut part = [0; 16 << 10];
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end]).map_err(|_| malformed())?.to_ascii_lowercase();
                let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                let whole =
                    end + 4 + length.and_then(|text| text.trim().parse::<usize>().ok()).ok_or_else(malformed)?;
                while self.buffer.len() < whole {
                    let read = self.stream.read(&mut part)?;
                    if read == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.buffer.extend_from_slice(&part[..read]);
                }
                let answer = self.buffer.drain(..whole).skip(end + 4).collect();
                return Ok((status, answer));
            }
            let read = self.stream.read(&mut part)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.extend_from_slice(&part[..read]);
        }
    }
}

/// What one run came to.
#[derive(Clone, Default)]
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

/// Of sorted microseconds, in milliseconds.
pub fn percentile(sorted: &[u32], percent: f64) -> f64 {
    let at = (sorted.len() as f64 * percent / 100.0) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
}

/// Sends events for some time, each connection one at a time. The first tenth of the time does not count.
pub fn ingest(address: SocketAddr, connections: usize, ids: Ids, issues: usize, time: Duration) -> io::Result<Run> {
    let mut clients = (0..connections).map(|_| Client::open(address)).collect::<io::Result<Vec<_>>>()?;
    let mut n = 0;
    let mut send = |client: &mut Client| {
        n += 1;
        client.post(&json(ids.next(), n, issues)).map(|()| Instant::now())
    };
    let begin = Instant::now();
    let counted = begin + time / 10;
    let mut sent = clients.iter_mut().map(&mut send).collect::<io::Result<Vec<_>>>()?;
    let mut run = Run::default();
    let mut waiting = true;
    while waiting {
        waiting = begin.elapsed() < time;
        for (client, sent) in clients.iter_mut().zip(&mut sent) {
            let (status, _) = client.answer()?;
            if status >= 300 {
                return Err(io::Error::other(format!("answered {status}")));
            }
            let now = Instant::now();
            if now > counted {
                run.latencies.push((now - *sent).as_micros() as u32);
            }
            if waiting {
                *sent = send(client)?;
            }
        }
    }
    run.seconds = counted.elapsed().as_secs_f64();
    run.events = run.latencies.len();
    run.latencies.sort_unstable();
    Ok(run)
}
