//! The list over HTTP: figures that follow its filters, its orders, and changes to many issues at once.
mod common;
use common::process::import;
use common::triage::*;
use common::*;
use obs::time::Time;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const KEYS: [(&str, &str); 1] = [("OBS_API_KEY", "test123,shop=shop123")];

/// Sends an event of the issue `name` with more fields.
fn send(obs: &Obs, name: &str, fields: serde_json::Value) {
    let mut event = json!({ "message": format!("{name} failed"), "fingerprint": [name] });
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    obs.add(event.to_string());
}

/// The figures above a list, in words.
fn figures(obs: &Obs, path: &str) -> String {
    let page = obs.text(path);
    let (_, rest) = page.split_once("aria-label=\"Activity\">").unwrap_or_else(|| panic!("no figures in {page}"));
    let figures = rest.split_once("<nav").unwrap_or((rest, "")).0.replace("</p><p>", ", ");
    figures.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>().trim().into()
}

#[test]
fn the_figures_above_the_list_are_those_of_the_issues_that_match() {
    let obs = Obs::with(&[], &KEYS);
    send(
        &obs,
        "card",
        json!({ "environment": "production", "release": "1", "suppressed": 3, "tags": { "plan": "pro" } }),
    );
    send(&obs, "card", json!({ "environment": "staging", "release": "2", "level": "info" }));
    send(&obs, "cart", json!({ "environment": "staging", "level": "warning" }));
    obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: shop123", br#"{"message":"stock"}"#);
    send(&obs, "noise", json!({}));
    set_state(&obs, 4, "ignored");
    for (q, expected) in [
        ("", "3 open, 8 events in 24 h, any state, 6 errors"),
        ("is:any", "4 issues, 8 events in 24 h, 6 errors"),
        ("project:shop", "1 open, 1 event in 24 h, 1 error"),
        ("project:", "2 open, 7 events in 24 h, any state, 5 errors"),
        ("is:ignored", "1 ignored, 1 event in 24 h, 1 error"),
        ("env:production", "1 issue matches, 5 events in 24 h, 4 errors"),
        ("env:staging", "2 issues match, 6 events in 24 h, 4 errors"),
        ("release:2", "1 issue matches, 5 events in 24 h, 4 errors"),
        ("plan:pro", "1 issue matches, 5 events in 24 h, 4 errors"),
        ("level:warning", "1 issue matches, 1 event in 24 h, 0 errors"),
        ("failed", "2 issues match, 6 events in 24 h, 4 errors"),
        ("nowhere", "0 issues match, 0 events in 24 h, 0 errors"),
    ] {
        assert_eq!(figures(&obs, &format!("/?q={q}")), expected, "{q}");
    }
    let chart = "Events an hour over the last 24 hours: 6 in all, 4 of them errors";
    assert!(obs.text("/?q=env:staging").contains(chart));
    let text = obs.send("GET /?q=env:staging HTTP/1.1\r\nUser-Agent: curl/8", b"").text();
    assert!(
        text.starts_with("2 issues: 6 events in 24h, 4 errors\nIssues are counted whole, in all environments.\n"),
        "{text}"
    );
    // Deleting an issue, or an event, takes it out of the figures of its project only.
    assert_eq!(delete(&obs, "/api/issues/3"), 204);
    assert_eq!(figures(&obs, "/?q=is:any+project:shop"), "0 issues, 0 events in 24 h, 0 errors");
    assert_eq!(figures(&obs, "/?q=is:any"), "3 issues, 7 events in 24 h, 5 errors");
}

#[test]
fn more_issues_than_can_be_summed_have_no_figures() {
    let obs = Obs::start();
    let lines: Vec<String> = (0..1001)
        .map(|n| {
            json!({ "message": "m", "fingerprint": [n.to_string()], "received_at": Time::now().to_string() })
                .to_string()
        })
        .collect();
    let obs = import_and_restart(obs, &lines.join("\n"));
    let page = obs.text("/?q=level:error");
    assert!(page.contains("<p>at least <b>1,000</b> issues match</p>") && !page.contains("<figure"), "{page}");
    assert_eq!(figures(&obs, "/"), "1,001 open, 1,001 events in 24 h, 1,001 errors", "these are counted");
    let refused = submit_form(&obs, "/", "do=resolve-all&q=level:error&up_to=1001");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("More than 1000 issues match"));
}

