//! `GET /issues/ID`: what broke, how often and since when; the newest stack trace; the events.
use super::layout::{badge, culprit, dotted, heading, page, pager, spans, title};
use super::metadata::metadata;
use super::text::{count, counted, cut, split_head};
use super::trace::traces;
use super::when;
use crate::domain::{Issue, Page, StoredEvent, Summary};
use crate::html;
use crate::html::Html;
use crate::time::Time;

/// Characters of a message before the rest of it folds, and of a culprit and a title.
const MESSAGE: usize = 600;
const LINE: usize = 1000;

pub fn issue(issue: &Issue, newest: &StoredEvent, events: &Page<Summary>, now: Time) -> Html {
    let (head, rest) = split_head(&issue.message, MESSAGE);
    let kind = issue.r#type.as_deref();
    let about = spans([issue.platform.as_deref(), issue.environment.as_deref(), Some(&issue.project)]);
    let about = dotted([html!("issue {}", issue.id)].into_iter().chain(about));
    let place = issue.culprit.as_ref().map(|place| html!("<p class=\"dim\">{}</p>\n", culprit(place, LINE)));
    let main = html!(
        "<nav aria-label=\"Up\"><a href=\"/\">← Issues</a></nav>\n\
         <p>{} <span class=\"dim\">{}</span></p>\n{}\n{}{}{}\
         <div class=\"split\">\n<section>\n{}</section>\n{}{}</div>",
        badge(issue.level),
        about,
        heading(kind, head),
        rest_of_message(rest),
        place,
        figures(issue, now),
        traces(newest, html!("of the newest event, {}", link(&newest.summary, now))),
        aside(issue, newest),
        event_list(issue, events, now)
    );
    page(&title(kind, head), "content", main)
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

fn figures(issue: &Issue, now: Time) -> Html {
    let stored = (issue.stored < issue.count).then(|| html!(", {} stored", count(issue.stored)));
    let release = issue.first_release.as_deref().map(|release| html!(", <span>{}</span>", release));
    html!(
        "<div class=\"facts\">\n<p><b>{}</b> event{}{}</p>\n<p><b>{}</b> last seen</p>\n<p><b>{}</b> first seen{}</p>\n</div>\n",
        count(issue.count),
        (issue.count != 1).then_some("s"),
        stored,
        when::ago(issue.last_seen, now),
        when::ago(issue.first_seen, now),
        release
    )
}

fn aside(issue: &Issue, newest: &StoredEvent) -> Html {
    html!(
        "<aside class=\"side\" aria-label=\"Newest event\">\n\
         <h2>Newest event <small>· <a href=\"/events/{}\">all of it</a></small></h2>\n{}\
         <details><summary>How it was grouped</summary>\n\
         <dl>\n<dt>grouped by</dt><dd>{}</dd>\n<dt>title</dt><dd><span dir=\"auto\">{}</span></dd>\n</dl>\n{}</details>\n</aside>\n",
        newest.summary.id,
        metadata(newest),
        cut(&issue.grouped_by, LINE),
        cut(&issue.title, LINE),
        issue.title.contains("<*>").then(|| html!(
            "<p class=\"dim\">Events whose text differs only where <code>{}</code> stands are one issue.</p>\n",
            "<*>"
        ))
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
    html!(
        "<section id=\"events\">\n<h2>{} <small>times in UTC</small></h2>\n{}{}</section>\n",
        heading,
        list,
        pager("Event pages", &path, "#events", events.newer, events.older)
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
