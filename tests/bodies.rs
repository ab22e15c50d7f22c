//! Bodies of events: compressed, larger than the limit, or not what their headers say; and how preflights are answered.
mod common;
use common::coding::*;
use common::*;

const LIMIT: usize = 1 << 20;
/// `{"message":"compressed with brotli"}`, after the byte that declares the window.
const BROTLI: &str = "11807b226d657373616765223a22636f6d7072657373656420776974682062726f746c69227d03";
/// A million letters, and after them a text of 64 characters from before them and words of brotli's own dictionary. The
/// declared window is 16 MiB.
const BROTLI_FAR: &str = "5f49430fc2388c63c4472f9be846e6c572391a7b87d8225a7379df38e501e0c1e66b1c6cfb651e75d04560a293ed2714014989c7af09e09c0e517fc9ee64fda2bd152db7553e98e17c7450ea9682a6e5216d07124dc4a658c287756380973f3fe701274eab46a1b3f5a26b7c45470a46cb194fc4d648aaf5516f2a9b8e709e47d843db76437e";
/// `{"message":"` and 256 MiB of letters. The declared window is 16 MiB.
const BROTLI_BOMB: &str = "cfffff7f00a44574c2f65625a71532b96ebdff97e1ffff3f001200715800baf7fffcffff074002200e0b40f7fe9fffffff004800c46101e8defff3ffff1f000980382c00ddfb7ffeffff032001108705a07bffcfffff7f002400e2b00074effff9ffff0f8004401c1680eefd3fffffff01900088c302d0bdffe7ffff3f001200715800baf7fffcffff074002200e0b40f7fe9fffffff004800c46101e8defff3ffff1f000980382c00ddfb7ffeffff032001108705a07bffcfffff7f002400e2b00074effff9ffff0f8004401c1680eefd7f2c0000900088200200";

fn head(coding: &str) -> String {
    format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}\r\nContent-Encoding: {coding}")
}

fn send(obs: &Obs, coding: &str, body: impl AsRef<[u8]>) -> Response {
    obs.send(&head(coding), body.as_ref())
}

