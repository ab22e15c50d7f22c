//! Imports of events that are older than those already stored: times, hourly counts, states, alerts and retention.
mod common;
use common::database::*;
use common::process::import;
use common::triage::*;
use common::*;
use obs::time::Time;
use serde_json::{Value, json};
use std::fs;

const WITH_KEY: [(&str, &str); 1] = [("OBS_API_KEY", KEY)];

/// The time that was so many days ago.
fn days_ago(days: f64) -> String {
    Time::from_millis(Time::now().millis() - (days * 86_400_000.0) as i64).unwrap().to_string()
}

/// An exported event that arrived so many days ago.
fn line(message: &str, days: f64) -> String {
    let level = if (days as i64) % 2 == 0 { "error" } else { "info" };
    json!({ "message": message, "level": level, "release": format!("v{days}"), "received_at": days_ago(days) })
        .to_string()
        + "\n"
}

/// Imports lines into the server's database and starts it again.
fn import_and_restart(mut obs: Obs, lines: &str, args: &[&str], env: &[(&str, &str)]) -> Obs {
    obs.kill();
    import(&obs.database, lines);
    obs.restart(args, env)
}

/// Days since the issue was first and last seen.
fn seen(obs: &Obs, id: i64) -> [i64; 2] {
    let issue = issue(obs, id);
    ["first_seen", "last_seen"].map(|field| {
        let time = Time::parse(issue[field].as_str().unwrap()).unwrap();
        (Time::now().millis() - time.millis()) / 86_400_000
    })
}

fn first_release(obs: &Obs, id: i64) -> Option<String> {
    value(&obs.sqlite(), &format!("SELECT first_release FROM issues WHERE id = {id}"))
}

#[test]
fn first_and_last_seen_are_the_earliest_and_latest_arrival_in_whatever_order_events_are_imported() {
    let orders: [&[f64]; 4] = [&[9.5, 5.5, 2.5], &[2.5, 5.5, 9.5], &[5.5, 9.5, 2.5], &[5.5, 2.5, 9.5]];
    for order in orders {
        for at_once in [true, false] {
            let mut obs = Obs::start();
            obs.kill();
            let lines: Vec<String> = order.iter().map(|days| line("m", *days)).collect();
            match at_once {
                true => drop(import(&obs.database, &lines.concat())),
                false => lines.iter().for_each(|line| drop(import(&obs.database, line))),
            }
            let obs = obs.restart(&[], &WITH_KEY);
            assert_eq!((seen(&obs, 1), first_release(&obs, 1).as_deref()), ([9, 2], Some("v9.5")), "{order:?}");
            assert_consistent(&obs.sqlite());
            assert_eq!(issue(&obs, 1)["release"], format!("v{}", order[2]), "the newest by arrival here describes it");
        }
    }
}

