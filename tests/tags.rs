//! What is counted per issue and found by search: tags, users, what follows from contexts and request, and unhandled errors.
mod common;
use common::database::{assert_consistent, value};
use common::sentry::*;
use common::triage::*;
use common::*;
use serde_json::{Value, json};

/// Sends events in Sentry's form, all of one issue, a hundred per envelope.
fn send_all(obs: &Obs, events: impl IntoIterator<Item = Value>) {
    let same = |mut event: Value| {
        event["fingerprint"] = event.get("fingerprint").cloned().unwrap_or(json!(["one"]));
        item("event", event.to_string())
    };
    let items: Vec<_> = events.into_iter().map(same).collect();
    for hundred in items.chunks(100) {
        assert_eq!(send(obs, "envelope", envelope(hundred)).status, 200);
    }
}

/// The counts of an issue's values of one kind, by value.
fn counts(obs: &Obs, issue: i64, kind: &str) -> Vec<(String, i64)> {
    let sqlite = obs.sqlite();
    let mut select = sqlite
        .prepare("SELECT value, events FROM issue_values WHERE issue_id = ?1 AND kind = ?2 ORDER BY value")
        .unwrap();
    let rows = select.query_map((issue, kind), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn pairs(counts: &[(&str, i64)]) -> Vec<(String, i64)> {
    counts.iter().map(|(value, events)| (value.to_string(), *events)).collect()
}

#[test]
fn the_events_of_each_tag_value_and_each_user_are_counted_per_issue() {
    let obs = Obs::start();
    send_all(
        &obs,
        [
            json!({"tags": {"plan": "free", "paid": false, "seats": 3}, "user": {"id": 7, "email": "ann@shop.example"}}),
            json!({"tags": [["plan", "free"], ["paid", true]], "user": {"id": "7"}}),
            json!({"tags": {"plan": "pro"}, "user": {"email": "bob@shop.example", "username": "bob"}}),
            json!({"tags": {"plan": "pro", "plan ": "x", "": "y", "deep": {}, "none": null}, "user": {"id": null, "ip_address": "192.0.2.7"}}),
            json!({"tags": {"plan": "free"}, "user": {"name": "nobody"}}),
            json!({"tags": {"plan": "other"}, "fingerprint": ["two"], "user": {"id": 7}}),
            json!({}),
        ],
    );
    obs.add(r#"{"message":"m","fingerprint":["one"],"suppressed":9,"tags":{"plan":"pro"},"user":{"id":7}}"#);
    assert_eq!(counts(&obs, 1, "tag:plan"), pairs(&[("free", 3), ("pro", 11), ("x", 1)]));
    assert_eq!(counts(&obs, 1, "tag:paid"), pairs(&[("false", 1), ("true", 1)]));
    assert_eq!(counts(&obs, 1, "tag:seats"), pairs(&[("3", 1)]));
    assert_eq!(counts(&obs, 1, "user"), pairs(&[("192.0.2.7", 1), ("7", 12), ("bob@shop.example", 1)]));
    assert_eq!((&issue(&obs, 1)["users"], &issue(&obs, 2)["users"]), (&json!(3), &json!(1)));
    assert_eq!(
        value::<i64>(&obs.sqlite(), "SELECT count(*) FROM issue_values WHERE kind IN ('tag:', 'tag:deep', 'tag:none')"),
        0
    );
    assert_consistent(&obs.sqlite());
}

#[test]
fn a_hundred_values_a_thousand_users_and_thirty_tags_are_told_apart() {
    let obs = Obs::start();
    send_all(&obs, (0..1050).map(|n| json!({"tags": {"n": n % 150, "same": "x"}, "user": {"id": n}})));
    send_all(&obs, (0..60).map(|n| json!({"tags": {(format!("tag{n:02}")): "x"}, "user": {"id": 0}})));
    let values = counts(&obs, 1, "tag:n");
    assert_eq!(
        (values.len(), &values[0], values.iter().map(|(_, events)| events).sum::<i64>()),
        (101, &(String::new(), 350), 1050)
    );
    assert_eq!(counts(&obs, 1, "tag:same"), pairs(&[("x", 1050)]));
    let users = counts(&obs, 1, "user");
    assert_eq!((users.len(), &users[0], &users[1]), (1001, &(String::new(), 50), &("0".into(), 61)));
    assert_eq!(issue(&obs, 1)["users"], 1000);
    let kinds = "SELECT count(DISTINCT kind) FROM issue_values WHERE kind LIKE 'tag:%'";
    assert_eq!(value::<i64>(&obs.sqlite(), kinds), 30);
    assert_eq!(counts(&obs, 1, "tag:tag27"), pairs(&[("x", 1)]));
    assert_eq!(counts(&obs, 1, "tag:tag28"), []);
    let many: serde_json::Map<_, _> = (0..60).map(|n| (format!("t{n}"), json!("v".repeat(300)))).collect();
    let answer = send(&obs, "store", json!({"fingerprint": ["many"], "tags": many}).to_string());
    let event = stored(&obs, &answer);
    let tags = event["tags"].as_object().unwrap();
    assert_eq!((tags.len(), tags["t49"].as_str().unwrap().len()), (50, 200));
    assert_consistent(&obs.sqlite());
}

#[test]
fn browser_os_url_and_transaction_are_counted_where_no_tag_says_them() {
    let obs = Obs::start();
    let chrome =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
    let contexts =
        json!({"browser": {"name": "Firefox", "version": "128.0.1"}, "os": {"name": "Windows", "version": ">=10"}});
    send_all(
        &obs,
        [
            json!({"contexts": contexts, "request": {"url": "https://shop.example/pay?card=1#x", "headers": {"User-Agent": chrome}}, "transaction": "/pay"}),
            json!({"request": {"url": "https://shop.example/pay?card=2", "headers": [["user-agent", chrome]]}}),
            json!({"request": {"headers": {"User-Agent": [chrome]}}, "transaction": "/pay", "tags": {"os": "mine", "transaction": "own"}}),
            json!({"contexts": {"browser": [], "os": {"version": 7}}, "request": {"url": [], "headers": "x"}, "transaction": {}}),
        ],
    );
    assert_eq!(counts(&obs, 1, "tag:browser"), pairs(&[("Chrome 131", 2), ("Firefox 128", 1)]));
    assert_eq!(counts(&obs, 1, "tag:os"), pairs(&[("Linux", 1), ("Windows", 1), ("mine", 1)]));
    assert_eq!(counts(&obs, 1, "tag:url"), pairs(&[("https://shop.example/pay", 2)]));
    assert_eq!(counts(&obs, 1, "tag:transaction"), pairs(&[("/pay", 1), ("own", 1)]));
    let event = obs.json(&format!("/api/events/{}", issue(&obs, 1)["last_event_id"].as_str().unwrap()));
    assert_eq!(event["tags"], Value::Null, "what is derived is not stored as if it were sent");
}

#[test]
fn a_deleted_event_no_longer_counts_and_a_merge_adds_up() {
    let obs = Obs::start();
    let tagged = |tag: &str, user: &str, issue: &str| json!({"tags": {"plan": tag}, "user": {"id": user}, "request": {"url": "/pay?x"}, "fingerprint": [issue]});
    send_all(&obs, [tagged("free", "ann", "one"), tagged("pro", "ann", "one"), tagged("pro", "bob", "one")]);
    send_all(&obs, [tagged("pro", "bob", "two"), tagged("team", "eve", "two")]);
    let last = issue(&obs, 1)["last_event_id"].as_str().unwrap().to_string();
    assert_eq!(delete(&obs, &format!("/api/events/{last}")), 204);
    assert_eq!(counts(&obs, 1, "tag:plan"), pairs(&[("free", 1), ("pro", 1)]));
    assert_eq!(counts(&obs, 1, "user"), pairs(&[("ann", 2)]));
    assert_eq!(counts(&obs, 1, "tag:url"), pairs(&[("/pay", 2)]));
    assert_eq!(issue(&obs, 1)["users"], 1);
    assert_eq!(merge(&obs, 2, 1).status, 200);
    wait_for_upkeep(&obs);
    assert_eq!(counts(&obs, 1, "tag:plan"), pairs(&[("free", 1), ("pro", 2), ("team", 1)]));
    assert_eq!(counts(&obs, 1, "user"), pairs(&[("ann", 2), ("bob", 1), ("eve", 1)]));
    assert_eq!(counts(&obs, 1, "tag:url"), pairs(&[("/pay", 4)]));
    assert_eq!((counts(&obs, 2, "tag:plan").len(), &issue(&obs, 1)["users"]), (0, &json!(3)));
    assert_eq!(delete(&obs, "/api/issues/1"), 204);
    wait_for_upkeep(&obs);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM issue_values"), 0);
    assert_consistent(&obs.sqlite());
}

#[test]
fn issues_are_found_by_tag_by_user_and_by_what_nobody_caught() {
    let obs = Obs::start();
    let unhandled = json!({"values": [{"type": "E", "value": "v", "mechanism": {"type": "x", "handled": false}}]});
    let handled = json!({"values": [{"type": "E", "value": "v", "mechanism": {"handled": true}}]});
    send_all(
        &obs,
        [
            json!({"fingerprint": ["1"], "exception": unhandled, "tags": {"plan": "free", "os.name": "Plan 9"}, "user": {"email": "ann@shop.example"}}),
            json!({"fingerprint": ["2"], "exception": handled, "tags": {"plan": "pro", "level": "x"}, "user": {"id": "ann"}, "transaction": "/pay"}),
            json!({"fingerprint": ["3"], "exception": unhandled, "tags": {"plan": "free"}, "message": "see http://x"}),
            json!({"fingerprint": ["3"], "exception": handled, "tags": {"plan": "pro"}}),
            json!({"fingerprint": ["4"], "message": "plan:free is text here, and so is http://x"}),
        ],
    );
    let found = |query: &str| {
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let mut ids = issue_ids(&obs, &query);
        ids.sort();
        ids
    };
    assert_eq!([found("plan:free"), found("plan:pro"), found("plan:free plan:pro")], [vec![1, 3], vec![2, 3], vec![3]]);
    assert_eq!(
        [found("os.name:\"Plan 9\""), found("transaction:/pay"), found("plan:other")],
        [vec![1], vec![2], vec![]]
    );
    assert_eq!([found("user:ann"), found("user:ann@shop.example"), found("user:bob")], [vec![2], vec![1], vec![]]);
    assert_eq!(
        [found("is:unhandled"), found("is:unhandled plan:free"), found("is:unhandled is:resolved")],
        [vec![1], vec![1], vec![]]
    );
    assert_eq!(found("http://x"), [4], "no tag of that name: text");
    let own = |mechanism: &str| obs.add(format!(r#"{{"message":"own","mechanism":{mechanism}}}"#));
    own(r#"{"type":"onerror","handled":false}"#);
    assert_eq!(found("is:unhandled"), [1, 5]);
    own("7");
    assert_eq!(found("is:unhandled"), [1], "the newest event decides");
}
