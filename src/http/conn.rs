//! One connection as other threads see it: its phase, since when, and how to cut it off.
use super::lock::lock;
use socket2::SockRef;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a connection is doing. In every phase but `Work` and `Held` it waits for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for the first byte of a request.
    Idle,
    Head,
    Body,
    /// The application is handling the request.
    Work,
    /// The response to a guess waits for its turn.
    Held,
    Response,
    /// Discarding what the client still sends: closing earlier would send a reset, which can destroy the response.
    Drain,
}

/// Why a connection was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Overdue,
    Evicted,
    Stopping,
}

#[derive(Clone, Copy)]
pub(super) struct PhaseState {
    pub phase: Phase,
    pub since: Instant,
    pub cut: Option<Cut>,
}

pub(super) struct Conn {
    pub socket: TcpStream,
    pub peer: SocketAddr,
    phase_state: Mutex<PhaseState>,
    /// Notified when a held connection is released or cut off.
    let_go: Condvar,
}

impl Conn {
    pub fn new(socket: TcpStream, peer: SocketAddr) -> Conn {
        let phase_state = PhaseState { phase: Phase::Idle, since: Instant::now(), cut: None };
        Conn { socket, peer, phase_state: Mutex::new(phase_state), let_go: Condvar::new() }
    }

    pub fn phase_state(&self) -> PhaseState {
        *lock(&self.phase_state)
    }

    /// Begins a phase, and returns when it began.
    pub fn enter(&self, phase: Phase) -> Instant {
        let mut phase_state = lock(&self.phase_state);
        (phase_state.phase, phase_state.since) = (phase, Instant::now());
        phase_state.since
    }

    /// Waits for [`release`](Conn::release). Returns false if the connection was cut off first.
    pub fn hold(&self) -> bool {
        self.enter(Phase::Held);
        let is_held = |state: &mut PhaseState| state.phase == Phase::Held && state.cut.is_none();
        let state = self.let_go.wait_while(lock(&self.phase_state), is_held).unwrap_or_else(PoisonError::into_inner);
        state.cut.is_none()
    }

    pub fn release(&self) {
        self.enter(Phase::Work);
        self.let_go.notify_one();
    }

    /// Returns true if the client has closed the connection, or its sending side, and has nothing left to read.
    pub fn has_hung_up(&self) -> bool {
        let peeked = self.socket.set_nonblocking(true).and_then(|()| self.socket.peek(&mut [0]));
        let _ = self.socket.set_nonblocking(false);
        matches!(peeked, Ok(0))
    }

    /// Ends the wait for this client if `why` returns a reason. The lock is held throughout, so the cut cannot hit the next
    /// phase. Usually only the reading side is shut down, so that the connection's thread can still send a refusal.
    pub fn cut_if(&self, why: impl FnOnce(&PhaseState) -> Option<Cut>) -> bool {
        let mut phase_state = lock(&self.phase_state);
        let Some(cut) = why(&phase_state) else { return false };
        phase_state.cut = Some(cut);
        self.let_go.notify_one();
        if phase_state.phase == Phase::Response {
            // Without linger, closing resets the connection. Otherwise the kernel would keep the unread bytes for minutes.
            let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
            let _ = self.socket.shutdown(Shutdown::Both);
        } else {
            let _ = self.socket.shutdown(Shutdown::Read);
        }
        true
    }
}
