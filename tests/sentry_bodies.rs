//! Sentry's protocol byte by byte: encodings, envelopes, and what is not one.
mod common;
use common::coding::*;
use common::sentry::*;
use common::*;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

#[test]
fn every_encoding_is_accepted_on_every_route() {
    let obs = Obs::start();
    let small = envelope(&[event("small")]);
    let large = envelope(&[item("attachment", vec![b'\n'; 3 << 20]), event("large")]);
    let report = br#"{"csp-report":{"violated-directive":"img-src","blocked-uri":"inline"}}"#.to_vec();
    let bodies = [
        ("envelope", small, "small"),
        ("envelope", large, "large"),
        ("store", br#"{"message":"store"}"#.to_vec(), "store"),
        ("security", report, "blocked 'img-src' from inline"),
    ];
    for (route, body, message) in &bodies {
        for (coding, encode) in ENCODERS {
            assert_eq!(stored(&obs, &send_as(&obs, route, coding, encode(body)))["message"], *message, "{coding}");
        }
        let plain = ["", "\r\nContent-Encoding: identity", "\r\nContent-Type: application/json"];
        for header in plain {
            assert_eq!(stored(&obs, &obs.send(&(head(route) + header), body))["message"], *message, "{header}");
        }
        let refused = send_as(&obs, route, "zstd", body);
        assert_eq!((refused.status, refused.header("accept-encoding")), (415, Some("gzip, deflate, br")));
        assert_readable(&refused);
    }
    assert_eq!(stored(&obs, &send_as(&obs, "store", "gzip", &bodies[2].1))["message"], "store", "says gzip, is plain");
    assert_eq!(stored(&obs, &send_as(&obs, "envelope", "br", &bodies[0].1))["message"], "small", "says br, is plain");
    for (coding, encode) in ENCODERS {
        let mut damaged = encode(&bodies[0].1);
        damaged.truncate(damaged.len() / 2);
        let refused = send_as(&obs, "envelope", coding, damaged);
        assert_eq!(refused.status, 400, "{coding}");
        assert_readable(&refused);
    }
}

fn base64(bytes: &[u8], line: usize) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= group.len() { digit.into() } else { '=' });
        }
        text.push_str(if text.len() % line < 4 { "\r\n" } else { "" });
    }
    text
}

