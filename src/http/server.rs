//! What all connections share, from the first accept to the last answer.
use super::answer::Answer;
use super::budget::Budget;
use super::conn::Conn;
use super::exchange::converse;
use super::limits::{Limits, TICK};
use super::listen::{accept, listen};
use super::table::Table;
use super::{App, Refusal, guarded};
use rouille::Response;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Of a connection's thread. JSON nested 127 deep takes 80 KiB in a release build, over 256 KiB in a debug build; what
/// is not touched costs nothing.
const STACK: usize = 512 << 10;
/// How often a server that stops looks whether all is done.
const STOP_TICK: Duration = Duration::from_millis(10);

pub(super) struct Server<A> {
    pub app: Arc<A>,
    pub limits: Limits,
    pub table: Arc<Table>,
    pub budget: Budget,
    stop: Arc<AtomicBool>,
    /// A listener is dead for good: the server ends although nobody told it to.
    deaf: AtomicBool,
}

/// Serves until `stop` is set, then lets requests in flight finish. An error means that a listener died and its address
/// could not be bound again: the server has ended rather than live on without it.
pub fn serve<A: App>(
    listeners: Vec<TcpListener>,
    app: Arc<A>,
    limits: Limits,
    stop: Arc<AtomicBool>,
) -> io::Result<()> {
    let budget = Budget::new(limits.memory);
    let deaf = AtomicBool::new(false);
    let server = Arc::new(Server { app, limits, table: Arc::default(), budget, stop, deaf });
    let mut acceptors = Vec::new();
    let result = start(&server, listeners, &mut acceptors).and_then(|()| server.supervise(&mut acceptors));
    server.deaf.store(result.is_err(), Relaxed);
    server.finish(&acceptors);
    result
}

fn start<A: App>(server: &Arc<Server<A>>, listeners: Vec<TcpListener>, to: &mut Vec<Acceptor>) -> io::Result<()> {
    for listener in listeners {
        let addr = listener.local_addr()?;
        let thread = server.accept_in_thread(listener)?;
        to.push(Acceptor { addr, thread: Some(thread), born: Instant::now(), failing: None });
    }
    Ok(())
}

/// One address, and the thread that accepts connections to it.
struct Acceptor {
    addr: SocketAddr,
    /// `None` while the address could not be bound again.
    thread: Option<JoinHandle<io::Result<()>>>,
    born: Instant,
    /// Since when it has been dying, again and again.
    failing: Option<Instant>,
}

impl<A: App> Server<A> {
    pub fn stopping(&self) -> bool {
        self.stop.load(Relaxed) || self.deaf.load(Relaxed)
    }

    /// A new connection gets a thread, or is told why not; whatever is wrong, its listener goes on.
    pub fn welcome(self: &Arc<Server<A>>, socket: TcpStream, peer: SocketAddr) {
        // The listener's receive time-out is inherited, and would end every wait after a tick.
        if socket.set_read_timeout(None).and_then(|()| socket.set_nodelay(true)).is_err() {
            return;
        }
        let conn = Arc::new(Conn::new(socket, peer));
        let Some(place) = self.table.join(conn.clone(), self.limits.connections) else {
            return self.turn_away(&conn.socket);
        };
        let server = self.clone();
        let thread = thread::Builder::new().name("connection".into()).stack_size(STACK);
        if let Err(error) = thread.spawn(move || converse(&server, &place.conn)) {
            self.trouble(&format!("no thread for a connection: {error}"));
            self.turn_away(&conn.socket);
            self.table.evict();
        }
    }

    /// Says why there is no place, as far as that takes no waiting: this is the accepting thread.
    fn turn_away(&self, mut socket: &TcpStream) {
        if socket.set_nonblocking(true).is_ok() {
            let answer = Answer::from(self.refusal(Refusal::Busy("too many connections"), None));
            let _ = answer.send(socket, &mut Vec::new(), false, false);
            // A request that is here already would turn the close into a reset, which overtakes the answer.
            let _ = socket.read(&mut [0; 4096]);
        }
    }

    /// A refusal as the application words it.
    pub fn refusal(&self, refusal: Refusal, target: Option<&str>) -> Response {
        guarded(|| self.app.refuse(refusal, target))
            .unwrap_or_else(|| Response::text("Internal server error\n").with_status_code(refusal.status()))
    }

    pub fn trouble(&self, what: &str) {
        guarded(|| self.app.trouble(what));
    }

    fn accept_in_thread(self: &Arc<Server<A>>, listener: TcpListener) -> io::Result<JoinHandle<io::Result<()>>> {
        let server = self.clone();
        thread::Builder::new().name("accept".into()).spawn(move || accept(&server, &listener))
    }

    /// Sweeps connections and looks after listeners until it is time to stop, or there is no going on.
    fn supervise(self: &Arc<Server<A>>, acceptors: &mut [Acceptor]) -> io::Result<()> {
        while !self.stopping() {
            self.table.sweep(&self.limits, false);
            for acceptor in acceptors.iter_mut() {
                self.look_after(acceptor)?;
            }
            thread::sleep(TICK);
        }
        Ok(())
    }

    /// Binds the address of a dead listener again. An error means that it has been dead, or has kept dying, for too long.
    fn look_after(self: &Arc<Server<A>>, acceptor: &mut Acceptor) -> io::Result<()> {
        let addr = acceptor.addr;
        if let Some(thread) = acceptor.thread.take_if(|thread| thread.is_finished()) {
            let cause = match thread.join() {
                Ok(Ok(())) => return Ok(()), // it saw the stop flag first
                Ok(Err(error)) => error,
                Err(_) => io::Error::other("its thread panicked"),
            };
            self.trouble(&format!("the listener on {addr} died: {cause}"));
            if acceptor.born.elapsed() > self.limits.rebind_time {
                acceptor.failing = None; // it had recovered from what went before
            }
            self.give_up_in_time(acceptor.failing.get_or_insert_with(Instant::now), cause)?;
        }
        if acceptor.thread.is_none() {
            match listen(addr).and_then(|listener| self.accept_in_thread(listener)) {
                Ok(thread) => (acceptor.thread, acceptor.born) = (Some(thread), Instant::now()),
                Err(error) => self.give_up_in_time(acceptor.failing.get_or_insert_with(Instant::now), error)?,
            }
        }
        Ok(())
    }

    fn give_up_in_time(&self, failing: &Instant, cause: io::Error) -> io::Result<()> {
        if failing.elapsed() > self.limits.rebind_time { Err(cause) } else { Ok(()) }
    }

    /// Lets go of whoever has not sent a whole head; waits for the others as long as the grace allows.
    fn finish(&self, acceptors: &[Acceptor]) {
        let end = Instant::now() + self.limits.grace;
        let accepting = |acceptor: &Acceptor| acceptor.thread.as_ref().is_some_and(|thread| !thread.is_finished());
        while Instant::now() < end && (acceptors.iter().any(accepting) || !self.table.is_empty()) {
            self.table.sweep(&self.limits, true);
            thread::sleep(STOP_TICK);
        }
    }
}
