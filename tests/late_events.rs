//! Events that arrive after their issue was resolved although they happened before: which of them reopen it.
mod common;
use common::database::*;
use common::triage::*;
use common::*;
use obs::time::Time;
use serde_json::json;
use std::thread;
use std::time::Duration;

fn now() -> i64 {
    Time::now().millis()
}

fn time(millis: i64) -> String {
    Time::from_millis(millis).unwrap().to_string()
}

/// Starts obs with an issue that was resolved an hour ago.
fn with_resolved_issue() -> Obs {
    let obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    set_state(&obs, 1, "resolved");
    let an_hour_ago = format!("UPDATE issues SET resolved_at = '{}'", time(now() - 3_600_000));
    obs.sqlite().execute(&an_hour_ago, []).unwrap();
    obs
}

/// Sends an event of the issue with an `X-OBS-Age`, if it is not empty, and returns the issue's state afterwards.
fn state_after(age: &str, timestamp: Option<i64>) -> String {
    let obs = with_resolved_issue();
    let age = if age.is_empty() { String::new() } else { format!("\r\nX-OBS-Age: {age}") };
    let body = json!({ "message": "m", "timestamp": timestamp.map(time) }).to_string();
    let response = obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}{age}"), body.as_bytes());
    assert_eq!(response.status, 201);
    let issue = issue(&obs, 1);
    assert_eq!(issue["count"], 2);
    assert_eq!(issue["reopened_at"].is_null(), issue["state"] == "resolved");
    issue["state"].as_str().unwrap().to_string()
}

#[test]
fn an_event_captured_before_the_resolution_does_not_reopen_its_issue() {
    for age in ["3700", "3700.5", "86400", "2000000", "0003601", " 9999 "] {
        assert_eq!(state_after(age, None), "resolved", "{age}");
    }
    for age in ["0", "0.0", "3500", "3500.999"] {
        assert_eq!(state_after(age, None), "open", "{age}");
    }
}

#[test]
fn an_age_that_is_no_plain_number_or_reaches_back_before_1970_counts_as_absent() {
    let huge = "9".repeat(400);
    for age in [
        "-3700",
        "+3700",
        "3.7e3",
        "3700s",
        "1:00:00",
        "0x1000",
        "inf",
        "NaN",
        ".",
        "3700,5",
        "1.2.3",
        "99999999999",
        &huge,
    ] {
        assert_eq!(state_after(age, None), "open", "{age}");
        assert_eq!(state_after(age, Some(now() - 4_000_000)), "resolved", "{age} with a timestamp");
    }
}

#[test]
fn the_age_counts_more_than_the_timestamp() {
    assert_eq!(state_after("3700", Some(now())), "resolved");
    assert_eq!(state_after("10", Some(now() - 4_000_000)), "open");
}

#[test]
fn without_an_age_a_timestamp_of_the_last_week_is_believed_and_no_other() {
    const HOUR: i64 = 3_600_000;
    for (before, expected) in [
        (HOUR + 5000, "resolved"),
        (7 * 24 * HOUR - HOUR, "resolved"),
        (HOUR - 60_000, "open"),
        (0, "open"),
        (7 * 24 * HOUR + HOUR, "open"),
        (-HOUR, "open"),
    ] {
        assert_eq!(state_after("", Some(now() - before)), expected, "{before} ms ago");
    }
    assert_eq!(state_after("", None), "open");
}

#[test]
fn an_event_of_the_millisecond_of_the_resolution_reopens_the_issue_and_one_of_the_millisecond_before_does_not() {
    let obs = with_resolved_issue();
    let resolved_at = Time::parse(issue(&obs, 1)["resolved_at"].as_str().unwrap()).unwrap().millis();
    for (timestamp, state) in [(resolved_at - 1, "resolved"), (resolved_at, "open")] {
        obs.add(json!({ "message": "m", "timestamp": time(timestamp) }).to_string());
        assert_eq!(issue(&obs, 1)["state"], state);
    }
}

