//! The issue list in every order, page by page, also while events arrive; and the counts above it.
mod common;
use common::load::{event, word};
use common::triage::*;
use common::*;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use uuid::Uuid;

/// The ids in a list, following `next` from page to page.
fn walk(connection: &mut Connection, path: &str, list: &str) -> Vec<Value> {
    let mut ids = Vec::new();
    let mut after = String::new();
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let response = connection.send(&format!("GET {path}{separator}{after} HTTP/1.1"), b"");
        assert_eq!(response.status, 200, "{path}{separator}{after}");
        let page = response.json();
        let rows = page[list].as_array().unwrap();
        assert!(rows.len() <= 50);
        ids.extend(rows.iter().map(|row| row["id"].clone()));
        match page["next"].as_str() {
            Some(next) => after = format!("after={next}"),
            None => return ids,
        }
    }
}

fn all_pages(obs: &Obs, query: &str) -> Vec<i64> {
    let ids = walk(&mut obs.connect(), &format!("/api/issues?{query}"), "issues");
    ids.iter().map(|id| id.as_i64().unwrap()).collect()
}

#[test]
fn every_order_pages_to_the_end_with_each_issue_once() {
    let obs = Obs::start();
    // Issue n has n % 7 + 1 events, so the order of last seen differs from the order of creation.
    for round in 0..7 {
        for n in (0..120).filter(|n| n % 7 >= round) {
            let level = if n % 3 == 0 { "info" } else { "error" };
            obs.add(json!({ "message": word(n), "level": level }).to_string());
        }
    }
    let by_creation: Vec<i64> = (1..=120).rev().collect();
    let by_last_seen = all_pages(&obs, "");
    let mut by_count = by_creation.clone();
    by_count.sort_by_key(|id| (-((id - 1) % 7), -id));
    assert_eq!(all_pages(&obs, "sort=first_seen"), by_creation);
    assert_eq!(all_pages(&obs, "sort=last_seen"), by_last_seen, "the default order");
    assert_eq!(all_pages(&obs, "sort=count"), by_count);
    let infos: Vec<i64> = by_count.iter().copied().filter(|id| (id - 1) % 3 == 0).collect();
    assert_eq!(all_pages(&obs, "sort=count&q=level%3Ainfo"), infos);
    assert_eq!(all_pages(&obs, "sort=count&q=is%3Aany%20level%3Ainfo"), infos);

    [3, 50, 100].into_iter().for_each(|id| set_state(&obs, id, "ignored"));
    assert_eq!(all_pages(&obs, "q=is%3Aany"), by_last_seen, "states are mixed in one order");
    assert_eq!(all_pages(&obs, "sort=count&q=is%3Aany"), by_count);
    assert_eq!(all_pages(&obs, "q=is%3Aignored&sort=first_seen"), [100, 50, 3]);
}

fn assert_complete(found: &[Value], expected: &[Value]) {
    let seen: HashSet<_> = found.iter().map(Value::to_string).collect();
    assert_eq!(seen.len(), found.len(), "a row shows twice");
    let missing: Vec<_> = expected.iter().filter(|id| !seen.contains(&id.to_string())).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

#[test]
fn paging_neither_skips_nor_repeats_rows_while_events_arrive() {
    let obs = Obs::start();
    let mut connection = obs.connect();
    let mut add = |group: &str| {
        let id = Uuid::now_v7().to_string();
        assert_eq!(connection.post(event(&id, group, 0)).status, 201);
        id
    };
    // The first 60 issues get no more events. All others do, among them a busy one with several pages of events.
    let first: Vec<_> = (0..130).map(|n| add(&word(n))).collect();
    let old_events: Vec<_> = (0..120).map(|_| Value::from(add("busy"))).collect();
    let issue_of = |id: &str| obs.json(&format!("/api/events/{id}"))["issue_id"].clone();
    let quiet: Vec<_> = first[..60].iter().map(|id| issue_of(id)).collect();
    let busy = issue_of(old_events[0].as_str().unwrap());

    let stop = AtomicBool::new(false);
    let added = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..4 {
            let (obs, stop, added) = (&obs, &stop, &added);
            scope.spawn(move || {
                let mut connection = obs.connect();
                for n in (writer..).step_by(4) {
                    if stop.load(Relaxed) {
                        break;
                    }
                    let group = if n % 3 == 0 { "busy".into() } else { word(60 + n % 120) };
                    let id = Uuid::now_v7().to_string();
                    assert_eq!(connection.post(event(&id, &group, n)).status, 201);
                    added.fetch_add(1, Relaxed);
                }
            });
        }
        let read = || {
            let mut connection = obs.connect();
            let mut round = 0;
            while round < 6 || added.load(Relaxed) <= 50 {
                assert_complete(&walk(&mut connection, "/api/issues", "issues"), &quiet);
                let events = walk(&mut connection, &format!("/api/issues/{busy}"), "events");
                assert_complete(&events, &old_events);
                round += 1;
            }
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        let results = readers.map(|reader| reader.join());
        stop.store(true, Relaxed); // before a reader's panic is passed on, or the writers would never stop
        results.into_iter().for_each(|result| result.unwrap());
    });
}

