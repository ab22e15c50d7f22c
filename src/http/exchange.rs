//! One request and its answer after another, in the connection's own thread.
use super::answer::{Answer, BLOCK};
use super::body::Body;
use super::budget::Permit;
use super::conn::{Conn, Phase};
use super::head::{self, Framing, Head};
use super::input::{Fail, Input};
use super::server::Server;
use super::{App, Refusal, body, guarded, target};
use rouille::Response;
use std::io::Write;
use std::net::Shutdown;

/// Thrown away before a connection is closed. A client that writes 2 MiB before it reads gets to see its answer.
const DRAIN: usize = 4 << 20;
/// Answers up to this size are a connection's own cost, so that there is always room to say that there is none.
const SMALL: usize = 4 << 10;

pub(super) struct Exchange<'a, A> {
    server: &'a Server<A>,
    conn: &'a Conn,
    input: Input<'a>,
    /// Answers on their way out; kept, so that its memory is.
    out: Vec<u8>,
}

/// The client is gone, and nothing is left to be said.
struct Gone;

/// Serves one connection to its end.
pub(super) fn converse<A: App>(server: &Server<A>, conn: &Conn) {
    let mut exchange = Exchange { server, conn, input: Input::new(conn), out: Vec::new() };
    loop {
        match exchange.once() {
            Ok(true) => {}
            Ok(false) => return exchange.drain(),
            Err(Gone) => return,
        }
    }
}

impl<A: App> Exchange<'_, A> {
    /// One request and its answer. Whether another may follow.
    fn once(&mut self) -> Result<bool, Gone> {
        if self.input.bytes().is_empty() {
            self.conn.enter(Phase::Idle);
            self.input.fill().map_err(|_| Gone)?;
        }
        self.conn.enter(Phase::Head);
        let head = match head::read(&mut self.input, self.conn.peer) {
            Ok(head) => head,
            Err(Fail::Refused(refusal)) if !self.input.bytes().is_empty() => {
                let (target, bare) = target::glance(self.input.bytes());
                let answer = self.server.refusal(refusal, target.as_deref());
                return self.send(answer.into(), bare, false);
            }
            Err(_) => return Err(Gone),
        };
        let begun = self.conn.enter(Phase::Work);
        let mut permit = self.server.budget.permit();
        let (response, read) = self.respond(&head, &mut permit)?;
        permit.release(); // of the body, which the application has had
        let mut answer = Answer::from(response);
        let held = answer.size.map_or(BLOCK, |size| size.saturating_add(size.min(BLOCK)));
        if held > SMALL && !permit.grow(held) {
            answer = self.refusal(Refusal::Busy("too many answers in flight"), &head).into();
        }
        let status = answer.status;
        let keep = head.keep && read && !self.server.stopping() && self.conn.state().cut.is_none();
        let keep = self.send(answer, head.request.method() == "HEAD", keep)?;
        guarded(|| self.server.app.answered(&head.request, status, begun.elapsed()));
        Ok(keep)
    }

    /// The answer, and whether the request was read to its end.
    fn respond(&mut self, head: &Head, permit: &mut Permit) -> Result<(Response, bool), Gone> {
        let app = &self.server.app;
        let admission = match guarded(|| app.admit(&head.request, head.version)) {
            Some(Ok(admission)) => admission,
            Some(Err(response)) => return Ok((response, self.skip_body(head.framing))),
            None => return Ok((self.refusal(Refusal::Panicked, head), self.skip_body(head.framing))),
        };
        let body = match self.read_body(head, admission.max_body, permit) {
            Ok(body) => body,
            Err(Fail::Refused(refusal)) => return Ok((self.refusal(refusal, head), false)),
            Err(Fail::Gone) => return Err(Gone),
        };
        let body = Body::new(body, &self.server.budget);
        let response = guarded(|| app.handle(admission.pass, &head.request, body));
        Ok((response.unwrap_or_else(|| self.refusal(Refusal::Panicked, head)), true))
    }

    fn read_body(&mut self, head: &Head, max: usize, permit: &mut Permit) -> Result<Vec<u8>, Fail> {
        if self.is_here(head.framing) {
            return body::read(&mut self.input, head.framing, max, permit);
        }
        let fits = !matches!(head.framing, Framing::Length(length) if length > max);
        if head.expects && fits && self.input.bytes().is_empty() {
            self.conn.enter(Phase::Answer);
            let asked = (&self.conn.socket).write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
            asked.map_err(|_| Fail::Gone)?;
        }
        self.conn.enter(Phase::Body);
        let body = body::read(&mut self.input, head.framing, max, permit)?;
        self.conn.enter(Phase::Work);
        Ok(body)
    }

    /// Whether nothing of the body is still to come.
    fn is_here(&self, framing: Framing) -> bool {
        matches!(framing, Framing::Length(length) if length <= self.input.bytes().len())
    }

    /// Passes over a body that nobody wants; `false` if it is still to come.
    fn skip_body(&mut self, framing: Framing) -> bool {
        let Framing::Length(length) = framing else { return false };
        let here = self.is_here(framing);
        if here {
            self.input.consume(length);
        }
        here
    }

    fn refusal(&self, refusal: Refusal, head: &Head) -> Response {
        self.server.refusal(refusal, Some(head.request.raw_url()))
    }

    fn send(&mut self, answer: Answer, bare: bool, keep: bool) -> Result<bool, Gone> {
        self.conn.enter(Phase::Answer);
        let sent = answer.send(&self.conn.socket, &mut self.out, bare, keep);
        self.out.shrink_to(SMALL);
        sent.map_err(|_| Gone)
    }

    /// Hangs up so that the client sees the answer: to close while it is still sending would reset the connection.
    fn drain(mut self) {
        self.conn.enter(Phase::Drain);
        let _ = self.conn.socket.shutdown(Shutdown::Write);
        self.input.discard(DRAIN);
    }
}
