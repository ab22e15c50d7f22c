//! What goes when there is more than is to be kept, and what never does.
mod common;
use common::*;
use serde_json::Value;
use std::fs;

const NO_ARGS: &[&str] = &[];

fn keeping(settings: &[(&str, &str)]) -> Obs {
    let mut env = vec![("OBS_API_KEY", KEY)];
    env.extend(settings);
    Obs::with(NO_ARGS, &env)
}

/// Sends them over one connection; the answers' ids.
fn send_all(obs: &Obs, events: impl Iterator<Item = String>) -> Vec<String> {
    let mut connection = obs.connect();
    events.map(|event| connection.post(event).json()["id"].as_str().unwrap().to_string()).collect()
}

fn number(obs: &Obs, sql: &str) -> i64 {
    obs.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn stored(obs: &Obs) -> i64 {
    number(obs, "SELECT count(*) FROM events")
}

/// What is kept of the counts is what the rows say.
fn agree(obs: &Obs) {
    assert_eq!(number(obs, "SELECT stored FROM totals"), stored(obs));
    let wrong = "SELECT count(*) FROM issues WHERE stored <> (SELECT count(*) FROM events WHERE issue_id = issues.id)
                 OR last_seq <> (SELECT max(seq) FROM events WHERE issue_id = issues.id)";
    assert_eq!(number(obs, wrong), 0, "issues whose counts or newest event are wrong");
    for table in ["issue_keys", "issue_hours", "issue_values", "events"] {
        let orphans =
            format!("SELECT count(*) FROM {table} WHERE issue_id NOT IN (SELECT 0 UNION SELECT id FROM issues)");
        assert_eq!(number(obs, &orphans), 0, "rows of {table} without an issue");
    }
}

#[test]
fn a_flood_of_one_error_does_not_push_out_a_rare_one() {
    let obs = keeping(&[("OBS_MAX_EVENTS", "100")]);
    let rare = send_all(&obs, (0..5).map(|n| format!(r#"{{"message":"rare {}"}}"#, ["a", "b", "c", "d", "e"][n])));
    let flood = send_all(&obs, (0..500).map(|n| format!(r#"{{"message":"flood {n}"}}"#)));

    eventually("100 events are left", || (stored(&obs) == 100).then_some(()));
    for id in &rare {
        assert_eq!(obs.get(&format!("/api/events/{id}")).status, 200);
    }
    let issue = &obs.json("/api/issues")["issues"][0];
    assert_eq!((&issue["count"], &issue["stored"]), (&Value::from(500), &Value::from(95)));
    for (at, id) in flood.iter().enumerate() {
        let expected = if at < 405 { 404 } else { 200 };
        assert_eq!(obs.get(&format!("/api/events/{id}")).status, expected, "the oldest go first; this is {at} of 500");
    }
    assert!(obs.text(&format!("/issues/{}", issue["id"])).contains("95"), "the page says how many are still stored");
    agree(&obs);
}

#[test]
fn several_large_issues_shrink_alike() {
    let obs = keeping(&[("OBS_MAX_EVENTS", "90")]);
    let words = ["red", "green", "blue"];
    send_all(&obs, (0..300).map(|n| format!(r#"{{"message":"{}"}}"#, words[n % 3])));
    eventually("90 events are left", || (stored(&obs) == 90).then_some(()));
    for issue in obs.json("/api/issues")["issues"].as_array().unwrap() {
        let stored = issue["stored"].as_i64().unwrap();
        assert!((29..=31).contains(&stored), "{stored} of {}", issue["title"]);
    }
    agree(&obs);
}

#[test]
fn a_flood_of_distinct_errors_leaves_the_newest_issues() {
    let obs = keeping(&[("OBS_MAX_EVENTS", "50"), ("OBS_RATE_LIMIT", "")]);
    let word = |n: usize| format!("{}{}", ["ka", "lo", "mi", "nu", "pe"][n % 5], ["sa", "te", "vi", "zo"][n / 5 % 4]);
    let ids = send_all(&obs, (0..200).map(|n| format!(r#"{{"message":"{} {} failed"}}"#, word(n), word(n / 20))));
    eventually("50 events are left", || (stored(&obs) == 50).then_some(()));
    assert_eq!(number(&obs, "SELECT count(*) FROM issues"), 50);
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(obs.get(&format!("/api/events/{id}")).status, if at < 150 { 404 } else { 200 }, "{at} of 200");
    }
    agree(&obs);
    let newest = obs.add(r#"{"message":"kasa kasa failed"}"#);
    let event = obs.json(&format!("/api/events/{newest}"));
    assert!(event["issue_id"].as_i64().unwrap() > 200, "the id of an issue that went is not used again");
}

#[test]
fn a_lower_limit_takes_effect_at_the_next_start_and_gives_the_space_back() {
    let obs = Obs::start();
    let filler = "x".repeat(20_000);
    send_all(&obs, (0..600).map(|_| format!(r#"{{"message":"large","extra":"{filler}"}}"#)));
    let mut obs = obs.restart(NO_ARGS, &[("OBS_API_KEY", KEY), ("OBS_MAX_EVENTS", "20")]);
    assert!(obs.banner().contains("20 events at most"), "{}", obs.banner());
    eventually("20 events are left", || (stored(&obs) == 20).then_some(()));
    eventually("the pages are free", || (number(&obs, "PRAGMA freelist_count") < 100).then_some(()));
    agree(&obs);
    obs.signal("TERM");
    assert!(obs.wait().success());
    let size = fs::metadata(obs.folder().join("obs.sqlite")).unwrap().len();
    assert!(size < 2_000_000, "{size} bytes of 12 million");
}

#[test]
fn what_is_too_old_goes_with_issues_that_have_nothing_else() {
    let obs = Obs::start();
    let old = send_all(&obs, ["both", "old", "old"].iter().map(|text| format!(r#"{{"message":"{text}"}}"#)));
    let new = send_all(&obs, ["both", "new"].iter().map(|text| format!(r#"{{"message":"{text}"}}"#)));
    obs.sqlite().execute("UPDATE events SET received_at = '2020-01-01T00:00:00.000Z' WHERE seq <= 3", []).unwrap();
    let obs = obs.restart(&["--retention-days", "30"], &[("OBS_API_KEY", KEY)]);
    assert!(obs.banner().contains("each for 30 days"), "{}", obs.banner());
    eventually("two events are left", || (stored(&obs) == 2).then_some(()));
    for (ids, status) in [(old, 404), (new, 200)] {
        ids.iter().for_each(|id| assert_eq!(obs.get(&format!("/api/events/{id}")).status, status));
    }
    let titles: Vec<_> =
        obs.json("/api/issues")["issues"].as_array().unwrap().iter().map(|issue| issue["title"].clone()).collect();
    assert_eq!(titles, ["new", "both"]);
    agree(&obs);
}

#[test]
fn an_issue_drops_the_hours_that_no_chart_shows_when_it_gets_a_new_one() {
    let obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    let earlier = "UPDATE issue_hours SET hour = hour - 300; INSERT INTO issue_hours SELECT issue_id, hour - 100, 7, 7 FROM issue_hours";
    obs.sqlite().execute_batch(earlier).unwrap();
    obs.add(r#"{"message":"m"}"#);
    assert_eq!(number(&obs, "SELECT count(*) FROM issue_hours WHERE issue_id = 1"), 2);
    assert_eq!(number(&obs, "SELECT count(*) FROM issue_hours WHERE issue_id = 0"), 2);
    assert_eq!(obs.json("/api/issues/1")["issue"]["count"], 2, "the count covers everything that ever arrived");
}

#[test]
fn a_key_may_send_so_many_events_a_minute() {
    let obs = Obs::with(NO_ARGS, &[("OBS_API_KEY", "a,shop=b"), ("OBS_RATE_LIMIT", "2")]);
    let post = |key: &str| obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), br#"{"message":"m"}"#);
    assert_eq!([post("a").status, post("a").status], [201, 201]);
    let refused = post("a");
    assert_eq!(refused.status, 429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refused.error().contains("Too many events"), "{}", refused.error());
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    assert_eq!(post("wrong").status, 401);
    assert_eq!(post("b").status, 201, "each key has its own count");
    assert_eq!(stored(&obs), 3);
}

#[test]
fn at_the_limit_old_events_go_under_load_too() {
    let obs = Obs::start();
    send_all(&obs, (0..400).map(|n| format!(r#"{{"message":"{}"}}"#, ["red", "green", "blue", "grey"][n % 4])));
    obs.sqlite().execute("UPDATE events SET received_at = '2020-01-01T00:00:00.000Z' WHERE seq <= 300", []).unwrap();
    let obs = obs.restart(&["--retention-days", "30", "--max-events", "395"], &[("OBS_API_KEY", KEY)]);
    let mut connection = obs.connect();
    eventually("no old event is left", || {
        connection.post(r#"{"message":"red"}"#);
        (number(&obs, "SELECT count(*) FROM events WHERE received_at < '2021'") == 0).then_some(())
    });
    agree(&obs);
}

#[test]
fn events_from_a_time_to_come_do_not_keep_old_ones() {
    let obs = Obs::start();
    send_all(&obs, (0..600).map(|n| format!(r#"{{"message":"{}"}}"#, if n < 300 { "ahead" } else { "behind" })));
    obs.sqlite()
        .execute(
            "UPDATE events SET received_at = iif(seq <= 300, '2200-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z')",
            [],
        )
        .unwrap();
    obs.add(r#"{"message":"now"}"#);
    let obs = obs.restart(&["--retention-days", "30"], &[("OBS_API_KEY", KEY)]);
    eventually("the old ones went", || (stored(&obs) == 301).then_some(()));
    assert_eq!(number(&obs, "SELECT count(*) FROM events WHERE received_at > '2199'"), 300);
    agree(&obs);
}

#[test]
fn events_that_someone_else_removed_cost_no_others() {
    let obs = Obs::start();
    send_all(&obs, (0..100).map(|n| format!(r#"{{"message":"{}"}}"#, if n < 80 { "many" } else { "few" })));
    obs.sqlite().execute("DELETE FROM events WHERE issue_id = 1", []).unwrap();
    let obs = obs.restart(&["--max-events", "30"], &[("OBS_API_KEY", KEY)]);
    eventually("it is counted anew", || (number(&obs, "SELECT stored FROM totals") == 20).then_some(()));
    assert_eq!(stored(&obs), 20);
}
