//! What people do with issues, as requests.
use super::{Answer, Obs, eventually};
use serde_json::{Value, json};

pub const JSON: &str = "Content-Type: application/json";

pub fn patch(obs: &Obs, issue: i64, body: &str) -> Answer {
    obs.send(&format!("PATCH /api/issues/{issue} HTTP/1.1\r\n{JSON}"), body.as_bytes())
}

pub fn set(obs: &Obs, issue: i64, state: &str) {
    let answer = patch(obs, issue, &json!({ "state": state }).to_string());
    assert_eq!((answer.status, answer.json()["issue"]["state"].as_str()), (200, Some(state)));
}

pub fn delete(obs: &Obs, path: &str) -> u16 {
    obs.send(&format!("DELETE {path} HTTP/1.1"), b"").status
}

pub fn merge(obs: &Obs, from: i64, into: i64) -> Answer {
    let body = json!({ "into": into }).to_string();
    obs.send(&format!("POST /api/issues/{from}/merge HTTP/1.1\r\n{JSON}"), body.as_bytes())
}

pub fn form(obs: &Obs, path: &str, body: &str) -> Answer {
    obs.send(&format!("POST {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin"), body.as_bytes())
}

pub fn issue(obs: &Obs, id: i64) -> Value {
    obs.json(&format!("/api/issues/{id}"))["issue"].clone()
}

pub fn ids(obs: &Obs, query: &str) -> Vec<i64> {
    let found = obs.json(&format!("/api/issues?q={query}"));
    found["issues"].as_array().unwrap().iter().map(|issue| issue["id"].as_i64().unwrap()).collect()
}

/// Nothing is left to be done in the background.
pub fn done(obs: &Obs) {
    let left = "SELECT count(*) FROM issues WHERE state IN ('deleted', 'merged')";
    let left = || obs.sqlite().query_row(left, [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("the background is done", || (left() == 0).then_some(()));
}
