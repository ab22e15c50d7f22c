//! `GET /issues/ID` as text: an issue's figures, its newest stack trace, and its events.
use super::event::carried;
use super::metadata::metadata;
use super::screen::{Screen, curl, dotted};
use super::trace::traces;
use crate::domain::{Issue, Summary};
use crate::time::Time;
use crate::views::issue::{IssuePage, alert_note, events_heading};
use crate::views::list::status;
use crate::views::text::{counted, cut, shortened};
use crate::views::times;

/// Maximum characters of a culprit.
const LINE: usize = 1000;

pub fn issue(page: &IssuePage, origin: &str) -> Screen {
    let IssuePage { issue, newest, now, .. } = *page;
    let events = &page.events.page;
    let mut screen = Screen::default();
    let id = format!("issue {}", issue.id);
    let about = [status(issue, now), Some(issue.level.as_str()), issue.unhandled.then_some("unhandled"), Some(&id)];
    let origin_of = [issue.platform.as_deref(), issue.environment.as_deref(), Some(&issue.project)];
    screen.put("", 4, &dotted(about.into_iter().chain(origin_of).flatten()));
    screen.message(issue.r#type.as_deref(), &issue.message);
    screen.blank();
    if let Some(failed) = page.failed_alert {
        screen.field("alert", &alert_note(failed, page.may_act));
    }
    figures(&mut screen, issue, now);
    traces(&mut screen, newest, &page.traces, "from the newest event", origin);
    metadata(&mut screen, "Newest event", newest);
    carried(&mut screen, newest, &curl(origin, &format!("/api/events/{}", issue.last_event_id)));
    screen.heading(events_heading(events));
    let rows: Vec<_> = events.rows.iter().map(|event| row(event, now)).collect();
    screen.table(["ID", " RECEIVED", ""], &rows);
    screen.heading("Next");
    screen.command("newest event", &curl(origin, &format!("/events/{}", issue.last_event_id)));
    screen.command("any event", &curl(origin, "/events/ID"));
    if let Some(at) = events.older {
        screen.command("older events", &curl(origin, &format!("/issues/{}?after={at}", issue.id)));
    }
    screen.command("all issues", &curl(origin, "/"));
    screen
}

fn figures(screen: &mut Screen, issue: &Issue, now: Time) {
    let stored = (issue.stored < issue.count).then(|| format!(", {} stored", shortened(issue.stored)));
    let seen = |time| format!("{} ago, {}", times::since(time, now), times::exact(time));
    let release = issue.first_release.as_ref().map(|release| format!(", in {release}"));
    if let Some(culprit) = &issue.culprit {
        screen.field("where", &cut(culprit, LINE));
    }
    screen.field("count", &(counted(issue.count, "event") + &stored.unwrap_or_default()));
    if issue.users > 0 {
        screen.field("users", &counted(issue.users, "user"));
    }
    screen.field("last seen", &seen(issue.last_seen));
    screen.field("first seen", &(seen(issue.first_seen) + &release.unwrap_or_default()));
    for (name, time) in [("resolved", issue.resolved_at), ("reopened", issue.reopened_at)] {
        if let Some(time) = time {
            screen.field(name, &seen(time));
        }
    }
    screen.field("grouped by", &cut(&issue.grouped_by, LINE));
}

fn row(event: &Summary, now: Time) -> [String; 3] {
    let origin = [&event.environment, &event.server_name, &event.release].into_iter().flatten();
    let age = format!("{} ago", times::since(event.received_at, now));
    [event.id.clone(), age, dotted(origin.map(String::as_str))]
}
