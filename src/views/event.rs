//! `GET /events/UUID`: everything about one event.
use super::buttons;
use super::carried::sections;
use super::done::{Done, done};
use super::extra;
use super::html::{Html, html};
use super::layout::{badge, content, dotted, heading, origin, raw_json, title, truncated, unhandled};
use super::list_url::CameFrom;
use super::metadata::metadata;
use super::text::{MarkupBudget, counted, first_line, grouped};
use super::times;
use super::trace::{Traces, traces};
use crate::domain::{Issue, Neighbours, StoredEvent, Summary};
use crate::time::Time;

/// Maximum bytes of markup for everything that an event carries.
const MARKUP: usize = 1 << 20;

/// What the page shows.
pub struct EventPage<'a> {
    pub event: &'a StoredEvent,
    pub traces: Traces,
    pub issue: &'a Issue,
    pub neighbours: &'a Neighbours,
    pub came_from: &'a CameFrom,
    /// What a form did before it returned to this page.
    pub done: Option<&'a Done>,
    /// The reader may make changes.
    pub may_act: bool,
    pub now: Time,
}

pub fn event(page: &EventPage) -> Html {
    let EventPage { event, issue, neighbours, came_from, may_act, now, .. } = *page;
    let is_last = neighbours.older.is_none() && neighbours.newer.is_none();
    let summary = &event.summary;
    let here = came_from.along(&format!("/events/{}", summary.id));
    let kind = summary.r#type.as_deref();
    let origin = origin(&event.platform, &summary.environment, &event.project);
    let main = html!(
        "{}{}<p>{} <b>{}</b> <span class=\"dim\">· {}</span></p>\n{}\n{}\
         <div class=\"split\">\n<section>\n{}</section>\n\
         <div>\n{}</div>\n<aside class=\"side\" aria-label=\"Metadata\">\n<h2>Event <small>· {}</small></h2>\n{}{}</aside>\n</div>",
        navigation(page),
        page.done.map(|what| done(what, &here, came_from, may_act)),
        badge(summary.level),
        times::ago_at(summary.received_at, now),
        dotted(unhandled(event.unhandled).into_iter().chain(origin)),
        heading(kind, summary.message.trim()),
        may_act.then(|| buttons::on_issue(issue, &here)),
        traces(event, &page.traces, html!("most recent call first")),
        carried(event, false),
        raw_json(event),
        metadata(event),
        may_act.then(|| buttons::delete_event(event, is_last, came_from)),
    );
    let (hour, minute, second) = summary.received_at.clock();
    let title = title(kind, first_line(&summary.message));
    content(&format!("{hour:02}:{minute:02}:{second:02} {title}"), main)
}

/// Links up to the issue and to its other events, and which one of them this is.
fn navigation(page: &EventPage) -> Html {
    let EventPage { issue, neighbours, came_from, .. } = *page;
    let link = |event: &Option<Summary>, rel: &str, before: &str, text: &str, after: &str| {
        let event = event.as_ref()?;
        let (path, time) = (came_from.along(&format!("/events/{}", event.id)), times::exact(event.received_at));
        Some(html!("<a{} href=\"{}\" title=\"{}\">{}{}{}</a>", rel_of(rel), path, time, before, text, after))
    };
    let stored = grouped(issue.stored);
    let place =
        place(page).map_or(format!("one of {stored} events"), |at| format!("event {} of {stored}", grouped(at)));
    html!(
        "<div class=\"ways\">\n<nav aria-label=\"Up\"><a href=\"{}\">Issues</a> / <a href=\"{}\">Issue {}, {}</a></nav>\n\
         <nav class=\"pager\" aria-label=\"Events of this issue\">{}{}<span>{}</span>{}{}</nav>\n</div>\n",
        came_from.list(),
        came_from.along(&format!("/issues/{}", issue.id)),
        issue.id,
        counted(issue.count, "event"),
        link(&neighbours.first, "", "", "First", ""),
        link(&neighbours.older, "prev", "← ", "Previous", ""),
        place,
        link(&neighbours.newer, "next", "", "Next", " →"),
        link(&neighbours.last, "", "", "Last", "")
    )
}

fn rel_of(rel: &str) -> Option<Html> {
    (!rel.is_empty()).then(|| html!(" rel=\"{}\"", rel))
}

/// Which of the stored events of its issue this one is, counted from the oldest.
pub fn place(page: &EventPage) -> Option<i64> {
    let Neighbours { before, after, .. } = *page.neighbours;
    before.map(|before| before + 1).or(after.map(|after| page.issue.stored - after))
}

/// What the event carries besides its error.
pub fn carried(event: &StoredEvent, fold_minor: bool) -> Html {
    let mut budget = MarkupBudget::new(MARKUP);
    let sections =
        sections(event).map_while(|section| extra::section(&section, fold_minor, &mut budget)).collect::<Html>();
    html!("{}{}", sections, budget.is_spent().then(|| truncated(event)))
}
