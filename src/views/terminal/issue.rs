//! `GET /issues/ID` in a terminal: what broke, how often and since when; the newest stack trace; the events.
use super::list::word;
use super::metadata::metadata;
use super::screen::{Screen, curl};
use super::trace::traces;
use crate::domain::{Issue, Page, StoredEvent, Summary};
use crate::text::cut;
use crate::time::Time;
use crate::views::text::{counted_text, shortened};
use crate::views::when;

/// Characters of a culprit.
const LINE: usize = 1000;

/// `older` is the target of the page with the events that came before those.
pub fn issue(
    issue: &Issue,
    newest: &StoredEvent,
    events: &Page<Summary>,
    older: Option<&str>,
    origin: &str,
    now: Time,
) -> Screen {
    let mut screen = Screen::default();
    let id = format!("issue {}", issue.id);
    let about = [issue.platform.as_deref(), issue.environment.as_deref(), Some(&issue.project)];
    let about = [word(issue, now), issue.level.as_str(), &id].into_iter().chain(about.into_iter().flatten());
    screen.put("", 4, &dotted(about));
    what(&mut screen, issue.r#type.as_deref(), &issue.message);
    screen.blank();
    figures(&mut screen, issue, now);
    traces(&mut screen, newest, " of the newest event", origin);
    metadata(&mut screen, "Newest event", newest);
    screen.heading(if events.newer.is_some() { "Older events" } else { "Newest events" });
    let rows: Vec<_> = events.rows.iter().map(|event| row(event, now)).collect();
    screen.table(["ID", " RECEIVED", ""], &rows);
    screen.heading("Next");
    screen.command("newest event", &curl(origin, &format!("/events/{}", issue.last_event_id)));
    screen.command("any of them", &curl(origin, "/events/ID"));
    if let Some(older) = older {
        screen.command("older events", &curl(origin, older));
    }
    screen.command("all issues", &curl(origin, "/"));
    screen
}

/// What broke, word for word.
pub fn what(screen: &mut Screen, kind: Option<&str>, message: &str) {
    screen.blank();
    if let Some(kind) = kind {
        screen.put("    ", 4, kind);
    }
    screen.lines(4, message.trim());
}

/// Those of the texts that are there, in a line.
pub fn dotted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn figures(screen: &mut Screen, issue: &Issue, now: Time) {
    let stored = (issue.stored < issue.count).then(|| format!(", {} stored", shortened(issue.stored)));
    let seen = |time| format!("{} ago, {}", when::since(time, now), when::exact(time));
    let release = issue.first_release.as_ref().map(|release| format!(", in {release}"));
    if let Some(culprit) = &issue.culprit {
        screen.field("where", &cut(culprit, LINE));
    }
    screen.field("count", &(counted_text(issue.count, "event") + &stored.unwrap_or_default()));
    screen.field("last seen", &seen(issue.last_seen));
    screen.field("first seen", &(seen(issue.first_seen) + &release.unwrap_or_default()));
    for (name, time) in [("resolved", issue.resolved_at), ("reopened", issue.reopened_at)] {
        time.into_iter().for_each(|time| screen.field(name, &seen(time)));
    }
    screen.field("grouped by", &cut(&issue.grouped_by, LINE));
}

fn row(event: &Summary, now: Time) -> [String; 3] {
    let about = [&event.environment, &event.server_name, &event.release].into_iter().flatten();
    [event.id.clone(), format!("{} ago", when::since(event.received_at, now)), dotted(about.map(String::as_str))]
}
