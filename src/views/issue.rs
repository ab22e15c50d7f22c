//! `GET /issues/ID`: an issue's figures, its newest stack trace, where its events come from, and the events.
use super::buttons;
use super::chart::Series;
use super::done::{Done, done};
use super::event::carried;
use super::facets::facets;
use super::history::history;
use super::html::{Html, html};
use super::layout::{badge, content, culprit, dotted, heading, origin, pager, title, unhandled};
use super::list_url::{CameFrom, events_of};
use super::text::{count, counted, cut, plural, split_head};
use super::times;
use super::trace::{Traces, traces};
use crate::domain::{
    Cursor, Facet, FailedAlert, Found, HistoryEntry, Hour, Issue, IssueState, Page, Position, StoredEvent, Summary,
};
use crate::query::Query;
use crate::time::Time;

/// Characters of a message before the rest is folded.
const MESSAGE: usize = 600;
/// Maximum characters of a culprit and of a title.
const LINE: usize = 1000;
/// Height of the chart in SVG units.
const HEIGHT: i64 = 64;
/// While an issue is younger than this many hours, its chart is by hour.
const YOUNG: usize = 48;

/// What the page shows.
pub struct IssuePage<'a> {
    pub issue: &'a Issue,
    pub newest: &'a StoredEvent,
    pub traces: Traces,
    /// Some of its events, and what was asked for.
    pub events: &'a Found<Summary>,
    pub query: &'a Query,
    pub came_from: &'a CameFrom,
    /// What a form did before it returned to this page.
    pub done: Option<&'a Done>,
    /// The issue's events over a fortnight.
    pub hours: &'a [Hour],
    pub facets: &'a [Facet],
    pub history: &'a [HistoryEntry],
    pub failed_alert: Option<&'a FailedAlert>,
    /// The reader may make changes.
    pub may_act: bool,
    pub now: Time,
}

pub fn issue(page: &IssuePage) -> Html {
    let IssuePage { issue, newest, came_from, may_act, now, .. } = *page;
    let here = came_from.along(&format!("/issues/{}", issue.id));
    let (head, rest) = split_head(&issue.message, MESSAGE);
    let kind = issue.r#type.as_deref();
    let origin = origin(&issue.platform, &issue.environment, &issue.project);
    let culprit = issue.culprit.as_ref().map(|text| html!("<p class=\"dim\">{}</p>\n", culprit(text, LINE)));
    let main = html!(
        "<nav aria-label=\"Up\"><a href=\"{}\">← Issues</a></nav>\n\
         {}<p>{} {} <span class=\"dim\">· {}</span></p>\n{}{}\n{}{}{}\
         <div class=\"split\">\n<section>\n{}{}</section>\n<div>\n{}</div>\n{}{}</div>",
        came_from.list(),
        page.done.map(|what| done(what, &here, came_from, may_act)),
        badge(issue.level),
        state(issue, now),
        dotted(unhandled(issue.unhandled).into_iter().chain(origin).chain([html!("issue {}", issue.id)])),
        page.failed_alert.map(|failed| html!("<p>{}</p>\n", alert_note(failed, may_act))),
        heading(kind, head),
        rest_of_message(rest),
        culprit,
        figures(issue, may_act.then(|| buttons::on_issue(issue, &here)), now),
        newest_event(newest, page),
        traces(newest, &page.traces, html!("most recent call first")),
        carried(newest, true),
        aside(page),
        event_list(page)
    );
    content(&title(kind, head), main)
}

/// That an alert was not delivered, and what obs does about it. What the command printed is for the operator only.
pub fn alert_note(FailedAlert { why, retry_at }: &FailedAlert, may_act: bool) -> String {
    let why = if may_act { format!(": {}", cut(why, LINE)) } else { String::new() };
    match retry_at {
        Some(at) => {
            format!("An alert about this issue was not delivered. obs tries again at {}{why}", times::exact(*at))
        }
        None => format!("An alert about this issue was not delivered, and obs has given up{why}"),
    }
}

