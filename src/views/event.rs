//! `GET /events/UUID`: everything about one event.
use super::acts;
use super::extra::extra;
use super::layout::{badge, cut_note, dotted, heading, page, raw_json, search, spans, title};
use super::metadata::metadata;
use super::text::{Budget, counted, first_line};
use super::trace::traces;
use super::when;
use crate::domain::{Issue, StoredEvent, Summary};
use crate::html;
use crate::time::Time;
use crate::views::html::Html;

/// Bytes of markup for what clients added, `extra` and `more` together.
const MARKUP: usize = 1 << 20;

/// All that the page shows.
pub struct EventPage<'a> {
    pub event: &'a StoredEvent,
    pub issue: &'a Issue,
    pub older: Option<&'a Summary>,
    pub newer: Option<&'a Summary>,
    /// Whether the reader may change things.
    pub may_act: bool,
    pub now: Time,
}

pub fn event(one: &EventPage) -> Html {
    let EventPage { event, issue, older, newer, may_act, now } = *one;
    let is_last = older.is_none() && newer.is_none();
    let summary = &event.summary;
    let kind = summary.r#type.as_deref();
    let about = spans([event.platform.as_deref(), summary.environment.as_deref(), Some(&event.project)]);
    let about = dotted([html!("{}", when::exact(summary.received_at))].into_iter().chain(about));
    let main = html!(
        "{}<p>{} <b>{}</b> <span class=\"dim\">· {}</span></p>\n{}\n\
         <div class=\"split\">\n<section>\n{}</section>\n\
         <aside class=\"side\" aria-label=\"Metadata\">\n<h2>Event <small>· {}</small></h2>\n{}{}</aside>\n<div>\n{}</div>\n</div>",
        ways(issue, older, newer, now),
        badge(summary.level),
        when::ago(summary.received_at, now),
        about,
        heading(kind, summary.message.trim()),
        traces(event, html!("most recent call first")),
        raw_json(event),
        metadata(event),
        may_act.then(|| acts::delete_event(event, is_last)),
        added(event)
    );
    let title = format!("{}, event", title(kind, first_line(&summary.message)));
    page(&title, "content", Some(search("", None)), main)
}

/// Up to the issue, and to the events that arrived before and after.
fn ways(issue: &Issue, older: Option<&Summary>, newer: Option<&Summary>, now: Time) -> Html {
    let time = |event: &Summary| when::clock(event.received_at, now);
    let older = older.map(|event| html!("<a rel=\"prev\" href=\"/events/{}\">← Older, {}</a>", event.id, time(event)));
    let newer = newer.map(|event| html!("<a rel=\"next\" href=\"/events/{}\">Newer, {} →</a>", event.id, time(event)));
    let neighbours = (older.is_some() || newer.is_some())
        .then(|| html!("<nav aria-label=\"Events of this issue\">{}{}</nav>\n", older, newer));
    html!(
        "<div class=\"ways\">\n<nav aria-label=\"Up\"><a href=\"/\">Issues</a> / <a href=\"/issues/{}\">Issue {}, {}</a></nav>\n{}</div>\n",
        issue.id,
        issue.id,
        counted(issue.count, "event"),
        neighbours
    )
}

fn added(event: &StoredEvent) -> Html {
    let mut budget = Budget::new(MARKUP);
    let unknown = " that obs has no field for, as they were sent";
    let known = extra("Extra", "", event.extra.as_deref(), &mut budget);
    let more = extra("More", unknown, event.more.as_deref(), &mut budget);
    let rest = budget.is_spent().then(|| cut_note(event));
    html!("{}{}{}", known, more, rest)
}
