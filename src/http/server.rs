//! The server: accepts connections, enforces their deadlines, and stops.
use super::app::App;
use super::conn::Conn;
use super::exchange::serve_connection;
use super::limits::Limits;
use super::listen::{BACKLOG, is_fatal, is_harmless, is_shortage};
use super::refusal::Refusal;
use super::response::Outgoing;
use super::shared::Shared;
use socket2::SockRef;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Stack of a connection's thread. JSON nested 127 deep takes 80 KiB in a release build and over 256 KiB in a debug
/// build. Pages that are never touched cost nothing.
const STACK: usize = 512 << 10;
/// Interval at which listeners check the stop flag.
const TICK: Duration = Duration::from_millis(250);
/// Interval at which deadlines are checked and one guess is answered.
const SWEEP: Duration = Duration::from_millis(100);
/// The same interval while the server stops.
const STOP_TICK: Duration = Duration::from_millis(10);
/// Pause after an error of `accept` that an immediate retry would only repeat.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves until `stop` is set, then lets requests in flight finish. If a listener fails, the server sets `stop` itself
/// and returns the error: a process that can no longer be reached should be restarted.
pub fn serve<A: App>(
    listeners: Vec<TcpListener>,
    app: Arc<A>,
    limits: Limits,
    stop: Arc<AtomicBool>,
) -> io::Result<()> {
    let shared = Arc::new(Shared::new(app, limits, stop));
    let mut acceptors = Vec::new();
    for listener in listeners {
        let its_shared = shared.clone();
        let thread = thread::Builder::new().name("accept".into());
        let thread = thread.spawn(move || accept(&its_shared, &listener));
        acceptors.push(thread.inspect_err(|_| shared.stop())?);
    }
    while !shared.stopping() && !acceptors.iter().any(JoinHandle::is_finished) {
        shared.table.sweep(&shared.limits, false);
        shared.table.release_one();
        thread::sleep(SWEEP);
    }
    shared.stop();
    let end = Instant::now() + shared.limits.grace;
    while Instant::now() < end && !(acceptors.iter().all(JoinHandle::is_finished) && shared.table.is_empty()) {
        shared.table.sweep(&shared.limits, true);
        thread::sleep(STOP_TICK);
    }
    let panicked = |_| Err(io::Error::other("an accepting thread panicked"));
    let mut finished = acceptors.into_iter().filter(JoinHandle::is_finished);
    finished.try_for_each(|acceptor| acceptor.join().unwrap_or_else(panicked))
}

/// Accepts until the server stops. Returns an error if the listener is broken, and waits out any other error.
fn accept<A: App>(shared: &Arc<Shared<A>>, listener: &TcpListener) -> io::Result<()> {
    // std has no accept with a timeout, but a socket's receive timeout applies to accept too.
    SockRef::from(listener).set_read_timeout(Some(TICK))?;
    let mut failing = false;
    while !shared.stopping() {
        match listener.accept() {
            Ok((socket, peer)) => {
                failing = false;
                start_connection(shared, socket, peer);
            }
            Err(error) if is_harmless(&error) => {}
            Err(error) if is_fatal(&error) => return Err(error),
            Err(error) => {
                if !failing {
                    shared.app.trouble(&format!("cannot accept a connection: {error}"));
                }
                failing = true;
                if is_shortage(&error) {
                    shared.table.evict_now();
                }
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
    // The kernel has already completed these connections. Closing the listener would reset them.
    listener.set_nonblocking(true)?;
    for _ in 0..BACKLOG {
        let Ok((socket, peer)) = listener.accept() else { break };
        start_connection(shared, socket, peer);
    }
    Ok(())
}

/// Starts a thread for a new connection, or tells the client why it cannot.
fn start_connection<A: App>(shared: &Arc<Shared<A>>, socket: TcpStream, peer: SocketAddr) {
    // The socket inherits the listener's receive timeout, which would end every read after a tick.
    if socket.set_read_timeout(None).and_then(|()| socket.set_nodelay(true)).is_err() {
        return;
    }
    let conn = Arc::new(Conn::new(socket, peer));
    let Some(slot) = shared.table.add(conn.clone(), &shared.limits) else {
        return turn_away(shared, &conn.socket);
    };
    let its_shared = shared.clone();
    let thread = thread::Builder::new().name("connection".into()).stack_size(STACK);
    if let Err(error) = thread.spawn(move || serve_connection(&its_shared, &slot.conn)) {
        shared.app.trouble(&format!("cannot start a thread for a connection: {error}"));
        turn_away(shared, &conn.socket);
        shared.table.evict_now();
    }
}

/// Sends a 503 without blocking, since this is the accepting thread.
fn turn_away<A: App>(shared: &Shared<A>, mut socket: &TcpStream) {
    if socket.set_nonblocking(true).is_ok() {
        let response = Outgoing::from(shared.refusal(Refusal::Busy("too many connections"), None));
        let _ = response.send(socket, &mut Vec::new(), false, false);
        // If a request has already arrived unread, closing sends a reset, which can overtake the response.
        let _ = socket.read(&mut [0; 4096]);
    }
}
