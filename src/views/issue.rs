//! `GET /issues/ID`: an issue's figures, its newest stack trace, where its events come from, and the events.
use super::buttons;
use super::chart::Series;
use super::event::carried;
use super::facets::facets;
use super::history::history;
use super::html::{Html, html};
use super::layout::{badge, content, culprit, dotted, heading, origin, pager, title, unhandled};
use super::text::{count, counted, cut, plural, split_head};
use super::times;
use super::trace::traces;
use crate::domain::{Facet, HistoryEntry, Hour, Issue, IssueState, Page, Position, StoredEvent, Summary};
use crate::time::Time;

/// Characters of a message before the rest is folded.
const MESSAGE: usize = 600;
/// Maximum characters of a culprit and of a title.
const LINE: usize = 1000;
/// Height of the chart in SVG units.
const HEIGHT: i64 = 64;

/// What the page shows.
pub struct IssuePage<'a> {
    pub issue: &'a Issue,
    pub newest: &'a StoredEvent,
    pub events: &'a Page<Summary>,
    /// The issue's events over a fortnight.
    pub hours: &'a [Hour],
    pub facets: &'a [Facet],
    pub history: &'a [HistoryEntry],
    /// The reader may make changes.
    pub may_act: bool,
    pub now: Time,
}

pub fn issue(page: &IssuePage) -> Html {
    let IssuePage { issue, newest, events, may_act, now, .. } = *page;
    let (head, rest) = split_head(&issue.message, MESSAGE);
    let kind = issue.r#type.as_deref();
    let origin = origin(&issue.platform, &issue.environment, &issue.project);
    let culprit = issue.culprit.as_ref().map(|text| html!("<p class=\"dim\">{}</p>\n", culprit(text, LINE)));
    let main = html!(
        "<nav aria-label=\"Up\"><a href=\"/\">← Issues</a></nav>\n\
         <p>{} {} <span class=\"dim\">· {}</span></p>\n{}\n{}{}{}\
         <div class=\"split\">\n<section>\n{}</section>\n{}<div>\n{}</div>\n{}</div>",
        badge(issue.level),
        state(issue, now),
        dotted(unhandled(issue.unhandled).into_iter().chain(origin).chain([html!("issue {}", issue.id)])),
        heading(kind, head),
        rest_of_message(rest),
        culprit,
        figures(issue, may_act, now),
        traces(newest, html!("from the newest event, {}", link(&newest.summary, now))),
        aside(page),
        carried(newest, true),
        event_list(issue, events, now)
    );
    content(&title(kind, head), main)
}

/// The issue's state and since when.
fn state(issue: &Issue, now: Time) -> Html {
    let since = match (issue.state, issue.reopened_at, issue.resolved_at) {
        (IssueState::Open, Some(at), resolved) => {
            let resolved = resolved.map(|at| html!(", resolved {}", times::ago(at, now)));
            Some(html!(" · <em>reopened</em> {}{}", times::ago(at, now), resolved))
        }
        (IssueState::Resolved, _, Some(at)) => Some(html!(" {}", times::ago(at, now))),
        _ => None,
    };
    html!("<b>{}</b>{}", issue.state.as_str(), since)
}

fn rest_of_message(rest: &str) -> Option<Html> {
    let rest = rest.trim_end().trim_start_matches(['\r', '\n']);
    let size = counted(rest.chars().count() as i64, "more character");
    let text = html!("<div class=\"text\" dir=\"auto\">{}</div>", rest);
    (!rest.is_empty()).then(|| html!("<details><summary>… {}</summary>{}</details>\n", size, text))
}

fn figures(issue: &Issue, may_act: bool, now: Time) -> Html {
    let stored = (issue.stored < issue.count).then(|| html!(", {} stored", count(issue.stored)));
    let users = (issue.users > 0).then(|| html!("<p><b>{}</b> user{}</p>\n", count(issue.users), plural(issue.users)));
    let release = issue.first_release.as_deref().map(|release| html!(", <span>{}</span>", release));
    html!(
        "<div class=\"facts\">\n<p><b>{}</b> event{}{}</p>\n{}<p><b>{}</b> last seen</p>\n<p><b>{}</b> first seen{}</p>\n{}</div>\n",
        count(issue.count),
        plural(issue.count),
        stored,
        users,
        times::ago(issue.last_seen, now),
        times::ago(issue.first_seen, now),
        release,
        may_act.then(|| buttons::on_issue(issue))
    )
}

fn aside(page: &IssuePage) -> Html {
    let days = Series::by_day(page.hours, page.now.hour());
    html!(
        "<aside class=\"side\" aria-label=\"Frequency and origin\">\n<h2>Last 14 days</h2>\n{}\
         <details><summary class=\"dim\">Numbers</summary>\n{}</details>\n{}{}{}{}</aside>\n",
        days.figure(HEIGHT, "today"),
        days.table(),
        facets(page.facets),
        history(page.issue, page.history, page.now),
        grouping(page.issue),
        page.may_act.then(|| buttons::delete_issue(page.issue))
    )
}

fn grouping(issue: &Issue) -> Html {
    let pattern = issue
        .title
        .contains("<*>")
        .then(|| html!("<p class=\"dim\"><code>{}</code> marks text that differs from event to event.</p>\n", "<*>"));
    html!(
        "<h2>Grouping</h2>\n<details><summary>How these events were grouped</summary>\n\
         <dl>\n<dt>grouped by</dt><dd>{}</dd>\n<dt>title</dt><dd><span dir=\"auto\">{}</span></dd>\n</dl>\n{}</details>\n",
        cut(&issue.grouped_by, LINE),
        cut(&issue.title, LINE),
        pattern
    )
}

fn event_list(issue: &Issue, events: &Page<Summary>, now: Time) -> Html {
    let path = format!("/issues/{}", issue.id);
    let list = if events.rows.is_empty() {
        html!("<p class=\"dim\">No events on this page. <a href=\"{}#events\">Go to the newest</a></p>\n", path)
    } else {
        let rows = events.rows.iter().map(|event| event_row(event, now)).collect::<Html>();
        html!("<ol class=\"events\" role=\"list\">\n{}</ol>\n", rows)
    };
    let link = |at: Option<Position>, side: &str, text: &str| {
        at.map(|at| (format!("{path}?{side}={at}#events"), html!("{}", text)))
    };
    html!(
        "<section id=\"events\">\n<h2>{} <small>times in UTC</small></h2>\n{}{}</section>\n",
        events_heading(events),
        list,
        pager("Event pages", link(events.newer, "before", "Newer"), link(events.older, "after", "Older"))
    )
}

pub fn events_heading(events: &Page<Summary>) -> &'static str {
    if events.newer.is_some() { "Older events" } else { "Newest events" }
}

fn event_row(event: &Summary, now: Time) -> Html {
    html!(
        "<li>{}<span>{}</span><span>{}</span><span>{}</span>{}</li>\n",
        link(event, now),
        event.environment,
        event.server_name,
        event.release,
        times::age(event.received_at, now)
    )
}

/// A link to an event, named by the time of its arrival, since lists are ordered by arrival.
fn link(event: &Summary, now: Time) -> Html {
    html!("<a href=\"/events/{}\">{}</a>", event.id, times::clock(event.received_at, now))
}
