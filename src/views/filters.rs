//! Links that edit what the list shows: its state, level, environment and project, and its order.
use super::address::{ListRequest, can_be_typed};
use super::text::{count, cut};
use crate::domain::{IssueState, Level};
use crate::html;
use crate::query::{Field, Is, Query, Sort};
use crate::views::html::Html;

/// Characters of a value that a link shows.
const VALUE: usize = 40;

/// `environments` and `projects` are what there is to choose from; with nothing to choose the row is left out.
pub fn filters(asked: ListRequest, states: &[(IssueState, i64)], environments: &[String], projects: &[&str]) -> Html {
    let levels = Level::ALL.map(Level::as_str);
    html!(
        "<nav class=\"filters\" aria-label=\"Filters\">\n<p>{}</p>\n{}{}{}</nav>\n",
        state_links(asked, states),
        values(asked, Field::Level, "Level", "any", &levels),
        values(asked, Field::Environment, "Environment", "all", environments),
        values(asked, Field::Project, "Project", "all", projects)
    )
}

/// How issues in a state are called, as the list's filter and in its title.
pub fn word(state: IssueState) -> &'static str {
    match state {
        IssueState::Open => "Open",
        IssueState::Resolved => "Resolved",
        IssueState::Ignored => "Ignored",
    }
}

/// Open ones are meant without a word.
fn state_links(asked: ListRequest, states: &[(IssueState, i64)]) -> Html {
    let query = &asked.listing.query;
    let shown = query.states();
    let one = states.iter().map(|(state, issues)| {
        let is = Some(Is::State(*state)).filter(|_| *state != IssueState::Open);
        let text = html!("{} {}", word(*state), count(*issues));
        link(asked, &query.with_state(is), text, shown == [*state])
    });
    let any = (shown == IssueState::ALL).then(|| link(asked, query, html!("Any state"), true));
    one.chain(any).collect()
}

/// Those values that one can ask for; the one that is asked for stands there in any case.
fn values(asked: ListRequest, field: Field, name: &str, all: &str, values: &[impl AsRef<str>]) -> Option<Html> {
    let query = &asked.listing.query;
    let current = query.value(field);
    let known: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    if known.is_empty() && current.is_none() {
        return None;
    }
    let other = current.filter(|value| !known.contains(value));
    let links = known.into_iter().chain(other).filter_map(|value| {
        let query = query.with_field(field, Some(value));
        can_be_typed(&query).then(|| link(asked, &query, html!("{}", cut(value, VALUE)), current == Some(value)))
    });
    let all = link(asked, &query.with_field(field, None), html!("{}", all), current.is_none());
    Some(html!("<p><span>{}</span>{}{}</p>\n", name, all, links.collect::<Html>()))
}

fn link(asked: ListRequest, query: &Query, text: Html, is_current: bool) -> Html {
    let current = is_current.then(|| html!(" aria-current=\"true\""));
    html!("<a href=\"{}\"{}>{}</a>", asked.with_query(query), current, text)
}

/// The columns' heads are the links that sort.
pub fn heads(asked: ListRequest) -> Html {
    let head = |(sort, name): (Sort, &str)| {
        let is_current = asked.listing.sort == sort;
        let current = is_current.then(|| html!(" aria-current=\"true\""));
        html!("<a href=\"{}\"{}>{}{}</a>", asked.with_sort(sort), current, name, is_current.then_some(" ↓"))
    };
    let heads = [(Sort::Count, "Events"), (Sort::LastSeen, "Last seen"), (Sort::FirstSeen, "First seen")].map(head);
    html!("<nav class=\"cols\" aria-label=\"Sort\"><span>24 h</span>{}</nav>\n", heads.into_iter().collect::<Html>())
}
