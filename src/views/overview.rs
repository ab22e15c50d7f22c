//! The strip above the list: how many issues it covers, and their events in the last day or fortnight.
use super::chart::Series;
use super::html::{Html, html};
use super::layout::choice;
use super::list_url::{ListRequest, Period};
use super::text::{count, plural};
use crate::domain::{Hour, IssueState};
use crate::query::{Field, Query, Term};
use crate::time::Time;

/// Height of the chart in SVG units. The style sheet stretches it to the width of the page.
const HEIGHT: i64 = 40;

/// What is known about all issues that a query matches.
pub struct Figures {
    /// How many there are; if not complete, at least.
    pub issues: i64,
    pub is_complete: bool,
    /// Their events in the requested period, if they can be counted.
    pub hours: Option<Vec<Hour>>,
    /// The events are those of issues in every state, while the list shows only open ones.
    pub any_state: bool,
}

pub fn overview(asked: ListRequest, figures: &Figures, now: Time) -> Html {
    let (hour, minute, _) = now.clock();
    let period = match asked.period {
        Period::Day => "24 h",
        Period::Fortnight => "14 d",
    };
    let series = figures.hours.as_deref().map(|hours| match asked.period {
        Period::Day => (Series::by_hour(hours, now.hour()), format!("{hour:02}:{minute:02} UTC")),
        Period::Fortnight => (Series::by_day(hours, now.hour()), "today, UTC".into()),
    });
    let any_state = figures.any_state.then_some(", any state");
    let sums = series.as_ref().map(|(series, _)| {
        let (events, errors) = (series.events(), series.errors());
        let events = html!("<p><b>{}</b> event{} in {}{}</p>", count(events), plural(events), period, any_state);
        html!("{}<p><b>{}</b> error{}</p>", events, count(errors), plural(errors))
    });
    let periods = [(Period::Day, "24 h"), (Period::Fortnight, "14 d")];
    let periods =
        periods.map(|(period, name)| choice(&asked.with_period(period), html!("{}", name), asked.period == period));
    let periods = html!("<nav aria-label=\"Period\">{}</nav>", Html::join(periods, &html!(" ")));
    let chart = match &series {
        Some((series, end)) => html!("{}\n{}", periods, series.figure(HEIGHT, end)),
        None => {
            html!("<p class=\"dim\">Their events are not counted: there are too many issues. Narrow the search.</p>\n")
        }
    };
    html!(
        "<section class=\"now\" aria-label=\"Activity\">\n<p>{}</p>{}\n{}</section>\n{}",
        issues(&asked.listing.query, figures),
        sums,
        chart,
        whole_issues(&asked.listing.query).map(|text| html!("<p class=\"dim\">{}</p>\n", text))
    )
}

fn issues(query: &Query, figures: &Figures) -> Html {
    let (number, at_least) = (count(figures.issues), (!figures.is_complete).then_some("at least "));
    match query.states().as_slice() {
        [state] if query.is_counted() => html!("<b>{}</b> {}", number, state.as_str()),
        _ if query.is_counted() => html!("<b>{}</b> issue{}", number, plural(figures.issues)),
        _ if figures.issues == 1 => html!("{}<b>1</b> issue matches", at_least),
        _ => html!("{}<b>{}</b> issues match", at_least, number),
    }
}

/// Says that issues are counted whole, if the query asks for something that differs between the events of one issue.
pub fn whole_issues(query: &Query) -> Option<String> {
    let mut names: Vec<&str> = query.0.iter().filter_map(several).collect();
    names.sort_unstable();
    names.dedup();
    let last = names.pop()?;
    let names = if names.is_empty() { last.to_string() } else { format!("{} and {last}", names.join(", ")) };
    Some(format!("Issues are counted whole, in all {names}."))
}

/// What an issue may have several of.
pub fn several(term: &Term) -> Option<&'static str> {
    match term {
        Term::Field(Field::Environment, _) => Some("environments"),
        Term::Field(Field::Release, _) => Some("releases"),
        Term::Field(Field::Server, _) => Some("servers"),
        Term::Field(Field::User, _) => Some("users"),
        Term::Tag(..) => Some("tags"),
        _ => None,
    }
}

/// True if the events of each issue in these states are counted for a project, or for all.
pub fn counts_all(shown: &[IssueState]) -> bool {
    shown == [IssueState::Open] || shown == IssueState::ALL
}
