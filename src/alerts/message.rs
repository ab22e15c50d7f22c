//! What the command reads: one JSON object, with issue and event as the API gives them.
use crate::store::{Alert, Backlog, Counts};
use serde::Serialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

#[derive(Serialize)]
pub struct Message {
    pub alert_id: String,
    pub kind: &'static str,
    /// JSON already, so that numbers and the order of keys stay as they came.
    issue: Option<Box<RawValue>>,
    event: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events_last_hour: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back: Option<Counts>,
    pub link: String,
}

impl Message {
    fn new(kind: &'static str, link: String) -> Message {
        let alert_id = Uuid::now_v7().to_string();
        Message { alert_id, kind, issue: None, event: None, events_last_hour: None, held_back: None, link }
    }

    pub fn of(alert: &Alert, base: &str) -> serde_json::Result<Message> {
        Ok(Message {
            alert_id: alert.id.clone(),
            issue: Some(to_raw_value(&alert.issue)?),
            event: alert.event.as_ref().map(to_raw_value).transpose()?,
            events_last_hour: alert.kind.events(),
            ..Message::new(alert.kind.as_str(), format!("{base}/issues/{}", alert.issue.id))
        })
    }

    pub fn summary(backlog: &Backlog, base: &str) -> Message {
        Message { held_back: Some(backlog.held_back), ..Message::new("summary", base.into()) }
    }

    /// An issue that was never there: a test needs no database.
    pub fn test(base: &str) -> serde_json::Result<Message> {
        let now = crate::time::Time::now();
        let event_id = Uuid::now_v7().to_string();
        let issue = json!({
            "id": 1, "project": "", "title": "TestAlert: obs can reach you", "culprit": null, "type": "TestAlert",
            "message": "obs can reach you", "level": "info", "platform": null, "environment": null, "release": null,
            "count": 1, "stored": 1, "first_seen": now, "last_seen": now, "last_event_id": event_id,
            "grouped_by": "nothing: this is a test", "state": "open", "reopened_at": null, "resolved_at": null,
        });
        let event = json!({
            "seq": 1, "id": event_id, "level": "info", "type": "TestAlert", "message": "obs can reach you",
            "timestamp": now, "received_at": now, "environment": null, "server_name": null, "release": null,
            "issue_id": 1, "project": "", "platform": null, "suppressed": null, "fingerprint": null,
            "stacktrace": null, "causes": null, "extra": null, "more": null,
        });
        Ok(Message {
            issue: Some(to_raw_value(&issue)?),
            event: Some(to_raw_value(&event)?),
            ..Message::new("test", base.into())
        })
    }

    /// A line, so that what reads by lines gets all of it.
    pub fn bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
