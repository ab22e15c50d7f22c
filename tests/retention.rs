//! Which events and issues retention removes, by number and by age, and which ones it keeps.
mod common;
use common::database::{assert_stored_counts_match, value};
use common::*;
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

fn with_limits(settings: &[(&str, &str)]) -> Obs {
    Obs::with(&[], &[&[("OBS_API_KEY", KEY)], settings].concat())
}

/// Sends the events over one connection and returns their ids.
fn send_all(obs: &Obs, events: impl Iterator<Item = String>) -> Vec<String> {
    let mut connection = obs.connect();
    events.map(|event| connection.post(event).json()["id"].as_str().unwrap().to_string()).collect()
}

fn number(obs: &Obs, sql: &str) -> i64 {
    value(&obs.sqlite(), sql)
}

fn stored(obs: &Obs) -> i64 {
    number(obs, "SELECT count(*) FROM events")
}

fn wait_until_stored(obs: &Obs, events: i64) {
    wait_until(&format!("{events} events are left"), || stored(obs) == events);
}

/// A step removes at most 256 events. Each of these issues has one to give, so a step makes hundreds of removals.
#[test]
fn many_small_issues_keep_their_newest_events() {
    let obs = Obs::start();
    for round in 0..2 {
        send_all(&obs, (0..700).map(|n| format!(r#"{{"message":"m","fingerprint":["{n}"],"extra":{round}}}"#)));
    }
    let obs = obs.restart(&["--max-events", "900"], &[("OBS_API_KEY", KEY)]);
    wait_until_stored(&obs, 900);
    assert_eq!(number(&obs, "SELECT count(*) FROM issues JOIN events ON seq = last_seq"), 700);
    assert_stored_counts_match(&obs.sqlite());
}

#[test]
fn a_flood_of_one_error_does_not_push_out_a_rare_one() {
    let obs = with_limits(&[("OBS_MAX_EVENTS", "100")]);
    let rare = send_all(&obs, (0..5).map(|n| format!(r#"{{"message":"rare {}"}}"#, ["a", "b", "c", "d", "e"][n])));
    let flood = send_all(&obs, (0..500).map(|n| format!(r#"{{"message":"flood {n}"}}"#)));

    wait_until_stored(&obs, 100);
    for id in &rare {
        assert_eq!(obs.get(&format!("/api/events/{id}")).status, 200);
    }
    let issue = &obs.json("/api/issues")["issues"][0];
    assert_eq!((&issue["count"], &issue["stored"]), (&Value::from(500), &Value::from(95)));
    for (at, id) in flood.iter().enumerate() {
        let expected = if at < 405 { 404 } else { 200 };
        assert_eq!(
            obs.get(&format!("/api/events/{id}")).status,
            expected,
            "the oldest are removed first; this is number {at} of 500"
        );
    }
    assert!(obs.text(&format!("/issues/{}", issue["id"])).contains("95"), "the page says how many are still stored");
    assert_stored_counts_match(&obs.sqlite());
}

#[test]
fn issues_of_the_same_size_shrink_evenly() {
    let obs = with_limits(&[("OBS_MAX_EVENTS", "90")]);
    let words = ["red", "green", "blue"];
    send_all(&obs, (0..300).map(|n| format!(r#"{{"message":"{}"}}"#, words[n % 3])));
    wait_until_stored(&obs, 90);
    for issue in obs.json("/api/issues")["issues"].as_array().unwrap() {
        let stored = issue["stored"].as_i64().unwrap();
        assert!((29..=31).contains(&stored), "{stored} events of {}", issue["title"]);
    }
    assert_stored_counts_match(&obs.sqlite());
}

#[test]
fn a_flood_of_distinct_errors_removes_the_least_recently_seen_issues() {
    let obs = with_limits(&[("OBS_MAX_EVENTS", "50"), ("OBS_RATE_LIMIT", "")]);
    let word = |n: usize| format!("{}{}", ["ka", "lo", "mi", "nu", "pe"][n % 5], ["sa", "te", "vi", "zo"][n / 5 % 4]);
    let ids = send_all(&obs, (0..200).map(|n| format!(r#"{{"message":"{} {} failed"}}"#, word(n), word(n / 20))));
    wait_until_stored(&obs, 50);
    assert_eq!(number(&obs, "SELECT count(*) FROM issues"), 50);
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(
            obs.get(&format!("/api/events/{id}")).status,
            if at < 150 { 404 } else { 200 },
            "number {at} of 200"
        );
    }
    assert_stored_counts_match(&obs.sqlite());
    let newest = obs.add(r#"{"message":"kasa kasa failed"}"#);
    let event = obs.json(&format!("/api/events/{newest}"));
    assert!(event["issue_id"].as_i64().unwrap() > 200, "the id of a removed issue is never reused");
}

#[test]
fn a_lower_limit_takes_effect_at_the_next_start_and_the_file_shrinks() {
    let obs = Obs::start();
    let filler = "x".repeat(20_000);
    send_all(&obs, (0..600).map(|_| format!(r#"{{"message":"large","extra":"{filler}"}}"#)));
    let mut obs = obs.restart(&[], &[("OBS_API_KEY", KEY), ("OBS_MAX_EVENTS", "20")]);
    assert!(obs.banner().contains("up to 20 events"), "{}", obs.banner());
    wait_until_stored(&obs, 20);
    wait_until("free pages are returned", || number(&obs, "PRAGMA freelist_count") < 100);
    assert_stored_counts_match(&obs.sqlite());
    obs.signal("TERM");
    assert!(obs.wait().success());
    let size = fs::metadata(obs.folder().join("obs.sqlite")).unwrap().len();
    assert!(size < 2_000_000, "{size} bytes, 12 million before");
}

#[test]
fn old_events_are_removed_and_so_are_issues_with_no_others() {
    let obs = Obs::start();
    let old = send_all(&obs, ["both", "old", "old"].iter().map(|text| format!(r#"{{"message":"{text}"}}"#)));
    let new = send_all(&obs, ["both", "new"].iter().map(|text| format!(r#"{{"message":"{text}"}}"#)));
    obs.sqlite().execute("UPDATE events SET received_at = '2020-01-01T00:00:00.000Z' WHERE seq <= 3", []).unwrap();
    let obs = obs.restart(&["--retention-days", "30"], &[("OBS_API_KEY", KEY)]);
    assert!(obs.banner().contains("each for up to 30 days"), "{}", obs.banner());
    wait_until_stored(&obs, 2);
    for (ids, status) in [(old, 404), (new, 200)] {
        ids.iter().for_each(|id| assert_eq!(obs.get(&format!("/api/events/{id}")).status, status));
    }
    let titles: Vec<_> =
        obs.json("/api/issues")["issues"].as_array().unwrap().iter().map(|issue| issue["title"].clone()).collect();
    assert_eq!(titles, ["new", "both"]);
    assert_stored_counts_match(&obs.sqlite());
}

#[test]
fn an_issue_that_gets_a_new_hourly_count_drops_those_too_old_for_any_chart() {
    let obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    let earlier = "UPDATE issue_hours SET hour = hour - 300;
                   INSERT INTO issue_hours SELECT issue_id, hour - 100, 7, 7 FROM issue_hours;
                   UPDATE project_hours SET hour = hour - 300;
                   INSERT INTO project_hours SELECT hour - 100, project, 7, 7 FROM project_hours";
    obs.sqlite().execute_batch(earlier).unwrap();
    obs.add(r#"{"message":"m"}"#);
    assert_eq!(number(&obs, "SELECT count(*) FROM issue_hours WHERE issue_id = 1"), 2);
    assert_eq!(number(&obs, "SELECT count(*) FROM project_hours"), 2);
    assert_eq!(obs.json("/api/issues/1")["issue"]["count"], 2, "the count includes every event that ever arrived");
}

#[test]
fn old_events_are_removed_although_new_ones_arrive_at_the_limit() {
    let obs = Obs::start();
    send_all(&obs, (0..400).map(|n| format!(r#"{{"message":"{}"}}"#, ["red", "green", "blue", "grey"][n % 4])));
    obs.sqlite().execute("UPDATE events SET received_at = '2020-01-01T00:00:00.000Z' WHERE seq <= 300", []).unwrap();
    let obs = obs.restart(&["--retention-days", "30", "--max-events", "395"], &[("OBS_API_KEY", KEY)]);
    let mut connection = obs.connect();
    eventually("no old event is left", || {
        connection.post(r#"{"message":"red"}"#);
        (number(&obs, "SELECT count(*) FROM events WHERE received_at < '2021'") == 0).then_some(())
    });
    assert_stored_counts_match(&obs.sqlite());
}

#[test]
fn events_stored_with_a_future_time_do_not_protect_old_ones() {
    let obs = Obs::start();
    send_all(&obs, (0..600).map(|n| format!(r#"{{"message":"{}"}}"#, if n < 300 { "ahead" } else { "behind" })));
    let times = "UPDATE events SET received_at = iif(seq <= 300, '2200-01-01', '2020-01-01') || 'T00:00:00.000Z'";
    obs.sqlite().execute(times, []).unwrap();
    obs.add(r#"{"message":"now"}"#);
    let obs = obs.restart(&["--retention-days", "30"], &[("OBS_API_KEY", KEY)]);
    wait_until("the old events are removed", || stored(&obs) == 301);
    assert_eq!(number(&obs, "SELECT count(*) FROM events WHERE received_at > '2199'"), 300);
    assert_stored_counts_match(&obs.sqlite());
}

#[test]
fn events_deleted_with_sqlite3_do_not_count_towards_the_limit() {
    let obs = Obs::start();
    send_all(&obs, (0..100).map(|n| format!(r#"{{"message":"{}"}}"#, if n < 80 { "many" } else { "few" })));
    obs.sqlite().execute("DELETE FROM events WHERE issue_id = 1", []).unwrap();
    let obs = obs.restart(&["--max-events", "30"], &[("OBS_API_KEY", KEY)]);
    wait_until("the total is recounted", || number(&obs, "SELECT stored FROM totals") == 20);
    assert_eq!(stored(&obs), 20);
}

/// `strace` makes each sync take 60 ms. Every client's event is of another issue, so each removal is a search of its own.
#[test]
fn a_flood_on_a_slow_disk_stays_within_two_commits_of_the_limit() {
    const CLIENTS: usize = 400;
    let folder = Arc::new(Folder::new());
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
    command.args(["-e", "inject=fsync,fdatasync:delay_exit=60000", env!("CARGO_BIN_EXE_obs"), "--max-events", "1000"]);
    command.args(["--listen", "127.0.0.1:0", "--db"]).arg(folder.join("obs.sqlite")).env("OBS_API_KEY", KEY);
    let obs = Obs::launch(folder, command);
    let end = Instant::now() + Duration::from_secs(5);
    let most = thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut connection = obs.connect();
            scope.spawn(move || {
                let event = format!(r#"{{"message":"m","fingerprint":["{client}"]}}"#);
                while Instant::now() < end {
                    assert_eq!(connection.post(&event).status, 201);
                }
            });
        }
        let database = obs.sqlite();
        let mut most = 0;
        while Instant::now() < end {
            most = most.max(value::<i64>(&database, "SELECT stored FROM totals"));
            thread::sleep(Duration::from_millis(5));
        }
        most
    });
    assert!(most > 1000, "the limit was never reached");
    assert!(most <= 1000 + 10 + 2 * CLIENTS as i64, "{most} events were stored");
    wait_until_stored(&obs, 1000);
    assert_stored_counts_match(&obs.sqlite());
}
