//! Envelopes and events in Sentry's form, and requests that send them.
use super::*;

pub const AUTH: &str = "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=test/1.0, sentry_key=test123";

/// The request line and the key for `envelope`, `store` or `security`.
pub fn head(route: &str) -> String {
    format!("POST /api/1/{route}/ HTTP/1.1\r\n{AUTH}")
}

pub fn item(kind: &str, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    [format!("{{\"type\":\"{kind}\",\"length\":{}}}\n", payload.len()).as_bytes(), payload, b"\n"].concat()
}

/// An event with a message.
pub fn event(message: &str) -> Vec<u8> {
    item("event", format!(r#"{{"message":"{message}"}}"#))
}

pub fn envelope(items: &[Vec<u8>]) -> Vec<u8> {
    [b"{}\n".to_vec(), items.concat()].concat()
}

pub fn send(obs: &Obs, route: &str, body: impl AsRef<[u8]>) -> Response {
    obs.send(&head(route), body.as_ref())
}

/// Sends a body in a coding.
pub fn send_as(obs: &Obs, route: &str, coding: &str, body: impl AsRef<[u8]>) -> Response {
    obs.send(&format!("{}\r\nContent-Encoding: {coding}", head(route)), body.as_ref())
}

/// The messages of all stored events, in the order of arrival.
pub fn messages(obs: &Obs) -> Vec<String> {
    let sqlite = obs.sqlite();
    let mut select = sqlite.prepare("SELECT message FROM events ORDER BY seq").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The stored event that an answer names.
pub fn stored(obs: &Obs, answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_string();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()), "{id}");
    obs.json(&format!("/api/events/{id}"))
}

const CORS: &str = "Retry-After, X-Sentry-Rate-Limits, X-Sentry-Error";

/// Checks for the headers that let a page of another origin read the answer, and for a reason if it is a refusal.
pub fn assert_readable(answer: &Response) {
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
    assert_eq!(answer.header("access-control-expose-headers"), Some(CORS), "{answer:?}");
    if answer.status >= 400 && answer.status != 429 {
        assert_eq!(answer.header("x-sentry-error"), Some(answer.error().as_str()), "{answer:?}");
    }
}
