//! What people do with issues: states and merging, over JSON and over forms, at once and in the background.
mod common;
use common::ledger::assert_consistent;
use common::triage::*;
use common::*;
use serde_json::json;
use std::thread;

#[test]
fn a_resolved_issue_is_reopened_by_an_event_and_an_ignored_one_is_not() {
    let obs = Obs::start();
    obs.add(r#"{"message":"first"}"#);
    obs.add(r#"{"message":"second"}"#);
    assert_eq!(issue(&obs, 1)["state"], "open");
    set(&obs, 1, "resolved");
    set(&obs, 2, "ignored");
    let resolved = issue(&obs, 1);
    assert!(resolved["resolved_at"].is_string() && resolved["reopened_at"].is_null(), "{resolved}");
    assert_eq!(ids(&obs, ""), [0; 0]);

    obs.add(r#"{"message":"first"}"#);
    obs.add(r#"{"message":"second"}"#);
    let reopened = issue(&obs, 1);
    assert_eq!((&reopened["state"], &reopened["resolved_at"]), (&json!("open"), &resolved["resolved_at"]));
    assert!(reopened["reopened_at"].is_string());
    assert_eq!((issue(&obs, 2)["state"].as_str(), issue(&obs, 2)["count"].as_i64()), (Some("ignored"), Some(2)));
    assert_eq!((ids(&obs, "is:reopened"), ids(&obs, "is:ignored")), (vec![1], vec![2]));

    set(&obs, 1, "resolved");
    set(&obs, 1, "open");
    let open = issue(&obs, 1);
    assert!(open["resolved_at"].is_null() && open["reopened_at"].is_null(), "a person reopened it: {open}");
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_event_that_was_there_before_reopens_nothing() {
    let obs = Obs::start();
    let event = r#"{"message":"once","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91"}"#;
    obs.add(event);
    set(&obs, 1, "resolved");
    assert_eq!(obs.post(event).status, 200);
    assert_eq!(issue(&obs, 1)["state"], "resolved");
}

#[test]
fn merged_issues_are_one_and_stay_one() {
    let obs = Obs::start();
    let early = obs.add(r#"{"message":"red","environment":"a","release":"1"}"#);
    for _ in 0..30 {
        obs.add(r#"{"message":"blue","environment":"b","suppressed":2}"#);
    }
    obs.add(r#"{"message":"green"}"#);
    assert_eq!(merge(&obs, 1, 2).json()["issue"]["count"], 91);
    assert_eq!(merge(&obs, 2, 3).status, 200);
    done(&obs);
    for gone in [1, 2] {
        let answer = obs.get(&format!("/issues/{gone}"));
        assert_eq!((answer.status, answer.header("location")), (308, Some("/issues/3")));
        let answer = obs.get(&format!("/api/issues/{gone}"));
        assert_eq!((answer.status, answer.header("location")), (308, Some("/api/issues/3")));
    }
    for change in [patch(&obs, 1, r#"{"state":"resolved"}"#), merge(&obs, 3, 2), merge(&obs, 2, 3)] {
        assert_eq!(change.status, 404);
    }
    assert_eq!(delete(&obs, "/api/issues/1"), 404, "what it was merged into stays");
    let one = issue(&obs, 3);
    assert_eq!((one["count"].as_i64(), one["stored"].as_i64()), (Some(92), Some(32)));
    assert_eq!(one["first_seen"], obs.json(&format!("/api/events/{early}"))["received_at"]);
    assert_eq!(obs.json(&format!("/api/events/{early}"))["issue_id"], 3);
    obs.add(r#"{"message":"red"}"#);
    obs.add(r#"{"message":"blue"}"#);
    assert_eq!((ids(&obs, "is:any"), issue(&obs, 3)["count"].as_i64()), (vec![3], Some(94)));
    assert_eq!(ids(&obs, "env:a"), [3]);
    assert_consistent(&obs.sqlite());

    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    assert_eq!((obs.get("/issues/1").status, obs.get("/issues/3").status), (404, 404), "it leads nowhere any more");
    done(&obs);
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_open_issue_is_not_hidden_by_what_it_is_merged_into() {
    for (from, into, is) in [
        ("open", "resolved", "open"),
        ("open", "ignored", "ignored"),
        ("resolved", "open", "open"),
        ("ignored", "resolved", "resolved"),
    ] {
        let obs = Obs::start();
        ["a", "b"].iter().for_each(|message| drop(obs.add(json!({ "message": message }).to_string())));
        set(&obs, 1, from);
        set(&obs, 2, into);
        let merged = merge(&obs, 1, 2).json();
        assert_eq!(merged["issue"]["state"], is, "{from} into {into}");
        done(&obs);
        assert_consistent(&obs.sqlite());
    }
}

#[test]
fn only_two_issues_of_one_project_can_be_merged() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "test123,shop=shop123")]);
    obs.add(r#"{"message":"a"}"#);
    obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: shop123", br#"{"message":"a"}"#);
    for (from, into, status) in [(1, 2, 400), (1, 1, 400), (1, 9, 404), (9, 1, 404)] {
        assert_eq!(merge(&obs, from, into).status, status, "{from} into {into}");
    }
    assert_eq!(ids(&obs, ""), [2, 1]);

    obs.add(r#"{"message":"b"}"#);
    for (others, status) in [("id=3&id=2", 400), ("id=3&id=9", 404)] {
        assert_eq!(form(&obs, "/", &format!("do=merge&id=1&{others}")).status, status);
        assert_eq!(ids(&obs, ""), [3, 2, 1], "all of them or none");
    }
}

#[test]
fn what_is_half_done_goes_on_after_a_crash() {
    let mut obs = Obs::start();
    for n in 0..3000 {
        obs.add(format!(r#"{{"message":"{}"}}"#, ["red", "blue", "green"][n % 3]));
    }
    assert_eq!(merge(&obs, 1, 2).status, 200);
    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    obs.kill();
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!((issue(&obs, 2)["count"].as_i64(), ids(&obs, "is:any")), (Some(2000), vec![2]));
    done(&obs);
    assert_eq!(issue(&obs, 2)["stored"], 2000);
    assert_consistent(&obs.sqlite());
}

#[test]
fn events_that_arrive_meanwhile_are_counted_once() {
    let obs = Obs::start();
    for message in ["red", "blue", "green"] {
        obs.add(format!(r#"{{"message":"{message}"}}"#));
    }
    thread::scope(|scope| {
        let sender = scope
            .spawn(|| (0..300).for_each(|n| drop(obs.add(format!(r#"{{"message":"{}"}}"#, ["red", "blue"][n % 2])))));
        merge(&obs, 1, 3);
        set(&obs, 2, "resolved");
        merge(&obs, 2, 3);
        sender.join().unwrap();
    });
    done(&obs);
    assert_eq!(issue(&obs, 3)["count"], 303);
    assert_consistent(&obs.sqlite());
}

#[test]
fn forms_do_what_they_say_and_come_back_to_their_page() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"a"}"#);
    for message in ["a", "b", "c"] {
        obs.add(format!(r#"{{"message":"{message}"}}"#));
    }
    let answer = form(&obs, "/", "do=resolve&id=1&id=2&back=%2F%3Fq%3Dis%253Aopen");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?q=is%3Aopen")));
    assert_eq!((ids(&obs, "is:resolved"), ids(&obs, "")), (vec![2, 1], vec![3]));
    for (act, state) in [("reopen", "open"), ("ignore", "ignored"), ("resolve", "resolved")] {
        assert_eq!(form(&obs, "/issues/1", &format!("do={act}&back=/issues/1")).header("location"), Some("/issues/1"));
        assert_eq!(issue(&obs, 1)["state"], state);
    }
    assert_eq!(form(&obs, &format!("/events/{id}"), "do=delete&back=/issues/1").status, 303);
    assert_eq!(issue(&obs, 1)["count"], 1);
    assert_eq!(form(&obs, "/", "do=merge&id=3&id=2&id=1").status, 303);
    assert_eq!(issue(&obs, 1)["count"], 3, "the oldest of them stays");
    assert_eq!(form(&obs, "/issues/1", "do=delete&back=/").status, 303);
    assert_eq!(ids(&obs, "is:any"), [0; 0]);
    assert_eq!(form(&obs, "/issues/1", "do=delete").status, 404);
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
        let answer = patch(&obs, 1, body);
        assert!(answer.status == 400 && answer.error().contains(why), "{body}: {}", answer.text());
    }
    assert_eq!(patch(&obs, 7, r#"{"state":"open"}"#).status, 404);
    for body in ["", "do=dance&id=1", "do=resolve", "do=resolve&id=x", "do=merge&id=1"] {
        assert_eq!(form(&obs, "/", body).status, 400, "{body}");
    }
    let many: String = (0..101).map(|id| format!("&id={id}")).collect();
    assert_eq!(form(&obs, "/", &format!("do=resolve{many}")).status, 400);
    assert_eq!(form(&obs, "/", &format!("do=resolve&id=1&x={}", "x".repeat(20_000))).status, 413);
    assert_eq!(issue(&obs, 1)["state"], "open");
}

#[test]
fn retention_and_triage_agree() {
    let obs = Obs::with(&["--max-events", "200"], &[("OBS_API_KEY", KEY)]);
    for n in 0..120 {
        obs.add(format!(r#"{{"message":"{}"}}"#, ["red", "blue", "green"][n % 3]));
    }
    merge(&obs, 1, 2);
    delete(&obs, "/api/issues/3");
    for n in 0..300 {
        obs.add(format!(r#"{{"message":"other {}"}}"#, "x".repeat(n / 100)));
    }
    done(&obs);
    let text = |sql: &str| obs.sqlite().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("what is too much is gone", || (text("SELECT stored FROM totals") <= 202).then_some(()));
    assert_eq!(text("SELECT stored FROM totals"), text("SELECT count(*) FROM events"));
    assert_eq!(
        text("SELECT count(*) FROM issues WHERE stored <> (SELECT count(*) FROM events WHERE issue_id = issues.id)"),
        0
    );
    assert_eq!(text("SELECT count(*) FROM events WHERE issue_id NOT IN (SELECT id FROM issues)"), 0);
    assert_eq!(issue(&obs, 2)["count"], 80);
}

/// As a crash leaves them right after issue 2 was merged into issue 1: no event has moved yet.
const MERGED: &str = "
    UPDATE issues SET count = issues.count + other.count, last_seq = other.last_seq, last_seen = other.last_seen
    FROM issues AS other WHERE issues.id = 1 AND other.id = 2;
    UPDATE issue_hours SET events = events + (SELECT sum(events) FROM issue_hours WHERE issue_id = 2) WHERE issue_id = 1;
    DELETE FROM issue_hours WHERE issue_id = 2;
    UPDATE issue_keys SET issue_id = 1 WHERE issue_id = 2;
    INSERT INTO merged VALUES (2, 1);
    UPDATE issues SET state = 'merged', count = 0 WHERE id = 2;";

#[test]
fn the_newest_event_of_merged_issues_is_found_wherever_it_still_is() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"red"}"#);
    let events: Vec<String> = (0..3).map(|_| obs.add(r#"{"message":"blue"}"#)).collect();
    obs.kill();
    obs.sqlite().execute_batch(MERGED).unwrap();
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(delete(&obs, &format!("/api/events/{}", events[2])), 204);
    assert_eq!(issue(&obs, 1)["last_event_id"], events[1].as_str());
    done(&obs);
    assert_eq!((issue(&obs, 1)["count"].as_i64(), issue(&obs, 1)["stored"].as_i64()), (Some(3), Some(3)));
}

#[test]
fn an_old_event_does_not_take_along_those_that_are_still_to_join_it() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"old"}"#);
    (0..30).for_each(|_| drop(obs.add(r#"{"message":"new"}"#)));
    obs.kill();
    let old = "UPDATE events SET received_at = '2020-01-01T00:00:00.000Z' WHERE seq = 1;";
    obs.sqlite().execute_batch(&format!("{MERGED}{old}")).unwrap();
    let obs = obs.restart(&["--retention-days", "30"], &[("OBS_API_KEY", KEY)]);
    let events = || obs.sqlite().query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("the old one is gone", || (events() < 31).then_some(()));
    assert_eq!((events(), issue(&obs, 1)["stored"].as_i64()), (30, Some(30)));
}

#[test]
fn what_is_yet_to_be_merged_is_not_evicted_from_under_the_other_issue() {
    let mut obs = Obs::start();
    for message in ["red", "blue", "green"] {
        obs.add(format!(r#"{{"message":"{message}"}}"#));
    }
    obs.kill();
    obs.sqlite().execute_batch(MERGED).unwrap();
    let obs = obs.restart(&["--max-events", "2"], &[("OBS_API_KEY", KEY)]);
    done(&obs);
    let stored = || obs.sqlite().query_row("SELECT stored FROM totals", [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("one event is removed", || (stored() == 2).then_some(()));
    let lost = "SELECT count(*) FROM issues WHERE last_seq NOT IN (SELECT seq FROM events)";
    assert_eq!(obs.sqlite().query_row(lost, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(ids(&obs, "is:any"), [3, 1]);
}
