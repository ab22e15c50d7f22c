//! `GET /events/UUID` as text: everything about one event.
use super::extra::extra;
use super::metadata::metadata;
use super::screen::{Screen, curl, dotted};
use super::trace::traces;
use crate::domain::StoredEvent;
use crate::views::event::EventPage;
use crate::views::text::counted;
use crate::views::times;

/// Maximum bytes of `extra` and `more` together.
const ADDED: usize = 80 << 10;

pub fn event(page: &EventPage, origin: &str) -> Screen {
    let mut screen = Screen::default();
    let StoredEvent { summary, extra: known, more, .. } = page.event;
    let received = summary.received_at;
    let age = format!("{} ago", times::since(received, page.now));
    let issue = format!("issue {}, {}", page.issue.id, counted(page.issue.count, "event"));
    screen.put("", 4, &dotted([summary.level.as_str(), &age, &times::exact(received), &issue]));
    screen.message(summary.r#type.as_deref(), &summary.message);
    traces(&mut screen, page.event, "most recent call first", origin);
    metadata(&mut screen, "Event", page.event);
    let json = curl(origin, &format!("/api/events/{}", summary.id));
    screen.part(ADDED, &json, |screen| {
        extra(screen, "Extra", known.as_deref());
        extra(screen, "More fields, which obs does not recognize", more.as_deref());
    });
    screen.heading("Next");
    for (name, event) in [("older event", page.older), ("newer event", page.newer)] {
        if let Some(event) = event {
            screen.command(name, &curl(origin, &format!("/events/{}", event.id)));
        }
    }
    screen.command("its issue", &curl(origin, &format!("/issues/{}", page.issue.id)));
    screen.command("as JSON", &json);
    screen.command("all issues", &curl(origin, "/"));
    screen
}