#[test]
fn an_event_may_be_base64_of_zlib_without_a_header_that_says_so() {
    let obs = Obs::start();
    for length in 0..7 {
        let message = format!("raven{}", "n".repeat(length));
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(format!(r#"{{"message":"{message}"}}"#).as_bytes()).unwrap();
        let zlib = zlib.finish().unwrap();
        for line in [usize::MAX, 76] {
            let text = base64(&zlib, line);
            assert!(text.starts_with("eJ"));
            assert_eq!(stored(&obs, &send(&obs, "store", &text))["message"], message);
        }
    }
    for broken in ["eJ", "eJ!!", "eJwDAAAAAAE", "eJyrVspNLS5OTE9VslJKKkvMK1aqBQBG"] {
        assert_eq!(send(&obs, "store", broken).status, 400, "{broken}");
    }
}

#[test]
fn a_request_needs_no_length_no_type_and_no_user_agent() {
    let obs = Obs::start();
    let large = envelope(&[item("replay_video", vec![7; 200_000]), event("chunked")]);
    let bodies = [
        (envelope(&[event("chunked")]), 1, ""),
        (gzip(envelope(&[event("chunked")])), 1, "\r\nContent-Encoding: gzip"),
        (large.clone(), 60_000, ""),
        (gzip(&large), 1, "\r\nContent-Encoding: gzip"),
        (brotli(&large), 60_000, "\r\nContent-Encoding: br"),
        (large, 65_536, ""),
    ];
    for (body, size, header) in bodies {
        let mut bytes =
            format!("{}{header}\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", head("envelope")).into_bytes();
        for chunk in body.chunks(size) {
            bytes.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        bytes.extend(b"0\r\n\r\n");
        let mut client = obs.connect();
        client.write(&[&bytes[..], &bytes[..]].concat());
        for _ in 0..2 {
            assert_eq!(stored(&obs, &client.read(false).unwrap())["message"], "chunked", "{header}");
        }
    }
}

#[test]
fn the_events_of_an_envelope_are_stored_whatever_is_around_them() {
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let cases: [(&str, Vec<u8>, &[&str]); 14] = [
        ("no length", b"{}\n{\"type\":\"event\"}\n{\"message\":\"a\"}\n".to_vec(), &["a"]),
        ("no final newline", b"{}\n{\"type\":\"event\"}\n{\"message\":\"a\"}".to_vec(), &["a"]),
        ("length null", b"{}\n{\"type\":\"event\",\"length\":null}\n{\"message\":\"a\"}\n".to_vec(), &["a"]),
        ("CRLF", b"{}\r\n{\"type\":\"event\"}\r\n{\"message\":\"a\"}\r\n\r\n{\"type\":\"event\",\"length\":15}\r\n{\"message\":\"b\"}\r\n".to_vec(), &["a", "b"]),
        ("blank lines", b"{}\n\n{\"type\":\"event\"}\n{\"message\":\"a\"}\n\n\n{\"type\":\"event\"}\n{\"message\":\"b\"}\n\n".to_vec(), &["a", "b"]),
        ("a header with much in it", [b"{\"sdk\":{\"name\":\"x\"},\"trace\":{\"a\":[1]},\"dsn\":7,\"event_id\":7,\"sent_at\":{}}\n".to_vec(), event("a")].concat(), &["a"]),
        ("two events without ids", [b"{\"event_id\":\"0193a5c277ab7d109b1e5d2f0c4e8a91\"}\n".to_vec(), event("a"), event("b")].concat(), &["a", "b"]),
        ("attachments", envelope(&[item("attachment", &binary), event("a"), item("attachment", &binary), event("b")]), &["a", "b"]),
        ("an empty attachment", envelope(&[item("attachment", ""), event("a")]), &["a"]),
        ("a replay", envelope(&[item("replay_event", "{}"), item("replay_recording", &binary), event("a")]), &["a"]),
        ("what comes next year", envelope(&[item("next_year", "{\n}"), event("a"), item("span", "7")]), &["a"]),
        ("a broken item", envelope(&[event("a"), b"{\"type\":\n".to_vec(), event("b")]), &["a"]),
        ("a length beyond the end", envelope(&[event("a"), b"{\"type\":\"event\",\"length\":99}\n{}".to_vec()]), &["a"]),
        ("a broken event", envelope(&[event("a"), item("event", "{"), item("event", "7"), event("b")]), &["a", "b"]),
    ];
    for (what, body, expected) in cases {
        let obs = Obs::start();
        let answer = send(&obs, "envelope", &body);
        assert_eq!(messages(&obs), expected, "{what}: {}", answer.text());
        assert_eq!(stored(&obs, &answer)["message"], expected[0], "{what}: the answer names the first");
    }
}

#[test]
fn what_is_no_envelope_or_no_event_is_refused_with_the_reason() {
    let obs = Obs::start();
    let long = [vec![b'{'; 70_000], b"\n".to_vec(), event("m")].concat();
    let deep = format!(r#"{{"message":"m","extra":{}{}}}"#, "[".repeat(127), "]".repeat(127));
    let large = format!(r#"{{"message":"{}"}}"#, "x".repeat(1 << 20));
    for (route, body, status) in [
        ("envelope", b"".to_vec(), 400),
        ("envelope", b"hello".to_vec(), 400),
        ("envelope", b"\n{\"type\":\"event\"}\n{}".to_vec(), 400),
        ("envelope", long, 400),
        ("envelope", vec![0xFF; 100], 400),
        ("envelope", envelope(&[item("event", "{")]), 400),
        ("envelope", envelope(&[item("event", &deep)]), 400),
        ("envelope", envelope(&[item("event", &large)]), 413),
        ("envelope", format!("{{}}\n{{\"type\":\"event\"}}\n{large}").into_bytes(), 413),
        ("store", b"".to_vec(), 400),
        ("store", b"[]".to_vec(), 400),
        ("store", b"{\"message\":\"\xFF\"}".to_vec(), 400),
        ("store", deep.into_bytes(), 400),
        ("store", large.clone().into_bytes(), 413),
        ("security", b"hello".to_vec(), 400),
    ] {
        let refused = send(&obs, route, &body);
        assert_eq!(refused.status, status, "{route}: {}", refused.text());
        assert_readable(&refused);
    }
    let answer = send(&obs, "envelope", envelope(&[item("event", &large), event("good"), item("event", &large)]));
    assert_eq!(stored(&obs, &answer)["message"], "good");
    let nested = format!(r#"{{"message":"nested","extra":{}{}}}"#, "[".repeat(126), "]".repeat(126));
    assert_eq!(stored(&obs, &send(&obs, "envelope", envelope(&[item("event", nested)])))["message"], "nested");
    assert_eq!(messages(&obs), ["good", "nested"]);
}

/// An attachment of this many bytes that do not compress well.
fn attachment(length: usize) -> Vec<u8> {
    let mut rng = rng::Rng(7);
    let block: Vec<u8> = (0..1 << 16).map(|_| rng.below(256) as u8).collect();
    item("attachment", block.into_iter().cycle().take(length).collect::<Vec<_>>())
}

#[test]
fn an_envelope_of_20_mib_takes_no_more_memory_than_its_events() {
    let obs = Obs::start();
    let large = format!(r#"{{"message":"large","extra":"{}"}}"#, "x".repeat(1_000_000));
    let body = envelope(&[event("before"), attachment((18 << 20) - 4096), item("event", large), event("after")]);
    assert!(((18 << 20) + 900_000..=20 << 20).contains(&body.len()));
    let stored_flat = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::none());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    assert_eq!(stored(&obs, &send(&obs, "envelope", &body))["message"], "before");
    assert_eq!(stored(&obs, &send_as(&obs, "envelope", "gzip", stored_flat(&body)))["message"], "before");
    assert_eq!(stored(&obs, &send_as(&obs, "envelope", "br", brotli(&body)))["message"], "before");
    assert_eq!(messages(&obs), ["before", "large", "after"].repeat(3));
    assert!(obs.peak_memory() < 60_000, "peak: {} kB", obs.peak_memory());
}

#[test]
fn an_envelope_over_20_mib_sent_or_100_mib_decoded_is_refused() {
    let obs = Obs::start();
    let full = |length: usize| {
        let items = [event("before"), attachment(length - 2048)];
        let padding = length - envelope(&items).len();
        [envelope(&items), b"\n".repeat(padding)].concat()
    };
    assert_eq!(stored(&obs, &send(&obs, "envelope", full(20 << 20)))["message"], "before");
    let refused = send(&obs, "envelope", full((20 << 20) + 1));
    assert_eq!((refused.status, messages(&obs).len()), (413, 1), "not read at all");
    assert_readable(&refused);
    let mut chunked = obs.connect();
    chunked.write(format!("{}\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", head("envelope")).as_bytes());
    let body = full(30 << 20);
    let sent = body.chunks(1 << 20).try_for_each(|chunk| {
        chunked.try_write(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
    });
    let refused = chunked.read(false).unwrap_or_else(|| panic!("no answer after {sent:?}"));
    assert_eq!(refused.status, 413);
    assert_readable(&refused);

    let zeros = vec![0; 1 << 20];
    let start = |mebibytes: usize| {
        let item = format!("{{\"type\":\"attachment\",\"length\":{}}}\n", mebibytes << 20);
        [envelope(&[event("before")]), item.into_bytes()].concat()
    };
    let fits = [bomb(&start(99), &zeros, 99), deflate([b"\n".to_vec(), event("after")].concat())].concat();
    assert_eq!(stored(&obs, &send_as(&obs, "envelope", "deflate", fits))["message"], "before");
    assert_eq!(messages(&obs)[2..], ["before", "after"]);
    let refused = send_as(&obs, "envelope", "deflate", bomb(&start(101), &zeros, 101));
    assert_eq!((refused.status, refused.error().as_str()), (413, "The body is over the limit of 104857600 bytes"));
    assert_readable(&refused);
    assert_eq!(messages(&obs)[4..], ["before"], "an event in front of the bomb is stored");
}
