//! Event ids: which events count as the same one, also while a deletion is being finished and across projects.
mod common;
use common::database::*;
use common::process::import;
use common::triage::*;
use common::*;
use serde_json::json;
use std::collections::HashSet;

const KEYS: [(&str, &str); 1] = [("OBS_API_KEY", "test123,shop=shop123,blog=blog123")];

/// The `n`th id.
fn id(n: usize) -> String {
    format!("0193a5c2-77ab-7d10-9b1e-{n:012x}")
}

/// Sends an event with a project's key. Returns the status and the id under which it is stored.
fn send(obs: &Obs, key: &str, id: &str, message: &str) -> (u16, String) {
    let body = json!({ "event_id": id, "message": message }).to_string();
    let response = obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), body.as_bytes());
    (response.status, response.json()["id"].as_str().unwrap().to_string())
}

fn lines(ids: std::ops::Range<usize>, message: &str) -> String {
    ids.map(|n| json!({ "event_id": id(n), "message": message, "environment": "x" }).to_string() + "\n").collect()
}

/// Starts obs on a database into which 2,500 events of one issue were imported.
fn with_many_events() -> Obs {
    let mut obs = Obs::with(&[], &KEYS);
    obs.kill();
    assert_eq!(import(&obs.database, &lines(0..2500, "many")), "2500 events imported, 0 already stored\n");
    obs.restart(&[], &KEYS)
}

/// Such a server, killed while the events of its deleted issue are being purged. The purge takes a few milliseconds and
/// is sometimes done before the signal arrives; then the next one is tried.
fn killed_during_a_deletion() -> Obs {
    for _ in 0..20 {
        let mut obs = with_many_events();
        assert_eq!(delete(&obs, "/api/issues/1"), 204);
        obs.kill();
        if value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events") > 0 {
            return obs;
        }
    }
    panic!("the purge had finished before each of 20 kills");
}

#[test]
fn an_event_sent_again_during_a_deletion_is_stored_again() {
    let obs = with_many_events();
    let mut connection = obs.connect();
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    // The purge begins with the oldest events.
    for n in (2400..2500).rev() {
        let body = json!({ "event_id": id(n), "message": "many" }).to_string();
        let response = connection.post(body);
        assert_eq!((response.status, response.json()["id"].as_str()), (201, Some(id(n).as_str())));
    }
    wait_for_upkeep(&obs);
    assert_eq!(event_ids(&obs.sqlite()), (2400..2500).map(id).collect::<HashSet<_>>());
    assert_eq!((issue_ids(&obs, "is:any"), issue(&obs, 2)["count"].as_i64()), (vec![2], Some(100)));
    assert_consistent(&obs.sqlite());
}

#[test]
fn after_a_kill_during_a_deletion_an_import_of_the_same_events_stores_them_all() {
    let obs = killed_during_a_deletion();
    assert_eq!(import(&obs.database, &lines(0..2500, "many")), "2500 events imported, 0 already stored\n");
    assert_eq!(import(&obs.database, &lines(0..2500, "many")), "0 events imported, 2500 already stored\n");
    let obs = obs.restart(&[], &KEYS);
    wait_for_upkeep(&obs);
    assert_eq!(event_ids(&obs.sqlite()).len(), 2500);
    assert_eq!((issue(&obs, 2)["count"].as_i64(), issue(&obs, 2)["stored"].as_i64()), (Some(2500), Some(2500)));
    assert_consistent(&obs.sqlite());
}

