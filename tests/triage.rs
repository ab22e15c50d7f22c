//! What people do with issues: states, deletion, merging; over JSON and over forms, and who may.
mod common;
use common::ledger::assert_consistent;
use common::*;
use serde_json::{Value, json};
use std::fs;
use std::thread;

const JSON: &str = "Content-Type: application/json";

fn patch(obs: &Obs, issue: i64, body: &str) -> Answer {
    obs.send(&format!("PATCH /api/issues/{issue} HTTP/1.1\r\n{JSON}"), body.as_bytes())
}

fn set(obs: &Obs, issue: i64, state: &str) {
    let answer = patch(obs, issue, &json!({ "state": state }).to_string());
    assert_eq!((answer.status, answer.json()["issue"]["state"].as_str()), (200, Some(state)));
}

fn delete(obs: &Obs, path: &str) -> u16 {
    obs.send(&format!("DELETE {path} HTTP/1.1"), b"").status
}

fn merge(obs: &Obs, from: i64, into: i64) -> Answer {
    let body = json!({ "into": into }).to_string();
    obs.send(&format!("POST /api/issues/{from}/merge HTTP/1.1\r\n{JSON}"), body.as_bytes())
}

fn form(obs: &Obs, path: &str, body: &str) -> Answer {
    obs.send(&format!("POST {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin"), body.as_bytes())
}

fn issue(obs: &Obs, id: i64) -> Value {
    obs.json(&format!("/api/issues/{id}"))["issue"].clone()
}

fn ids(obs: &Obs, query: &str) -> Vec<i64> {
    let found = obs.json(&format!("/api/issues?q={query}"));
    found["issues"].as_array().unwrap().iter().map(|issue| issue["id"].as_i64().unwrap()).collect()
}

