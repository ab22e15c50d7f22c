//! What many, slow and silent clients cost, and when they are cut. Times are small, and only ever bounds.
use crate::server::{Client, MAX_BODY, Server, get, ms, post, until};
use obs::http::Limits;
use std::io::{ErrorKind, Write};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

/// Larger than what the kernel takes off our hands on loopback: the client must read for the server to go on.
const UNREAD: usize = 32 << 20;

fn limits() -> Limits {
    Limits::default()
}

/// Sends a `/wait`, and returns once the application holds it.
fn wait_in(server: &Server) -> Client {
    let before = server.app.working.load(SeqCst);
    let mut client = server.client();
    client.send(get("/wait"));
    until("the request is at work", || server.app.working.load(SeqCst) > before);
    client
}

/// Sends a head, and returns once the server waits for its body of one byte.
fn begin_body(client: &mut Client) {
    client.send("POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.answer().status, 100);
}

#[test]
fn an_overdue_head_gets_408_and_is_cut() {
    let server = Server::with(Limits { head_time: ms(300), ..limits() });
    let mut client = server.client();
    client.send("GET /slow HTTP/1.1\r\nHo");
    let answer = client.answer();
    assert_eq!((answer.body.as_str(), answer.closes()), ("Timeout /slow", true));
    client.assert_closed();
}

#[test]
fn a_deadline_covers_the_whole_head_however_it_trickles() {
    let server = Server::with(Limits { head_time: ms(500), idle_time: ms(60_000), ..limits() });
    let (mut client, begun) = (server.client(), Instant::now());
    client.send("GET /slow HTTP/1.1\r\nA: ");
    client.socket.set_read_timeout(Some(ms(20))).unwrap();
    let mut first = [0; 1];
    while client.socket.peek(&mut first).is_err_and(|e| e.kind() == ErrorKind::WouldBlock) {
        let _ = client.socket.write(b"a");
        assert!(begun.elapsed() < ms(10_000));
    }
    assert!(begun.elapsed() >= ms(500));
}

#[test]
fn an_overdue_body_gets_408_and_is_cut() {
    let server = Server::with(Limits { body_time: ms(300), ..limits() });
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut client = server.client();
        client.send(format!("POST /slow HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n1"));
        assert_eq!(client.answer().body, "Timeout /slow");
        client.assert_closed();
    }
}

#[test]
fn a_flood_does_not_outrun_the_deadline_of_a_body() {
    let server = Server::with(Limits { body_time: ms(300), ..limits() });
    let mut client = server.client();
    client.send("POST /flood HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.socket.set_nonblocking(true).unwrap();
    let flood = format!("1;{}\r\nx\r\n", "a".repeat(1000)).repeat(64);
    let mut at = 0;
    until("the flood is refused", || {
        // As much as fits, so that the server never finds nothing to read.
        while let Ok(n) = client.socket.write(&flood.as_bytes()[at..]) {
            at = (at + n) % flood.len();
        }
        server.app.logged("/flood 408")
    });
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = Server::with(Limits { idle_time: ms(300), ..limits() });
    server.client().assert_closed();
    let mut client = server.client();
    assert_eq!(client.ask(get("/")).status, 200);
    client.assert_closed();
}

#[test]
fn idle_connections_are_closed_sooner_when_crowded() {
    let server = Server::with(Limits { connections: 8, crowded_idle_time: ms(300), ..limits() });
    let mut clients: Vec<_> = (0..6).map(|_| server.client()).collect();
    assert!(clients.iter_mut().all(|client| client.ask(get("/")).status == 200));
    let mut seventh = server.client();
    seventh.assert_closed();
}

#[test]
fn an_answer_that_is_not_read_is_cut() {
    let server = Server::with(Limits { answer_time: ms(300), memory: UNREAD + UNREAD / 2, ..limits() });
    let mut client = server.client();
    client.send(get(&format!("/large?n={UNREAD}")));
    client.answer_to_head();
    // There is memory for one such answer only, and it comes back with the cut.
    until("the memory is free", || server.serves(&get(&format!("/large?n={UNREAD}"))));
}

#[test]
fn a_client_that_only_declares_a_long_body_takes_no_memory() {
    let server = Server::with(Limits { memory: MAX_BODY, ..limits() });
    let declared = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY}\r\n\r\n");
    let mut clients: Vec<_> = (0..20).map(|_| server.client()).collect();
    clients.iter_mut().for_each(|client| client.send(&declared));
    assert_eq!(server.ask(post("/echo", &"x".repeat(MAX_BODY / 4))).status, 200);
}

