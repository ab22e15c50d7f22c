//! Deleted events and issues disappear at once from lists, counts and searches, and their text from the database, its
//! WAL and backups.
mod common;
use common::database::*;
use common::process::outcome;
use common::rng::Rng;
use common::triage::*;
use common::*;
use serde_json::json;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

const SECRET: &str = "hunter2-was-the-password";

fn contains(file: &Path, text: &str) -> bool {
    fs::read(file).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

fn wait_until_secret_is_overwritten(obs: &Obs) {
    let wal = obs.folder().join("obs.sqlite-wal");
    wait_until("the secret is in neither file", || !contains(&obs.database, SECRET) && !contains(&wal, SECRET));
}

#[test]
fn a_deleted_issue_disappears_at_once_and_its_next_event_creates_a_new_issue() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"deleted","environment":"x"}"#);
    for _ in 0..40 {
        obs.add(r#"{"message":"deleted","level":"warning","environment":"x"}"#);
    }
    obs.add(r#"{"message":"kept"}"#);
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    for path in ["/issues/1", "/api/issues/1", &format!("/events/{id}"), &format!("/api/events/{id}")] {
        assert_eq!(obs.get(path).status, 404, "{path}");
    }
    assert_eq!((issue_ids(&obs, ""), delete(&obs, "/api/issues/1")), (vec![2], 404));
    obs.add(r#"{"message":"deleted"}"#);
    assert_eq!(issue_ids(&obs, ""), [3, 2]);
    wait_for_upkeep(&obs);
    assert_eq!(obs.json("/api/stats")["events"], 2);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events"), 2);
    assert_consistent(&obs.sqlite());
}

#[test]
fn no_text_of_a_deleted_event_stays_in_the_database_or_the_wal() {
    let obs = Obs::start();
    let secret = format!(
        r#"{{"message":"login with {SECRET} failed","type":"E","fingerprint":["login"],"environment":"{SECRET}-env","release":"{SECRET}-rel",
            "server_name":"{SECRET}-srv","stacktrace":[{{"filename":"{SECRET}.php","function":"{SECRET}","lineno":1}}],
            "extra":{{"password":"{SECRET}"}},"suppressed":4}}"#
    );
    let id = obs.add(secret);
    obs.add(r#"{"message":"login failed","type":"E","fingerprint":["login"],"level":"info"}"#);
    assert_eq!((issue(&obs, 1)["count"].as_i64(), issue_ids(&obs, SECRET)), (Some(6), vec![1]));

    assert_eq!(delete(&obs, &format!("/api/events/{id}")), 204);
    assert_eq!(delete(&obs, &format!("/api/events/{id}")), 404);
    let left = issue(&obs, 1);
    assert_eq!((left["count"].as_i64(), left["stored"].as_i64()), (Some(1), Some(1)));
    assert_eq!((left["title"].as_str(), left["culprit"].as_str()), (Some("E: login failed"), None));
    assert_eq!(issue_ids(&obs, SECRET), [0; 0]);
    assert_eq!(issue_ids(&obs, "failed"), [1]);
    let stats = obs.json("/api/stats");
    assert_eq!((stats["events"].as_i64(), stats["errors"].as_i64()), (Some(1), Some(0)));
    assert_consistent(&obs.sqlite());
    wait_until_secret_is_overwritten(&obs);
}

#[test]
fn no_text_of_a_deleted_issue_stays_in_the_free_pages_of_its_evicted_events() {
    let obs = Obs::with(&["--max-events", "60"], &[("OBS_API_KEY", KEY)]);
    let secret = format!(r#"{{"message":"login failed","extra":"{}{SECRET}"}}"#, "x".repeat(6000));
    (0..60).for_each(|_| drop(obs.add(&secret)));
    (0..20).for_each(|n| drop(obs.add(format!(r#"{{"message":"noise","fingerprint":["{n}"]}}"#))));
    wait_until("events are evicted", || value::<i64>(&obs.sqlite(), "PRAGMA freelist_count") > 20);
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    wait_for_upkeep(&obs);
    wait_until_secret_is_overwritten(&obs);
}

/// As pages fill, SQLite moves rows and may leave copies of them in the live file. A backup has none.
#[test]
fn a_backup_after_hundreds_of_deletions_contains_no_deleted_text() {
    let obs = Obs::start();
    let mut rng = Rng(4);
    let mut connection = obs.connect();
    let mut events = Vec::new();
    for number in 0..900 {
        let issue = number % 40 + 1;
        let secret = format!("SECRET{number:04}");
        let event = json!({
            "message": format!("{secret} {}", "y".repeat(rng.below(300))), "fingerprint": [issue.to_string()],
            "environment": secret, "release": secret, "server_name": secret,
            "extra": { "token": secret, "padding": "x".repeat([0, 100, 1500, 5000][rng.below(4)]) },
        });
        let id = connection.post(event.to_string()).json()["id"].as_str().unwrap().to_string();
        events.push((id, issue, secret));
    }
    let mut kept = HashSet::new();
    for (id, issue, secret) in events {
        match issue {
            1..=5 => {} // deleted below, with their issues
            _ if rng.below(3) == 0 => assert_eq!(delete(&obs, &format!("/api/events/{id}")), 204),
            _ => drop(kept.insert(secret)),
        }
    }
    (1..=5).for_each(|issue| assert_eq!(delete(&obs, &format!("/api/issues/{issue}")), 204));
    wait_for_upkeep(&obs);
    assert_consistent(&obs.sqlite());

    let dest = obs.folder().join("copy");
    let (dest, database) = (dest.to_str().unwrap(), obs.database.to_str().unwrap());
    assert_eq!(outcome(&mut command(&["backup", dest, "--db", database], &[])).0, 0);
    let bytes = fs::read(dest).unwrap();
    let secrets = bytes.windows(10).filter(|window| window.starts_with(b"SECRET"));
    let mut found: HashSet<String> = secrets.map(|window| String::from_utf8_lossy(window).into()).collect();
    found.retain(|text| !text.contains("<*>")); // an issue's title, `SECRET<*>`
    let leaked: Vec<_> = found.difference(&kept).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    assert_eq!(found.len(), kept.len(), "the backup lacks events that were not deleted");
}

#[test]
fn deleting_the_only_event_of_an_issue_deletes_the_issue() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"only"}"#);
    assert_eq!(delete(&obs, &format!("/api/events/{id}")), 204);
    assert_eq!((obs.get("/issues/1").status, issue_ids(&obs, "is:any")), (404, vec![]));
    wait_for_upkeep(&obs);
    assert_consistent(&obs.sqlite());
}

#[test]
fn after_the_newest_event_is_deleted_the_one_before_it_describes_the_issue() {
    let obs = Obs::start();
    obs.add(r#"{"message":"user 1 left","environment":"a"}"#);
    let id = obs.add(r#"{"message":"user 2 left","environment":"b"}"#);
    assert_eq!(delete(&obs, &format!("/api/events/{id}")), 204);
    let left = issue(&obs, 1);
    assert_eq!((left["message"].as_str(), left["environment"].as_str()), (Some("user 1 left"), Some("a")));
    assert_eq!(issue_ids(&obs, "env:b"), [0; 0]);
    assert_consistent(&obs.sqlite());
}

/// The issue's errors in each stored hour, and those of all issues.
fn errors(obs: &Obs, issue: i64) -> [i64; 2] {
    [format!("issue_hours WHERE issue_id = {issue}"), "project_hours".into()]
        .map(|table| value(&obs.sqlite(), &format!("SELECT ifnull(sum(errors), 0) FROM {table}")))
}

#[test]
fn deleting_an_issue_subtracts_exactly_its_errors_whatever_its_newest_event_is() {
    let obs = Obs::start();
    let send = |issue: &str, level: &str, times: usize| {
        let body = json!({ "message": issue, "level": level, "suppressed": 1 }).to_string();
        (0..times).for_each(|_| drop(obs.add(&body)));
    };
    send("ends with an info", "error", 10);
    send("ends with an info", "info", 1);
    send("ends with an error", "warning", 10);
    send("ends with an error", "error", 1);
    send("kept", "error", 3);
    assert_eq!((errors(&obs, 1), errors(&obs, 2)), ([20, 28], [2, 28]));
    for (issue, left) in [(1, [14 * 2, 4 * 2]), (2, [3 * 2, 3 * 2])] {
        assert_eq!(delete(&obs, &format!("/api/issues/{issue}")), 204);
        let stats = obs.json("/api/stats");
        assert_eq!([stats["events"].as_i64(), stats["errors"].as_i64()], left.map(Some));
        assert_eq!(errors(&obs, issue), [0, left[1]]);
    }
    wait_for_upkeep(&obs);
    assert_consistent(&obs.sqlite());
}

#[test]
fn deleting_a_merged_issue_subtracts_the_errors_of_all_its_parts() {
    let obs = Obs::start();
    for n in 0..60 {
        let (message, level) = (["red", "blue", "green"][n % 3], ["error", "info"][n % 2]);
        obs.add(json!({ "message": message, "level": level }).to_string());
    }
    let newest = obs.add(r#"{"message":"red","level":"info"}"#);
    assert_eq!(merge(&obs, 1, 2).status, 200);
    assert_eq!(delete(&obs, &format!("/api/events/{newest}")), 204);
    assert_eq!((errors(&obs, 2), errors(&obs, 3)), ([20, 30], [10, 30]));
    assert_eq!(delete(&obs, "/api/issues/2"), 204);
    assert_eq!(errors(&obs, 2), [0, 10]);
    wait_for_upkeep(&obs);
    assert_consistent(&obs.sqlite());
}

#[test]
fn no_text_of_a_deleted_issue_stays_in_the_database_or_the_wal() {
    let mut obs = Obs::start();
    let secret = json!({
        "message": format!("{SECRET} failed"), "type": format!("{SECRET}Error"), "fingerprint": [SECRET, "a"],
        "environment": SECRET, "release": SECRET, "server_name": SECRET, "platform": SECRET, "extra": SECRET,
        "stacktrace": [{ "filename": format!("{SECRET}.php"), "function": SECRET }], "causes": [{ "type": SECRET }],
        SECRET: SECRET,
    });
    obs.add(r#"{"message":"kept"}"#);
    (0..2000).for_each(|_| drop(obs.add(secret.to_string())));
    obs.add(r#"{"message":"from"}"#);
    assert_eq!(merge(&obs, 2, 3).status, 200);
    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    obs.kill();
    // What the issue's own rows say while its events are purged.
    let texts = "SELECT count(*) FROM issues WHERE id > 1 AND title || ifnull(culprit, '') || grouped_by || ifnull(first_release, '') <> ''";
    assert_eq!(value::<i64>(&obs.sqlite(), texts), 0);
    for table in ["issue_values", "issue_history", "issue_keys", "issue_hours"] {
        assert_eq!(value::<i64>(&obs.sqlite(), &format!("SELECT count(*) FROM {table} WHERE issue_id > 1")), 0);
    }
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(issue_ids(&obs, &format!("is:any%20{SECRET}")), [0; 0]);
    wait_for_upkeep(&obs);
    wait_until_secret_is_overwritten(&obs);
    assert_eq!(issue_ids(&obs, "is:any"), [1]);
    assert_consistent(&obs.sqlite());
}

/// An older version of the rules would have made other texts of the event than today's.
#[test]
fn texts_of_a_deleted_event_leave_its_issue_even_if_the_grouping_rules_have_changed() {
    let obs = Obs::start();
    let event = |message: &str| json!({ "message": message, "fingerprint": ["group"] }).to_string();
    let first = obs.add(event("first"));
    let second = obs.add(event("second"));
    obs.add(event("third"));
    let older =
        format!("UPDATE issues SET title = 'By older rules: {SECRET}', culprit = '{SECRET}', grouped_by = '{SECRET}'");
    obs.sqlite().execute(&older, []).unwrap();
    let texts = |obs: &Obs| {
        let issue = issue(obs, 1);
        ["title", "culprit", "grouped_by"].map(|field| issue[field].as_str().unwrap_or_default().to_string())
    };
    let before = texts(&obs);
    assert_eq!(delete(&obs, &format!("/api/events/{second}")), 204);
    assert_eq!(texts(&obs), before, "they came from another event");
    assert_eq!(delete(&obs, &format!("/api/events/{first}")), 204);
    assert_eq!(texts(&obs), ["third", "", "the client's fingerprint: group"]);
    wait_until_secret_is_overwritten(&obs);
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_issue_has_its_texts_from_its_own_first_event_after_a_merge_and_after_an_eviction() {
    let obs = Obs::with(&["--max-events", "3"], &[("OBS_API_KEY", KEY)]);
    let into = obs.add(r#"{"message":"into","fingerprint":["a"],"release":"1"}"#);
    obs.add(r#"{"message":"from","fingerprint":["b"],"release":"2"}"#);
    assert_eq!(merge(&obs, 2, 1).status, 200);
    wait_for_upkeep(&obs);
    assert_eq!(issue(&obs, 1)["title"], "into");
    assert_eq!(delete(&obs, &format!("/api/events/{into}")), 204);
    let left = issue(&obs, 1);
    assert_eq!((&left["title"], &left["grouped_by"]), (&json!("from"), &json!("the client's fingerprint: b")));

    // Once the event that supplied them is evicted, nothing says which other events have the same text.
    let later: Vec<String> =
        (0..4).map(|n| obs.add(format!(r#"{{"message":"later","fingerprint":["b"],"extra":{n}}}"#))).collect();
    wait_until("the first event is evicted", || value::<i64>(&obs.sqlite(), "SELECT min(seq) FROM events") > 2);
    assert_eq!(issue(&obs, 1)["title"], "from");
    assert_eq!(delete(&obs, &format!("/api/events/{}", later[3])), 204);
    assert_eq!(issue(&obs, 1)["title"], "later");
    assert_stored_counts_match(&obs.sqlite());
}
