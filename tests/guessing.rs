//! Guessing the dashboard's password is slow, and slows down nobody else.
mod common;
use common::*;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

// HTTP Basic with the password `sesame`, and with `wrong`.
const RIGHT: &str = "Authorization: Basic OnNlc2FtZQ==";
const WRONG: &str = "Authorization: Basic Ondyb25n";

fn guarded() -> Obs {
    Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "sesame")])
}

/// Opens connections that each send a guess and wait.
fn guess(obs: &Obs, count: usize) -> Vec<Connection> {
    let open = |_| {
        let mut connection = obs.connect();
        connection.write(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{WRONG}\r\n\r\n").as_bytes());
        connection
    };
    (0..count).map(open).collect()
}

#[test]
fn wrong_passwords_are_answered_at_most_ten_times_a_second_on_any_route() {
    let obs = guarded();
    obs.add(r#"{"message":"m"}"#);
    let requests = [
        "GET /",
        "HEAD /",
        "GET /issues/1",
        "GET /issues/2",
        "POST /",
        "POST /issues/1",
        "GET /api/issues",
        "GET /api/stats",
        "PATCH /api/issues/1",
        "DELETE /api/issues/1",
        "POST /api/issues/1/merge",
    ];
    let (start, stop, answered) = (Instant::now(), AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for request in requests.repeat(4) {
            let (obs, stop, answered) = (&obs, &stop, &answered);
            scope.spawn(move || {
                let mut connection = obs.connect();
                while !stop.load(Relaxed) {
                    let answer = connection.send(&format!("{request} HTTP/1.1\r\n{WRONG}"), b"");
                    assert_eq!(answer.status, 401, "{request}");
                    answered.fetch_add(1, Relaxed);
                }
            });
        }
        thread::sleep(Duration::from_secs(2));
        stop.store(true, Relaxed);
    });
    let limit = start.elapsed().as_millis() as usize / 100 + 1;
    let answered = answered.into_inner();
    assert!((1..=limit).contains(&answered), "{answered} in {:?}", start.elapsed());
}

#[test]
fn nobody_else_waits_for_guesses() {
    let obs = guarded();
    let mut guesses = guess(&obs, 200);
    for head in [format!("GET / HTTP/1.1\r\n{RIGHT}"), format!("GET /api/issues HTTP/1.1\r\n{RIGHT}")] {
        assert_eq!(obs.send(&head, b"").status, 200, "the right password");
    }
    assert_eq!(obs.post(r#"{"message":"m"}"#).status, 201);
    assert_eq!(obs.get("/health").status, 200);
    assert_eq!(obs.get("/").status, 401, "the first visit of a browser");
    assert_eq!(obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: wrong", b"{}").status, 401, "a wrong key");
    // Had any of these waited for its turn, all guesses would have been answered before.
    let last = guesses.last_mut().unwrap();
    assert!(last.has_received_nothing(), "the last guess waits longer than all others");
}

#[test]
fn guesses_on_more_connections_than_there_are_lock_nobody_out() {
    let mut obs = guarded();
    let mut idle = obs.connect();
    assert_eq!(idle.post(r#"{"message":"m"}"#).status, 201);
    let _guesses = guess(&obs, 600);
    for _ in 0..5 {
        assert_eq!(obs.post(r#"{"message":"m"}"#).status, 201);
        assert_eq!(obs.send(&format!("GET / HTTP/1.1\r\n{RIGHT}"), b"").status, 200);
    }
    assert_eq!(idle.post(r#"{"message":"m"}"#).status, 201, "guesses are evicted first");
    let start = Instant::now();
    obs.signal("TERM");
    assert_eq!(obs.wait().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(4), "stopping waits for no guess: {:?}", start.elapsed());
}

#[test]
fn a_wrong_password_does_not_wait_behind_clients_that_have_hung_up() {
    let obs = guarded();
    for _ in 0..100 {
        let mut gone = TcpStream::connect(("127.0.0.1", obs.port)).unwrap();
        gone.write_all(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{WRONG}\r\n\r\n").as_bytes()).unwrap();
    }
    let start = Instant::now();
    let answer = obs.send(&format!("GET /api/issues HTTP/1.1\r\n{WRONG}"), b"");
    assert_eq!((answer.status, answer.header("www-authenticate").is_some()), (401, true));
    assert!(start.elapsed() < Duration::from_secs(3), "it waits behind those that have gone: {:?}", start.elapsed());
}
