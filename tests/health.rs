//! `GET /health`: for anyone, whether events can be stored; for readers of the dashboard, how much is.
mod common;
use common::database::value;
use common::*;
use serde_json::{Value, json};
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
