//! Every connection there is: finds room for a new one, and cuts those that are overdue.
use super::conn::{Conn, Cut, Phase};
use super::limits::Limits;
use super::lock;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long a newcomer waits for whoever was cut in its favour to be gone. They have nothing left to wait for.
const HANDOVER: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Table {
    conns: Mutex<Vec<Arc<Conn>>>,
    left: Condvar,
}

impl Table {
    /// A place for a new connection, or `None` if the table is full and nobody can be cut.
    pub fn join(self: &Arc<Table>, conn: Arc<Conn>, max: usize) -> Option<Place> {
        let mut conns = lock(&self.conns);
        if conns.len() >= max {
            if !evict(&conns) {
                return None;
            }
            let full = |conns: &mut Vec<_>| conns.len() >= max;
            conns = match self.left.wait_timeout_while(conns, HANDOVER, full) {
                Ok((conns, _)) => conns,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if conns.len() >= max {
                return None;
            }
        }
        conns.push(conn.clone());
        Some(Place { table: self.clone(), conn })
    }

    /// Cuts the one that has kept the server waiting longest, so that its descriptor and thread come free.
    pub fn evict(&self) -> bool {
        evict(&lock(&self.conns))
    }

    /// Cuts whoever is overdue, and when stopping whoever has not yet sent a whole head.
    pub fn sweep(&self, limits: &Limits, stopping: bool) {
        let conns = lock(&self.conns);
        let crowded = conns.len() * 4 > limits.connections * 3;
        for conn in conns.iter() {
            conn.cut_if(|state| {
                let patience = limits.patience(state.phase, crowded)?;
                if state.since.elapsed() >= patience {
                    return Some(Cut::Overdue);
                }
                (stopping && matches!(state.phase, Phase::Idle | Phase::Head)).then_some(Cut::Stopping)
            });
        }
    }

    pub fn is_empty(&self) -> bool {
        lock(&self.conns).is_empty()
    }
}

/// Idle ones first. Who is being worked for cannot be cut, nor one that was cut before.
fn evict(conns: &[Arc<Conn>]) -> bool {
    // Another is looked for while the one that was found has got on meanwhile: its request may have come.
    (0..conns.len()).any(|_| {
        let waiting = conns.iter().filter_map(|conn| {
            let state = conn.state();
            let waits = state.phase != Phase::Work && state.cut.is_none();
            waits.then_some((state.phase, state.since, conn))
        });
        let longest = waiting.min_by_key(|(phase, since, _)| (*phase != Phase::Idle, *since));
        longest.is_some_and(|(phase, since, conn)| {
            conn.cut_if(|state| (state.phase == phase && state.since == since).then_some(Cut::Evicted))
        })
    })
}

/// A connection's place in the table, given up when dropped, panic or not.
pub(super) struct Place {
    table: Arc<Table>,
    pub conn: Arc<Conn>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut conns = lock(&self.table.conns);
        if let Some(at) = conns.iter().position(|conn| Arc::ptr_eq(conn, &self.conn)) {
            conns.swap_remove(at);
        }
        self.table.left.notify_one();
    }
}
