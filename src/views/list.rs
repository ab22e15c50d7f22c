//! `GET /`: an overview, the filters, and the issues that match.
use super::buttons::{self, All};
use super::chart;
use super::done::{Done, done};
use super::filters::{Offered, filters, heads};
use super::html::{Html, html};
use super::layout::{self, badge, culprit, dotted, origin, page, search};
use super::list_url::ListRequest;
use super::no_results;
use super::overview::{Figures, overview, several};
use super::text::{count, counted, cut, first_line, grouped, shortened};
use super::times;
use crate::domain::{Choices, Cursor, Found, Hour, Issue, IssueState, Position};
use crate::query::{Field, Sort, Term};
use crate::time::Time;
use std::collections::HashMap;

/// Maximum characters of a row's message, culprit and release, and of a query in the page's title.
const MESSAGE: usize = 300;
const CULPRIT: usize = 160;
const RELEASE: usize = 40;
const QUERY: usize = 100;
/// Issues and bytes of a query for which all that match can be changed at once. The form must not become too large.
const MAX_ALL: i64 = 1000;
const MAX_ALL_QUERY: usize = 1000;
/// How often the page loads again if a reader wants that, in seconds.
const REFRESH: u32 = 60;

/// What the page shows.
pub struct ListPage<'a> {
    pub asked: ListRequest<'a>,
    pub found: &'a Found<Issue>,
    pub figures: &'a Figures,
    /// Events of each issue in the last 24 hours; issues without any may be missing.
    pub issue_hours: &'a HashMap<i64, Vec<Hour>>,
    pub states: &'a [(IssueState, i64)],
    pub environments: &'a Choices,
    pub releases: &'a Choices,
    pub projects: &'a [&'a str],
    /// The largest id of an issue.
    pub newest_issue: i64,
    /// What a form did before it returned to this page.
    pub done: Option<&'a Done>,
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
        _ if nothing_matches && asked.listing.sort == Sort::Day => {
            let all = asked.with_sort(Sort::default());
            html!(
                "<p>None of these issues had an event in the last 24 hours. <a href=\"{}\">Sort by last seen</a></p>\n",
                all
            )
        }
        _ if nothing_matches => no_results::no_results(asked),
        true => {
            let first = asked.at(Cursor::Newest);
            html!("<p class=\"dim\">No issues on this page. <a href=\"{}\">Go to the first page</a></p>\n", first)
        }
        false => html!("{}{}", rows(list), scanned(list)),
    };
    let offered = Offered {
        states: list.states,
        environments: list.environments,
        releases: list.releases,
        projects: list.projects,
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
            "<h1 class=\"skip\">Issues</h1>\n{}{}{}{}{}<p class=\"dim\">{}</p>",
            list.done.map(|what| done(what, &asked.back(), &asked.carried(), list.may_act)),
            overview(asked, list.figures, list.now),
            filters(asked, &offered),
            body,
            pager(list),
            refresh(asked)
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
        let (back, buttons) = (buttons::back(&list.asked.back()), buttons::on_selected(&states, all(list, &states)));
        html!("<form method=\"post\" action=\"/\">{}\n{}{}</form>\n", back, rows, buttons)
    };
    (!issues.is_empty()).then(|| if list.may_act { form(rows) } else { rows })
}

/// All open issues that match, if they can be changed at once.
fn all<'a>(list: &ListPage<'a>, shown: &[IssueState]) -> Option<All<'a>> {
    let (q, issues) = (list.asked.listing.text.as_str(), list.figures.issues);
    let is_whole = list.asked.listing.sort != Sort::Day; // which leaves out issues without an event today
    let can = is_whole && shown == [IssueState::Open] && list.figures.is_complete && (2..=MAX_ALL).contains(&issues);
    (can && q.len() <= MAX_ALL_QUERY).then_some(All { issues, q, up_to: list.newest_issue })
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
    // A row counts events of every environment and release, so it must not seem to be about the one that is asked for.
    let is_split = |term: &&Term| matches!(term, Term::Field(Field::Environment | Field::Release, _));
    let asked = list.asked.listing.query.0.iter().filter(is_split).filter_map(several);
    let all: Vec<Html> = asked.map(|name| html!("<span>all {}</span>", name)).collect();
    let environment = if all.is_empty() { &issue.environment } else { &None };
    let origin = origin(&issue.platform, environment, &issue.project).chain(all);
    let unhandled = issue.unhandled.then(|| html!("<em>unhandled</em>"));
    let users = (issue.users > 0).then(|| html!("<small>{}</small>", counted(issue.users, "user")));
    let hours = list.issue_hours.get(&issue.id).map_or(&[][..], Vec::as_slice);
    let day = hours.iter().map(|hour| hour.events.max(0)).sum::<i64>();
    let day = (day > 0).then(|| html!("<i aria-hidden=\"true\">{}</i>", shortened(day)));
    let release = issue.first_release.as_deref().map(|release| html!("<small>{}</small>", cut(release, RELEASE)));
    html!(
        "<li>{}{}<a class=\"title\" href=\"{}\">{}<span dir=\"auto\">{}</span></a><p>{}</p>{}{}\
         <strong>{}</strong>{}{}{}{}</li>\n",
        select,
        badge(issue.level),
        list.asked.carried().along(&format!("/issues/{}", issue.id)),
        kind,
        cut(first_line(&issue.message), MESSAGE),
        dotted([status, unhandled].into_iter().flatten().chain([culprit]).chain(origin)),
        chart::row(hours, list.now.hour()),
        day,
        count(issue.count),
        users,
        times::age(issue.last_seen, list.now),
        times::age(issue.first_seen, list.now),
        release
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

/// Loading again loses what is selected, so it happens only if a reader asks for it.
fn refresh(asked: ListRequest) -> Html {
    let link = |refresh, text| html!("<a href=\"{}\">{}</a>", asked.with_refresh(refresh), text);
    match asked.refresh {
        Some(seconds) => {
            html!("This page loads again every {} s. {}", u64::from(seconds), link(None, "Stop"))
        }
        None => link(Some(REFRESH), "Load again every minute"),
    }
}

/// How far a search got before it ran out of time, and a link that continues it.
fn scanned(list: &ListPage) -> Option<Html> {
    let is_by_day = list.asked.listing.sort == Sort::Day;
    let scanned = list.found.scanned.map(|scanned| counted(scanned as i64, "issue"));
    if is_by_day {
        let compared = scanned.map(|issues| html!(" Only the {} that were active last were compared in time.", issues));
        let left_out = "Issues without an event in the last 24 hours are left out.";
        return Some(html!("<p class=\"scanned\">{}{}</p>\n", left_out, compared));
    }
    let scanned = scanned?;
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
        Sort::Count | Sort::Day => ("More events", "Fewer events"),
        Sort::LastSeen | Sort::FirstSeen => ("Newer", "Older"),
    };
    let link = |at: Option<Position>, cursor: fn(Position) -> Cursor, text: &str| {
        at.map(|at| (list.asked.at(cursor(at)), html!("{}", text)))
    };
    let page = &list.found.page;
    layout::pager("Pages", link(page.newer, Cursor::Before, newer), link(page.older, Cursor::After, older))
}
