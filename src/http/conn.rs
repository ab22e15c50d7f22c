//! One connection as other threads see it: which phase it is in, since when, and how it is cut short.
use super::lock;
use socket2::SockRef;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What a connection is busy with, and so whom it waits for: in all but `Work` for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for the first byte of a request.
    Idle,
    Head,
    Body,
    /// In the application's hands.
    Work,
    Answer,
    /// All is said; what the client still sends is thrown away, so that no reset eats the answer.
    Drain,
}

/// Why a connection was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Overdue,
    Evicted,
    Stopping,
}

#[derive(Clone, Copy)]
pub(super) struct State {
    pub phase: Phase,
    pub since: Instant,
    pub cut: Option<Cut>,
}

pub(super) struct Conn {
    pub socket: TcpStream,
    pub peer: SocketAddr,
    state: Mutex<State>,
}

impl Conn {
    pub fn new(socket: TcpStream, peer: SocketAddr) -> Conn {
        let state = State { phase: Phase::Idle, since: Instant::now(), cut: None };
        Conn { socket, peer, state: Mutex::new(state) }
    }

    pub fn state(&self) -> State {
        *lock(&self.state)
    }

    /// Notes the next phase, and when it began.
    pub fn enter(&self, phase: Phase) -> Instant {
        let mut state = lock(&self.state);
        (state.phase, state.since) = (phase, Instant::now());
        state.since
    }

    /// Ends the wait for this client if `why` finds a reason. Decided under the lock, so that it cannot hit the next
    /// phase. With only the reading side shut, the connection's thread can still say why it hangs up.
    pub fn cut_if(&self, why: impl FnOnce(&State) -> Option<Cut>) -> bool {
        let mut state = lock(&self.state);
        let Some(cut) = why(&state) else { return false };
        state.cut = Some(cut);
        if state.phase == Phase::Answer {
            // Closing then resets: else the kernel would keep what was not read, for minutes.
            let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
            let _ = self.socket.shutdown(Shutdown::Both);
        } else {
            let _ = self.socket.shutdown(Shutdown::Read);
        }
        true
    }
}
