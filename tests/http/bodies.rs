//! How bodies are delimited, how large they may be, and when they are read.
use crate::server::{MAX_BODY, Server, chunked, get, post};

/// Sends a `POST` with these headers. Returns the status, and whether the connection closes.
fn status_with(server: &Server, headers: &str) -> (u16, bool) {
    let answer = server.ask(format!("POST /echo HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\nhello"));
    (answer.status, answer.closes())
}

#[test]
fn a_content_length_is_one_plain_decimal_number() {
    let server = Server::start();
    assert_eq!(status_with(&server, "Content-Length:\t5 "), (200, false));
    for value in
        ["", "+5", "-5", "0x5", "5a", "5 5", "5,5", "5, 5", "5;", "5.0", "５", "\"5\"", "5\r\nContent-Length: 5"]
    {
        assert_eq!(status_with(&server, &format!("Content-Length: {value}")), (400, true), "{value:?}");
    }
    assert_eq!(status_with(&server, "Content-Length: 5\r\nCONTENT-LENGTH: 6"), (400, true));
}

#[test]
fn a_length_that_overflows_is_a_body_too_large() {
    let server = Server::start();
    for value in [format!("1{}", "0".repeat(30)), usize::MAX.to_string(), (MAX_BODY + 1).to_string()] {
        assert_eq!(status_with(&server, &format!("Content-Length: {value}")), (413, true), "{value}");
        let chunk = format!("{:x}", value.parse().unwrap_or(u128::MAX));
        assert_eq!(server.ask(chunked(&format!("{chunk}\r\n"))).status, 413, "{chunk}");
    }
}

#[test]
fn a_length_with_a_transfer_coding_is_refused() {
    let server = Server::start();
    assert_eq!(status_with(&server, "Content-Length: 5\r\nTransfer-Encoding: chunked"), (400, true));
    assert_eq!(status_with(&server, "Transfer-Encoding: identity\r\nContent-Length: 5"), (400, true));
}

