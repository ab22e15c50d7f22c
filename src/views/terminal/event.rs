//! `GET /events/UUID` in a terminal: everything about one event.
use super::extra::extra;
use super::issue::{dotted, what};
use super::metadata::metadata;
use super::screen::{Screen, curl};
use super::trace::traces;
use crate::domain::{Issue, StoredEvent, Summary};
use crate::time::Time;
use crate::views::text::counted_text;
use crate::views::when;

/// Bytes of what clients added, `extra` and `more` together.
const ADDED: usize = 80 << 10;

pub fn event(
    event: &StoredEvent,
    issue: &Issue,
    older: Option<&Summary>,
    newer: Option<&Summary>,
    origin: &str,
    now: Time,
) -> Screen {
    let mut screen = Screen::default();
    let summary = &event.summary;
    let received = summary.received_at;
    let about = format!("{} ago · {}", when::since(received, now), when::exact(received));
    let issue_of = format!("issue {}, {}", issue.id, counted_text(issue.count, "event"));
    screen.put("", 4, &dotted([summary.level.as_str(), &about, &issue_of].into_iter()));
    what(&mut screen, summary.r#type.as_deref(), &summary.message);
    traces(&mut screen, event, ", most recent call first", origin);
    metadata(&mut screen, "Event", event);
    let whole = curl(origin, &format!("/api/events/{}", summary.id));
    screen.part(ADDED, &whole, |screen| {
        extra(screen, "Extra", event.extra.as_deref());
        extra(screen, "More that obs has no field for", event.more.as_deref());
    });
    screen.heading("Next");
    for (name, event) in [("older event", older), ("newer event", newer)] {
        if let Some(event) = event {
            screen.command(name, &curl(origin, &format!("/events/{}", event.id)));
        }
    }
    screen.command("its issue", &curl(origin, &format!("/issues/{}", issue.id)));
    screen.command("as JSON", &whole);
    screen.command("all issues", &curl(origin, "/"));
    screen
}
