//! `GET /events/UUID`: everything about one event.
use super::buttons;
use super::carried::sections;
use super::extra;
use super::html::{Html, html};
use super::layout::{badge, content, dotted, heading, origin, pager, raw_json, title, truncated, unhandled};
use super::metadata::metadata;
use super::text::{MarkupBudget, counted, first_line};
use super::times;
use super::trace::traces;
use crate::domain::{Issue, StoredEvent, Summary};
use crate::time::Time;

/// Maximum bytes of markup for everything that an event carries.
const MARKUP: usize = 1 << 20;

/// What the page shows.
pub struct EventPage<'a> {
    pub event: &'a StoredEvent,
    pub issue: &'a Issue,
    pub older: Option<&'a Summary>,
    pub newer: Option<&'a Summary>,
    /// The reader may make changes.
    pub may_act: bool,
    pub now: Time,
}

pub fn event(page: &EventPage) -> Html {
    let EventPage { event, older, newer, may_act, now, .. } = *page;
    let is_last = older.is_none() && newer.is_none();
    let summary = &event.summary;
    let kind = summary.r#type.as_deref();
    let received = html!("{}", times::exact(summary.received_at));
    let origin = origin(&event.platform, &summary.environment, &event.project);
    let main = html!(
        "{}<p>{} <b>{}</b> <span class=\"dim\">· {}</span></p>\n{}\n\
         <div class=\"split\">\n<section>\n{}</section>\n\
         <aside class=\"side\" aria-label=\"Metadata\">\n<h2>Event <small>· {}</small></h2>\n{}{}</aside>\n<div>\n{}</div>\n</div>",
        navigation(page),
        badge(summary.level),
        times::ago(summary.received_at, now),
        dotted(unhandled(event.unhandled).into_iter().chain([received]).chain(origin)),
        heading(kind, summary.message.trim()),
        traces(event, html!("most recent call first")),
        raw_json(event),
        metadata(event),
        may_act.then(|| buttons::delete_event(event, is_last)),
        carried(event, false)
    );
    let (hour, minute, second) = summary.received_at.clock();
    let title = title(kind, first_line(&summary.message));
    content(&format!("{hour:02}:{minute:02}:{second:02} {title}"), main)
}

/// Links up to the issue, and to the events that arrived before and after this one.
fn navigation(page: &EventPage) -> Html {
    let link = |event: Option<&Summary>, text: &str| {
        event.map(|event| {
            let text = html!("{}, {}", text, times::clock(event.received_at, page.now));
            (format!("/events/{}", event.id), text)
        })
    };
    html!(
        "<div class=\"ways\">\n<nav aria-label=\"Up\"><a href=\"/\">Issues</a> / <a href=\"/issues/{}\">Issue {}, {}</a></nav>\n{}</div>\n",
        page.issue.id,
        page.issue.id,
        counted(page.issue.count, "event"),
        pager("Events of this issue", link(page.older, "Older"), link(page.newer, "Newer"))
    )
}

/// What the event carries besides its error.
pub fn carried(event: &StoredEvent, fold_minor: bool) -> Html {
    let mut budget = MarkupBudget::new(MARKUP);
    let sections =
        sections(event).map_while(|section| extra::section(&section, fold_minor, &mut budget)).collect::<Html>();
    html!("{}{}", sections, budget.is_spent().then(|| truncated(event)))
}
