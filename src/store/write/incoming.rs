//! An event on its way into the database.
use crate::event::Event;
use crate::grouping::{self, Grouping, Input};
use crate::store::labels::{Label, labels};
use crate::time::Time;
use uuid::Uuid;

pub struct NewEvent {
    pub id: Uuid,
    pub project: String,
    pub event: Event,
    pub grouping: Grouping,
    /// Its tags and its user, which are counted per issue.
    pub labels: Vec<Label>,
    /// Set for an imported event. `None`: the time of the commit.
    pub received_at: Option<Time>,
    /// When it happened, if the client says how long ago that was.
    pub happened_at: Option<Time>,
}

impl NewEvent {
    /// Groups an event by the current rules. One without an id, or with one of zeros, gets a new one.
    pub fn new(event: Event, project: String) -> NewEvent {
        let grouping = grouping::group(&Input {
            message: &event.message,
            r#type: event.r#type.as_deref(),
            fingerprint: event.fingerprint.as_deref(),
            stacktrace: event.stacktrace.as_deref(),
        });
        let labels = labels(&event);
        let id = event.id.filter(|id| !id.is_nil()).unwrap_or_else(Uuid::now_v7);
        NewEvent { id, project, event, grouping, labels, received_at: None, happened_at: None }
    }
}

/// The outcome for an event that is now in the database, with the id under which it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    New(Uuid),
    /// The event was stored before. It is unchanged and counts once.
    Duplicate(Uuid),
}
