//! Wrong clocks of the server and of clients: events stay in order of arrival.
mod common;
use common::*;
use serde_json::Value;
use std::fs;
use std::sync::Arc;

/// Starts obs with a fake clock. The returned function sets it a number of days ahead or back.
fn with_fake_clock() -> (Obs, impl Fn(i64)) {
    let library = fs::read_dir("/usr/lib").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path().join("faketime/libfaketime.so.1");
        path.exists().then_some(path)
    });
    let library = library.last().expect("libfaketime is missing: `make deps` installs it");
    let folder = Arc::new(Folder::new());
    let offset = folder.join("offset");
    let env = [
        ("OBS_API_KEY", KEY),
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    fs::write(&offset, "+0d\n").unwrap();
    let obs = Obs::in_folder(folder, &[], &env);
    (obs, move |days| fs::write(&offset, format!("{days:+}d\n")).unwrap())
}

fn titles(obs: &Obs) -> Vec<Value> {
    let issues = obs.json("/api/issues")["issues"].clone();
    issues.as_array().unwrap().iter().map(|issue| issue["title"].clone()).collect()
}

#[test]
fn a_clock_that_jumps_changes_the_times_shown_but_not_the_order() {
    let (obs, set_clock) = with_fake_clock();
    let mut ids = Vec::new();
    for (days, message) in [(0, "today"), (400, "far ahead"), (-400, "far behind"), (0, "today again")] {
        set_clock(days);
        ids.push(obs.add(format!(r#"{{"message":"{message}"}}"#)));
        for path in ["/", "/issues/1", &format!("/events/{}", ids[0]), "/api/issues", "/health"] {
            assert_eq!(obs.get(path).status, 200, "{path} with the clock {days} days off");
        }
    }
    assert_eq!(titles(&obs), ["today again", "far behind", "far ahead", "today"]);
    let years: Vec<_> = ids
        .iter()
        .map(|id| obs.json(&format!("/api/events/{id}"))["received_at"].as_str().unwrap()[..4].to_string())
        .collect();
    assert_eq!(years[0], years[3]);
    assert!(years[1] > years[0] && years[2] < years[0], "{years:?}");

    set_clock(-400);
    obs.add(r#"{"message":"today"}"#);
    let issue = obs.json("/api/issues")["issues"][0].clone();
    assert_eq!((&issue["title"], &issue["count"]), (&Value::from("today"), &Value::from(2)));
    assert_eq!(
        issue["first_seen"].as_str().map(|time| &time[..4]),
        Some(years[2].as_str()),
        "the earliest, not the first"
    );
    assert_eq!(issue["last_seen"].as_str().map(|time| &time[..4]), Some(years[3].as_str()), "the latest, not the last");
    assert_eq!(obs.get("/").status, 200);
}

#[test]
fn a_clients_clock_affects_neither_order_nor_retention() {
    let obs = Obs::with(&["--max-events", "3"], &[("OBS_API_KEY", KEY)]);
    for (timestamp, message) in
        [("9999-12-31T23:59:59Z", "far ahead"), ("1970-01-01T00:00:00Z", "long ago"), ("2026-02-25 15:05:20", "plain")]
    {
        obs.add(format!(r#"{{"message":"{message}","timestamp":"{timestamp}"}}"#));
    }
    assert_eq!(titles(&obs), ["plain", "long ago", "far ahead"]);
    for path in ["/", "/issues/1", "/issues/2"] {
        assert_eq!(obs.get(path).status, 200);
    }
    obs.add(r#"{"message":"one more"}"#);
    wait_until("one event is removed", || titles(&obs).len() == 3);
    assert_eq!(titles(&obs), ["one more", "plain", "long ago"], "the first to arrive is removed first");
}