fn import_and_restart(mut obs: Obs, lines: &str) -> Obs {
    obs.kill();
    import(&obs.database, lines);
    obs.restart(&[], &KEYS)
}

#[test]
fn environments_are_offered_by_volume_and_releases_by_age() {
    let obs = Obs::start();
    for n in 0..9 {
        for issue in 0..=n % 5 {
            let fields = json!({ "environment": format!("e{n}"), "release": format!("r{n}") });
            send(&obs, &issue.to_string(), fields);
        }
    }
    let page = obs.text("/");
    let group = |name: &str| {
        let (_, rest) = page.split_once(&format!("<span>{name}</span>")).unwrap();
        let rest = rest.split_once("</div>").unwrap().0.replace("<span>", ">").replace("</span>", "<");
        rest.split('>').skip(1).step_by(2).map(|part| part.split('<').next().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(group("Environment"), ["all", "e4", "e3", "e8", "e2", "e7", "e1", "and 3 more"]);
    assert_eq!(group("Release"), ["all", "r8", "r7", "r6", "r5", "r4", "r3", "and 3 more"]);
}

#[test]
fn issues_are_ordered_by_their_events_of_the_last_day() {
    let obs = Obs::start();
    let mut lines = String::new();
    for n in 0..120 {
        let at = |hours: i64| Time::from_millis(Time::now().millis() - hours * 3_600_000).unwrap().to_string();
        let line = |hours: i64, held: i64| {
            json!({ "message": "m", "fingerprint": [n.to_string()], "received_at": at(hours), "suppressed": held,
                    "level": if n % 2 == 0 { "info" } else { "error" } })
        };
        // All were busy two days ago; every tenth has been quiet since.
        lines += &format!("{}\n", line(48, 1000 - n));
        if n % 10 != 0 {
            lines += &format!("{}\n", line(n % 20, n % 7));
        }
    }
    let obs = import_and_restart(obs, &lines);
    let mut expected: Vec<i64> = (0..120).filter(|n| n % 10 != 0).collect();
    expected.sort_by_key(|n| (-(n % 7), -n));
    let expected: Vec<i64> = expected.iter().map(|n| n + 1).collect();
    let first = obs.json("/api/issues?sort=day");
    let second = obs.json(&format!("/api/issues?sort=day&after={}", first["next"].as_str().unwrap()));
    let third = obs.json(&format!("/api/issues?sort=day&after={}", second["next"].as_str().unwrap()));
    assert_eq!([ids_of(&first), ids_of(&second), ids_of(&third)].concat(), expected);
    assert!(third["next"].is_null());
    let errors: Vec<i64> = expected.iter().copied().filter(|id| id % 2 == 0).take(50).collect();
    assert_eq!(ids_of(&obs.json("/api/issues?sort=day&q=level:error")), errors);
    let page = obs.text(&format!("/?sort=day&after={}", second["next"].as_str().unwrap()));
    let (_, before) = page.split_once("before=").unwrap();
    let back = obs.text(&format!("/?sort=day&before={}", before.split('"').next().unwrap()));
    assert!(
        back.contains(&format!("/issues/{}?", expected[50])) && back.contains(&format!("/issues/{}?", expected[99]))
    );
    assert!(obs.get("/?sort=week").text().contains("last_seen, first_seen, count or day"));
}

/// Submits a form and follows it. Returns the line that says what was done.
fn submit(obs: &Obs, body: &str) -> String {
    let response = submit_form(obs, "/", body);
    assert_eq!(response.status, 303, "{}", response.text());
    let page = obs.text(response.header("location").unwrap());
    let (_, rest) = page.split_once("role=\"status\">").unwrap_or_else(|| panic!("{page}"));
    rest.split_once("</div>").unwrap().0.to_string()
}

/// The body of the Undo form in such a line.
fn undo(done: &str) -> String {
    let value = |name: &str| {
        let (_, rest) =
            done.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {done}"));
        rest.split('"').next().unwrap().to_string()
    };
    format!("do={}&did={}&ids={}", value("do"), value("did"), value("ids"))
}

#[test]
fn after_a_change_the_list_says_what_was_done_and_undoes_it() {
    let obs = Obs::start();
    (0..6).for_each(|n| send(&obs, &n.to_string(), json!({})));
    for (action, done) in [("resolve", "Resolved 3 issues."), ("ignore", "Ignored 3 issues.")] {
        let line = submit(&obs, &format!("do={action}&id=1&id=5&id=2"));
        assert!(line.contains(done), "{line}");
        assert_eq!(issue_ids(&obs, ""), [6, 4, 3]);
        set_state(&obs, 5, if action == "resolve" { "ignored" } else { "resolved" });
        assert!(submit(&obs, &undo(&line)).contains("Reopened 2 issues."), "one is not as it was left");
        assert_eq!(issue_ids(&obs, ""), [6, 4, 3, 2, 1]);
        set_state(&obs, 5, "open");
    }
    let line = submit(&obs, "do=resolve&id=6&id=999");
    assert!(line.contains("Resolved <a href=\"/issues/6\">issue 6</a>."), "{line}");
    let line = submit(&obs, "do=ignore&id=5&id=6");
    assert!(line.contains("Ignored 2 issues.") && !line.contains("Undo"), "one would not be open again: {line}");
    let line = submit(&obs, "do=merge&id=3&id=4&id=2");
    assert!(
        line.contains("Merged 2 issues into <a href=\"/issues/2\">issue 2</a>.") && !line.contains("Undo"),
        "{line}"
    );
    for (path, body, line) in [
        ("/issues/1", "do=resolve&back=/issues/1%23events", "/issues/1?did=resolve&n=1&ids=1#events"),
        ("/issues/1", "do=delete&back=/", "/?did=delete&n=1&ids=1"),
    ] {
        assert_eq!(submit_form(&obs, path, body).header("location"), Some(line));
    }
    assert_eq!(submit_form(&obs, "/", "do=undo&did=delete&ids=1").status, 400);
}

#[test]
fn all_issues_that_match_are_changed_at_once_while_events_are_stored() {
    let obs = Obs::start();
    let line = |n: usize| {
        let (environment, at) = (if n.is_multiple_of(10) { "staging" } else { "production" }, Time::now().to_string());
        json!({ "message": "m", "fingerprint": [n.to_string()], "received_at": at, "environment": environment })
            .to_string()
    };
    let obs = import_and_restart(obs, &(0..1100).map(line).collect::<Vec<_>>().join("\n"));
    let page = obs.text("/?q=env:production");
    assert!(page.contains(">Resolve all 990</button>") && page.contains("name=\"up_to\" value=\"1100\""), "{page}");
    send(&obs, "later", json!({ "environment": "production" }));

    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let slowest = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            while !stop.load(Relaxed) {
                let start = Instant::now();
                send(&obs, "meanwhile", json!({}));
                slowest = slowest.max(start.elapsed());
            }
            slowest
        });
        let changed = std::panic::catch_unwind(|| {
            let line = submit(&obs, "do=resolve-all&q=env:production&up_to=1100");
            assert!(line.contains("Resolved 990 issues."), "{line}");
            assert_eq!(obs.json("/api/stats")["issues"]["resolved"], 990, "not the one that came later");
            let line = submit(&obs, &undo(&line));
            assert!(line.contains("Reopened 990 issues."), "{line}");
        });
        stop.store(true, Relaxed); // before a panic is passed on, or the thread would never stop
        changed.unwrap();
        println!("slowest event: {:?}", slowest.join().unwrap());
    });
    assert!(submit(&obs, "do=ignore-all&q=env:staging+is:any&up_to=500").contains("Ignored 50 issues."));
    assert_eq!(obs.json("/api/stats")["issues"], json!({ "open": 1052, "resolved": 0, "ignored": 50 }));
}

#[test]
fn the_list_loads_again_only_if_a_reader_asks_for_it() {
    let obs = Obs::start();
    send(&obs, "m", json!({}));
    assert_eq!(obs.get("/").header("refresh"), None);
    let response = obs.get("/?q=failed&refresh=30&did=resolve&ids=1");
    assert_eq!(response.header("refresh"), Some("30;url=?q=failed&refresh=30"));
    let page = response.text();
    assert!(page.contains("This page loads again every 30 s. <a href=\"/?q=failed\">Stop</a>"), "{page}");
    assert!(page.contains("<a href=\"/?q=failed&amp;sort=count&amp;refresh=30\">Events</a>"), "{page}");
    assert!(obs.text("/").contains("<a href=\"/?refresh=60\">Load again every minute</a>"));
    for refresh in ["9", "3601", "", "x", "-30"] {
        assert_eq!(obs.get(&format!("/?refresh={refresh}")).status, 400, "{refresh}");
    }
}