/// Nothing is left to be done in the background.
fn done(obs: &Obs) {
    let left = "SELECT count(*) FROM issues WHERE state IN ('deleted', 'merged')";
    let left = || obs.sqlite().query_row(left, [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("the background is done", || (left() == 0).then_some(()));
}

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
fn a_deleted_issue_is_gone_at_once_and_its_next_event_begins_another() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"gone","environment":"x"}"#);
    for _ in 0..40 {
        obs.add(r#"{"message":"gone","level":"warning","environment":"x"}"#);
    }
    obs.add(r#"{"message":"stays"}"#);
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    for path in ["/issues/1", "/api/issues/1", &format!("/events/{id}"), &format!("/api/events/{id}")] {
        assert_eq!(obs.get(path).status, 404, "{path}");
    }
    assert_eq!((ids(&obs, ""), delete(&obs, "/api/issues/1")), (vec![2], 404));
    obs.add(r#"{"message":"gone"}"#);
    assert_eq!(ids(&obs, ""), [3, 2]);
    done(&obs);
    assert_eq!(obs.json("/api/stats")["events"], 2);
    let stored: i64 = obs.sqlite().query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 2);
    assert_consistent(&obs.sqlite());
}

#[test]
fn nothing_of_a_deleted_event_stays_in_any_file() {
    const SECRET: &str = "hunter2-was-the-password";
    let obs = Obs::start();
    let secret = format!(
        r#"{{"message":"login failed","type":"E","fingerprint":["login"],"environment":"{SECRET}-env","release":"{SECRET}-rel","server_name":"{SECRET}-srv",
            "stacktrace":[{{"filename":"{SECRET}.php","function":"{SECRET}","lineno":1}}],"extra":{{"password":"{SECRET}"}},"suppressed":4}}"#
    );
    let id = obs.add(secret.replace("login failed", &format!("login with {SECRET} failed")));
    obs.add(r#"{"message":"login failed","type":"E","fingerprint":["login"],"level":"info"}"#);
    assert_eq!((issue(&obs, 1)["count"].as_i64(), ids(&obs, SECRET)), (Some(6), vec![1]));
    let indexed = || obs.sqlite().query_row("SELECT searchable FROM totals", [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("the title is indexed", || (indexed() == 1).then_some(()));

    assert_eq!(delete(&obs, &format!("/api/events/{id}")), 204);
    assert_eq!(delete(&obs, &format!("/api/events/{id}")), 404);
    let left = issue(&obs, 1);
    assert_eq!((left["count"].as_i64(), left["stored"].as_i64()), (Some(1), Some(1)));
    assert_eq!((left["title"].as_str(), left["culprit"].as_str()), (Some("E: login failed"), None));
    assert_eq!(ids(&obs, SECRET), [0; 0]);
    assert_eq!(ids(&obs, "failed"), [1]);
    let stats = obs.json("/api/stats");
    assert_eq!((stats["events"].as_i64(), stats["errors"].as_i64()), (Some(1), Some(0)));
    assert_consistent(&obs.sqlite());
    for suffix in ["", "-wal"] {
        let path = format!("{}{suffix}", obs.database.display());
        eventually("the secret is in no file", || {
            let bytes = fs::read(&path).unwrap();
            (!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes())).then_some(())
        });
    }
}

#[test]
fn the_index_keeps_nothing_of_what_was_merged_into_a_deleted_issue() {
    const LETTERS: &str = "ωψξ"; // all of one trigram
    let obs = Obs::start();
    obs.add(format!(r#"{{"message":"{LETTERS}"}}"#));
    obs.add(r#"{"message":"other"}"#);
    let indexed = || obs.sqlite().query_row("SELECT searchable FROM totals", [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("the titles are indexed", || (indexed() == 2).then_some(()));
    assert_eq!(merge(&obs, 1, 2).status, 200);
    done(&obs);
    assert_eq!(delete(&obs, "/api/issues/2"), 204);
    done(&obs);
    for suffix in ["", "-wal"] {
        let path = format!("{}{suffix}", obs.database.display());
        eventually("the title is in no file", || {
            let bytes = fs::read(&path).unwrap();
            (!bytes.windows(LETTERS.len()).any(|part| part == LETTERS.as_bytes())).then_some(())
        });
    }
}

#[test]
fn the_last_event_goes_with_its_issue() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"only"}"#);
    assert_eq!(delete(&obs, &format!("/api/events/{id}")), 204);
    assert_eq!((obs.get("/issues/1").status, ids(&obs, "is:any")), (404, vec![]));
    done(&obs);
    assert_consistent(&obs.sqlite());
}

#[test]
fn the_newest_event_deleted_the_one_before_describes_its_issue() {
    let obs = Obs::start();
    obs.add(r#"{"message":"user 1 left","environment":"a"}"#);
    let id = obs.add(r#"{"message":"user 2 left","environment":"b"}"#);
    delete(&obs, &format!("/api/events/{id}"));
    let left = issue(&obs, 1);
    assert_eq!((left["message"].as_str(), left["environment"].as_str()), (Some("user 1 left"), Some("a")));
    assert_eq!(ids(&obs, "env:b"), [0; 0]);
    assert_consistent(&obs.sqlite());
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
fn a_form_never_leads_to_another_site() {
    let obs = Obs::start();
    obs.add(r#"{"message":"a"}"#);
    for back in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "evil",
        "",
        "/%0d%0aX: y",
        "/%09/evil.example",
        "/\u{e9}",
    ] {
        let answer = form(&obs, "/issues/1", &format!("do=resolve&back={back}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{back}");
    }
}

#[test]
fn malformed_changes_are_refused_with_a_reason() {
    let obs = Obs::start();
    obs.add(r#"{"message":"a"}"#);
    for (body, why) in [
        ("", "Invalid JSON"),
        ("{}", "missing field"),
        (r#"{"state":"gone"}"#, "Invalid state"),
        ("[]", "Invalid JSON"),
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
fn another_site_changes_nothing() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"a"}"#);
    let form = "application/x-www-form-urlencoded";
    let forged = [
        format!("POST / HTTP/1.1\r\nContent-Type: {form}"),
        format!("POST /issues/1 HTTP/1.1\r\nContent-Type: {form}\r\nOrigin: https://evil.example"),
        "POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost:1".to_string(),
        "POST /issues/1 HTTP/1.1\r\nOrigin: null".to_string(),
        "POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost\r\nSec-Fetch-Site: cross-site".to_string(),
        "POST /issues/1 HTTP/1.1\r\nSec-Fetch-Site: same-site".to_string(),
        "POST /issues/1 HTTP/1.1\r\nSec-Fetch-Site: none".to_string(),
        "POST /issues/1 HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site".to_string(),
        "POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost\r\nOrigin: https://evil.example".to_string(),
        format!("POST /events/{id} HTTP/1.1\r\nContent-Type: {form}"),
        "POST /api/issues/1/merge HTTP/1.1\r\nContent-Type: text/plain".to_string(),
    ];
    for head in forged {
        assert_eq!(obs.send(&head, b"do=delete&id=1").status, 403, "{head}");
    }
    let preflight = obs.send(
        "OPTIONS /api/issues/1 HTTP/1.1\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: DELETE",
        b"",
    );
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (405, None));
    assert_eq!(issue(&obs, 1)["state"], "open");
    let own = obs.send("POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost", b"do=resolve");
    assert_eq!(own.status, 303, "a browser without Sec-Fetch-Site names its origin");
}

#[test]
fn who_may_only_read_changes_nothing() {
    let public = Obs::with(&["--listen", "127.0.0.1:0", "--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    public.add(r#"{"message":"a"}"#);
    let elsewhere = "Host: obs.example";
    let heads = [
        format!("PATCH /api/issues/1 HTTP/1.1\r\n{elsewhere}\r\n{JSON}"),
        format!("DELETE /api/issues/1 HTTP/1.1\r\n{elsewhere}"),
        format!("POST / HTTP/1.1\r\n{elsewhere}\r\nSec-Fetch-Site: same-origin"),
    ];
    for head in &heads {
        assert_eq!(public.send(head, br#"{"state":"resolved"}"#).status, 403, "{head}");
    }
    let closed = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "secret")]);
    closed.add(r#"{"message":"a"}"#);
    for head in &heads {
        assert_eq!(closed.send(head, br#"{"state":"resolved"}"#).status, 401, "{head}");
    }
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
    eventually("one event went", || (obs.get("/api/issues/1").status == 404).then_some(()));
    let lost = "SELECT count(*) FROM issues WHERE last_seq NOT IN (SELECT seq FROM events)";
    assert_eq!(obs.sqlite().query_row(lost, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(ids(&obs, "is:any"), [3]);
}

#[test]
fn what_was_evicted_before_does_not_outlive_its_issue_in_a_free_page() {
    const SECRET: &str = "hunter2-was-the-password";
    let obs = Obs::with(&["--max-events", "60"], &[("OBS_API_KEY", KEY)]);
    let secret = format!(r#"{{"message":"login failed","extra":"{}{SECRET}"}}"#, "x".repeat(6000));
    (0..60).for_each(|_| drop(obs.add(&secret)));
    (0..20).for_each(|n| drop(obs.add(format!(r#"{{"message":"noise","fingerprint":["{n}"]}}"#))));
    let free = || obs.sqlite().query_row("PRAGMA freelist_count", [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("events are evicted", || (free() > 20).then_some(()));
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    done(&obs);
    for suffix in ["", "-wal"] {
        let path = format!("{}{suffix}", obs.database.display());
        eventually("the secret is in no file", || {
            let bytes = fs::read(&path).unwrap();
            (!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes())).then_some(())
        });
    }
}
