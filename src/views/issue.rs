//! `GET /issues/ID`: what broke, how often and since when; the newest stack trace; where from; the events.
use super::acts;
use super::chart::Series;
use super::facets::facets;
use super::history::history;
use super::layout::{badge, culprit, dotted, heading, page, pager, search, spans, title};
use super::text::{count, counted, cut, split_head};
use super::trace::traces;
use super::when;
use crate::domain::{Facet, HistoryEntry, Hour, Issue, IssueState, Page, Position, StoredEvent, Summary};
use crate::html;
use crate::time::Time;
use crate::views::html::Html;

/// Characters of a message before the rest of it folds, and of a culprit and a title.
const MESSAGE: usize = 600;
const LINE: usize = 1000;
/// Of the chart, in units of the picture.
const HEIGHT: i64 = 64;

/// All that the page shows.
pub struct IssuePage<'a> {
    pub issue: &'a Issue,
    pub newest: &'a StoredEvent,
    pub events: &'a Page<Summary>,
    /// The issue's own, of a fortnight.
    pub hours: &'a [Hour],
    pub facets: &'a [Facet],
    pub history: &'a [HistoryEntry],
    /// Whether the reader may change things.
    pub may_act: bool,
    pub now: Time,
}

pub fn issue(whole: &IssuePage) -> Html {
    let IssuePage { issue, newest, events, may_act, now, .. } = *whole;
    let (head, rest) = split_head(&issue.message, MESSAGE);
    let kind = issue.r#type.as_deref();
    let about = spans([issue.platform.as_deref(), issue.environment.as_deref(), Some(&issue.project)]);
    let place = issue.culprit.as_ref().map(|place| html!("<p class=\"dim\">{}</p>\n", culprit(place, LINE)));
    let main = html!(
        "<nav aria-label=\"Up\"><a href=\"/\">← Issues</a></nav>\n\
         <p>{} {} <span class=\"dim\">· {}</span></p>\n{}\n{}{}{}\
         <div class=\"split\">\n<section>\n{}</section>\n{}{}</div>",
        badge(issue.level),
        state(issue, now),
        dotted(about.chain([html!("issue {}", issue.id)])),
        heading(kind, head),
        rest_of_message(rest),
        place,
        figures(issue, may_act, now),
        traces(newest, html!("of the newest event, {}", link(&newest.summary, now))),
        aside(whole),
        event_list(issue, events, now)
    );
    page(&title(kind, head), "content", Some(search("", None)), main)
}

/// What has been decided, and since when.
fn state(issue: &Issue, now: Time) -> Html {
    let since = match (issue.state, issue.reopened_at, issue.resolved_at) {
        (IssueState::Open, Some(at), resolved) => {
            let resolved = resolved.map(|at| html!(", was resolved {}", when::day(at, now)));
            Some(html!(" · <em>reopened</em> {}{}", when::ago(at, now), resolved))
        }
        (IssueState::Resolved, _, Some(at)) => Some(html!(" {}", when::ago(at, now))),
        _ => None,
    };
    html!("<b>{}</b>{}", issue.state.as_str(), since)
}

fn rest_of_message(rest: &str) -> Option<Html> {
    let (size, rest) = (rest.trim().chars().count() as i64, rest.trim_start_matches(['\r', '\n']));
    (size > 0).then(|| {
        html!(
            "<details><summary>… {} more</summary><div class=\"text\" dir=\"auto\">{}</div></details>\n",
            counted(size, "character"),
            rest
        )
    })
}

fn figures(issue: &Issue, may_act: bool, now: Time) -> Html {
    let stored = (issue.stored < issue.count).then(|| html!(", {} stored", count(issue.stored)));
    let release = issue.first_release.as_deref().map(|release| html!(", <span>{}</span>", release));
    html!(
        "<div class=\"facts\">\n<p><b>{}</b> event{}{}</p>\n<p><b>{}</b> last seen</p>\n<p><b>{}</b> first seen{}</p>\n{}</div>\n",
        count(issue.count),
        (issue.count != 1).then_some("s"),
        stored,
        when::ago(issue.last_seen, now),
        when::ago(issue.first_seen, now),
        release,
        may_act.then(|| acts::on_issue(issue))
    )
}

fn aside(whole: &IssuePage) -> Html {
    let last = whole.now.hour();
    let begin = when::date_of_hour(last + 1 - whole.hours.len() as i64);
    let days = Series::by_day(whole.hours, last);
    html!(
        "<aside class=\"side\" aria-label=\"Frequency and origin\">\n<h2>Last 14 days</h2>\n{}\
         <details><summary class=\"dim\">Numbers</summary>\n{}</details>\n{}{}{}{}</aside>\n",
        days.figure(HEIGHT, false, [&begin, "today"]),
        days.table(),
        facets(whole.facets),
        history(whole.issue, whole.history, whole.now),
        grouping(whole.issue),
        whole.may_act.then(|| acts::delete_issue(whole.issue))
    )
}

fn grouping(issue: &Issue) -> Html {
    let pattern = issue.title.contains("<*>").then(|| {
        html!(
            "<p class=\"dim\">Events whose text differs only where <code>{}</code> stands are one issue.</p>\n",
            "<*>"
        )
    });
    html!(
        "<h2>Grouping</h2>\n<details><summary>How it was grouped</summary>\n\
         <dl>\n<dt>grouped by</dt><dd>{}</dd>\n<dt>title</dt><dd><span dir=\"auto\">{}</span></dd>\n</dl>\n{}</details>\n",
        cut(&issue.grouped_by, LINE),
        cut(&issue.title, LINE),
        pattern
    )
}

fn event_list(issue: &Issue, events: &Page<Summary>, now: Time) -> Html {
    let path = format!("/issues/{}", issue.id);
    let heading = if events.newer.is_some() { "Older events" } else { "Newest events" };
    let list = if events.rows.is_empty() {
        html!("<p class=\"dim\">No events here. <a href=\"{}#events\">To the newest</a></p>\n", path)
    } else {
        let rows = events.rows.iter().map(|event| event_row(event, now)).collect::<Html>();
        html!("<ol class=\"events\" role=\"list\">\n{}</ol>\n", rows)
    };
    let to = |text: &str, rel: &str, side: &str, at: Position| {
        html!("<a rel=\"{}\" href=\"{}?{}={}#events\">{}</a>", rel, path, side, at, text)
    };
    let newer = events.newer.map(|at| to("← Newer", "prev", "before", at));
    let older = events.older.map(|at| to("Older →", "next", "after", at));
    html!(
        "<section id=\"events\">\n<h2>{} <small>times in UTC</small></h2>\n{}{}</section>\n",
        heading,
        list,
        pager("Event pages", newer, older)
    )
}

fn event_row(event: &Summary, now: Time) -> Html {
    html!(
        "<li>{}<span>{}</span><span>{}</span><span>{}</span>{}</li>\n",
        link(event, now),
        event.environment,
        event.server_name,
        event.release,
        when::age(event.received_at, now)
    )
}

/// To an event, by when it arrived: the order that lists go by.
fn link(event: &Summary, now: Time) -> Html {
    html!("<a href=\"/events/{}\">{}</a>", event.id, when::clock(event.received_at, now))
}
