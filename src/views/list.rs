//! `GET /`: the issues, newest activity first.
use super::layout::{badge, culprit, dotted, page, pager, spans};
use super::text::{count, cut, first_line};
use super::when;
use crate::domain::{Issue, Page};
use crate::html;
use crate::html::Html;
use crate::time::Time;

/// Characters of a message, and of a culprit, that a row shows.
const MESSAGE: usize = 300;
const CULPRIT: usize = 160;

pub fn issues(issues: &Page<Issue>, now: Time) -> Html {
    let body = if issues.rows.is_empty() {
        html!("<p class=\"dim\">No issues here. <a href=\"/\">To the newest</a></p>")
    } else {
        let rows = issues.rows.iter().map(|issue| row(issue, now)).collect::<Html>();
        html!("{}<ol class=\"rows\" role=\"list\">\n{}</ol>", heads(), rows)
    };
    let pager = pager("Pages", "/", "", issues.newer, issues.older);
    page("Issues", "issues", html!("<h1>Issues</h1>\n{}\n{}", body, pager))
}

/// The columns' heads, on a wide page. Hidden from those who listen: each row says its own.
fn heads() -> Html {
    html!(
        "<p class=\"cols\" aria-hidden=\"true\"><span>Events</span><span>Last seen</span><span>First seen</span></p>\n"
    )
}

fn row(issue: &Issue, now: Time) -> Html {
    let kind = issue.r#type.as_deref().map(|kind| html!("<b>{}</b> ", short(kind)));
    let new = when::is_new(issue.first_seen, now).then(|| html!("<em>new</em>"));
    let place = match &issue.culprit {
        Some(place) => culprit(place, CULPRIT),
        None => html!("<span>no stack trace</span>"),
    };
    let about = spans([issue.platform.as_deref(), issue.environment.as_deref(), Some(&issue.project)]);
    html!(
        "<li>{}<a class=\"title\" href=\"/issues/{}\">{}<span dir=\"auto\">{}</span></a><p>{}</p>\
         <strong>{}<small> event{}</small></strong>{}{}</li>\n",
        badge(issue.level),
        issue.id,
        kind,
        cut(first_line(&issue.message), MESSAGE),
        dotted(new.into_iter().chain([place]).chain(about)),
        count(issue.count),
        (issue.count != 1).then_some("s"),
        when::age(issue.last_seen, now),
        when::age(issue.first_seen, now)
    )
}

/// A PHP class without its namespace: the issue's own page has all of it.
pub fn short(kind: &str) -> &str {
    kind.rsplit('\\').next().filter(|name| !name.is_empty()).unwrap_or(kind)
}
