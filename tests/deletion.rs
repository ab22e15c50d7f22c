//! What is deleted is gone: from lists, counts and texts, and from the bytes of all files.
mod common;
use common::ledger::assert_consistent;
use common::triage::*;
use common::*;
use std::collections::HashSet;
use std::fs;

/// All that begins like this in the bytes of both files, so long.
fn secrets(obs: &Obs, begin: &str, length: usize) -> HashSet<String> {
    let files = ["", "-wal"].map(|suffix| fs::read(format!("{}{suffix}", obs.database.display())).unwrap());
    let parts = files.iter().flat_map(|bytes| bytes.windows(length));
    parts.filter(|part| part.starts_with(begin.as_bytes())).map(|part| String::from_utf8_lossy(part).into()).collect()
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
    eventually("the secret is in no file", || secrets(&obs, SECRET, SECRET.len()).is_empty().then_some(()));
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
    eventually("the secret is in no file", || secrets(&obs, SECRET, SECRET.len()).is_empty().then_some(()));
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
