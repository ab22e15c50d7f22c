//! The bounds on what clients may use, apart from memory: sizes, counts and times.
use super::conn::Phase;
use std::fs;
use std::time::Duration;

/// Maximum length of a request head in bytes, including its empty line.
pub(super) const MAX_HEAD: usize = 16 << 10;
/// Maximum number of headers in a request, and of trailers.
pub(super) const MAX_HEADERS: usize = 100;
/// Maximum length in bytes of a chunk line or a trailer, including its line ending.
pub(super) const MAX_LINE: usize = 1 << 10;
/// How long a closing connection discards what its client still sends.
const DRAIN_TIME: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum number of open connections. A new one beyond that evicts another.
    pub connections: usize,
    /// How long a connection is safe from eviction in each phase. When many connections open at once, a client needs the
    /// time to send its request and to read the response.
    pub eviction_age: Duration,
    /// Maximum memory for bodies, parsing and responses together, in bytes.
    pub memory: usize,
    /// How long a request head may take, from its first byte.
    pub head_time: Duration,
    /// How long a body may take, from the end of the head.
    pub body_time: Duration,
    /// How long a connection may be idle between requests, and a guess wait for its turn.
    pub idle_time: Duration,
    /// How long a client may take to read a response.
    pub response_time: Duration,
    /// How long requests in flight may take to finish once the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: max_connections(open_files()),
            eviction_age: Duration::from_millis(100),
            memory: 32 << 20,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(60),
            response_time: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// How long a connection may stay in `phase`. `None` if it is not waiting for its client.
    pub(super) fn deadline(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Idle | Phase::Held => Some(self.idle_time),
            Phase::Head => Some(self.head_time),
            Phase::Body => Some(self.body_time),
            Phase::Work => None,
            Phase::Response => Some(self.response_time),
            Phase::Drain => Some(DRAIN_TIME),
        }
    }
}

/// Leaves descriptors for the application's files, and one to accept a connection that is then turned away.
fn max_connections(open_files: usize) -> usize {
    open_files.saturating_sub(64).clamp(16, 512)
}

/// The soft limit on open files. `getrlimit` would need `unsafe`.
fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1024)
}

#[cfg(test)]
mod tests {
    use super::max_connections;

    #[test]
    fn connections_leave_64_descriptors_free() {
        assert_eq!([0, 70, 256, 1024, usize::MAX].map(max_connections), [16, 16, 192, 512, 512]);
    }
}
