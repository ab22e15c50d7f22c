//! What many, slow or silent clients cost, and when they are cut off. Times are short, and only ever used as bounds.
use crate::server::{Client, DEADLINE, MAX_BODY, Server, get, ms, post, until};
use obs::http::Limits;
use std::io::{ErrorKind, Write};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

/// More than the kernel buffers on loopback: the server can only finish if the client reads.
const UNREAD: usize = 32 << 20;

fn limits() -> Limits {
    Limits::default()
}

/// Sends a request to `/wait`, and returns once the application is handling it.
fn wait_in(server: &Server) -> Client {
    let before = server.app.working.load(SeqCst);
    let mut client = server.client();
    client.send(get("/wait"));
    until("the request is being handled", || server.app.working.load(SeqCst) > before);
    client
}

/// Sends a head, and returns once the server waits for its body of one byte.
fn begin_body(client: &mut Client) {
    client.send("POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.answer().status, 100);
}

#[test]
fn an_overdue_head_gets_408_and_is_cut_off() {
    let server = Server::with(Limits { head_time: ms(300), ..limits() });
    let mut client = server.client();
    client.send("GET /slow HTTP/1.1\r\nHo");
    let answer = client.answer();
    assert_eq!((answer.body.as_str(), answer.closes()), ("Timeout /slow", true));
    client.assert_closed();
}

#[test]
fn a_deadline_covers_the_whole_head_however_slowly_it_trickles() {
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
fn an_overdue_body_gets_408_and_is_cut_off() {
    let server = Server::with(Limits { body_time: ms(300), ..limits() });
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut client = server.client();
        client.send(format!("POST /slow HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n1"));
        assert_eq!(client.answer().body, "Timeout /slow");
        client.assert_closed();
    }
}

#[test]
fn a_flood_does_not_escape_the_deadline_of_a_body() {
    let server = Server::with(Limits { body_time: ms(300), ..limits() });
    let mut client = server.client();
    client.send("POST /flood HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.socket.set_nonblocking(true).unwrap();
    let flood = format!("1;{}\r\nx\r\n", "a".repeat(1000)).repeat(64);
    let mut at = 0;
    until("the flood is refused", || {
        // Keeps the socket full, so that the server always finds something to read.
        while let Ok(n) = client.socket.write(&flood.as_bytes()[at..]) {
            at = (at + n) % flood.len();
        }
        server.app.logged("/flood 408")
    });
}

#[test]
fn an_idle_connection_is_closed_without_a_response() {
    let server = Server::with(Limits { idle_time: ms(300), ..limits() });
    server.client().assert_closed();
    let mut client = server.client();
    assert_eq!(client.ask(get("/")).status, 200);
    client.assert_closed();
}

#[test]
fn a_response_that_is_not_read_is_cut_off() {
    let server = Server::with(Limits { response_time: ms(300), memory: 5 * UNREAD, ..limits() });
    let mut client = server.client();
    client.send(get(&format!("/large?n={UNREAD}")));
    client.answer_to_head();
    // There is memory for only one such response. The cut frees it.
    until("the memory is free", || server.serves(&get(&format!("/large?n={UNREAD}"))));
}

#[test]
fn a_client_that_only_declares_a_long_body_takes_no_memory() {
    let server = Server::with(Limits { memory: 2 * MAX_BODY, ..limits() });
    let declared = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY}\r\n\r\n");
    let mut clients: Vec<_> = (0..20).map(|_| server.client()).collect();
    clients.iter_mut().for_each(|client| client.send(&declared));
    assert_eq!(server.ask(post("/echo", &"x".repeat(MAX_BODY / 5))).status, 200);
}

#[test]
fn bodies_in_flight_are_bounded_and_their_memory_is_freed() {
    let server = Server::with(Limits { memory: 5 * MAX_BODY, ..limits() });
    let mut held: Vec<_> = (0..2).map(|_| server.client()).collect();
    for client in &mut held {
        client.send(post("/wait", &"x".repeat(MAX_BODY)));
    }
    until("both are being handled", || server.app.working.load(SeqCst) == 2);
    assert_eq!(server.ask(post("/echo", "x")).status, 200, "there is always room for a small one");
    let refused = server.ask(post("/echo", &"x".repeat(MAX_BODY)));
    assert_eq!((refused.status, refused.header("Retry-After")), (503, Some("1")));
    assert!(refused.body.starts_with("Busy(") && refused.body.ends_with(" /echo"));
    server.app.open_gate();
    assert!(held.iter_mut().all(|client| client.answer().status == 200));
    assert_eq!(server.ask(post("/echo", "x")).status, 200);
}

#[test]
fn the_memory_of_a_request_that_panics_is_freed() {
    let server = Server::with(Limits { memory: 2 * MAX_BODY, ..limits() });
    let body = "x".repeat(MAX_BODY);
    for _ in 0..3 {
        assert_eq!(server.ask(post("/panic", &body)).status, 500);
    }
    assert_eq!(server.ask(post("/wait?", "x").replace("wait", "echo")).status, 200);
}

#[test]
fn a_body_makes_room_for_its_response() {
    let server = Server::with(Limits { memory: 8 * MAX_BODY, ..limits() });
    assert_eq!(server.ask(post("/echo", &"x".repeat(MAX_BODY))).status, 200);
}

#[test]
fn a_response_larger_than_the_free_memory_is_replaced_by_503() {
    let server = Server::with(Limits { memory: 2 << 20, ..limits() });
    let mut client = server.client();
    let answer = client.ask(get("/large?n=2000000"));
    assert_eq!((answer.status, answer.header("Retry-After"), answer.closes()), (503, Some("1"), false));
    assert_eq!(client.ask(get("/large?n=400000")).body.len(), 400_000);
}

#[test]
fn a_new_connection_replaces_the_one_that_was_idle_longest() {
    let server = Server::with(Limits { connections: 3, ..limits() });
    let (mut oldest, mut older, mut busy) = (server.client(), server.client(), server.client());
    assert_eq!(oldest.ask(get("/")).status, 200);
    begin_body(&mut busy); // keeps the server waiting, but is not idle
    for _ in 0..20 {
        assert_eq!(older.ask(get("/")).status, 200); // idle for a shorter time than the oldest
    }
    let mut newest = server.client();
    assert_eq!(newest.ask(get("/")).status, 200);
    oldest.assert_closed();
    assert_eq!(older.ask(get("/")).status, 200);
    assert_eq!(busy.ask("x").status, 200);
}

/// Clients whose guesses wait for their turn.
fn guess(server: &Server, count: usize) -> Vec<Client> {
    let mut clients: Vec<_> = (0..count).map(|_| server.client()).collect();
    let guess = "GET /guess HTTP/1.1\r\nHost: x\r\nX-Key: guess\r\nConnection: close\r\n\r\n";
    clients.iter_mut().for_each(|client| client.send(guess));
    until("all are refused", || server.app.guesses.load(SeqCst) == count);
    clients
}

#[test]
fn guesses_are_answered_in_turn_ten_a_second_at_most() {
    let server = Server::start();
    let begun = Instant::now();
    for mut client in guess(&server, 8) {
        assert_eq!((client.answer().status, server.ask(get("/")).status), (401, 200));
    }
    assert!(begun.elapsed() >= ms(700), "{:?}", begun.elapsed());
}

#[test]
fn a_new_connection_replaces_a_guess_rather_than_an_idle_connection() {
    let server = Server::with(Limits { connections: 24, ..limits() });
    let mut idle = server.client();
    assert_eq!(idle.ask(get("/")).status, 200);
    let guesses = guess(&server, 23);
    let mut others: Vec<_> = (0..10).map(|_| server.client()).collect();
    assert!(others.iter_mut().chain([&mut idle]).all(|client| client.ask(get("/")).status == 200));
    let replaced = guesses.into_iter().map(|mut client| client.rest()).filter(Vec::is_empty).count();
    assert!((1..=10).contains(&replaced), "{replaced} guesses closed without a response");
}

#[test]
fn a_new_connection_has_the_time_to_send_its_request() {
    let server = Server::with(Limits { connections: 1, eviction_age: ms(1500), ..limits() });
    let (mut first, mut second) = (server.client(), server.client());
    second.send(get("/"));
    first.socket.set_read_timeout(Some(ms(100))).unwrap();
    assert_eq!(first.socket.peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "the first is not cut off");
    first.socket.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(first.ask(get("/")).status, 200);
    assert_eq!(second.answer().status, 200, "it takes the place of the first");
    first.assert_closed();
}

#[test]
fn clients_that_keep_sending_requests_do_not_keep_new_connections_out() {
    let server = Server::with(Limits { connections: 2, eviction_age: ms(500), ..limits() });
    let mut busy = [server.client(), server.client()];
    let mut newest = server.client();
    newest.send(get("/new"));
    newest.socket.set_nonblocking(true).unwrap();
    until("the new connection is served", || {
        // One of the two is cut off.
        busy.iter_mut().for_each(|client| drop(client.socket.write(get("/busy").as_bytes())));
        newest.socket.peek(&mut [0]).is_ok()
    });
    newest.socket.set_nonblocking(false).unwrap();
    assert_eq!(newest.answer().status, 200);
}

#[test]
fn half_requests_do_not_keep_new_connections_out() {
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
fn an_evicted_half_request_gets_503() {
    let server = Server::with(Limits { connections: 1, ..limits() });
    let mut half = server.client();
    half.send("POST /half HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
    half.socket.set_nonblocking(true).unwrap();
    until("a new connection takes its place", || {
        drop(server.client());
        half.socket.peek(&mut [0]).is_ok()
    });
    half.socket.set_nonblocking(false).unwrap();
    let answer = half.answer();
    assert_eq!((answer.status, answer.header("Retry-After"), answer.closes()), (503, Some("1"), true));
}

#[test]
fn a_new_connection_gets_503_if_none_can_be_evicted() {
    let server = Server::with(Limits { connections: 2, ..limits() });
    let (mut first, mut second) = (wait_in(&server), wait_in(&server));
    let mut newest = server.client();
    let answer = newest.answer();
    assert_eq!((answer.body.as_str(), answer.closes()), ("Busy(\"too many connections\") unknown", true));
    newest.assert_closed();
    server.app.open_gate();
    assert_eq!((first.answer().status, second.answer().status), (200, 200));
    assert_eq!(server.ask(get("/")).status, 200);
}

#[test]
fn connection_slots_are_freed_after_panics_and_broken_connections() {
    let server = Server::with(Limits { connections: 4, ..limits() });
    for n in 0..40 {
        let request = match n % 3 {
            0 => get("/panic"),
            1 => "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".to_string(),
            _ => get("/large?n=3000000"),
        };
        let _ = server.client().socket.write_all(request.as_bytes());
    }
    until("there is a free slot again", || server.serves(&get("/")));
}
