//! Random requests: valid ones with some bytes changed, and JSON of any shape. obs never answers with a 5xx, never hangs, and
//! serves the next valid request. `FUZZ_SECONDS` sets the duration (30), `FUZZ_SEED` repeats a failure.
mod common;
use common::dice::Dice;
use common::*;
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
fn json(dice: &mut Dice, depth: usize) -> String {
    match dice.roll(if depth > 4 { 4 } else { 8 }) {
        0 => dice.one(&["null", "true", "false"]).into(),
        1 => dice.one(NUMBERS).into(),
        2 | 3 => format!("\"{}{}\"", dice.one(TEXTS), dice.one(TEXTS)),
        4 => {
            let items: Vec<_> = (0..dice.roll(5)).map(|_| json(dice, depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        5 => "[".repeat(dice.roll(200)) + &"]".repeat(dice.roll(200)),
        _ => object(dice, depth),
    }
}

fn object(dice: &mut Dice, depth: usize) -> String {
    let fields: Vec<_> =
        (0..dice.roll(9)).map(|_| format!("\"{}\":{}", dice.one(FIELDS), json(dice, depth + 1))).collect();
    format!("{{{}}}", fields.join(","))
}

/// A change to an issue, as JSON or as a form.
fn change(dice: &mut Dice) -> String {
    let (id, act) = (dice.roll(40), dice.one(&["resolve", "ignore", "reopen", "delete", "merge", "dance"]));
    match dice.roll(3) {
        0 => format!(r#"{{"state":"{}"}}"#, dice.one(&["open", "resolved", "ignored", "gone"])),
        1 => format!(r#"{{"into":{id}}}"#),
        _ => format!("do={act}&id={id}&id={}&back={}", dice.roll(40), dice.one(TEXTS)),
    }
}

/// A search made of filters, words and similar text, percent-encoded as by a browser.
fn query(dice: &mut Dice) -> String {
    const TOKENS: &[&str] =
        &["is:open", "is:any", "is:new", "level:error", "env:", "\"", "release:\"a b", ":", "type:x"];
    let word = |_| {
        let words = [TOKENS, TEXTS][dice.roll(2)];
        dice.one(words)
    };
    let words: Vec<_> = (0..5).map(word).collect();
    words.join(" ").bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn request(dice: &mut Dice) -> Vec<u8> {
    let body = match dice.roll(6) {
        0 => r#"{"message":"m"}"#.into(),
        1 => json(dice, 0),
        2 => change(dice),
        _ => object(dice, 0),
    };
    let target = match dice.roll(4) {
        0 => dice.one(&["/", "/api/issues"]).to_string() + "?q=" + &query(dice),
        1 => dice.one(&["/?after=7", "/style.css", "/health", "/sdk.js", "/api/stats?period=14d"]).into(),
        2 => {
            let id = dice.roll(40);
            dice.one(&["/issues/ID", "/api/issues/ID", "/api/issues/ID/merge", "/events/ID"])
                .replace("ID", &id.to_string())
        }
        _ => "/api/events".into(),
    };
    let method = match target.as_str() {
        "/api/events" => "POST",
        _ => dice.one(&["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PATCH", "DELETE"]),
    };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nX-OBS-Key: {KEY}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\n"
    );
    let request = match dice.roll(3) {
        0 => format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        _ if method == "GET" => format!("{head}\r\n"),
        _ => format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
    };
    request.into_bytes()
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

/// Changes a few bytes, or nothing.
fn spoil(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..[0, 1, 1, 2, 5][dice.roll(5)] {
        if bytes.is_empty() {
            return;
        }
        let at = dice.roll(bytes.len());
        match dice.roll(6) {
            0 => bytes[at] = dice.roll(256) as u8,
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..(at + dice.roll(20)).min(bytes.len()))),
            3 => {
                let copy = bytes[at..(at + dice.roll(200)).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => drop(bytes.splice(at..at, dice.one(PARTS).iter().copied())),
        }
    }
}

/// Sends all bytes, closes the sending side, and returns everything that obs sends.
fn exchange(obs: &Obs, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", obs.port)).expect("obs accepts");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // obs may refuse the request and close the connection before all is sent.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "obs hangs");
    }
    answer
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn no_request_makes_obs_fail_or_hang() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut seed = number("FUZZ_SEED").unwrap_or(clock) | 1;
    let end = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(30));
    let obs = Obs::start();
    let mut requests = 0;
    while Instant::now() < end {
        // A new seed every hundred requests, so that a failure can be repeated quickly.
        let mut dice = Dice(seed);
        for _ in 0..100 {
            let mut bytes = request(&mut dice);
            spoil(&mut dice, &mut bytes);
            let answer = exchange(&obs, &bytes);
            let shown = || format!("FUZZ_SEED={seed}\n{}\nanswered\n{}", bytes.escape_ascii(), answer.escape_ascii());
            for line in answer.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"HTTP/1.1 ")) {
                assert_ne!(line[9], b'5', "a 5xx: {}", shown());
            }
            requests += 1;
        }
        assert_eq!(obs.post(r#"{"message":"still working"}"#).status, 201, "after FUZZ_SEED={seed}");
        assert!(!obs.errors().contains("fault"), "FUZZ_SEED={seed}: {}", obs.errors());
        seed = seed.wrapping_add(2);
    }
    println!("{requests} requests");
    assert!(requests >= 100);
}