/// The issue's state and since when.
fn state(issue: &Issue, now: Time) -> Html {
    let since = match (issue.state, issue.reopened_at, issue.resolved_at) {
        (IssueState::Open, Some(at), resolved) => {
            let resolved = resolved.map(|at| html!(", resolved {}", times::ago_at(at, now)));
            Some(html!(" · <em>reopened</em> {}{}", times::ago_at(at, now), resolved))
        }
        (IssueState::Resolved, _, Some(at)) => Some(html!(" {}", times::ago_at(at, now))),
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

fn figures(issue: &Issue, buttons: Option<Html>, now: Time) -> Html {
    let stored = (issue.stored < issue.count).then(|| html!(", {} stored", count(issue.stored)));
    let users = (issue.users > 0).then(|| html!("<p><b>{}</b> user{}</p>\n", count(issue.users), plural(issue.users)));
    let release = |release: &Option<String>| release.as_deref().map(|release| html!(", in <span>{}</span>", release));
    let seen = |time: Time, word: &str, release: Option<Html>| {
        html!("<p><b>{} ago</b> {} seen {}{}</p>\n", times::since(time, now), word, times::moment(time, now), release)
    };
    html!(
        "<div class=\"facts\">\n<p><b>{}</b> event{}{}</p>\n{}{}{}{}</div>\n",
        count(issue.count),
        plural(issue.count),
        stored,
        users,
        seen(issue.last_seen, "last", release(&issue.release)),
        seen(issue.first_seen, "first", release(&issue.first_release)),
        buttons
    )
}

fn aside(page: &IssuePage) -> Html {
    let last = page.now.hour();
    let is_young = last - page.issue.first_seen.hour() < YOUNG as i64;
    let recent = &page.hours[page.hours.len().saturating_sub(YOUNG)..];
    let (series, heading, end) = match is_young {
        true => (Series::by_hour(recent, last), "Last 48 hours", "now"),
        false => (Series::by_day(page.hours, last), "Last 14 days", "today"),
    };
    html!(
        "<aside class=\"side\" aria-label=\"Frequency and origin\">\n<h2>{}</h2>\n{}\
         <details><summary class=\"dim\">Numbers</summary>\n{}</details>\n{}{}{}{}</aside>\n",
        heading,
        series.figure(HEIGHT, end),
        series.table(),
        facets(page.issue.id, page.facets),
        history(page.issue, page.history, page.now),
        grouping(page.issue),
        page.may_act.then(|| buttons::delete_issue(page.issue, &page.came_from.list()))
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

/// Which event the page shows.
fn newest_event(newest: &StoredEvent, page: &IssuePage) -> Html {
    let event = page.came_from.along(&format!("/events/{}", newest.summary.id));
    let received = times::ago_at(newest.summary.received_at, page.now);
    html!("<p class=\"dim\">Newest event, {} · <a href=\"{}\">Open this event</a></p>\n", received, event)
}

fn event_list(page: &IssuePage) -> Html {
    let IssuePage { issue, query, came_from, now, .. } = *page;
    let Found { page: events, scanned } = page.events;
    let at = |cursor: Cursor| came_from.along(&events_of(issue.id, query, cursor)) + "#events";
    let heads = html!(
        "<tr><th scope=\"col\">Received</th><th scope=\"col\">Environment</th><th scope=\"col\">Server</th>\
         <th scope=\"col\">Release</th></tr>\n"
    );
    let rows = events.rows.iter().map(|event| event_row(event, came_from, now)).collect::<Html>();
    let list = match events.rows.is_empty() {
        true if query.0.is_empty() => {
            html!(
                "<p class=\"dim\">No events on this page. <a href=\"{}\">Go to the newest</a></p>\n",
                at(Cursor::Newest)
            )
        }
        true => html!("<p class=\"dim\">No stored event here matches.</p>\n"),
        false => html!("<table class=\"events\">\n{}{}</table>\n", heads, rows),
    };
    let all = came_from.along(&format!("/issues/{}", issue.id));
    let filter = (!query.0.is_empty()).then(|| {
        let note = "Only events with";
        html!("<p>{} <b>{}</b> · <a href=\"{}#events\">all events</a></p>\n", note, cut(&query.to_string(), LINE), all)
    });
    let scanned = scanned.map(|scanned| {
        html!("<p class=\"scanned\">Searched {} before time ran out.</p>\n", counted(scanned as i64, "event"))
    });
    let link = |at_cursor: Option<Position>, cursor: fn(Position) -> Cursor, text: &str| {
        at_cursor.map(|position| (at(cursor(position)), html!("{}", text)))
    };
    html!(
        "<section id=\"events\">\n<h2>{}</h2>\n{}{}{}{}</section>\n",
        events_heading(events),
        filter,
        list,
        scanned,
        pager("Event pages", link(events.newer, Cursor::Before, "Newer"), link(events.older, Cursor::After, "Older"))
    )
}

pub fn events_heading(events: &Page<Summary>) -> &'static str {
    if events.newer.is_some() { "Older events" } else { "Newest events" }
}

/// The time of arrival is the link, since lists are ordered by arrival.
fn event_row(event: &Summary, came_from: &CameFrom, now: Time) -> Html {
    html!(
        "<tr><td><a href=\"{}\">{}</a></td><td><span>{}</span></td><td><span>{}</span></td><td><span>{}</span></td></tr>\n",
        came_from.along(&format!("/events/{}", event.id)),
        times::ago_at(event.received_at, now),
        event.environment,
        event.server_name,
        event.release
    )
}
