//! Several listeners, a listener that fails, and a server that stops.
use crate::server::{Client, Server, get, ms, post, until};
use obs::http::{self, Limits};
use socket2::SockRef;
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

/// A server, and a handle to its listening socket that the test can break.
fn breakable(others: Vec<TcpListener>) -> (Server, TcpListener) {
    let listener = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut listeners = vec![listener.try_clone().unwrap()];
    listeners.extend(others);
    (Server::on(listeners, Limits::default()), listener)
}

#[test]
fn every_listener_is_served() {
    let listeners: Vec<_> = (0..3).map(|_| http::listen("127.0.0.1:0".parse().unwrap()).unwrap()).collect();
    let addrs: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let _server = Server::on(listeners, Limits::default());
    for addr in addrs {
        assert_eq!(Client::to(addr).ask(get("/")).status, 200);
    }
}

#[test]
fn both_loopbacks_can_have_the_same_port() {
    let v4 = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = v4.local_addr().unwrap().port();
    // Without IPv6 there is nothing to test.
    if let Ok(v6) = http::listen(format!("[::]:{port}").parse().unwrap()) {
        let any = http::listen(format!("0.0.0.0:{port}").parse().unwrap());
        assert!(any.is_err(), "the port is taken for IPv4");
        let _server = Server::on(vec![v4, v6], Limits::default());
        assert_eq!(Client::to(format!("[::1]:{port}").parse().unwrap()).ask(get("/")).status, 200);
    }
}

#[test]
fn an_accepted_socket_does_not_inherit_the_timeout_of_its_listener() {
    let server = Server::start();
    let mut client = server.client();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
    client.socket.set_read_timeout(Some(ms(600))).unwrap(); // more than two ticks
    assert!(client.socket.peek(&mut [0]).is_err(), "the server ended its wait");
    assert_eq!(client.ask("x").status, 200);
}

#[test]
fn a_server_whose_listener_fails_finishes_requests_in_flight_and_returns_the_error() {
    let sound = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let (mut server, listener) = breakable(vec![sound]);
    let (mut idle, mut work) = (server.client(), server.client());
    assert_eq!(idle.ask(get("/")).status, 200);
    work.send(get("/wait"));
    until("it is being handled", || server.app.working.load(SeqCst) == 1);
    SockRef::from(&listener).shutdown(Shutdown::Both).unwrap();
    idle.assert_closed();
    server.app.open_gate();
    let answer = work.answer();
    assert_eq!((answer.body.as_str(), answer.closes()), ("waited", true));
    let error = server.join().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn a_server_that_stops_closes_idle_connections_incomplete_heads_and_guesses_at_once() {
    let mut server = Server::start();
    let (mut idle, mut half, mut used) = (server.client(), server.client(), server.client());
    half.send("GET /half HTTP/1.1\r\nHo");
    assert_eq!(used.ask(get("/")).status, 200);
    let mut guesses: Vec<_> = (0..50).map(|_| server.client()).collect();
    let guess = "GET / HTTP/1.1\r\nHost: x\r\nX-Key: guess\r\n\r\n";
    guesses.iter_mut().for_each(|client| client.send(guess));
    until("all guesses are refused", || server.app.guesses.load(SeqCst) == 50);
    let begun = Instant::now();
    server.stop();
    assert!(server.join().is_ok());
    assert!(begun.elapsed() < ms(3000), "it waited for a client");
    idle.assert_closed();
    used.assert_closed();
    guesses.iter_mut().skip(40).for_each(Client::assert_closed); // some may have had their turn
    assert_eq!(half.answer().body, "Busy(\"the server is stopping\") /half");
    assert!(std::net::TcpStream::connect(server.addr).is_err());
}

#[test]
fn a_server_that_stops_finishes_requests_in_flight() {
    let mut server = Server::start();
    let (mut body, mut work, mut reader) = (server.client(), server.client(), server.client());
    body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    work.send(get("/wait"));
    reader.send(get("/large?n=8000000"));
    let head = reader.answer_to_head();
    until("it is being handled", || server.app.working.load(SeqCst) == 1);
    server.stop();
    until("it no longer listens", || std::net::TcpStream::connect(server.addr).is_err());
    let answer = body.ask("llo");
    assert_eq!((answer.body.as_str(), answer.closes()), ("Http11 POST /echo hello", true));
    server.app.open_gate();
    let answer = work.answer();
    assert_eq!((answer.body.as_str(), answer.closes()), ("waited", true));
    assert_eq!((head.status, reader.rest().len()), (200, 8_000_000));
    drop((body, work, reader));
    assert!(server.join().is_ok());
}

#[test]
fn a_server_that_stops_does_not_wait_longer_than_its_grace() {
    let mut server = Server::with(Limits { grace: ms(300), ..Limits::default() });
    let mut client = server.client();
    client.send(post("/wait", "x"));
    until("it is being handled", || server.app.working.load(SeqCst) == 1);
    let begun = Instant::now();
    server.stop();
    assert!(server.join().is_ok());
    assert!(begun.elapsed() < ms(5000));
}

#[test]
fn a_request_is_answered_even_if_the_server_stops_before_it_is_accepted() {
    for _ in 0..5 {
        let mut server = Server::start();
        assert_eq!(server.ask(get("/")).status, 200);
        let mut clients: Vec<_> = (0..50).map(|_| server.client()).collect();
        clients.iter_mut().for_each(|client| client.send(get("/")));
        server.stop();
        assert!(clients.iter_mut().all(|client| client.answer().status == 200));
        drop(clients);
        assert!(server.join().is_ok());
    }
}