#[test]
fn chunked_is_the_only_transfer_coding() {
    let server = Server::start();
    for value in [
        "",
        "gzip",
        "identity",
        "gzip, chunked",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked;a=b",
        "xchunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "\x0bchunked",
        "chunked\x0b",
        "\"chunked\"",
    ] {
        assert_eq!(status_with(&server, &format!("Transfer-Encoding: {value}")), (400, true), "{value:?}");
    }
    let old = server.ask("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_eq!((old.status, old.closes()), (400, true));
}

#[test]
fn chunks_are_joined_without_their_extensions_and_trailers() {
    let server = Server::start();
    let mut client = server.client();
    let body = "2\r\nhe\r\n003;a=b;c=\"d\"\r\nllo\r\nA\r\n0123456789\r\n0\r\nX-Trailer: a b\tc\r\nEmpty:\r\n\r\n";
    let request = chunked(body).replace("chunked", "ChUnKeD");
    assert_eq!(client.ask(request + &get("/next")).body, "Http11 POST /echo hello0123456789");
    assert_eq!(client.answer().body, "Http11 GET /next ");
}

#[test]
fn malformed_chunks_are_refused() {
    let server = Server::start();
    for body in [
        "\r\n",
        ";a\r\n",
        "g\r\n",
        "+2\r\n",
        "-2\r\n",
        "0x2\r\n",
        " 2\r\n",
        "2 \r\n",
        "2\t\r\n",
        "2 ;a\r\n",
        "2; a\r\n",
        "2;a\0\r\n",
        "2;\x7f\r\n",
        "2;a\rb\r\n",
        "2\r\r\n",
        "2\n",
        "2\nhe\r\n0\r\n\r\n",
        "2\r\nhello\r\n",
        "2\r\nhe0\r\n",
        "2\r\nhe\n0\r\n\r\n",
        "0\r\nbad trailer\r\n\r\n",
        "0\r\n: a\r\n\r\n",
        "0\r\n folded: a\r\n\r\n",
        "0\r\nA: \0\r\n\r\n",
        "0\r\n\n",
    ] {
        let mut client = server.client();
        let answer = client.ask(chunked(body));
        assert_eq!((answer.status, answer.closes()), (400, true), "{body:?}");
    }
}

#[test]
fn a_chunk_line_is_at_most_1_kib() {
    let server = Server::start();
    let with_line = |len: usize| chunked(&format!("0;{}\r\n\r\n", "a".repeat(len - 4)));
    assert_eq!(server.ask(with_line(1 << 10)).status, 200);
    assert_eq!(server.ask(with_line((1 << 10) + 1)).status, 400);
    assert_eq!(server.ask(chunked(&"0".repeat(2000))).status, 400);
}

#[test]
fn a_hundred_trailers_are_accepted_and_one_more_is_not() {
    let server = Server::start();
    let with_trailers = |n: usize| chunked(&format!("0\r\n{}\r\n", "A: b\r\n".repeat(n)));
    assert_eq!(server.ask(with_trailers(100)).status, 200);
    assert_eq!(server.ask(with_trailers(101)).body, "HeadTooLarge /echo");
}

#[test]
fn a_body_at_the_limit_is_accepted_and_a_longer_one_is_not() {
    let server = Server::start();
    let (fits, over) = ("x".repeat(MAX_BODY), "x".repeat(MAX_BODY + 1));
    assert!(server.ask(post("/echo", &fits)).body.ends_with(&fits));
    assert_eq!(server.ask(post("/echo", &over)).body, "BodyTooLarge(100000) /echo");
    let chunks = |body: &str| chunked(&format!("5\r\nhello\r\n{:x}\r\n{}\r\n0\r\n\r\n", body.len() - 5, &body[5..]));
    assert!(server.ask(chunks(&fits)).body.ends_with(&fits[5..]));
    assert_eq!(server.ask(chunks(&over)).body, "BodyTooLarge(100000) /echo");
}

#[test]
fn continue_is_sent_only_after_the_request_is_admitted() {
    let server = Server::start();
    let mut client = server.client();
    let head = |more: &str| format!("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n{more}\r\n\r\n");
    assert_eq!(client.ask(head("Content-Length: 5")).status, 100);
    assert_eq!(client.ask("hello").body, "Http11 POST /echo hello");
    assert_eq!(client.ask(head("Transfer-Encoding: chunked")).status, 100);
    assert_eq!(client.ask("1\r\nx\r\n0\r\n\r\n").body, "Http11 POST /echo x");
    // The body has arrived, or is empty: there is nothing to wait for.
    assert_eq!(client.ask(head("Content-Length: 5") + "hello").status, 200);
    assert_eq!(client.ask(head("Content-Length: 0")).status, 200);
    let refused = client.ask(head("Content-Length: 5\r\nX-Key: wrong"));
    assert_eq!((refused.status, refused.closes()), (401, true));
}

#[test]
fn continue_is_never_sent_to_http_1_0_or_for_a_body_that_is_too_large() {
    let server = Server::start();
    let large =
        format!("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", MAX_BODY + 1);
    assert_eq!(server.ask(large).status, 413);
    let mut old = server.client();
    old.send("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(old.ask("hello").status, 200);
}

#[test]
fn a_refused_request_whose_body_has_arrived_keeps_the_connection() {
    let server = Server::start();
    let mut client = server.client();
    let refused = post("/echo", "hello").replace("Host", "X-Key: wrong\r\nHost");
    let answer = client.ask(refused + &get("/next"));
    assert_eq!((answer.status, answer.closes()), (401, false));
    assert_eq!(client.answer().body, "Http11 GET /next ");
}

#[test]
fn a_client_that_sends_2_mib_before_it_reads_sees_the_refusal() {
    let server = Server::start();
    let body = "x".repeat(2 << 20);
    for (key, status) in [("wrong", 401), ("right", 413)] {
        let mut client = server.client();
        let answer = client.ask(post("/echo", &body).replace("Host", &format!("X-Key: {key}\r\nHost")));
        assert_eq!((answer.status, answer.closes()), (status, true));
        client.half_close();
        client.assert_closed();
    }
}

#[test]
fn a_refused_request_is_answered_before_its_body_arrives() {
    let server = Server::start();
    for (key, status) in [("wrong", 401), ("right", 413)] {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nX-Key: {key}\r\nContent-Length: 1000000000000\r\n\r\n");
        assert_eq!(server.ask(head + "the first bytes").status, status);
    }
}