#[test]
fn an_import_into_an_issue_that_exists_changes_first_seen_only() {
    let obs = Obs::start();
    obs.add(r#"{"message":"m","release":"v1"}"#);
    let obs = import_and_restart(obs, &(line("m", 40.0) + &line("m", 30.0)), &[], &WITH_KEY);
    assert_eq!((seen(&obs, 1), first_release(&obs, 1).as_deref()), ([40, 0], Some("v40")));
    obs.add(r#"{"message":"m","release":"v2"}"#);
    assert_eq!((seen(&obs, 1), first_release(&obs, 1).as_deref()), ([40, 0], Some("v40")));
    assert_consistent(&obs.sqlite());
}

#[test]
fn a_merged_issue_was_first_and_last_seen_when_any_of_its_parts_was() {
    for (from, into) in [(1, 2), (2, 1)] {
        let mut obs = Obs::start();
        obs.kill();
        let lines = line("a", 3.0) + &line("b", 20.0) + &line("b", 1.0) + &line("b", 5.0) + &line("a", 9.0);
        let obs = import_and_restart(obs, &lines, &[], &WITH_KEY);
        assert_eq!(merge(&obs, from, into).status, 200);
        assert_eq!((seen(&obs, into), first_release(&obs, into).as_deref()), ([20, 1], Some("v20")));
        wait_for_upkeep(&obs);
        assert_consistent(&obs.sqlite());
    }
}

#[test]
fn deleting_the_first_or_last_seen_event_gives_way_to_the_next_wherever_it_stands() {
    let mut obs = Obs::start();
    obs.kill();
    let lines: String = [6.0, 20.0, 2.0, 10.0, 30.0, 8.0].map(|days| line("m", days)).concat();
    let obs = import_and_restart(obs, &lines, &[], &WITH_KEY);
    let id = |days: f64| {
        let release = format!("SELECT id FROM events WHERE release = 'v{days}'");
        value::<String>(&obs.sqlite(), &release)
    };
    for (days, expected, release) in [
        (8.0, [30, 2], "v30"),
        (30.0, [20, 2], "v20"),
        (2.0, [20, 6], "v20"),
        (20.0, [10, 6], "v10"),
        (10.0, [6, 6], "v6"),
    ] {
        assert_eq!(delete(&obs, &format!("/api/events/{}", id(days))), 204);
        assert_eq!((seen(&obs, 1), first_release(&obs, 1).as_deref()), (expected, Some(release)), "without {days}");
        assert_consistent(&obs.sqlite());
    }
}

#[test]
fn an_import_reopens_nothing_and_raises_no_alert() {
    let alerts = "OBS_ALERT_COMMAND";
    let folder = std::sync::Arc::new(Folder::new());
    let path = folder.join("alerts");
    let command = format!("cat >> {}", path.display());
    let env = [("OBS_API_KEY", KEY), (alerts, command.as_str())];
    let obs = Obs::in_folder(folder, &[], &env);
    obs.add(r#"{"message":"m"}"#);
    set_state(&obs, 1, "resolved");
    let resolved = issue(&obs, 1);
    // The last has no time of arrival and counts as arriving now.
    let lines = line("m", 3.0) + &line("m", -3.0) + "{\"message\":\"m\"}\n" + &line("new", 1.0);
    let obs = import_and_restart(obs, &lines, &[], &env);
    let after = issue(&obs, 1);
    for field in ["state", "resolved_at", "reopened_at"] {
        assert_eq!(after[field], resolved[field], "{field}");
    }
    assert_eq!((after["count"].as_i64(), issue(&obs, 2)["state"].as_str()), (Some(4), Some("open")));
    assert!(!obs.text("/issues/1").contains("reopened by an event"));
    obs.add(r#"{"message":"m"}"#);
    assert_eq!(issue(&obs, 1)["state"], "open", "an event that arrives reopens it");
    let sent = eventually("two alerts", || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        (text.lines().count() >= 2).then_some(text)
    });
    let kinds: Vec<Value> =
        sent.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds, ["new", "reopened"], "none for the issue that was imported");
}

#[test]
fn retention_by_age_removes_imported_events_wherever_they_stand() {
    let obs = Obs::start();
    let kept = obs.add(r#"{"message":"m"}"#);
    let lines: String = [40.0, 2.0, 35.0, 300.0].map(|days| line("m", days)).concat() + &line("only old", 31.0);
    let obs = import_and_restart(obs, &lines, &["--retention-days", "30"], &WITH_KEY);
    // The last of the old events is also the newest of its issue in the order of arrival.
    wait_until("the old events are removed", || value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events") == 2);
    assert_eq!(issue_ids(&obs, "is:any"), [1]);
    let left = issue(&obs, 1);
    assert_eq!((left["release"].as_str(), left["stored"].as_i64()), (Some("v2"), Some(2)));
    assert_eq!(obs.get(&format!("/api/events/{kept}")).status, 200);
    assert_stored_counts_match(&obs.sqlite());
}

/// The number of hours in a table, and the events and errors in them.
fn hours(obs: &Obs, table: &str) -> [i64; 3] {
    ["count(*)", "sum(events)", "sum(errors)"]
        .map(|sum| value(&obs.sqlite(), &format!("SELECT ifnull({sum}, 0) FROM {table}")))
}

#[test]
fn hours_that_no_chart_shows_are_not_stored_and_newer_ones_stay() {
    let obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    let shown = [13.0, 2.0, 4.0, 3.0].map(|days| line("m", days)).concat();
    let obs = import_and_restart(obs, &(line("m", 100.0) + &shown + &line("m", 16.0)), &[], &WITH_KEY);
    assert_eq!((hours(&obs, "issue_hours"), hours(&obs, "project_hours")), ([5, 5, 3], [5, 5, 3]));
    assert_eq!(issue(&obs, 1)["count"], 7);
    let stats = obs.json("/api/stats?period=14d");
    assert_eq!((stats["events"].as_i64(), stats["errors"].as_i64()), (Some(5), Some(3)));
    // A deleted event is subtracted from the hours only if it was counted there.
    for release in ["v100", "v13"] {
        let id: String = value(&obs.sqlite(), &format!("SELECT id FROM events WHERE release = '{release}'"));
        assert_eq!(delete(&obs, &format!("/api/events/{id}")), 204);
    }
    assert_eq!(hours(&obs, "issue_hours"), [4, 4, 3]);
    assert_consistent(&obs.sqlite());
}

#[test]
fn a_merge_takes_over_only_the_hours_that_charts_show() {
    let obs = Obs::start();
    obs.add(r#"{"message":"from"}"#);
    let earlier = "INSERT INTO issue_hours SELECT issue_id, hour - 400, 7, 7 FROM issue_hours;
                   INSERT INTO issue_hours SELECT issue_id, hour - 300, 7, 7 FROM issue_hours WHERE events = 1";
    obs.sqlite().execute_batch(earlier).unwrap();
    obs.add(r#"{"message":"into"}"#);
    assert_eq!(merge(&obs, 1, 2).status, 200);
    assert_eq!(hours(&obs, "issue_hours WHERE issue_id = 2"), [2, 9, 9]);
}