#[test]
fn an_issue_whose_newest_event_was_removed_with_sqlite3_does_not_end_the_list() {
    let obs = Obs::start();
    for n in 0..120 {
        obs.add(format!(r#"{{"message":"m","fingerprint":["{n}"]}}"#));
    }
    obs.sqlite().execute("DELETE FROM events WHERE seq IN (20, 70, 110)", []).unwrap();
    let left: Vec<i64> = (1..=120).rev().filter(|id| ![20, 70, 110].contains(id)).collect();
    for sort in ["last_seen", "first_seen", "count"] {
        assert_eq!(all_pages(&obs, &format!("sort={sort}")), left, "{sort}");
    }
}

#[test]
fn an_empty_page_links_back_to_the_page_before_it() {
    let obs = Obs::start();
    for n in 0..130 {
        let level = if n % 2 == 0 { "info" } else { "error" };
        obs.add(json!({ "message": "m", "fingerprint": [n.to_string()], "level": level }).to_string());
    }
    for sort in ["last_seen", "first_seen", "count"] {
        let query = format!("q=level%3Ainfo&sort={sort}");
        let first = obs.json(&format!("/api/issues?{query}"));
        let after = first["next"].as_str().unwrap();
        // Nothing on the second page matches any more.
        obs.sqlite().execute("UPDATE events SET level = 'error' WHERE issue_id <= 31", []).unwrap();
        let second = obs.text(&format!("/?{query}&after={after}"));
        obs.sqlite().execute("UPDATE events SET level = 'info' WHERE issue_id % 2 = 1", []).unwrap();
        let (_, link) = second.split_once("before=").unwrap_or_else(|| panic!("no link back: {second}"));
        let before = link.split(['"', '&']).next().unwrap();
        assert!(obs.text(&format!("/?{query}&before={before}")).contains("/issues/31?"), "{sort}");
    }
}

#[test]
fn statistics_count_events_by_hour_and_issues_by_state() {
    let obs = Obs::start();
    obs.add(r#"{"message":"a","suppressed":4}"#);
    obs.add(r#"{"message":"b","level":"info"}"#);
    set_state(&obs, 2, "ignored");
    let sum = |hours: &[Value], events: fn(&Value) -> &Value| -> i64 {
        hours.iter().map(|hour| events(hour).as_i64().unwrap()).sum()
    };
    for (period, length) in [("24h", 24), ("14d", 336)] {
        let stats = obs.json(&format!("/api/stats?period={period}"));
        assert_eq!((stats["events"].as_i64(), stats["errors"].as_i64()), (Some(6), Some(5)));
        let hours = stats["hours"].as_array().unwrap();
        assert_eq!((hours.len(), sum(hours, |hour| &hour["events"])), (length, 6));
        assert!(hours[0]["hour"].as_str().unwrap().ends_with(":00:00.000Z"));
        assert_eq!(stats["issues"], json!({ "open": 1, "resolved": 0, "ignored": 1 }));
    }
    assert_eq!(obs.get("/api/stats?period=1y").status, 400);
    assert_eq!(sum(issue(&obs, 1)["hours"].as_array().unwrap(), |events| events), 5);
}
