//! What the command reads: one JSON object, with the issue and the event in the API's format.
use crate::store::{Alert, AlertCounts};
use crate::time::Time;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

#[derive(Serialize)]
pub struct Message {
    #[serde(flatten)]
    pub alert: Alert,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back: Option<AlertCounts>,
    pub link: String,
}

impl Message {
    pub fn new(alert: Alert, base_url: &str) -> Message {
        let link = alert.issue.as_ref().map(|issue| format!("{base_url}/issues/{}", issue.id));
        Message { alert, held_back: None, link: link.unwrap_or_default() }
    }

    pub fn summary(held_back: AlertCounts, base_url: &str) -> Message {
        let alert = Alert { alert_id: new_id(), kind: "summary".into(), ..Alert::default() };
        Message { alert, held_back: Some(held_back), link: base_url.into() }
    }

    /// The message as one line, so that a command that reads by line gets all of it.
    pub fn to_line(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// A message about a made-up issue, so that a test needs no database.
pub fn test(base_url: &str) -> String {
    let (now, event_id) = (Time::now(), new_id());
    let issue = json!({
        "id": 1, "project": "", "title": "TestAlert: obs can reach you", "culprit": null, "type": "TestAlert",
        "message": "obs can reach you", "level": "info", "platform": null, "environment": null, "release": null,
        "users": 0, "unhandled": false, "count": 1, "stored": 1, "first_seen": now, "last_seen": now, "last_event_id": event_id,
        "grouped_by": "nothing: this is a test", "state": "open", "reopened_at": null, "resolved_at": null,
    });
    let event = json!({
        "seq": 1, "id": event_id, "level": "info", "type": "TestAlert", "message": "obs can reach you",
        "timestamp": now, "received_at": now, "environment": null, "server_name": null, "release": null,
        "issue_id": 1, "project": "", "platform": null, "suppressed": null, "fingerprint": null,
        "unhandled": false, "stacktrace": null, "causes": null, "tags": null, "user": null, "request": null,
        "breadcrumbs": null, "contexts": null, "extra": null, "more": null,
    });
    json!({ "alert_id": new_id(), "kind": "test", "issue": issue, "event": event, "link": base_url }).to_string() + "\n"
}
