//! A listening socket, and the loop that accepts from it.
use super::App;
use super::limits::TICK;
use super::server::Server;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Connections that the kernel keeps until they are accepted. With std's 128 a flood costs others a retry of a second.
const BACKLOG: i32 = 1024;
/// What the kernel may hold of an answer that is not read, for each connection (it doubles the number). Without a bound
/// it would be megabytes, beyond the deadline and beyond the budget.
const SEND_BUFFER: usize = 128 << 10;
/// How long the kernel goes on after a client that acknowledges nothing, or has no room for more. It would be minutes, also
/// for a socket that has been closed.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How long to leave accept alone after an error that another try at once would only repeat.
const PAUSE: Duration = Duration::from_millis(10);

/// Listens on one address. IPv6 without IPv4, so that both loopbacks can have the same port.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?; // or a restart would have to wait for old connections to time out
    socket.set_send_buffer_size(SEND_BUFFER)?; // accepted sockets inherit this and the next
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts until the server stops. An error means that this listener is dead; whatever passes is waited out.
pub(super) fn accept<A: App>(server: &Arc<Server<A>>, listener: &TcpListener) -> io::Result<()> {
    // std has no accept with a time-out, but a socket's receive time-out holds for it too.
    SockRef::from(listener).set_read_timeout(Some(TICK))?;
    let mut failing = false;
    while !server.stopping() {
        match listener.accept() {
            Ok((socket, peer)) => {
                failing = false;
                server.welcome(socket, peer);
            }
            Err(error) if is_no_error(&error) => {}
            Err(error) if is_death(&error) => return Err(error),
            Err(error) => {
                if !failing {
                    server.trouble(&format!("cannot accept a connection: {error}"));
                }
                failing = true;
                if is_shortage(&error) {
                    server.table.evict();
                }
                thread::sleep(PAUSE);
            }
        }
    }
    // The kernel has told these clients that they are connected: they are served, or closed in form, but not reset.
    listener.set_nonblocking(true)?;
    for _ in 0..BACKLOG {
        match listener.accept() {
            Ok((socket, peer)) => server.welcome(socket, peer),
            Err(_) => break,
        }
    }
    Ok(())
}

/// The time-out, or a client that hung up before it was accepted.
fn is_no_error(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
}

/// Linux's EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP: this descriptor will never accept anything again.
fn is_death(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(9 | 22 | 88 | 95))
}

/// Linux's ENOMEM, ENFILE, EMFILE, ENOBUFS: one connection less may help.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(12 | 23 | 24 | 105))
}
