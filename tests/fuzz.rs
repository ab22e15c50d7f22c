//! Random requests: valid ones with some bytes changed, and JSON of any shape. obs never responds with a 5xx, never hangs,
//! and serves the next valid request. `FUZZ_SECONDS` sets the duration (default 30), `FUZZ_SEED` reproduces a failure.
mod common;
use common::rng::Rng;
use common::*;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::value::RawValue;
use std::env;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const FIELDS: &[&str] = &[
    "event_id",
    "level",
    "type",
    "message",
    "stacktrace",
    "causes",
    "platform",
    "timestamp",
    "server_name",
    "environment",
    "release",
    "fingerprint",
    "suppressed",
    "extra",
    "filename",
    "function",
    "lineno",
    "in_app",
    "context_line",
    "other",
    "tags",
    "user",
    "request",
    "breadcrumbs",
    "contexts",
    "exception",
    "values",
    "value",
    "frames",
    "module",
    "abs_path",
    "mechanism",
    "handled",
    "logentry",
    "formatted",
    "threads",
    "crashed",
    "transaction",
    "headers",
    "url",
    "id",
    "email",
    "browser",
    "os",
    "name",
    "version",
    "sentry.interfaces.Exception",
    "sentry.interfaces.Message",
    "csp-report",
    "body",
    "blockedURL",
    "effectiveDirective",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "m",
    "Error: timeout after 30s",
    "2026-02-25 15:05:20",
    "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91",
    "\\ud83d",
    "\\u0000",
    "é",
    "日本",
    "{{ default }}",
    "/srv/app/vendor/x.php",
    "<script>",
    "\\\"",
    "\\n\\n",
    "9999-12-31T23:59:59.999Z",
    "(SQL: select",
    "'a' for 'b'",
    "1e999",
    "::1",
    "a@b.c",
    "https://x.example/7?q=1",
    "0x1f",
    "%s%n",
];

const NUMBERS: &[&str] = &["0", "-1", "1.5", "1e400", "99999999999999999999999", "1000000", "-0", "1772031920.5"];