#[test]
fn a_compressed_event_is_stored_as_if_it_were_not() {
    let obs = Obs::start();
    let event = br#"{"message":"compressed","extra":{"n":1}}"#;
    for (coding, encode) in ENCODERS {
        let answer = send(&obs, coding, encode(event));
        assert_eq!(answer.status, 201, "{coding}: {}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_string();
        let stored = obs.json(&format!("/api/events/{id}"));
        assert_eq!((&stored["message"], &stored["extra"]["n"]), (&"compressed".into(), &1.into()), "{coding}");
    }
    let body = gzip(event);
    for coding in ["GZip", "x-gzip", "\t gzip ", "identity, gzip", "gzip\r\nContent-Encoding: identity", ", gzip"] {
        assert_eq!(send(&obs, coding, &body).status, 201, "{coding:?}");
    }
    for coding in ["", "identity", "Identity", " , "] {
        assert_eq!(send(&obs, coding, event).status, 201, "{coding:?}");
    }
    let chunks: Vec<u8> = body.iter().flat_map(|byte| [b"1\r\n", &[*byte][..], b"\r\n"].concat()).collect();
    let mut client = obs.connect();
    client.write(format!("{}\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", head("gzip")).as_bytes());
    client.write(&[&chunks[..], b"0\r\n\r\n"].concat());
    assert_eq!(client.read(false).unwrap().status, 201);
}

#[test]
fn brotli_streams_with_any_window_are_decoded() {
    let obs = Obs::start();
    for (window, first) in (18..=24).zip((0x83..).step_by(2)) {
        assert_eq!(send(&obs, "br", [&[first][..], &hex(BROTLI)].concat()).status, 201, "2 to the power of {window}");
    }
    for stream in [
        "218c00047b226d657373616765223a22636f6d7072657373656420776974682062726f746c69227d03",
        "3002107b226d657373616765223a22636f6d7072657373656420776974682062726f746c69227d03",
        "018c00047b226d657373616765223a22636f6d7072657373656420776974682062726f746c69227d03",
    ] {
        assert_eq!(send(&obs, "br", hex(stream)).status, 201, "{stream}");
    }
    let id = send(&obs, "br", hex(BROTLI_FAR)).json()["id"].as_str().unwrap().to_string();
    let event = obs.json(&format!("/api/events/{id}"));
    let (name, extra) = (event["message"].as_str().unwrap(), event["extra"].as_str().unwrap());
    assert_eq!(&extra[..1_000_064], format!("{}{name}", "a".repeat(1_000_000)));
    assert!(extra.ends_with("The following information about the government was available, however it could not be established with certainty."));
    let beyond_the_rfc = "111a4600027b226d657373616765223a22636f6d7072657373656420776974682062726f746c69227d03";
    assert_eq!(send(&obs, "br", hex(beyond_the_rfc)).status, 400);
}

#[test]
fn an_unsupported_coding_gets_415_before_the_body_is_read() {
    let obs = Obs::start();
    for (coding, named) in
        [("zstd", "zstd"), ("UTF-8", "utf-8"), ("gzip, br", "gzip, br"), ("gzip, gzip", "gzip, gzip")]
    {
        let mut client = obs.connect();
        client.write(format!("{}\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", head(coding)).as_bytes());
        let answer = client.read(false).unwrap();
        assert_eq!((answer.status, answer.header("accept-encoding")), (415, Some("gzip, deflate, br")), "{coding}");
        assert!(answer.error().contains(named), "{}", answer.error());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    assert!(send(&obs, &"x".repeat(10_000), "{}").error().len() < 200);
    let unknown_key = "POST /api/events HTTP/1.1\r\nX-OBS-Key: wrong\r\nContent-Encoding: zstd";
    assert_eq!(obs.send(unknown_key, b"{}").status, 401);
}

#[test]
fn plain_json_that_is_declared_as_compressed_is_stored() {
    let obs = Obs::start();
    let event = format!(r#"{{"message":"plain","extra":"{}"}}"#, "x".repeat(100_000));
    for coding in ["gzip", "deflate", "br"] {
        for body in [r#"{"message":"plain"}"#, " \r\n\t{\"message\":\"plain\"}", &event] {
            assert_eq!(send(&obs, coding, body).status, 201, "{coding}: {:.30}", body);
        }
        for body in ["", "plain text", "[]", "\"{\"", "{"] {
            assert_eq!(send(&obs, coding, body).status, 400, "{coding}: {body}");
        }
    }
    assert!(send(&obs, "gzip", "{").error().starts_with("Invalid JSON"));
    assert!(send(&obs, "gzip", "plain text").error().contains("Content-Encoding"));
}

#[test]
fn the_limit_of_an_event_applies_to_what_it_decodes_to() {
    let obs = Obs::start();
    let event = |size: usize| format!(r#"{{"message":"{}"}}"#, "x".repeat(size - 14)).into_bytes();
    for (coding, encode) in &ENCODERS[..3] {
        assert_eq!(send(&obs, coding, encode(&event(LIMIT))).status, 201, "{coding}");
        let refusal = send(&obs, coding, encode(&event(LIMIT + 1)));
        assert_eq!(refusal.status, 413, "{coding}");
        assert!(refusal.error().contains("1048576 bytes"), "{}", refusal.error());
    }
    assert_eq!(send(&obs, "br", brotli(event(LIMIT - 100))).status, 201);
    assert_eq!(send(&obs, "br", hex(BROTLI_BOMB)).status, 413);
    let bomb = vec![b'x'; 64 * LIMIT];
    for (coding, encode) in &ENCODERS[..3] {
        let refusal = send(&obs, coding, encode(&bomb));
        assert_eq!((refusal.status, refusal.header("access-control-allow-origin")), (413, Some("*")), "{coding}");
    }
}

#[test]
fn a_damaged_or_incomplete_stream_gets_400() {
    let obs = Obs::start();
    let event = format!(r#"{{"message":"m","extra":"{}"}}"#, (0..500).map(|n| n.to_string()).collect::<String>());
    for (coding, encode) in ENCODERS {
        let whole = encode(event.as_bytes());
        for cut in [1, 2, 5, whole.len() / 2, whole.len() - 1] {
            let answer = send(&obs, coding, &whole[..cut]);
            assert_eq!(answer.status, 400, "{coding}, the first {cut} bytes of {}", whole.len());
            assert!(answer.error().contains("incomplete"), "{}", answer.error());
        }
        for more in [&b"x"[..], b"\0", b"\n", &[0; 40_000]] {
            assert_eq!(send(&obs, coding, [&whole, more].concat()).status, 400, "{coding}, {} more bytes", more.len());
        }
        assert_eq!(send(&obs, coding, &whole).status, 201);
    }
    for (coding, whole) in [("gzip", gzip(&event)), ("deflate", zlib(&event))] {
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1; // the checksum, or the length
        assert_eq!(send(&obs, coding, damaged).status, 400, "{coding}");
    }
}

#[test]
fn the_members_of_a_gzip_stream_are_joined() {
    let obs = Obs::start();
    let members = [gzip(r#"{"message":"#), gzip(""), gzip(r#""joined"}"#)].concat();
    let id = send(&obs, "gzip", &members).json()["id"].as_str().unwrap().to_string();
    assert_eq!(obs.json(&format!("/api/events/{id}"))["message"], "joined");
    assert_eq!(send(&obs, "gzip", &members[..members.len() - 1]).status, 400);
}

#[test]
fn a_preflight_allows_every_header_that_it_asks_for() {
    let obs = Obs::start();
    let allowed = |asked: &str| {
        let head = format!(
            "OPTIONS /api/events HTTP/1.1\r\nOrigin: https://shop.example\r\nAccess-Control-Request-Method: POST{asked}"
        );
        let answer = obs.send(&head, b"");
        assert_eq!((answer.status, answer.header("access-control-max-age")), (204, Some("86400")));
        assert_eq!(answer.header("vary"), Some("Access-Control-Request-Headers"));
        answer.header("access-control-allow-headers").unwrap().to_string()
    };
    let many = (0..200).map(|n| format!("x-tracer-{n}")).collect::<Vec<_>>().join(",");
    for names in ["baggage,content-type,traceparent,x-obs-key", "b3, X-Request-Id", &many] {
        assert_eq!(allowed(&format!("\r\nAccess-Control-Request-Headers: {names}")), names);
    }
    for unclean in [
        "",
        "\r\nAccess-Control-Request-Headers:",
        "\r\nAccess-Control-Request-Headers: a;b",
        "\r\nAccess-Control-Request-Headers: é",
    ] {
        assert!(allowed(unclean).contains("X-OBS-Key"), "{unclean:?}");
    }
}

#[test]
fn a_stranger_is_answered_before_any_of_its_body_is_read() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "secret")]);
    let id = "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91";
    let mut requests = vec![
        ("POST /api/events".into(), 401),
        ("POST /api/events/".into(), 308),
        ("OPTIONS /api/events".into(), 413),
        ("GET /health".into(), 413),
        ("HEAD /style.css".into(), 413),
        ("GET /sdk.js".into(), 413),
        ("POST /nowhere".into(), 404),
        ("PUT /api/nowhere".into(), 404),
        ("POST /api/issues/1/merge".into(), 401),
    ];
    requests.extend(["PUT", "DELETE", "PATCH", "GET", "TRACE", "ODD"].map(|m| (format!("{m} /api/events"), 405)));
    requests.extend(["OPTIONS", "POST", "PUT"].map(|m| (format!("{m} /health"), 405)));
    requests
        .extend(["DELETE /api/issues/1", "PATCH /api/issues/1", "POST /", "POST /issues/1"].map(|r| (r.into(), 401)));
    requests.extend(["DELETE /api/events/", "POST /events/"].map(|r| (format!("{r}{id}"), 401)));
    requests.extend(["GET /", "HEAD /issues/1", "GET /api/stats"].map(|r| (r.into(), 401)));
    for (request, status) in requests {
        for framing in ["Content-Length: 1048576", "Transfer-Encoding: chunked", "Content-Length: 99999999999999999999"]
        {
            // Waits for the first byte of the body, which never comes.
            for expect in ["", "Expect: 100-continue\r\n"] {
                let mut client = obs.connect();
                let head =
                    format!("{request} HTTP/1.1\r\nHost: localhost\r\nX-OBS-Key: wrong\r\n{expect}{framing}\r\n\r\n");
                client.write(head.as_bytes());
                let answer = client.read(request.starts_with("HEAD")).unwrap();
                assert_eq!(answer.status, status, "{request}, {framing}, {expect}");
                assert_eq!(answer.header("connection"), Some("close"));
            }
        }
    }
}

#[test]
fn responses_that_strangers_never_read_take_no_room_from_events() {
    let obs = Obs::start();
    let event = format!(r#"{{"message":"m","extra":"{}"}}"#, "x".repeat(200_000));
    let mut strangers: Vec<_> = (0..400).map(|_| obs.connect()).collect();
    for stranger in &mut strangers {
        // Far more than the kernel holds for a client that does not read.
        stranger.write("GET /sdk.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(300).as_bytes());
    }
    strangers.iter_mut().for_each(Connection::first_byte);
    assert!((0..20).all(|_| obs.post(&event).status == 201));
}

#[test]
fn bodies_that_strangers_never_finish_take_no_room_from_events() {
    let obs = Obs::start();
    let event = format!(r#"{{"message":"m","extra":"{}"}}"#, "x".repeat(20_000));
    for (request, status) in [
        ("OPTIONS /api/events", 413),
        ("POST /api/events", 401),
        ("GET /health", 413),
        ("GET /sdk.js", 413),
        ("POST /nowhere", 404),
        ("PUT /api/events", 405),
    ] {
        for framing in ["Content-Length: 1048576\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n100000\r\n"] {
            let mut strangers: Vec<_> = (0..26).map(|_| obs.connect()).collect();
            for stranger in &mut strangers {
                let head = format!("{request} HTTP/1.1\r\nHost: localhost\r\nX-OBS-Key: wrong\r\n{framing}");
                stranger.write(head.as_bytes());
                stranger.write(&vec![b'x'; LIMIT - 1]);
            }
            assert!((0..5).all(|_| obs.post(&event).status == 201), "{request} {framing}");
            assert!(strangers.iter_mut().all(|stranger| stranger.read(false).unwrap().status == status), "{request}");
        }
    }
}