#[test]
fn the_events_of_an_issue_deleted_during_its_merge_can_be_sent_again() {
    let mut obs = with_many_events();
    obs.add(r#"{"message":"target"}"#);
    assert_eq!(merge(&obs, 1, 2).status, 200);
    assert_eq!(send(&obs, KEY, &id(0), "many").0, 200, "an event that is being moved is still there");
    assert_eq!(delete(&obs, "/api/issues/2"), 204);
    obs.kill();
    assert_eq!(import(&obs.database, &lines(0..2500, "many")), "2500 events imported, 0 already stored\n");
    let obs = obs.restart(&[], &KEYS);
    wait_for_upkeep(&obs);
    assert_eq!(event_ids(&obs.sqlite()), (0..2500).map(id).collect::<HashSet<_>>());
    assert_consistent(&obs.sqlite());
}

#[test]
fn the_id_of_a_deleted_event_is_free_at_once() {
    let obs = Obs::start();
    for round in 0..3 {
        // Alone in its issue, which is deleted with it, and then beside others.
        assert_eq!(send(&obs, KEY, &id(1), "deleted"), (201, id(1)), "round {round}");
        assert_eq!(delete(&obs, &format!("/api/events/{}", id(1))), 204);
        if round == 1 {
            obs.add(r#"{"message":"deleted"}"#);
        }
    }
    assert_eq!(send(&obs, KEY, &id(1), "deleted"), (201, id(1)));
    wait_for_upkeep(&obs);
    assert_eq!(obs.get(&format!("/api/events/{}", id(1))).status, 200);
    assert_consistent(&obs.sqlite());
}

#[test]
fn one_id_in_three_projects_is_three_events_each_counted_once() {
    let obs = Obs::with(&[], &KEYS);
    let keys = [(KEY, ""), ("shop123", "shop"), ("blog123", "blog")];
    let first = keys.map(|(key, _)| send(&obs, key, &id(7), "the same"));
    assert_eq!(first[0], (201, id(7)));
    for ((key, project), (status, stored)) in keys.into_iter().zip(&first) {
        assert_eq!(*status, 201, "{project}");
        assert_eq!(send(&obs, key, &id(7), "the same"), (200, stored.clone()), "a retry in {project}");
        let event = obs.json(&format!("/api/events/{stored}"));
        assert_eq!((event["project"].as_str(), event["id"].as_str()), (Some(project), Some(stored.as_str())));
    }
    assert_eq!(event_ids(&obs.sqlite()).len(), 3);
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_id_made_for_one_project_may_be_taken_by_another() {
    let obs = Obs::with(&[], &KEYS);
    send(&obs, KEY, &id(7), "a");
    let made = send(&obs, "shop123", &id(7), "a").1;

    let obs = Obs::with(&[], &KEYS);
    assert_eq!(send(&obs, "blog123", &made, "a"), (201, made.clone()));
    send(&obs, KEY, &id(7), "a");
    let (status, other) = send(&obs, "shop123", &id(7), "a");
    assert!(status == 201 && other != made && other != id(7), "{status} {other}");
    assert_eq!(send(&obs, "shop123", &id(7), "a"), (200, other));
    assert_eq!(event_ids(&obs.sqlite()).len(), 3);
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_id_that_another_project_is_deleting_is_free() {
    let mut obs = with_many_events();
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    obs.kill();
    let lines = lines(0..2500, "many").replace("\"message\"", "\"project\":\"shop\",\"message\"");
    assert_eq!(import(&obs.database, &lines), "2500 events imported, 0 already stored\n");
    let obs = obs.restart(&[], &KEYS);
    wait_for_upkeep(&obs);
    assert_eq!(event_ids(&obs.sqlite()), (0..2500).map(id).collect::<HashSet<_>>());
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_import_repeats_without_doubling_events_whose_ids_another_project_has() {
    let mut obs = Obs::with(&[], &KEYS);
    obs.add(format!(r#"{{"event_id":"{}","message":"a"}}"#, id(1)));
    obs.kill();
    let shop = lines(0..3, "a").replace("\"message\"", "\"project\":\"shop\",\"message\"");
    assert_eq!(import(&obs.database, &(shop.clone() + &shop)), "3 events imported, 3 already stored\n");
    assert_eq!(import(&obs.database, &shop), "0 events imported, 3 already stored\n");
    assert_eq!(event_ids(&obs.sqlite()).len(), 4);
    assert_consistent(&obs.sqlite());
}

#[test]
fn an_id_of_zeros_counts_as_none() {
    let obs = Obs::start();
    let zeros = ["00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"];
    let sent = [zeros[0], zeros[0], zeros[1]].map(|id| send(&obs, KEY, id, "a"));
    for (status, id) in &sent {
        assert!(*status == 201 && id.as_bytes()[14] == b'7', "{status} {id}");
    }
    assert_eq!(issue(&obs, 1)["count"], 3);
}
