//! Which request heads are accepted, and which are refused.
use crate::server::{Server, get, post};

/// Each of these gets a 400, and its connection is closed.
fn assert_bad(requests: &[&str]) {
    let server = Server::start();
    for request in requests {
        let mut client = server.client();
        let answer = client.ask(request);
        assert_eq!(answer.status, 400, "{request:?}");
        assert!(answer.closes() && answer.body.starts_with("BadRequest"), "{request:?}");
        client.half_close();
        client.assert_closed();
    }
}

#[test]
fn line_endings_other_than_crlf_are_refused() {
    assert_bad(&[
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\r\nHost: x\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\n",
        "GET / HTTP/1.1\rHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
        "\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]);
}

#[test]
fn malformed_headers_are_refused() {
    assert_bad(&[
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\n folded: x\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\t: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: \x0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA(: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nÄ: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
    ]);
}

#[test]
fn malformed_request_lines_are_refused() {
    assert_bad(&[
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
        "GET /\tHTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "G\"T / HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\x02\0",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]);
}

#[test]
fn versions_other_than_1_0_and_1_1_are_refused() {
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/1.10", "HTTP/1", "http/1.1", "HTTPS/1.1", "ICY"] {
        assert_bad(&[&format!("GET / {version}\r\nHost: x\r\n\r\n")]);
    }
    assert_bad(&["GET /\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]);
}

#[test]
fn http_1_1_needs_exactly_one_plain_host() {
    assert_bad(&[
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHOST: y\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: x\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
    ]);
}

#[test]
fn targets_other_than_a_path_are_refused() {
    for target in
        ["a", "*", "x:80", "ftp://x/", "http://y/", "http://x:81/", "http://u@x/", "http:///", "/#a", "/\\a", "/é"]
    {
        assert_bad(&[&format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")]);
    }
    assert_bad(&["CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", "GET http://x/ HTTP/1.0\r\n\r\n"]);
}

#[test]
fn an_absolute_target_reaches_the_application_as_its_path() {
    let server = Server::start();
    let answer = server.ask("GET HTTP://X:80/a?b=1 HTTP/1.1\r\nHost: x:80\r\n\r\n");
    assert_eq!(answer.body, "Http11 GET /a?b=1 ");
    let answer = server.ask("GET http://x?b HTTP/1.1\r\nHost: X\r\n\r\n");
    assert_eq!(answer.body, "Http11 GET /?b ");
}

#[test]
fn an_asterisk_is_a_target_for_options() {
    assert_eq!(Server::start().ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").body, "Http11 OPTIONS * ");
}

#[test]
fn a_head_of_16_kib_is_accepted_and_a_longer_one_is_not() {
    let server = Server::start();
    let frame = "GET /long HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n".len();
    let with_length = |len: usize| format!("GET /long HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(len - frame));
    assert_eq!(server.ask(with_length(16 << 10)).status, 200);
    let answer = server.ask(with_length((16 << 10) + 1));
    assert_eq!((answer.status, answer.body.as_str()), (431, "HeadTooLarge /long"));
    let endless = server.ask(format!("GET /{}", "a".repeat(16 << 10)));
    assert_eq!((endless.status, endless.body.as_str()), (431, "HeadTooLarge unknown"));
}

#[test]
fn a_hundred_headers_are_accepted_and_one_more_is_not() {
    let server = Server::start();
    let with_headers = |more: usize| format!("GET /many HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(more));
    assert_eq!(server.ask(with_headers(99)).status, 200);
    assert_eq!(server.ask(with_headers(100)).body, "HeadTooLarge /many");
}

#[test]
fn a_refusal_names_the_target_of_a_head_that_is_malformed_further_down() {
    let server = Server::start();
    assert!(server.ask("GET /a?b HTTP/1.1\r\nHost : x\r\n\r\n").body.ends_with(" /a?b"));
    assert!(server.ask("GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n").body.ends_with(" /a"));
}

#[test]
fn a_head_may_arrive_byte_by_byte() {
    let server = Server::start();
    let mut client = server.client();
    for byte in post("/echo", "hello").as_bytes() {
        client.send([*byte]);
    }
    assert_eq!(client.answer().body, "Http11 POST /echo hello");
}

#[test]
fn one_blank_line_before_a_request_is_ignored() {
    let server = Server::start();
    let mut client = server.client();
    assert_eq!(client.ask(format!("\r\n{}", get("/a"))).status, 200);
    assert_eq!(client.ask(format!("{}\r\n{}", post("/a", "x"), get("/b"))).body, "Http11 POST /a x");
    assert_eq!(client.answer().body, "Http11 GET /b ");
    client.send("\r");
    assert_eq!(client.ask("\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n").body, "Http11 GET /c ");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let mut client = server.client();
    client.send((0..100).map(|n| post(&format!("/{n}"), &"x".repeat(n))).collect::<String>());
    for n in 0..100 {
        assert_eq!(client.answer().body, format!("Http11 POST /{n} {}", "x".repeat(n)));
    }
}

#[test]
fn http_1_0_connections_close_after_the_response() {
    let server = Server::start();
    let mut client = server.client();
    let answer = client.ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!((answer.status, answer.body.as_str(), answer.closes()), (200, "Http10 GET /a ", true));
    client.half_close();
    client.assert_closed();
}

#[test]
fn close_is_found_anywhere_in_the_connection_header() {
    let server = Server::start();
    for value in ["close", "CLOSE", "keep-alive, Close", "a,close ,b", "a\r\nConnection: close"] {
        let mut client = server.client();
        assert!(client.ask(format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: {value}\r\n\r\n")).closes(), "{value}");
        client.half_close();
        client.assert_closed();
    }
    assert!(!server.ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n\r\n").closes());
}

#[test]
fn a_client_that_closes_its_side_after_a_complete_request_is_answered() {
    let server = Server::start();
    let mut client = server.client();
    client.send(post("/echo", "hello"));
    client.half_close();
    assert_eq!(client.answer().body, "Http11 POST /echo hello");
    client.assert_closed();
}

#[test]
fn a_client_that_closes_its_side_within_a_request_gets_400() {
    let server = Server::start();
    for part in ["GET /a HTTP/1.1\r\nHo", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell"] {
        let mut client = server.client();
        client.send(part);
        client.half_close();
        assert_eq!(client.answer().body, "BadRequest(\"the request ends early\") /a");
        client.assert_closed();
    }
}
