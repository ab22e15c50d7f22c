//! `GET /events/UUID` as text: everything about one event.
use super::extra::section;
use super::metadata::metadata;
use super::screen::{Screen, curl, dotted};
use super::trace::traces;
use crate::domain::StoredEvent;
use crate::views::carried::sections;
use crate::views::event::{EventPage, place};
use crate::views::text::counted;
use crate::views::times;

/// Maximum bytes of everything that the event carries besides its error.
const CARRIED: usize = 80 << 10;

pub fn event(page: &EventPage, origin: &str) -> Screen {
    let mut screen = Screen::default();
    let StoredEvent { summary, unhandled, .. } = page.event;
    let received = summary.received_at;
    let age = format!("{} ago", times::since(received, page.now));
    let stored = counted(page.issue.stored, "event");
    let place = place(page).map_or(format!("one of {stored}"), |at| format!("event {at} of {stored}"));
    let issue = format!("issue {}, {place}", page.issue.id);
    let unhandled = unhandled.then_some("unhandled");
    let about = [summary.level.as_str()].into_iter().chain(unhandled);
    screen.put("", 4, &dotted(about.chain([age.as_str(), &times::exact(received), &issue])));
    screen.message(summary.r#type.as_deref(), &summary.message);
    traces(&mut screen, page.event, &page.traces, "most recent call first", origin);
    metadata(&mut screen, "Event", page.event);
    let json = curl(origin, &format!("/api/events/{}", summary.id));
    carried(&mut screen, page.event, &json);
    screen.heading("Next");
    let neighbours = page.neighbours;
    for (name, event) in [("previous", &neighbours.older), ("next", &neighbours.newer), ("last", &neighbours.last)] {
        if let Some(event) = event {
            screen.command(name, &curl(origin, &format!("/events/{}", event.id)));
        }
    }
    screen.command("its issue", &curl(origin, &format!("/issues/{}", page.issue.id)));
    screen.command("as JSON", &json);
    screen.command("all issues", &curl(origin, "/"));
    screen
}

/// What the event carries besides its error.
pub fn carried(screen: &mut Screen, event: &StoredEvent, json: &str) {
    screen.part(CARRIED, json, |screen| sections(event).for_each(|carried| section(screen, &carried)));
}
