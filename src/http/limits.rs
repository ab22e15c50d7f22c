//! The numbers: how much, how many and how long, before a client is refused or cut.
use super::conn::Phase;
use std::fs;
use std::time::Duration;

/// The longest request head, in bytes, up to and including its empty line.
pub(super) const MAX_HEAD: usize = 16 << 10;
/// The most header fields of a request, and the most trailer fields.
pub(super) const MAX_HEADERS: usize = 100;
/// The longest chunk line, and the longest trailer field, in bytes with the line's end.
pub(super) const MAX_LINE: usize = 1 << 10;
/// How often deadlines, listeners and the stop flag are looked at.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// What one server allows its clients, all taken together or each.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once. To make room for one more, whoever has kept the server waiting longest is cut.
    pub connections: usize,
    /// Bytes that bodies in flight and answers not yet read may take together.
    pub memory: usize,
    /// How long a request head may take, from its first byte.
    pub head_time: Duration,
    /// How long a body may take, from the end of the head.
    pub body_time: Duration,
    /// How long a connection may wait between requests.
    pub idle_time: Duration,
    /// The same while more than three quarters of the connections are taken.
    pub crowded_idle_time: Duration,
    /// How long a client may take to read an answer.
    pub answer_time: Duration,
    /// How long requests in flight may take to finish once the server is told to stop.
    pub grace: Duration,
    /// How long a listener that died may stay dead before `serve` gives up.
    pub rebind_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: connections(open_files()),
            memory: 32 << 20,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(60),
            crowded_idle_time: Duration::from_secs(5),
            answer_time: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            rebind_time: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// How long a client may stay in `phase`; `None` where it is not the client that is waited for.
    pub(super) fn patience(&self, phase: Phase, crowded: bool) -> Option<Duration> {
        match phase {
            Phase::Idle if crowded => Some(self.crowded_idle_time),
            Phase::Idle => Some(self.idle_time),
            Phase::Head => Some(self.head_time),
            Phase::Body => Some(self.body_time),
            Phase::Work => None,
            Phase::Answer => Some(self.answer_time),
            Phase::Drain => Some(Duration::from_secs(1)),
        }
    }
}

/// Leaves descriptors for the application's files, and for the accept that finds the server full.
fn connections(open_files: usize) -> usize {
    open_files.saturating_sub(64).clamp(16, 512)
}

/// The soft limit on descriptors, without the `unsafe` that `getrlimit` would take.
fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    match line.and_then(|line| line.split_whitespace().next()) {
        Some("unlimited") => usize::MAX,
        number => number.and_then(|number| number.parse().ok()).unwrap_or(1024),
    }
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn connections_leave_64_descriptors_free_within_bounds() {
        assert_eq!([0, 70, 256, 1024, usize::MAX].map(connections), [16, 16, 192, 512, 512]);
    }
}
