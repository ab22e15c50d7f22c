//! `GET /health`: for anyone, whether events can be stored; for readers of the dashboard, how much is.
mod common;
use common::database::value;
use common::process::outcome;
use common::*;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

// HTTP Basic with the password `sesame`, and with `wrong`.
const RIGHT: &str = "Authorization: Basic OnNlc2FtZQ==";
const WRONG: &str = "Authorization: Basic Ondyb25n";

fn health(obs: &Obs, header: &str) -> Value {
    let response = obs.send(&format!("GET /health HTTP/1.1\r\n{header}"), b"");
    assert_eq!(response.status, 200);
    assert_eq!(response.header("www-authenticate"), None);
    response.json()
}

/// What others get.
fn short() -> Value {
    json!({ "status": "ok" })
}

/// What readers get.
fn full(obs: &Obs) -> Value {
    let pages = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let [events, bytes] = ["SELECT count(*) FROM events", pages].map(|sql| value::<i64>(&obs.sqlite(), sql));
    json!({ "status": "ok", "events": events, "bytes": bytes })
}

#[test]
fn only_readers_of_the_dashboard_see_how_much_is_stored() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "sesame")]);
    (0..3).for_each(|_| drop(obs.add(r#"{"message":"m"}"#)));
    assert_eq!(health(&obs, "X-A: b"), short());
    assert_eq!(health(&obs, WRONG), short());
    assert_eq!(health(&obs, &format!("X-OBS-Key: {KEY}")), short());
    assert_eq!(health(&obs, RIGHT), full(&obs));

    let local = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(health(&local, "X-A: b"), full(&local));
    assert_eq!(health(&local, "X-Forwarded-For: 192.0.2.1"), short());
    let public = local.restart(&["--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    assert_eq!(health(&public, "X-Forwarded-For: 192.0.2.1"), full(&public));
}

#[test]
fn the_health_check_is_no_faster_way_to_guess_the_password_and_needs_none() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "sesame")]);
    let start = Instant::now();
    let mut guesses: Vec<_> = (0..20).map(|_| obs.connect()).collect();
    let guess = format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{WRONG}\r\n\r\n");
    guesses.iter_mut().for_each(|connection| connection.write(guess.as_bytes()));
    assert_eq!((health(&obs, "X-A: b"), health(&obs, RIGHT)), (short(), full(&obs)));
    assert!(start.elapsed() < Duration::from_secs(1), "others wait for guesses");
    for guess in &mut guesses {
        assert_eq!(guess.read(false).unwrap().json(), short());
    }
    assert!(start.elapsed() > Duration::from_secs(1), "20 guesses took {:?}", start.elapsed());
}

#[test]
fn the_banner_says_how_much_is_stored_and_the_limits() {
    let obs = Obs::start();
    (0..3).for_each(|_| drop(obs.add(r#"{"message":"m"}"#)));
    let obs = obs.restart(&["--max-size", "52428800", "--max-events=7", "--retention-days=1"], &[("OBS_API_KEY", KEY)]);
    let banner = obs.banner();
    let stored = banner.split("\n  stored     3 events, ").nth(1).and_then(|rest| rest.lines().next());
    assert!(stored.is_some_and(|size| size.ends_with(" kB")), "{banner}");
    assert!(banner.ends_with("\n  retention  up to 7 events and 52.4 MB, each for up to 1 day\n"), "{banner}");
}

/// Runs `obs health` and returns its exit status and its one line.
fn ask(args: &[&str], env: &[(&str, &str)]) -> (i32, String) {
    let (status, output, errors) = outcome(&mut command(&[&["health"], args].concat(), env));
    let line = output + &errors;
    assert_eq!(line.lines().count(), 1, "{args:?}: {line}");
    (status, line)
}

#[test]
fn obs_health_says_in_one_line_and_by_its_status_whether_events_can_be_stored() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "sesame")]);
    let address = format!("127.0.0.1:{}", obs.port);
    let urls = ["", "/", "/health", "/below/a/path"].map(|path| format!("http://{address}{path}"));
    assert_eq!(ask(&[&urls[0]], &[]), (0, format!("http://{address}/health: ok\n")));
    for url in &urls[1..3] {
        assert_eq!(ask(&[url], &[]).0, 0, "{url}");
    }
    let (status, line) = ask(&[&urls[3]], &[]);
    assert!(status == 1 && line.contains("/below/a/path/health: status 404"), "{line}");

    // The listen setting is the default, and clients cannot connect to a wildcard address.
    let wildcard = format!("0.0.0.0:{}", obs.port);
    assert_eq!(ask(&[], &[("OBS_LISTEN", &address)]).0, 0);
    assert_eq!(ask(&["--listen", &wildcard], &[("OBS_LISTEN", "localhost:1")]).0, 0);

    let lock = obs.sqlite();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(obs.post(r#"{"message":"m"}"#).status, 503);
    let (status, line) = ask(&[&urls[0]], &[]);
    assert!(status == 1 && line.contains("events cannot be stored"), "{line}");
}

#[test]
fn obs_health_asks_the_obs_on_an_ipv6_wildcard_not_what_else_has_its_port() {
    let obs = Obs::with(&["--listen", "[::]:0"], &[("OBS_DASHBOARD_PASSWORD", "sesame")]);
    let _other = TcpListener::bind(("127.0.0.1", obs.port)).unwrap();
    let answer = ask(&["--listen", &format!("[::]:{}", obs.port)], &[]);
    assert_eq!(answer, (0, format!("http://[::1]:{}/health: ok\n", obs.port)));
}

#[test]
fn obs_health_says_why_nothing_answers() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (status, line) = ask(&[&format!("http://{closed}")], &[]);
    assert!(status == 1 && line.contains("refused"), "{line}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (status, line) = ask(&[], &[("OBS_LISTEN", &silent.local_addr().unwrap().to_string())]);
    assert!(status == 1 && line.contains("no answer within 5 seconds"), "{line}");

    for answer in ["HTTP/1.1 200 OK\r\n\r\nhello", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2\u{20ac}\r\n\r\n"] {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", other.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut client = other.accept().unwrap().0;
            let mut request = [0; 16];
            client.read_exact(&mut request).unwrap();
            client.write_all(answer.as_bytes()).unwrap();
        });
        let (status, line) = ask(&[&url], &[]);
        server.join().unwrap();
        assert!(status == 1 && line.starts_with(&format!("obs: {url}/health: ")), "{answer}: {line}");
    }
}

#[test]
fn obs_health_refuses_what_it_cannot_ask() {
    for url in
        ["https://obs.example.com", "localhost:8000", "http://", "http://a b", "http://me@localhost", "http://x:99999"]
    {
        let (status, line) = ask(&[url], &[]);
        assert!(status == 2 && line.contains(url), "{line}");
    }
    let (status, line) = ask(&["--listen", "localhost:0"], &[]);
    assert!(status == 2 && line.contains("needs a URL"), "{line}");
}
