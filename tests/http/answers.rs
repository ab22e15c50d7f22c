//! Responses as they appear on the wire.
use crate::server::{Server, get, until};

#[test]
fn every_response_has_a_date_and_a_reason_phrase() {
    let server = Server::start();
    let answer = server.ask(get("/"));
    assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\n") && answer.header("Date").unwrap().ends_with(" GMT"));
    let refused = server.ask("GET / HTTP/3.0\r\n\r\n");
    assert!(refused.head.starts_with("HTTP/1.1 400 Bad Request\r\n") && refused.header("Date").is_some());
    assert!(server.ask(get("/status?n=299")).head.starts_with("HTTP/1.1 299 \r\n"));
}

#[test]
fn a_head_request_gets_the_headers_of_get_and_no_body() {
    let server = Server::start();
    let mut client = server.client();
    client.send(get("/large?n=200000").replace("GET", "HEAD") + &get("/next"));
    assert_eq!(client.answer_to_head().header("Content-Length"), Some("200000"));
    assert_eq!(client.answer().body, "Http11 GET /next ");
    client.send("HEAD / HTTP/1.1\r\nHost : x\r\n\r\n");
    assert_eq!(client.answer_to_head().status, 400);
    client.half_close();
    client.assert_closed();
}

#[test]
fn statuses_204_and_304_have_no_body() {
    let server = Server::start();
    let mut client = server.client();
    for status in [204, 304] {
        let answer = client.ask(get(&format!("/status?n={status}")));
        assert_eq!((answer.status, answer.header("Content-Length")), (status, None));
    }
    assert_eq!(client.ask(get("/")).status, 200);
}

#[test]
fn a_header_that_would_split_the_response_is_not_sent() {
    let answer = Server::start().ask(get("/headers"));
    assert_eq!((answer.header("X-Good"), answer.body.as_str()), (Some("good"), "ok"));
    assert!(!answer.head.contains("Split") && !answer.head.contains("Injected") && !answer.head.contains("Bad"));
    assert!(!answer.head.contains("999"));
}

#[test]
fn large_responses_arrive_complete() {
    let server = Server::start();
    let mut client = server.client();
    for size in [0, 1, 65_535, 65_536, 65_537, 3_000_000] {
        assert_eq!(client.ask(get(&format!("/large?n={size}"))).body.len(), size);
    }
}

#[test]
fn a_body_of_unknown_size_ends_with_the_connection() {
    let answer = Server::start().ask(get("/stream?n=200000"));
    assert_eq!((answer.header("Content-Length"), answer.closes(), answer.body.len()), (None, true, 200_000));
}

#[test]
fn a_panic_is_a_500_and_the_connection_stays_open() {
    let server = Server::start();
    let mut client = server.client();
    for _ in 0..3 {
        let answer = client.ask(get("/panic"));
        assert_eq!((answer.status, answer.body.as_str(), answer.closes()), (500, "Panicked /panic", false));
        let answer = client.ask("GET /a HTTP/1.1\r\nHost: x\r\nX-Key: panic\r\n\r\n");
        assert_eq!((answer.body.as_str(), answer.closes()), ("Panicked /a", false));
    }
    assert_eq!(client.ask(get("/")).status, 200);
}

#[test]
fn the_application_learns_of_every_answered_request() {
    let server = Server::start();
    server.ask(get("/a"));
    server.ask("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    until("both are logged", || server.app.logged("/a 200") && server.app.logged("/b 413"));
}
