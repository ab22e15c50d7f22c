//! Changing the state of issues and merging them, through the API and the forms, and the upkeep that follows.
mod common;
use common::database::{assert_consistent, assert_stored_counts_match, value};
use common::triage::*;
use common::*;
use serde_json::json;
use std::thread;

#[test]
fn a_resolved_issue_reopens_on_its_next_event_and_an_ignored_one_stays_ignored() {
    let obs = Obs::start();
    obs.add(r#"{"message":"first"}"#);
    obs.add(r#"{"message":"second"}"#);
    assert_eq!(issue(&obs, 1)["state"], "open");
    set_state(&obs, 1, "resolved");
    set_state(&obs, 2, "ignored");
    let resolved = issue(&obs, 1);
    assert!(resolved["resolved_at"].is_string() && resolved["reopened_at"].is_null(), "{resolved}");
    assert_eq!(issue_ids(&obs, ""), [0; 0]);

    obs.add(r#"{"message":"first"}"#);
    obs.add(r#"{"message":"second"}"#);
    let reopened = issue(&obs, 1);
    assert_eq!((&reopened["state"], &reopened["resolved_at"]), (&json!("open"), &resolved["resolved_at"]));
    assert!(reopened["reopened_at"].is_string());
    assert_eq!((issue(&obs, 2)["state"].as_str(), issue(&obs, 2)["count"].as_i64()), (Some("ignored"), Some(2)));
    assert_eq!((issue_ids(&obs, "is:reopened"), issue_ids(&obs, "is:ignored")), (vec![1], vec![2]));

    set_state(&obs, 1, "resolved");
    set_state(&obs, 1, "open");
    let open = issue(&obs, 1);
    assert!(
        open["resolved_at"].is_null() && open["reopened_at"].is_null(),
        "reopened by a person, not by an event: {open}"
    );
    assert_consistent(&obs.sqlite());
}

#[test]
fn a_retry_of_a_stored_event_does_not_reopen_its_issue() {
    let obs = Obs::start();
    let event = r#"{"message":"once","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91"}"#;
    obs.add(event);
    set_state(&obs, 1, "resolved");
    assert_eq!(obs.post(event).status, 200);
    assert_eq!(issue(&obs, 1)["state"], "resolved");
}

#[test]
fn merged_issues_become_one_that_later_events_join() {
    let obs = Obs::start();
    let early = obs.add(r#"{"message":"red","environment":"a","release":"1"}"#);
    for _ in 0..30 {
        obs.add(r#"{"message":"blue","environment":"b","suppressed":2}"#);
    }
    obs.add(r#"{"message":"green"}"#);
    assert_eq!(merge(&obs, 1, 2).json()["issue"]["count"], 91);
    assert_eq!(merge(&obs, 2, 3).status, 200);
    wait_for_upkeep(&obs);
    for merged in [1, 2] {
        let response = obs.get(&format!("/issues/{merged}"));
        assert_eq!((response.status, response.header("location")), (308, Some("/issues/3")));
        let response = obs.get(&format!("/api/issues/{merged}"));
        assert_eq!((response.status, response.header("location")), (308, Some("/api/issues/3")));
    }
    for change in [patch(&obs, 1, r#"{"state":"resolved"}"#), merge(&obs, 3, 2), merge(&obs, 2, 3)] {
        assert_eq!(change.status, 404);
    }
    assert_eq!(delete(&obs, "/api/issues/1"), 404, "a merged issue cannot be deleted");
    let merged = issue(&obs, 3);
    assert_eq!((merged["count"].as_i64(), merged["stored"].as_i64()), (Some(92), Some(32)));
    assert_eq!(merged["first_seen"], obs.json(&format!("/api/events/{early}"))["received_at"]);
    assert_eq!(obs.json(&format!("/api/events/{early}"))["issue_id"], 3);
    obs.add(r#"{"message":"red"}"#);
    obs.add(r#"{"message":"blue"}"#);
    assert_eq!((issue_ids(&obs, "is:any"), issue(&obs, 3)["count"].as_i64()), (vec![3], Some(94)));
    assert_eq!(issue_ids(&obs, "env:a"), [3]);
    assert_consistent(&obs.sqlite());

    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    assert_eq!(
        (obs.get("/issues/1").status, obs.get("/issues/3").status),
        (404, 404),
        "the redirect to a deleted issue is gone"
    );
    wait_for_upkeep(&obs);
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_open_issue_stays_open_if_merged_into_a_resolved_one() {
    for (from, into, expected) in [
        ("open", "resolved", "open"),
        ("open", "ignored", "ignored"),
        ("resolved", "open", "open"),
        ("ignored", "resolved", "resolved"),
    ] {
        let obs = Obs::start();
        ["a", "b"].iter().for_each(|message| drop(obs.add(json!({ "message": message }).to_string())));
        set_state(&obs, 1, from);
        set_state(&obs, 2, into);
        let merged = merge(&obs, 1, 2).json();
        assert_eq!(merged["issue"]["state"], expected, "{from} into {into}");
        wait_for_upkeep(&obs);
        assert_consistent(&obs.sqlite());
    }
}

#[test]
fn issues_of_different_projects_cannot_be_merged() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "test123,shop=shop123")]);
    obs.add(r#"{"message":"a"}"#);
    obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: shop123", br#"{"message":"a"}"#);
    for (from, into, status) in [(1, 2, 400), (1, 1, 400), (1, 9, 404), (9, 1, 404)] {
        assert_eq!(merge(&obs, from, into).status, status, "{from} into {into}");
    }
    assert_eq!(issue_ids(&obs, ""), [2, 1]);

    obs.add(r#"{"message":"b"}"#);
    for (others, status) in [("id=3&id=2", 400), ("id=3&id=9", 404)] {
        assert_eq!(submit_form(&obs, "/", &format!("do=merge&id=1&{others}")).status, status);
        assert_eq!(issue_ids(&obs, ""), [3, 2, 1], "a refused merge changes nothing");
    }
}

#[test]
fn merging_and_deleting_continue_after_a_crash() {
    let mut obs = Obs::start();
    for n in 0..3000 {
        obs.add(format!(r#"{{"message":"{}"}}"#, ["red", "blue", "green"][n % 3]));
    }
    assert_eq!(merge(&obs, 1, 2).status, 200);
    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    obs.kill();
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!((issue(&obs, 2)["count"].as_i64(), issue_ids(&obs, "is:any")), (Some(2000), vec![2]));
    wait_for_upkeep(&obs);
    assert_eq!(issue(&obs, 2)["stored"], 2000);
    assert_consistent(&obs.sqlite());
}

#[test]
fn events_that_arrive_during_a_merge_are_counted_once() {
    let obs = Obs::start();
    for message in ["red", "blue", "green"] {
        obs.add(format!(r#"{{"message":"{message}"}}"#));
    }
    thread::scope(|scope| {
        let sender = scope
            .spawn(|| (0..300).for_each(|n| drop(obs.add(format!(r#"{{"message":"{}"}}"#, ["red", "blue"][n % 2])))));
        merge(&obs, 1, 3);
        set_state(&obs, 2, "resolved");
        merge(&obs, 2, 3);
        sender.join().unwrap();
    });
    wait_for_upkeep(&obs);
    assert_eq!(issue(&obs, 3)["count"], 303);
    assert_consistent(&obs.sqlite());
}

#[test]
fn a_form_changes_issues_and_redirects_to_the_page_it_came_from() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"a"}"#);
    for message in ["a", "b", "c"] {
        obs.add(format!(r#"{{"message":"{message}"}}"#));
    }
    let response = submit_form(&obs, "/", "do=resolve&id=1&id=2&back=%2F%3Fq%3Dis%253Aopen");
    let did = "/?q=is%3Aopen&did=resolve&n=2&ids=1.1";
    assert_eq!((response.status, response.header("location")), (303, Some(did)));
    assert_eq!((issue_ids(&obs, "is:resolved"), issue_ids(&obs, "")), (vec![2, 1], vec![3]));
    for (action, state) in [("reopen", "open"), ("ignore", "ignored"), ("resolve", "resolved")] {
        let response = submit_form(&obs, "/issues/1", &format!("do={action}&back=/issues/1"));
        assert!(response.header("location").unwrap().starts_with(&format!("/issues/1?did={action}&n=1")));
        assert_eq!(issue(&obs, 1)["state"], state);
    }
    assert_eq!(submit_form(&obs, &format!("/events/{id}"), "do=delete&back=/issues/1").status, 303);
    assert_eq!(issue(&obs, 1)["count"], 1);
    assert_eq!(submit_form(&obs, "/", "do=merge&id=3&id=2&id=1").status, 303);
    assert_eq!(issue(&obs, 1)["count"], 3, "the others are merged into the oldest");
    assert_eq!(submit_form(&obs, "/issues/1", "do=delete&back=/").status, 303);
    assert_eq!(issue_ids(&obs, "is:any"), [0; 0]);
    assert_eq!(submit_form(&obs, "/issues/1", "do=delete").status, 404);
}

#[test]
fn malformed_changes_are_refused_with_a_reason() {
    let obs = Obs::start();
    obs.add(r#"{"message":"a"}"#);
    for (body, why) in [
        ("", "Invalid change"),
        ("{}", "Invalid change"),
        (r#"{"state":"gone"}"#, "Invalid state"),
        (r#"["ignored"]"#, "Invalid change"),
        (r#"{"state":"ignored"} x"#, "Invalid change"),
    ] {
        let response = patch(&obs, 1, body);
        assert!(response.status == 400 && response.error().contains(why), "{body}: {}", response.text());
    }
    assert_eq!(patch(&obs, 7, r#"{"state":"open"}"#).status, 404);
    for body in ["", "do=dance&id=1", "do=resolve", "do=resolve&id=x", "do=merge&id=1"] {
        assert_eq!(submit_form(&obs, "/", body).status, 400, "{body}");
    }
    let many: String = (0..101).map(|id| format!("&id={id}")).collect();
    assert_eq!(submit_form(&obs, "/", &format!("do=resolve{many}")).status, 400);
    assert_eq!(submit_form(&obs, "/", &format!("do=resolve&id=1&x={}", "x".repeat(20_000))).status, 413);
    assert_eq!(issue(&obs, 1)["state"], "open");
}

#[test]
fn counts_stay_right_while_events_are_merged_deleted_and_evicted_at_once() {
    let obs = Obs::with(&["--max-events", "200"], &[("OBS_API_KEY", KEY)]);
    for n in 0..120 {
        obs.add(format!(r#"{{"message":"{}"}}"#, ["red", "blue", "green"][n % 3]));
    }
    assert_eq!(merge(&obs, 1, 2).status, 200);
    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    for n in 0..300 {
        obs.add(format!(r#"{{"message":"other {}"}}"#, "x".repeat(n / 100)));
    }
    wait_for_upkeep(&obs);
    wait_until("excess events are evicted", || value::<i64>(&obs.sqlite(), "SELECT stored FROM totals") <= 202);
    assert_stored_counts_match(&obs.sqlite());
    assert_eq!(issue(&obs, 2)["count"], 80);
}

/// The state that a crash leaves right after issue 2 was merged into issue 1: no event has moved yet.
const HALF_MERGED: &str = "
    UPDATE issues SET count = issues.count + other.count, last_seq = other.last_seq, last_seen = other.last_seen
    FROM issues AS other WHERE issues.id = 1 AND other.id = 2;
    UPDATE issue_hours SET events = events + (SELECT sum(events) FROM issue_hours WHERE issue_id = 2) WHERE issue_id = 1;
    DELETE FROM issue_hours WHERE issue_id = 2;
    UPDATE issue_keys SET issue_id = 1 WHERE issue_id = 2;
    INSERT INTO merged VALUES (2, 1);
    UPDATE issues SET state = 'merged', count = 0 WHERE id = 2;";

#[test]
fn deleting_the_newest_event_of_a_half_merged_issue_finds_the_one_before_it() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"red"}"#);
    let events: Vec<String> = (0..3).map(|_| obs.add(r#"{"message":"blue"}"#)).collect();
    obs.kill();
    obs.sqlite().execute_batch(HALF_MERGED).unwrap();
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(delete(&obs, &format!("/api/events/{}", events[2])), 204);
    assert_eq!(issue(&obs, 1)["last_event_id"], events[1].as_str());
    wait_for_upkeep(&obs);
    assert_eq!((issue(&obs, 1)["count"].as_i64(), issue(&obs, 1)["stored"].as_i64()), (Some(3), Some(3)));
}

#[test]
fn a_half_merged_issue_survives_the_expiry_of_its_own_only_event() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"old"}"#);
    (0..30).for_each(|_| drop(obs.add(r#"{"message":"new"}"#)));
    obs.kill();
    let old = "UPDATE events SET received_at = '2020-01-01T00:00:00.000Z' WHERE seq = 1;";
    obs.sqlite().execute_batch(&format!("{HALF_MERGED}{old}")).unwrap();
    let obs = obs.restart(&["--retention-days", "30"], &[("OBS_API_KEY", KEY)]);
    let events = || value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events");
    wait_until("the old event is removed", || events() < 31);
    assert_eq!((events(), issue(&obs, 1)["stored"].as_i64()), (30, Some(30)));
}

#[test]
fn a_half_merged_issue_keeps_its_newest_event_while_others_are_evicted() {
    let mut obs = Obs::start();
    for message in ["red", "blue", "green"] {
        obs.add(format!(r#"{{"message":"{message}"}}"#));
    }
    obs.kill();
    obs.sqlite().execute_batch(HALF_MERGED).unwrap();
    let obs = obs.restart(&["--max-events", "2"], &[("OBS_API_KEY", KEY)]);
    wait_for_upkeep(&obs);
    wait_until("one event is evicted", || value::<i64>(&obs.sqlite(), "SELECT stored FROM totals") == 2);
    let without_newest = "SELECT count(*) FROM issues WHERE last_seq NOT IN (SELECT seq FROM events)";
    assert_eq!(value::<i64>(&obs.sqlite(), without_newest), 0);
    assert_eq!(issue_ids(&obs, "is:any"), [3, 1]);
}