/// JSON that is mostly well-formed, with mostly known field names.
fn json(rng: &mut Rng, depth: usize) -> String {
    match rng.below(if depth > 4 { 4 } else { 8 }) {
        0 => rng.pick(&["null", "true", "false"]).into(),
        1 => rng.pick(NUMBERS).into(),
        2 | 3 => format!("\"{}{}\"", rng.pick(TEXTS), rng.pick(TEXTS)),
        4 => {
            let items: Vec<_> = (0..rng.below(5)).map(|_| json(rng, depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        5 => "[".repeat(rng.below(200)) + &"]".repeat(rng.below(200)),
        _ => object(rng, depth),
    }
}

fn object(rng: &mut Rng, depth: usize) -> String {
    let fields: Vec<_> =
        (0..rng.below(9)).map(|_| format!("\"{}\":{}", rng.pick(FIELDS), json(rng, depth + 1))).collect();
    format!("{{{}}}", fields.join(","))
}

/// An envelope of a few items, mostly with their lengths.
fn envelope(rng: &mut Rng) -> String {
    let mut envelope = rng
        .pick(&["{}", r#"{"event_id":"0193a5c277ab7d109b1e5d2f0c4e8a91","sent_at":"2026-11-24T00:00:00Z"}"#, "{"])
        .to_string();
    for _ in 0..rng.below(5) {
        let kind = rng.pick(&["event", "event", "event", "attachment", "session", "replay_recording"]);
        let payload = if rng.below(4) > 0 { object(rng, 0) } else { json(rng, 0) };
        let length = match rng.below(8) {
            0 | 1 => String::new(),
            2 => format!(",\"length\":{}", rng.pick(NUMBERS)),
            _ => format!(",\"length\":{}", payload.len()),
        };
        envelope += &format!("\n{{\"type\":\"{kind}\"{length}}}\n{payload}");
    }
    envelope + rng.pick(&["", "\n", "\n\n"])
}

/// A change to an issue, as JSON or as a form.
fn change(rng: &mut Rng) -> String {
    let (id, action) = (rng.below(40), rng.pick(&["resolve", "ignore", "reopen", "delete", "merge", "dance"]));
    match rng.below(3) {
        0 => format!(r#"{{"state":"{}"}}"#, rng.pick(&["open", "resolved", "ignored", "gone"])),
        1 => format!(r#"{{"into":{id}}}"#),
        _ => format!("do={action}&id={id}&id={}&back={}", rng.below(40), rng.pick(TEXTS)),
    }
}

/// A search made of filters, words and stray punctuation, percent-encoded.
fn query(rng: &mut Rng) -> String {
    const TOKENS: &[&str] =
        &["is:open", "is:any", "is:new", "level:error", "env:", "\"", "release:\"a b", ":", "type:x"];
    let word = |_| {
        let words = [TOKENS, TEXTS][rng.below(2)];
        rng.pick(words)
    };
    let words: Vec<_> = (0..5).map(word).collect();
    words.join(" ").bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn request(rng: &mut Rng) -> Vec<u8> {
    let body = match rng.below(9) {
        0 => r#"{"message":"m"}"#.into(),
        1 => json(rng, 0),
        2 => change(rng),
        3..=5 => envelope(rng),
        _ => object(rng, 0),
    };
    let target = match rng.below(7) {
        0 => rng.pick(&["/", "/api/issues"]).to_string() + "?q=" + &query(rng),
        1 => rng.pick(&["/?after=7", "/style.css", "/health", "/sdk.js", "/api/stats?period=14d"]).into(),
        2 => {
            let id = rng.below(40);
            rng.pick(&["/issues/ID", "/api/issues/ID", "/api/issues/ID/merge", "/events/ID"])
                .replace("ID", &id.to_string())
        }
        3 => "/api/events".into(),
        4 => rng.pick(&["/api/1/store/", "/api/1/security/", "/api/x/store?sentry_key=test123"]).into(),
        _ => "/api/1/envelope/".into(),
    };
    let method = match target.as_str() {
        "/api/events" => "POST",
        path if path.starts_with("/api/1/") => "POST",
        _ => rng.pick(&["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PATCH", "DELETE"]),
    };
    let (coding, body) = encoded(rng, body.into_bytes());
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nX-OBS-Key: {KEY}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Encoding: {coding}\r\n"
    );
    match rng.below(3) {
        0 => {
            let head = format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
            [head.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat()
        }
        _ if method == "GET" => format!("{head}\r\n").into_bytes(),
        _ => [format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat(),
    }
}

/// A coding and a body that is in that coding, more or less.
fn encoded(rng: &mut Rng, body: Vec<u8>) -> (&'static str, Vec<u8>) {
    match rng.below(10) {
        0 => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&body).unwrap();
            ("gzip", encoder.finish().unwrap())
        }
        1 => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&body).unwrap();
            ("deflate", encoder.finish().unwrap())
        }
        // `{"message":"compressed with brotli"}`
        2 => ("br", b"\x8b\x11\x80{\"message\":\"compressed with brotli\"}\x03".to_vec()),
        3 => (rng.pick(&["gzip", "deflate", "br", "zstd", "gzip, br", "\""]), body),
        _ => ("identity", body),
    }
}

const PARTS: &[&[u8]] = &[
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\0",
    b":",
    b" ",
    b"\xff",
    b"%00",
    b"%2f",
    b"HTTP/2.0",
    b"HTTP/1.0",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Host: x\r\n",
    b"X: y\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"http://localhost",
    b"?",
    b"#",
    b"{",
    b"[",
    b"\"",
    b"\\u",
    b"\xc0\x80",
    b"\xed\xa0\x80",
];

/// Changes up to five places, or none.
fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..[0, 1, 1, 2, 5][rng.below(5)] {
        if bytes.is_empty() {
            return;
        }
        let at = rng.below(bytes.len());
        match rng.below(6) {
            0 => bytes[at] = rng.below(256) as u8,
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..(at + rng.below(20)).min(bytes.len()))),
            3 => {
                let copy = bytes[at..(at + rng.below(200)).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => drop(bytes.splice(at..at, rng.pick(PARTS).iter().copied())),
        }
    }
}

/// Sends the bytes, closes the sending side, and returns everything received.
fn exchange(obs: &Obs, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", obs.port)).expect("obs accepts");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // obs may refuse the request and close the connection before it has received all bytes.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut response = Vec::new();
    if let Err(error) = stream.read_to_end(&mut response) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "obs hangs");
    }
    response
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn no_request_crashes_or_hangs_obs_or_gets_a_5xx() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut seed = variable("FUZZ_SEED").unwrap_or(clock) | 1;
    let end = Instant::now() + Duration::from_secs(variable("FUZZ_SECONDS").unwrap_or(30));
    let obs = Obs::start();
    let mut requests = 0;
    while Instant::now() < end {
        // A new seed for every hundred requests, so that a failure can be reproduced quickly.
        let mut rng = Rng(seed);
        for _ in 0..100 {
            let mut bytes = request(&mut rng);
            mutate(&mut rng, &mut bytes);
            let response = exchange(&obs, &bytes);
            let details = || {
                format!("FUZZ_SEED={seed}\nrequest:\n{}\nresponse:\n{}", bytes.escape_ascii(), response.escape_ascii())
            };
            for line in response.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"HTTP/1.1 ")) {
                assert_ne!(line[9], b'5', "a 5xx: {}", details());
            }
            requests += 1;
        }
        assert_eq!(obs.post(r#"{"message":"still working"}"#).status, 201, "after FUZZ_SEED={seed}");
        assert!(!obs.errors().contains("fault"), "FUZZ_SEED={seed}: {}", obs.errors());
        seed = seed.wrapping_add(2);
    }
    let sqlite = obs.sqlite();
    for column in
        ["fingerprint", "stacktrace", "causes", "tags", "user", "request", "breadcrumbs", "contexts", "extra", "more"]
    {
        let mut select = sqlite.prepare(&format!("SELECT {column} FROM events WHERE {column} IS NOT NULL")).unwrap();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let text: String = row.get(0).unwrap();
            assert!(serde_json::from_str::<&RawValue>(&text).is_ok(), "{column} is not JSON: {text}");
        }
    }
    println!("{requests} requests");
    assert!(requests >= 100);
}
