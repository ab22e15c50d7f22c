//! Background tasks are independent: one that fails rests, and the others go on.
mod common;
use common::database::value;
use common::triage::*;
use common::*;

fn number(obs: &Obs, sql: &str) -> i64 {
    value(&obs.sqlite(), sql)
}

fn send(obs: &Obs, group: &str, events: usize) {
    let mut connection = obs.connect();
    for _ in 0..events {
        let event = format!(r#"{{"message":"m","fingerprint":["{group}"],"extra":"{}"}}"#, "x".repeat(5000));
        assert_eq!(connection.post(event).status, 201);
    }
}

/// Has SQLite refuse to delete the events of an issue.
fn protect(obs: &Obs, issue: i64) {
    let trigger = format!(
        "CREATE TRIGGER protect BEFORE DELETE ON events WHEN old.issue_id = {issue} BEGIN SELECT raise(ABORT, 'no'); END"
    );
    obs.sqlite().execute_batch(&trigger).unwrap();
}

/// Makes half of an issue's events old.
fn age(obs: &Obs, issue: i64) {
    let aged = "UPDATE events SET received_at = '2020-01-01T00:00:00.000Z' WHERE issue_id = ?1 AND seq % 2";
    obs.sqlite().execute(aged, [issue]).unwrap();
}

fn with_limit(events: &str) -> Obs {
    Obs::with(&["--max-events", events, "--retention-days", "30"], &[("OBS_API_KEY", KEY)])
}

fn wait_for_failure(obs: &Obs, task: &str) {
    wait_until("a task fails", || obs.errors().contains(&format!("maintenance failed ({task})")));
}

#[test]
fn while_a_deletion_fails_retention_goes_on_and_nobody_makes_room_for_it() {
    let obs = with_limit("220");
    send(&obs, "deleted", 100);
    send(&obs, "kept", 110);
    protect(&obs, 1);
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    wait_for_failure(&obs, "Purge");
    let wal = obs.folder().join("obs.sqlite-wal");
    wait_until("the WAL is emptied", || std::fs::metadata(&wal).unwrap().len() == 0);
    age(&obs, 2);
    let kept = || number(&obs, "SELECT count(*) FROM events WHERE issue_id = 2");
    wait_until("old events are removed", || kept() == 55);
    send(&obs, "kept", 100);
    assert_eq!(kept(), 155);
    send(&obs, "kept", 100);
    wait_until("the limit holds", || kept() == 220);
    wait_until("free pages are returned", || number(&obs, "PRAGMA freelist_count") < 80);
    assert_eq!(obs.errors().matches("maintenance failed").count(), 1, "{}", obs.errors());
}

#[test]
fn while_removal_by_number_fails_deletions_and_removal_by_age_go_on() {
    let obs = with_limit("250");
    for (group, events) in [("protected", 100), ("old", 60), ("deleted", 50)] {
        send(&obs, group, events);
    }
    protect(&obs, 1);
    send(&obs, "protected", 50);
    wait_for_failure(&obs, "Limit");
    age(&obs, 2);
    wait_until("old events are removed", || number(&obs, "SELECT count(*) FROM events WHERE issue_id = 2") == 30);
    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    wait_for_upkeep(&obs);
    assert_eq!(obs.errors().matches("maintenance failed").count(), 1, "{}", obs.errors());
    obs.add(r#"{"message":"m"}"#);
}

#[test]
fn while_removal_by_age_fails_deletions_and_removal_by_number_go_on() {
    let obs = with_limit("200");
    for (group, events) in [("old", 50), ("many", 100), ("deleted", 40)] {
        send(&obs, group, events);
    }
    protect(&obs, 1);
    age(&obs, 1);
    wait_for_failure(&obs, "Age");
    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    wait_for_upkeep(&obs);
    send(&obs, "many", 70);
    wait_until("the limit holds", || number(&obs, "SELECT count(*) FROM events") == 200);
    assert_eq!(obs.errors().matches("maintenance failed").count(), 1, "{}", obs.errors());
}