#[test]
fn bodies_in_flight_are_bounded_and_their_memory_comes_back() {
    let server = Server::with(Limits { memory: 3 * MAX_BODY, ..limits() });
    let mut held: Vec<_> = (0..2).map(|_| server.client()).collect();
    for client in &mut held {
        client.send(post("/wait", &"x".repeat(MAX_BODY)));
    }
    until("both are at work", || server.app.working.load(SeqCst) == 2);
    assert_eq!(server.ask(post("/echo", "x")).status, 200, "for a small one there is always room");
    let refused = server.ask(post("/echo", &"x".repeat(MAX_BODY)));
    assert_eq!((refused.status, refused.header("Retry-After")), (503, Some("1")));
    assert!(refused.body.starts_with("Busy(") && refused.body.ends_with(" /echo"));
    server.app.open_gate();
    assert!(held.iter_mut().all(|client| client.answer().status == 200));
    assert_eq!(server.ask(post("/echo", "x")).status, 200);
}

#[test]
fn the_memory_of_a_request_that_panics_comes_back() {
    let server = Server::with(Limits { memory: 2 * MAX_BODY, ..limits() });
    let body = "x".repeat(MAX_BODY);
    for _ in 0..3 {
        assert_eq!(server.ask(post("/panic", &body)).status, 500);
    }
    assert_eq!(server.ask(post("/wait?", "x").replace("wait", "echo")).status, 200);
}

#[test]
fn a_body_makes_room_for_the_answer_to_it() {
    let server = Server::with(Limits { memory: 3 * MAX_BODY, ..limits() });
    assert_eq!(server.ask(post("/echo", &"x".repeat(MAX_BODY))).status, 200);
}

#[test]
fn an_answer_larger_than_the_memory_left_is_replaced_by_503() {
    let server = Server::with(Limits { memory: 1 << 20, ..limits() });
    let mut client = server.client();
    let answer = client.ask(get("/large?n=2000000"));
    assert_eq!((answer.status, answer.header("Retry-After"), answer.closes()), (503, Some("1"), false));
    assert_eq!(client.ask(get("/large?n=500000")).body.len(), 500_000);
}

#[test]
fn a_newcomer_takes_the_place_of_whoever_was_idle_longest() {
    let server = Server::with(Limits { connections: 3, ..limits() });
    let (mut oldest, mut older, mut busy) = (server.client(), server.client(), server.client());
    begin_body(&mut busy); // has kept the server waiting, but is not idle
    assert_eq!(older.ask(get("/")).status, 200); // idle anew, and so not as long as the oldest
    let mut newcomer = server.client();
    assert_eq!(newcomer.ask(get("/")).status, 200);
    oldest.assert_closed();
    assert_eq!(older.ask(get("/")).status, 200);
    assert_eq!(busy.ask("x").status, 200);
}

#[test]
fn half_requests_do_not_keep_newcomers_out() {
    let server = Server::with(Limits { connections: 4, ..limits() });
    let mut halves: Vec<_> = (0..40).map(|_| server.client()).collect();
    for half in &mut halves {
        let _ = half.socket.write_all(b"GET /half HTTP/1.1\r\n");
    }
    for _ in 0..20 {
        assert_eq!(server.ask(get("/")).status, 200);
    }
}

#[test]
fn an_evicted_half_request_is_told_why() {
    let server = Server::with(Limits { connections: 1, ..limits() });
    let mut half = server.client();
    half.send("POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
    half.socket.set_nonblocking(true).unwrap();
    until("a newcomer takes its place", || {
        drop(server.client());
        half.socket.peek(&mut [0]).is_ok()
    });
    half.socket.set_nonblocking(false).unwrap();
    let answer = half.answer();
    assert_eq!((answer.status, answer.header("Retry-After"), answer.closes()), (503, Some("1"), true));
}

#[test]
fn when_nobody_can_be_cut_a_newcomer_gets_503() {
    let server = Server::with(Limits { connections: 2, ..limits() });
    let (mut first, mut second) = (wait_in(&server), wait_in(&server));
    let mut newcomer = server.client();
    let answer = newcomer.answer();
    assert_eq!((answer.body.as_str(), answer.closes()), ("Busy(\"too many connections\") nowhere", true));
    newcomer.assert_closed();
    server.app.open_gate();
    assert_eq!((first.answer().status, second.answer().status), (200, 200));
    assert_eq!(server.ask(get("/")).status, 200);
}

#[test]
fn places_come_back_after_panics_and_broken_connections() {
    let server = Server::with(Limits { connections: 4, ..limits() });
    for n in 0..40 {
        let request = match n % 3 {
            0 => get("/panic"),
            1 => "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".to_string(),
            _ => get("/large?n=3000000"),
        };
        let _ = server.client().socket.write_all(request.as_bytes());
    }
    until("there is a place again", || server.serves(&get("/")));
}
