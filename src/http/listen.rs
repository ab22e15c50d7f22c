//! Creates a listening socket, and classifies the errors of `accept`.
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Maximum number of connections that wait in the kernel to be accepted. With std's 128, clients lose a second to a
/// retransmission whenever a burst overflows the queue.
pub(super) const BACKLOG: i32 = 1024;
/// Bytes of unread response that the kernel may hold for a connection (it doubles the number). By default it would hold
/// megabytes, which neither the response deadline nor the memory budget sees.
const SEND_BUFFER: usize = 128 << 10;
/// How long the kernel keeps trying if a client acknowledges nothing or leaves no room for more. By default it tries for
/// minutes, even after the socket has been closed.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Listens on one address. An IPv6 socket does not accept IPv4, so that both loopbacks can have the same port.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?; // a restart need not wait for old connections to time out
    socket.set_send_buffer_size(SEND_BUFFER)?; // accepted sockets inherit this and the next option
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A timeout, or a client that hung up before it was accepted.
pub(super) fn is_harmless(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
}

/// Linux's EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP: this listener will never accept anything again.
pub(super) fn is_fatal(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(9 | 22 | 88 | 95))
}

/// Linux's ENOMEM, ENFILE, EMFILE, ENOBUFS: closing a connection may help.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(12 | 23 | 24 | 105))
}
