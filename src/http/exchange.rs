//! A connection's requests and responses, one after the other, in the connection's own thread.
use super::app::{Admission, App, Denial};
use super::body::{self, Body};
use super::conn::{Conn, Phase};
use super::head::{self, Framing, Head};
use super::incoming::Incoming;
use super::read_buffer::{Failure, ReadBuffer};
use super::refusal::Refusal;
use super::response::{BLOCK, Outgoing};
use super::shared::{Shared, guarded};
use super::target;
use rouille::Response;
use std::io::{self, Read, Write};
use std::net::Shutdown;

/// Bytes that are discarded before a connection is closed. A client that writes the largest body before it reads still sees
/// why it was refused.
const DRAIN: u64 = 32 << 20;
/// Responses up to this size need no permit, so that a refusal can always be sent.
const SMALL: usize = 4 << 10;

struct Exchange<'a, A> {
    shared: &'a Shared<A>,
    conn: &'a Conn,
    buffer: ReadBuffer<'a>,
    /// Reused for each response.
    out: Vec<u8>,
}

/// Serves one connection until it closes.
pub(super) fn serve_connection<A: App>(shared: &Shared<A>, conn: &Conn) {
    let mut exchange = Exchange { shared, conn, buffer: ReadBuffer::new(conn), out: Vec::new() };
    while let Ok(true) = exchange.next() {}
    exchange.drain();
}

impl<A: App> Exchange<'_, A> {
    /// Answers one request. Returns true if another may follow.
    fn next(&mut self) -> Result<bool, Failure> {
        if self.buffer.bytes().is_empty() {
            self.conn.enter(Phase::Idle);
            self.buffer.fill()?;
        }
        self.conn.enter(Phase::Head);
        let head = match head::read(&mut self.buffer, self.conn.peer) {
            Ok(head) => head,
            Err(Failure::Refused(refusal)) if !self.buffer.bytes().is_empty() => {
                let (target, head_only) = target::glance(self.buffer.bytes());
                let response = self.shared.refusal(refusal, target.as_deref());
                return self.send(response.into(), head_only, false);
            }
            Err(failure) => return Err(failure),
        };
        let begun = self.conn.enter(Phase::Work);
        let (response, body_read) = self.respond(&head)?;
        let mut response = Outgoing::from(response);
        let size = response.size.map_or(BLOCK, |size| size.saturating_add(size.min(BLOCK)));
        let permits = self.shared.budget.permit_response(if size > SMALL { size } else { 0 });
        if permits.is_none() {
            response = self.refusal(Refusal::Busy("too many unread responses"), &head).into();
        }
        let status = response.status;
        let keep = head.keep && body_read && !self.shared.stopping() && self.conn.phase_state().cut.is_none();
        let keep = self.send(response, head.request.method() == "HEAD", keep)?;
        guarded(|| self.shared.app.answered(&head.request, status, begun.elapsed()));
        Ok(keep)
    }

    /// Returns the response, and true if the body was read to its end.
    fn respond(&mut self, head: &Head) -> Result<(Response, bool), Failure> {
        let app = &self.shared.app;
        let admitted = guarded(|| app.admit(&head.request, head.version));
        let panicked = || Err(Denial { response: self.refusal(Refusal::Panicked, head), is_guess: false });
        let admission = match admitted.unwrap_or_else(panicked) {
            Ok(admission) => admission,
            Err(denial) => {
                if denial.is_guess && !self.conn.hold() {
                    return Err(Failure::Disconnected); // without a response, so that responses keep their pace
                }
                return Ok((denial.response, self.skip_body(head.framing)));
            }
        };
        match self.handle(head, admission) {
            Ok(answer) => Ok(answer),
            Err(Failure::Refused(refusal)) => Ok((self.refusal(refusal, head), false)),
            Err(failure) => Err(failure),
        }
    }

    /// Reads the body, or the part of it that is read first, and passes it to the application.
    fn handle(&mut self, head: &Head, admission: Admission<A::Pass>) -> Result<(Response, bool), Failure> {
        let Admission { pass, max_body, read_first } = admission;
        let shared = self.shared;
        let has_received = self.has_received(head.framing);
        let has_begun = !self.buffer.bytes().is_empty();
        let mut incoming = Incoming::new(&mut self.buffer, head.framing, max_body)?;
        if !has_received {
            if head.expects && !has_begun {
                self.conn.enter(Phase::Response);
                (&self.conn.socket).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            self.conn.enter(Phase::Body);
        }
        let mut permit = shared.budget.permit();
        let bytes = body::read(&mut incoming, max_body.min(read_first), &mut permit);
        let bytes = bytes.map_err(|failure| incoming.failure.take().unwrap_or(failure))?;
        let is_complete = incoming.is_finished();
        if is_complete {
            self.conn.enter(Phase::Work);
        }
        let body = Body { bytes, is_complete, budget: &shared.budget, rest: &mut incoming, permit: &mut permit };
        let response = guarded(|| shared.app.handle(pass, &head.request, body));
        self.conn.enter(Phase::Work);
        if let Some(failure) = incoming.failure.take() {
            return Err(failure);
        }
        let is_finished = incoming.is_finished();
        Ok((response.unwrap_or_else(|| shared.refusal(Refusal::Panicked, Some(head.request.raw_url()))), is_finished))
    }

    /// Returns true if the whole body is already in the buffer.
    fn has_received(&self, framing: Framing) -> bool {
        matches!(framing, Framing::Length(length) if length <= self.buffer.bytes().len())
    }

    /// Skips the body of a refused request if it has been received. Otherwise returns false, and the connection has to close.
    fn skip_body(&mut self, framing: Framing) -> bool {
        let received = self.has_received(framing);
        if let Framing::Length(length) = framing {
            self.buffer.consume(length);
        }
        received
    }

    fn refusal(&self, refusal: Refusal, head: &Head) -> Response {
        self.shared.refusal(refusal, Some(head.request.raw_url()))
    }

    fn send(&mut self, response: Outgoing, head_only: bool, keep: bool) -> Result<bool, Failure> {
        self.conn.enter(Phase::Response);
        let sent = response.send(&self.conn.socket, &mut self.out, head_only, keep);
        self.out.shrink_to(SMALL);
        Ok(sent?)
    }

    /// Closes the connection so that the client sees the response: closing while it still sends would reset it.
    fn drain(self) {
        self.conn.enter(Phase::Drain);
        let _ = self.conn.socket.shutdown(Shutdown::Write);
        let _ = io::copy(&mut (&self.conn.socket).take(DRAIN), &mut io::sink());
    }
}
