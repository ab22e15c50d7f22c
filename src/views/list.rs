//! `GET /`: an overview, the filters, and the issues that match.
use super::buttons;
use super::chart;
use super::filters::{filters, heads};
use super::html::{Html, html};
use super::layout::{self, badge, culprit, dotted, origin, page, search};
use super::list_url::ListRequest;
use super::no_results;
use super::overview::overview;
use super::text::{count, counted, cut, first_line, grouped};
use super::times;
use crate::domain::{Cursor, Found, Hour, Issue, IssueState, Position};
use crate::query::Sort;
use crate::time::Time;
use std::collections::HashMap;

/// Maximum characters of a row's message and culprit, and of a query in the page's title.
const MESSAGE: usize = 300;
const CULPRIT: usize = 160;
const QUERY: usize = 100;

/// What the page shows.
pub struct ListPage<'a> {
    pub asked: ListRequest<'a>,
    pub found: &'a Found<Issue>,
    /// Events of the requested period.
    pub hours: &'a [Hour],
    /// Events of each issue in the last 24 hours; issues without any may be missing.
    pub issue_hours: &'a HashMap<i64, Vec<Hour>>,
    pub states: &'a [(IssueState, i64)],
    pub environments: &'a [String],
    pub projects: &'a [&'a str],
    /// The reader may make changes.
    pub may_act: bool,
    pub now: Time,
}

pub fn issues(list: &ListPage) -> Html {
    let asked = list.asked;
    let query = &asked.listing.query;
    let open = list.states.iter().find(|(state, _)| *state == IssueState::Open).map_or(0, |(_, issues)| *issues);
    let is_empty = list.found.page.rows.is_empty() && list.found.scanned.is_none();
    let nothing_matches = is_empty && asked.listing.cursor == Cursor::Newest;
    let body = match is_empty {
        _ if nothing_matches => no_results::no_results(asked),
        true => {
            let first = asked.at(Cursor::Newest);
            html!("<p class=\"dim\">No issues on this page. <a href=\"{}\">Go to the first page</a></p>\n", first)
        }
        false => html!("{}{}", rows(list), scanned(list)),
    };
    let title = match query.0.is_empty() {
        _ if nothing_matches => no_results::heading(query),
        true => format!("{} open", grouped(open)),
        false => cut(&query.to_string(), QUERY).into_owned(),
    };
    page(
        &title,
        "issues",
        Some(search(&asked.listing.text, asked.kept())),
        html!(
            "<h1 class=\"skip\">Issues</h1>\n{}{}{}{}",
            overview(asked, open, list.hours, list.now),
            filters(asked, list.states, list.environments, list.projects),
            body,
            pager(list)
        ),
    )
}

/// The rows under their heads, in a form if the reader may make changes.
fn rows(list: &ListPage) -> Option<Html> {
    let issues = &list.found.page.rows;
    let states = list.asked.listing.query.states();
    let rows: Html = issues.iter().map(|issue| row(list, issue, states.len() > 1)).collect();
    let rows = html!("{}<ol class=\"rows\" role=\"list\">\n{}</ol>\n", heads(list.asked), rows);
    let form = |rows: Html| {
        let (back, buttons) = (buttons::back(&list.asked.back()), buttons::on_selected(&states));
        html!("<form method=\"post\" action=\"/\">{}\n{}{}</form>\n", back, rows, buttons)
    };
    (!issues.is_empty()).then(|| if list.may_act { form(rows) } else { rows })
}

fn row(list: &ListPage, issue: &Issue, with_state: bool) -> Html {
    let select = list.may_act.then(|| {
        html!("<input type=\"checkbox\" name=\"id\" value=\"{}\" aria-label=\"Select issue {}\">", issue.id, issue.id)
    });
    let kind = issue.r#type.as_deref().map(|kind| html!("<b>{}</b> ", short(kind)));
    let status = match status(issue, list.now) {
        Some(word) if issue.state == IssueState::Open => Some(html!("<em>{}</em>", word)),
        word => word.filter(|_| with_state).map(|word| html!("<span>{}</span>", word)),
    };
    let culprit = match &issue.culprit {
        Some(text) => culprit(text, CULPRIT),
        None => html!("<span>no stack trace</span>"),
    };
    let origin = origin(&issue.platform, &issue.environment, &issue.project);
    let unhandled = issue.unhandled.then(|| html!("<em>unhandled</em>"));
    let users = (issue.users > 0).then(|| html!("<span>{}</span>", counted(issue.users, "user")));
    html!(
        "<li>{}{}<a class=\"title\" href=\"{}\">{}<span dir=\"auto\">{}</span></a><p>{}</p>{}\
         <strong>{}</strong>{}{}</li>\n",
        select,
        badge(issue.level),
        list.asked.carried().along(&format!("/issues/{}", issue.id)),
        kind,
        cut(first_line(&issue.message), MESSAGE),
        dotted([status, unhandled, users].into_iter().flatten().chain([culprit]).chain(origin)),
        chart::row(list.issue_hours.get(&issue.id).map_or(&[], Vec::as_slice), list.now.hour()),
        count(issue.count),
        times::age(issue.last_seen, list.now),
        times::age(issue.first_seen, list.now)
    )
}

/// A PHP class without its namespace, which the issue's own page shows.
pub fn short(kind: &str) -> &str {
    kind.rsplit('\\').next().filter(|name| !name.is_empty()).unwrap_or(kind)
}

/// What is noteworthy about an issue, in a word.
pub fn status(issue: &Issue, now: Time) -> Option<&'static str> {
    match issue.state {
        IssueState::Open if issue.reopened_at.is_some() => Some("reopened"),
        IssueState::Open => times::is_new(issue.first_seen, now).then_some("new"),
        IssueState::Resolved | IssueState::Ignored => Some(issue.state.as_str()),
    }
}

/// How far a search got before it ran out of time, and a link that continues it.
fn scanned(list: &ListPage) -> Option<Html> {
    let scanned = counted(list.found.scanned? as i64, "issue");
    let page = &list.found.page;
    let next = match list.asked.listing.cursor {
        Cursor::Before(_) => page.newer.map(Cursor::Before),
        Cursor::Newest | Cursor::After(_) => page.older.map(Cursor::After),
    };
    let next = next.map(|next| html!(" <a href=\"{}\">Continue</a>", list.asked.at(next)));
    Some(html!("<p class=\"scanned\">Searched {} before time ran out.{}</p>\n", scanned, next))
}

fn pager(list: &ListPage) -> Option<Html> {
    let (newer, older) = match list.asked.listing.sort {
        Sort::Count => ("More events", "Fewer events"),
        Sort::LastSeen | Sort::FirstSeen => ("Newer", "Older"),
    };
    let link = |at: Option<Position>, cursor: fn(Position) -> Cursor, text: &str| {
        at.map(|at| (list.asked.at(cursor(at)), html!("{}", text)))
    };
    let page = &list.found.page;
    layout::pager("Pages", link(page.newer, Cursor::Before, newer), link(page.older, Cursor::After, older))
}
