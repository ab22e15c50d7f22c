//! All open connections: makes room for new ones, and cuts off those that are overdue.
use super::conn::{Conn, Cut, Phase};
use super::limits::Limits;
use super::lock::lock;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a new connection waits until an evicted one has closed before it evicts another.
const HANDOVER: Duration = Duration::from_millis(500);
/// Interval at which a new connection checks whether another can be evicted.
const RECHECK: Duration = Duration::from_millis(10);
/// How long a new connection waits for a place.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Table {
    conns: Mutex<Vec<Arc<Conn>>>,
    closed: Condvar,
}

impl Table {
    /// Waits for a place if the table is full. Returns `None` if it waits too long, or if every connection stays at work.
    pub fn add(self: &Arc<Table>, conn: Arc<Conn>, limits: &Limits) -> Option<ConnectionSlot> {
        let (begun, mut evicted, mut all_at_work) = (Instant::now(), false, None);
        let mut conns = lock(&self.conns);
        while conns.len() >= limits.connections {
            let waited = begun.elapsed();
            let at_work = conns.iter().all(|conn| conn.phase_state().phase == Phase::Work);
            all_at_work = if at_work { all_at_work.or(Some(Instant::now())) } else { None };
            if waited >= PATIENCE || all_at_work.is_some_and(|since| since.elapsed() >= HANDOVER) {
                return None;
            }
            // Clients that keep beginning new phases cannot shut out others.
            let min_age = if evicted || waited < limits.eviction_age { limits.eviction_age } else { Duration::ZERO };
            let pause = if evict(&conns, min_age) { HANDOVER } else { RECHECK };
            evicted |= pause == HANDOVER;
            conns = self.closed.wait_timeout(conns, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
        conns.push(conn.clone());
        Some(ConnectionSlot { table: self.clone(), conn })
    }

    /// Cuts off the connection that has kept the server waiting longest, which frees its descriptor and thread.
    pub fn evict_now(&self) {
        evict(&lock(&self.conns), Duration::ZERO);
    }

    /// Cuts off overdue connections, and when the server is stopping also those that have not sent a complete head.
    pub fn sweep(&self, limits: &Limits, stopping: bool) {
        for conn in lock(&self.conns).iter() {
            conn.cut_if(|progress| {
                if progress.since.elapsed() >= limits.deadline(progress.phase)? {
                    return Some(Cut::Overdue);
                }
                (stopping && matches!(progress.phase, Phase::Idle | Phase::Head | Phase::Held)).then_some(Cut::Stopping)
            });
        }
    }

    /// Lets the guess that has waited longest have its response. Clients that have hung up come last.
    pub fn release_one(&self) {
        let conns = lock(&self.conns);
        let held = conns.iter().map(|conn| (conn.phase_state(), conn));
        let held = held.filter(|(state, _)| state.phase == Phase::Held && state.cut.is_none());
        if let Some((_, conn)) = held.min_by_key(|(state, conn)| (conn.has_hung_up(), state.since)) {
            conn.release();
        }
    }

    pub fn is_empty(&self) -> bool {
        lock(&self.conns).is_empty()
    }
}

/// Evicts the guess that has waited longest, or else the connection that has been idle longest, or else the one that has
/// been in its phase longest. All but a guess must have been in their phase for `min_age`. A request that is being handled
/// is never cut off.
fn evict(conns: &[Arc<Conn>], min_age: Duration) -> bool {
    let mut waiting: Vec<_> = conns.iter().map(|conn| (conn.phase_state(), conn)).collect();
    waiting.retain(|(state, _)| match state.phase {
        Phase::Work => false,
        Phase::Held => state.cut.is_none(),
        _ => state.cut.is_none() && state.since.elapsed() >= min_age,
    });
    let rank = |phase| [Phase::Held, Phase::Idle].iter().position(|first| *first == phase).unwrap_or(2);
    waiting.sort_by_key(|(state, _)| (rank(state.phase), state.since));
    // A connection that has moved on in the meantime stays: its request may have arrived.
    waiting.iter().any(|(seen, conn)| {
        conn.cut_if(|now| (now.phase == seen.phase && now.since == seen.since).then_some(Cut::Evicted))
    })
}

/// A connection's place in the table. Dropping it frees the place, even after a panic.
pub(super) struct ConnectionSlot {
    table: Arc<Table>,
    pub conn: Arc<Conn>,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        lock(&self.table.conns).retain(|conn| !Arc::ptr_eq(conn, &self.conn));
        self.table.closed.notify_one();
    }
}
