//! Requests that read, change, merge and delete issues.
use super::database::value;
use super::{Obs, Response, wait_until};
use serde_json::{Value, json};

pub const JSON: &str = "Content-Type: application/json";

pub fn patch(obs: &Obs, issue: i64, body: &str) -> Response {
    obs.send(&format!("PATCH /api/issues/{issue} HTTP/1.1\r\n{JSON}"), body.as_bytes())
}

pub fn set_state(obs: &Obs, issue: i64, state: &str) {
    let response = patch(obs, issue, &json!({ "state": state }).to_string());
    assert_eq!((response.status, response.json()["issue"]["state"].as_str()), (200, Some(state)));
}

/// Deletes the issue or event at `path` and returns the status.
pub fn delete(obs: &Obs, path: &str) -> u16 {
    obs.send(&format!("DELETE {path} HTTP/1.1"), b"").status
}

pub fn merge(obs: &Obs, from: i64, into: i64) -> Response {
    let body = json!({ "into": into }).to_string();
    obs.send(&format!("POST /api/issues/{from}/merge HTTP/1.1\r\n{JSON}"), body.as_bytes())
}

pub fn submit_form(obs: &Obs, path: &str, body: &str) -> Response {
    obs.send(&format!("POST {path} HTTP/1.1\r\nSec-Fetch-Site: same-origin"), body.as_bytes())
}

pub fn issue(obs: &Obs, id: i64) -> Value {
    obs.json(&format!("/api/issues/{id}"))["issue"].clone()
}

/// The ids on the first page of a search. `query` must already be percent-encoded.
pub fn issue_ids(obs: &Obs, query: &str) -> Vec<i64> {
    ids_of(&obs.json(&format!("/api/issues?q={query}")))
}

/// The ids on one page of the issue list.
pub fn ids_of(page: &Value) -> Vec<i64> {
    page["issues"].as_array().unwrap().iter().map(|issue| issue["id"].as_i64().unwrap()).collect()
}

/// Waits until no deleted or merged issue is left to clean up.
pub fn wait_for_upkeep(obs: &Obs) {
    let left = "SELECT count(*) FROM issues WHERE state IN ('deleted', 'merged')";
    wait_until("the upkeep is done", || value::<i64>(&obs.sqlite(), left) == 0);
}