#[test]
fn an_event_that_does_not_say_when_it_happened_reopens_the_issue_even_if_the_servers_clock_was_set_back() {
    let obs = with_resolved_issue();
    let tomorrow = format!("UPDATE issues SET resolved_at = '{}'", time(now() + 86_400_000));
    obs.sqlite().execute(&tomorrow, []).unwrap();
    obs.add(r#"{"message":"m"}"#);
    assert_eq!(issue(&obs, 1)["state"], "open");
}

#[test]
fn an_age_changes_neither_the_timestamp_nor_the_time_of_arrival() {
    let obs = Obs::start();
    let before = now();
    let send = |body: &str| {
        let head = format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}\r\nX-OBS-Age: 5000");
        let id = obs.send(&head, body.as_bytes()).json()["id"].as_str().unwrap().to_string();
        obs.json(&format!("/api/events/{id}"))
    };
    let event = send(r#"{"message":"m"}"#);
    assert_eq!(event["timestamp"], event["received_at"]);
    assert!(Time::parse(event["received_at"].as_str().unwrap()).unwrap().millis() >= before, "{event}");
    assert_eq!(send(r#"{"message":"m","timestamp":5}"#)["timestamp"], "1970-01-01T00:00:05.000Z");
}

#[test]
fn an_event_that_arrives_right_after_the_resolution_reopens_the_issue() {
    let obs = Obs::start();
    let mut connection = obs.connect();
    connection.post(r#"{"message":"m"}"#);
    for round in 0..20 {
        set_state(&obs, 1, "resolved");
        let body = json!({ "message": "m", "timestamp": time(now()) }).to_string();
        let head = format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}\r\nX-OBS-Age: 0");
        assert_eq!(
            connection
                .send(if round % 2 == 0 { &head } else { head.split_once("\r\nX-OBS-Age").unwrap().0 }, body.as_bytes())
                .status,
            201
        );
        assert_eq!(issue(&obs, 1)["state"], "open", "round {round}");
    }
}

/// While another process holds the lock, events queue up and then share a commit.
#[test]
fn of_several_events_in_one_commit_the_one_that_happened_later_reopens_the_issue_and_is_in_the_alert() {
    for late_first in [true, false] {
        let env = [("OBS_API_KEY", KEY), ("OBS_ALERT_COMMAND", "sleep 9")];
        let obs = Obs::with(&[], &env);
        obs.add(r#"{"message":"m"}"#);
        set_state(&obs, 1, "resolved");
        let send = |age: &str, release: &str| {
            let head = format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}\r\nX-OBS-Age: {age}");
            let body = json!({ "message": "m", "release": release }).to_string();
            assert_eq!(obs.send(&head, body.as_bytes()).status, 201);
        };
        let lock = obs.sqlite();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        thread::scope(|scope| {
            scope.spawn(|| obs.add(r#"{"message":"takes the writer to the lock"}"#));
            let pause = || thread::sleep(Duration::from_millis(150)); // fixes the order in the queue
            pause();
            let mut events = [("100", "late"), ("0", "fresh")];
            events[..].rotate_left(usize::from(!late_first));
            for (age, release) in events {
                scope.spawn(move || send(age, release));
                pause();
            }
            lock.execute_batch("COMMIT").unwrap();
        });
        assert_eq!(issue(&obs, 1)["state"], "open");
        let order =
            "SELECT group_concat(release) FROM (SELECT release FROM events WHERE release IS NOT NULL ORDER BY seq)";
        assert_eq!(value::<String>(&obs.sqlite(), order), if late_first { "late,fresh" } else { "fresh,late" });
        let alerts = "SELECT group_concat(release) FROM alerts JOIN events ON seq = event_seq WHERE kind = 'reopened'";
        let alerts = alerts.replace("seq = event_seq", "events.seq = event_seq");
        assert_eq!(value::<String>(&obs.sqlite(), &alerts), "fresh");
    }
}

#[test]
fn a_late_event_raises_no_alert_and_leaves_the_time_of_resolution() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_ALERT_COMMAND", "sleep 9")]);
    obs.add(r#"{"message":"m"}"#);
    set_state(&obs, 1, "resolved");
    let resolved_at = issue(&obs, 1)["resolved_at"].clone();
    let head = format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}\r\nX-OBS-Age: 60");
    (0..3).for_each(|_| assert_eq!(obs.send(&head, br#"{"message":"m"}"#).status, 201));
    assert_eq!(issue(&obs, 1)["resolved_at"], resolved_at);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM alerts WHERE kind = 'reopened'"), 0);
    assert_eq!(issue(&obs, 1)["count"], 4);
    assert!(!obs.text("/issues/1").contains("reopened by an event"));
}
