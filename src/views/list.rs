//! `GET /`: what is going on, the filters, and the issues that were asked for.
use super::activity::activity;
use super::acts;
use super::address::ListRequest;
use super::chart;
use super::filters::{filters, heads};
use super::layout::{badge, culprit, dotted, page, search, spans};
use super::nomatch;
use super::text::{count, cut, first_line, grouped};
use super::when;
use crate::domain::{Cursor, Found, Hour, Issue, IssueState};
use crate::html;
use crate::query::Sort;
use crate::time::Time;
use crate::views::html::Html;
use std::collections::HashMap;

/// Characters of a message, and of a culprit, that a row shows.
const MESSAGE: usize = 300;
const CULPRIT: usize = 160;
/// Characters of a query in the page's title.
const QUERY: usize = 100;

/// All that the page shows.
pub struct ListPage<'a> {
    pub asked: ListRequest<'a>,
    pub found: &'a Found,
    /// Of the period.
    pub hours: &'a [Hour],
    /// The last 24 of each issue on the page that had events then.
    pub issue_hours: &'a HashMap<i64, Vec<i64>>,
    pub states: &'a [(IssueState, i64)],
    pub environments: &'a [String],
    pub projects: &'a [&'a str],
    /// Whether the reader may change things.
    pub may_act: bool,
    pub now: Time,
}

pub fn issues(list: &ListPage) -> Html {
    let asked = list.asked;
    let open = list.states.iter().find(|(state, _)| *state == IssueState::Open).map_or(0, |(_, issues)| *issues);
    let nothing = list.found.page.rows.is_empty();
    let body = match (nothing, list.found.scanned, asked.listing.cursor) {
        (false, ..) => rows(list),
        (true, Some(_), _) => html!(""),
        (true, None, Cursor::Newest) => nomatch::no_match(asked),
        (true, None, _) => {
            html!("<p class=\"dim\">No issues here. <a href=\"{}\">To the first</a></p>\n", asked.at(Cursor::Newest))
        }
    };
    let title = match (nothing && asked.listing.cursor == Cursor::Newest, asked.listing.query.0.is_empty()) {
        (true, _) if list.found.scanned.is_none() => nomatch::heading(&asked.listing.query),
        (_, true) => format!("{} open", grouped(open)),
        _ => cut(&asked.listing.query.to_string(), QUERY).into_owned(),
    };
    page(
        &title,
        "issues",
        Some(search(&asked.listing.text, Some(asked))),
        html!(
            "<h1 class=\"skip\">Issues</h1>\n{}{}{}{}{}",
            activity(asked, open, list.hours, list.now),
            filters(asked, list.states, list.environments, list.projects),
            body,
            scanned(list),
            pager(list)
        ),
    )
}

/// The rows under their heads; for whoever may change things, in the form that does.
fn rows(list: &ListPage) -> Html {
    let states = list.asked.listing.query.states();
    let rows = list.found.page.rows.iter().map(|issue| row(list, issue, states.len() > 1));
    let rows = html!("{}<ol class=\"rows\" role=\"list\">\n{}</ol>\n", heads(list.asked), rows.collect::<Html>());
    match list.may_act {
        true => html!(
            "<form method=\"post\" action=\"/\">{}\n{}{}</form>\n",
            acts::back(&list.asked.back()),
            rows,
            acts::on_selected(&states)
        ),
        false => rows,
    }
}

fn row(list: &ListPage, issue: &Issue, with_state: bool) -> Html {
    let select = list.may_act.then(|| {
        html!("<input type=\"checkbox\" name=\"id\" value=\"{}\" aria-label=\"Select issue {}\">", issue.id, issue.id)
    });
    let kind = issue.r#type.as_deref().map(|kind| html!("<b>{}</b> ", short(kind)));
    let word = match issue.reopened_at {
        Some(_) => Some(html!("<em>reopened</em>")),
        None => when::is_new(issue.first_seen, list.now).then(|| html!("<em>new</em>")),
    };
    let state = (with_state && issue.state != IssueState::Open).then(|| html!("<span>{}</span>", issue.state.as_str()));
    let place = match &issue.culprit {
        Some(place) => culprit(place, CULPRIT),
        None => html!("<span>no stack trace</span>"),
    };
    let about = spans([issue.platform.as_deref(), issue.environment.as_deref(), Some(&issue.project)]);
    html!(
        "<li>{}{}<a class=\"title\" href=\"/issues/{}\">{}<span dir=\"auto\">{}</span></a><p>{}</p>{}\
         <strong>{}</strong>{}{}</li>\n",
        select,
        badge(issue.level),
        issue.id,
        kind,
        cut(first_line(&issue.message), MESSAGE),
        dotted(word.into_iter().chain(state).chain([place]).chain(about)),
        chart::row(list.issue_hours.get(&issue.id).map(Vec::as_slice), list.now.hour()),
        count(issue.count),
        when::age(issue.last_seen, list.now),
        when::age(issue.first_seen, list.now)
    )
}

/// A PHP class without its namespace: the issue's own page has all of it.
pub fn short(kind: &str) -> &str {
    kind.rsplit('\\').next().filter(|name| !name.is_empty()).unwrap_or(kind)
}

/// How far a search got that would have taken too long, and the link that goes on.
fn scanned(list: &ListPage) -> Option<Html> {
    let scanned = list.found.scanned?;
    let page = &list.found.page;
    let place = match list.asked.listing.cursor {
        Cursor::Before(_) => page.newer.map(Cursor::Before),
        _ => page.older.map(Cursor::After),
    };
    let go_on = place.map(|place| html!(" <a href=\"{}\">Go on</a>", list.asked.at(place)));
    Some(html!("<p class=\"scanned\">Looked through {} issues so far.{}</p>\n", grouped(scanned as i64), go_on))
}

fn pager(list: &ListPage) -> Option<Html> {
    let (newer, older) = match list.asked.listing.sort {
        Sort::Count => ("More events", "Fewer events"),
        Sort::LastSeen | Sort::FirstSeen => ("Newer", "Older"),
    };
    let page = &list.found.page;
    let link = |cursor| list.asked.at(cursor);
    let newer = page.newer.map(|at| html!("<a rel=\"prev\" href=\"{}\">← {}</a>", link(Cursor::Before(at)), newer));
    let older = page.older.map(|at| html!("<a rel=\"next\" href=\"{}\">{} →</a>", link(Cursor::After(at)), older));
    super::layout::pager("Pages", newer, older)
}
