//! Alerts whose command fails: when they are tried again, and what the issue's page says until then.
mod common;
use common::alerts::*;
use common::*;
use serde_json::json;
use std::fs;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(100);

#[test]
fn a_failed_alert_is_tried_again_three_times_at_growing_intervals_and_then_given_up() {
    let inside = Inside::new();
    inside.add("m");
    let thread = inside.start_with("date +%s%3N >> \"$ALERTS.times\"; echo no luck; exit 1", SHORT);
    eventually("it is tried again", || {
        inside.failure().filter(|failure| *failure == ("exit status 1: no luck".into(), true))
    });
    eventually("it is given up", || inside.failure().filter(|(_, is_tried_again)| !is_tried_again));
    let times = fs::read_to_string(inside.folder.join("alerts.times")).unwrap();
    let times: Vec<i64> = times.lines().map(|line| line.parse().unwrap()).collect();
    let intervals: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        intervals.len() == 3 && intervals.iter().zip([100, 500, 1500]).all(|(took, least)| *took >= least),
        "{intervals:?}"
    );
    let alerts = sent(&inside.folder);
    assert!(alerts.iter().all(|alert| alert == &alerts[0]), "each try sends the same");
    // The next alert of the issue that gets through makes the note go away.
    inside.store.set_state(1, obs::domain::IssueState::Resolved).unwrap();
    thread.close();
    let thread = inside.start();
    inside.add("m");
    eventually("the note is gone", || inside.failure().is_none().then_some(()));
    assert_eq!(inside.pending(), 0);
    thread.close();
}

#[test]
fn a_failed_alert_is_tried_again_after_a_restart_and_delays_no_other() {
    let inside = Inside::new();
    inside.add("a");
    let thread = inside.start_with("exit 1", Duration::from_secs(2));
    eventually("it fails", || inside.failure());
    thread.close();
    fs::remove_file(inside.folder.join("alerts")).unwrap();

    inside.add("b");
    let thread = inside.start();
    let issues: Vec<_> = wait_for(&inside.folder, 2).iter().map(|alert| alert["issue"]["id"].clone()).collect();
    assert_eq!(issues, [2, 1], "the new alert first");
    eventually("both are delivered", || (inside.pending() == 0 && inside.failure().is_none()).then_some(()));
    thread.close();
}

#[test]
fn the_alerts_of_a_failed_summary_are_tried_again() {
    let inside = Inside::new();
    (0..13).for_each(|number| inside.add(&format!("kind {}", in_letters(number))));
    let thread = inside.start_with("tail -n 1 \"$ALERTS\" | grep -q '\"summary\"' && [ ! -e \"$ALERTS.once\" ] && touch \"$ALERTS.once\" && exit 1; exit 0", SHORT * 10);
    eventually("all are delivered", || (inside.pending() == 0).then_some(()));
    let alerts = sent(&inside.folder);
    assert_eq!(alerts[10]["held_back"], json!({ "new": 3, "reopened": 0, "rate": 0 }));
    let again: Vec<_> = alerts[11..].iter().map(|alert| alert["issue"]["id"].as_i64().unwrap()).collect();
    assert_eq!(again, [11, 12, 13]);
    thread.close();
}

#[test]
fn while_its_outcome_cannot_be_recorded_an_alert_is_sent_once() {
    let inside = Inside::new();
    inside.add("m");
    let lock = inside.sqlite();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let thread = inside.start();
    wait_for(&inside.folder, 1);
    std::thread::sleep(Duration::from_secs(3)); // longer than obs waits for the lock
    lock.execute_batch("COMMIT").unwrap();
    eventually("it is recorded", || (inside.pending() == 0).then_some(()));
    assert_eq!(sent(&inside.folder).len(), 1);
    thread.close();
}

#[test]
fn the_issue_s_page_says_that_an_alert_failed_and_only_who_may_act_sees_why() {
    let obs = start("cat >> \"$ALERTS\"; echo '<b>no luck</b>'; exit 1", &[("OBS_PUBLIC_DASHBOARD", "1")]);
    new_issue(&obs, "first");
    logged(&obs, "tried again in 1 min");
    let note = "An alert about this issue was not delivered. obs tries again at ";
    eventually("the page says so", || obs.text("/issues/1").contains(note).then_some(()));
    let page = obs.text("/issues/1");
    assert!(page.contains(": exit status 1: &lt;b&gt;no luck&lt;/b&gt;"), "{page}");
    assert!(obs.text("/issues/1?format=text").replace("\n", " ").contains("tries again at "));
    let outside = obs.send("GET /issues/1 HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1", b"").text();
    assert!(outside.contains(note) && !outside.contains("no luck"), "{outside}");

    assert_eq!(common::triage::delete(&obs, "/api/issues/1"), 204);
    eventually("a deleted issue leaves no alert", || (pending(&obs) == 0).then_some(()));
}

#[test]
fn a_failed_alert_follows_its_issue_into_a_merge() {
    let inside = Inside::new();
    inside.add("a");
    inside.add("b");
    let thread = inside.start_with("exit 1", Duration::from_secs(60));
    eventually("both fail", || inside.store.read(|reader| reader.failed_alert(2)).unwrap());
    assert!(inside.store.merge(2, 1).is_ok());
    let text = "SELECT count(*) FROM alerts WHERE issue_id = 1";
    assert_eq!(inside.sqlite().query_row(text, [], |row| row.get::<_, i64>(0)).unwrap(), 2);
    thread.close();
}

#[test]
fn an_alert_of_a_merged_issue_that_gets_through_removes_the_note_from_the_other() {
    let inside = Inside::new();
    inside.add("a");
    let thread = inside.start_with("exit 1", Duration::from_millis(1));
    eventually("it is given up", || inside.failure().filter(|(_, is_tried_again)| !is_tried_again));
    thread.close();
    inside.add("b");
    assert!(inside.store.merge(2, 1).is_ok());
    let thread = inside.start();
    eventually("the note is gone", || inside.failure().is_none().then_some(()));
    thread.close();
}
