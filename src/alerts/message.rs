//! What the command reads: one JSON object, with the issue and the event in the API's format.
use crate::store::{Alert, AlertCounts};
use crate::time::Time;
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

#[derive(Serialize)]
pub struct Message {
    pub alert_id: String,
    pub kind: String,
    /// Raw JSON, because `Value` would lose the order of keys and the digits of long numbers.
    issue: Option<Box<RawValue>>,
    event: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events_last_hour: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back: Option<AlertCounts>,
    pub link: String,
}

impl Message {
    fn new(kind: &str, link: String) -> Message {
        let alert_id = Uuid::now_v7().to_string();
        Message { alert_id, kind: kind.into(), issue: None, event: None, events_last_hour: None, held_back: None, link }
    }

    pub fn from_alert(alert: &Alert, base_url: &str) -> serde_json::Result<Message> {
        Ok(Message {
            alert_id: alert.id.clone(),
            issue: Some(to_raw_value(&alert.issue)?),
            event: alert.event.as_ref().map(to_raw_value).transpose()?,
            events_last_hour: alert.events_last_hour,
            ..Message::new(&alert.kind, format!("{base_url}/issues/{}", alert.issue.id))
        })
    }

    pub fn summary(held_back: AlertCounts, base_url: &str) -> Message {
        Message { held_back: Some(held_back), ..Message::new("summary", base_url.into()) }
    }

    /// A message about a made-up issue, so that a test needs no database.
    pub fn test(base_url: &str) -> serde_json::Result<Message> {
        let now = Time::now();
        let event_id = Uuid::now_v7().to_string();
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
        Ok(Message {
            issue: Some(to_raw_value(&issue)?),
            event: Some(to_raw_value(&event)?),
            ..Message::new("test", base_url.into())
        })
    }

    /// The message as one line, so that a command that reads by line gets all of it.
    pub fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}
