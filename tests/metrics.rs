//! `GET /metrics`: figures in Prometheus's text format, for those whom the dashboard admits.
mod common;
use common::*;
use std::collections::BTreeMap;

/// Parses the text format (https://prometheus.io/docs/instrumenting/exposition_formats/), and checks more than a scraper
/// does: each family has one HELP and one TYPE line, then its samples, in this order. Returns the samples.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let is_name = |name: &str| name.starts_with("obs_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let mut samples = BTreeMap::new();
    assert!(text.ends_with('\n') && !text.contains('\r') && !text.contains("\n\n"), "{text}");
    for family in text.split("# HELP ").skip(1) {
        let mut lines = family.lines();
        let (name, help) = lines.next().unwrap().split_once(' ').unwrap();
        assert!(is_name(name) && help.ends_with('.') && !help.contains('\\'), "{family}");
        let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
        assert!(
            ["counter", "gauge", "summary"].contains(&kind) && (kind == "counter") == name.ends_with("_total"),
            "{family}"
        );
        let before = samples.len();
        for line in lines {
            let (key, value) = line.rsplit_once(' ').unwrap();
            let (metric, labels) = key.split_once('{').unwrap_or((key, ""));
            match kind {
                "summary" => assert!(metric == format!("{name}_sum") || metric == format!("{name}_count"), "{line}"),
                _ => assert_eq!(metric, name, "{line}"),
            }
            let label = labels.strip_suffix("\"}").and_then(|label| label.split_once("=\""));
            let is_label = |(name, value): (&str, &str)| {
                [name, value].iter().all(|s| s.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
            };
            assert!(labels.is_empty() || label.is_some_and(is_label), "{line}");
            let value: f64 = value.parse().unwrap();
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert_eq!(samples.insert(key.to_string(), value), None, "{line} appears twice");
        }
        assert!(samples.len() > before, "{family} has no sample");
    }
    samples
}

#[test]
fn metrics_count_what_is_stored_and_what_is_refused_and_why() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_RATE_LIMIT", "4")]);
    let fresh = parse(&obs.text("/metrics"));
    assert_eq!((fresh["obs_events_stored_total"], fresh["obs_commit_seconds_count"]), (0.0, 0.0));

    (0..3).for_each(|at| drop(obs.add(format!(r#"{{"message":"word {}"}}"#, ["one", "two", "two"][at]))));
    let again = r#"{"message":"again","event_id":"01900000-0000-7000-8000-000000000001"}"#;
    assert_eq!([obs.post(again).status, obs.post(again).status], [201, 429]);
    assert_eq!(obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: wrong", b"{}").status, 401);
    assert_eq!(common::sentry::send(&obs, "store", "{").status, 400);
    assert_eq!(obs.get("/api/events").status, 405);
    assert_eq!(
        obs.send("PATCH /api/issues/1 HTTP/1.1\r\nContent-Type: application/json", br#"{"state":"resolved"}"#).status,
        200
    );

    let response = obs.get("/metrics");
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let now = parse(&response.text());
    let refused = |reason: &str| now[&format!("obs_refused_total{{reason=\"{reason}\"}}")];
    assert_eq!(["invalid", "key", "rate_limit"].map(refused), [1.0; 3]);
    assert_eq!(["timeout", "too_large", "encoding", "head_too_large", "unavailable"].map(refused), [0.0; 5]);
    assert_eq!(
        ["obs_events_stored_total", "obs_events", "obs_commit_seconds_count", "obs_queued_events"].map(|n| now[n]),
        [4.0, 4.0, 4.0, 0.0]
    );
    assert_eq!(
        ["open", "resolved", "ignored"].map(|state| now[&format!("obs_issues{{state=\"{state}\"}}")]),
        [2.0, 1.0, 0.0]
    );
    assert!(now["obs_commit_seconds_sum"] > 0.0 && now["obs_commit_seconds_sum"] < PATIENCE.as_secs_f64());
    let size = |suffix: &str| std::fs::metadata(format!("{}{suffix}", obs.database.display())).unwrap().len() as f64;
    // Background work may empty the write-ahead log in between.
    wait_until("the sizes are those of the files", || {
        let now = parse(&obs.text("/metrics"));
        (now["obs_database_bytes"], now["obs_wal_bytes"]) == (size(""), size("-wal"))
    });

    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    let restarted = parse(&obs.text("/metrics"));
    assert_eq!((restarted["obs_events_stored_total"], restarted["obs_events"]), (0.0, 4.0));
}

#[test]
fn an_event_sent_twice_is_stored_once() {
    let obs = Obs::start();
    let event = r#"{"message":"m","event_id":"01900000-0000-7000-8000-000000000001"}"#;
    assert_eq!([obs.post(event).status, obs.post(event).status], [201, 200]);
    assert_eq!(parse(&obs.text("/metrics"))["obs_events_stored_total"], 1.0);
}

#[test]
fn metrics_are_for_those_whom_the_dashboard_admits() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "sesame")]);
    assert_eq!(obs.get("/metrics").status, 401);
    assert_eq!(obs.send(&format!("GET /metrics HTTP/1.1\r\nX-OBS-Key: {KEY}"), b"").status, 401);
    let signed_in = obs.send("GET /metrics HTTP/1.1\r\nAuthorization: Basic OnNlc2FtZQ==", b"");
    assert_eq!(signed_in.status, 200);
    let local = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(local.send("GET /metrics HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1", b"").status, 403);
}
