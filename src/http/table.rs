//! All open connections: makes room for new ones, and cuts off those that are overdue.
use super::conn::{Conn, Cut, Phase};
use super::limits::Limits;
use super::lock::lock;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a new connection waits for an evicted one to close. The evicted thread has nothing left to wait for.
const HANDOVER: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Table {
    conns: Mutex<Vec<Arc<Conn>>>,
    closed: Condvar,
}

impl Table {
    /// Returns `None` if the table is full and no connection can be evicted.
    pub fn add(self: &Arc<Table>, conn: Arc<Conn>, max: usize) -> Option<ConnectionSlot> {
        let mut conns = lock(&self.conns);
        if conns.len() >= max && evict(&conns) {
            let waited = self.closed.wait_timeout_while(conns, HANDOVER, |conns| conns.len() >= max);
            conns = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if conns.len() >= max {
            return None;
        }
        conns.push(conn.clone());
        Some(ConnectionSlot { table: self.clone(), conn })
    }

    /// Cuts off the connection that has kept the server waiting longest, which frees its descriptor and thread.
    pub fn evict(&self) {
        evict(&lock(&self.conns));
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

    /// Lets the guess that has waited longest have its response.
    pub fn release_one(&self) {
        let conns = lock(&self.conns);
        let held = conns.iter().map(|conn| (conn.phase_state(), conn));
        let held = held.filter(|(state, _)| state.phase == Phase::Held && state.cut.is_none());
        if let Some((_, conn)) = held.min_by_key(|(state, _)| state.since) {
            conn.release();
        }
    }

    pub fn is_empty(&self) -> bool {
        lock(&self.conns).is_empty()
    }
}

/// Evicts the guess that has waited longest, or else the connection that has been idle longest, or else the one that has
/// been in its phase longest. A request that is being handled is never cut off.
fn evict(conns: &[Arc<Conn>]) -> bool {
    let mut waiting: Vec<_> = conns.iter().map(|conn| (conn.phase_state(), conn)).collect();
    waiting.retain(|(progress, _)| progress.phase != Phase::Work && progress.cut.is_none());
    let rank = |phase| [Phase::Held, Phase::Idle].iter().position(|first| *first == phase).unwrap_or(2);
    waiting.sort_by_key(|(progress, _)| (rank(progress.phase), progress.since));
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
