//! Ingest keys: the rate limit and the project of each.
mod common;
use common::database::value;
use common::*;

fn post(obs: &Obs, key: &str, event: &str) -> Response {
    obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), event.as_bytes())
}

#[test]
fn each_key_has_its_own_limit_of_events_per_minute() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "a,shop=b"), ("OBS_RATE_LIMIT", "2")]);
    let post = |key: &str| post(&obs, key, r#"{"message":"m"}"#);
    assert_eq!([post("a").status, post("a").status], [201, 201]);
    let refusal = post("a");
    assert_eq!(refusal.status, 429);
    let seconds: u64 = refusal.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refusal.error().contains("Too many events"), "{}", refusal.error());
    assert_eq!(refusal.header("access-control-allow-origin"), Some("*"));
    assert_eq!(post("wrong").status, 401);
    assert_eq!(post("b").status, 201);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events"), 3);
}

#[test]
fn an_event_id_that_two_projects_send_is_stored_once_for_the_first() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "shop=a,blog=b")]);
    let event = r#"{"message":"m","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91"}"#;
    assert_eq!(["a", "b", "a"].map(|key| post(&obs, key, event).status), [201, 200, 200]);
    let issues = obs.json("/api/issues")["issues"].clone();
    assert_eq!(issues.as_array().unwrap().len(), 1);
    assert_eq!((issues[0]["project"].as_str(), issues[0]["count"].as_i64()), (Some("shop"), Some(1)));
}
