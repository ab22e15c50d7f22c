//! Links that change the list's query (state, level, environment, project) and its order.
use super::html::{Html, html};
use super::layout::choice;
use super::list_url::ListRequest;
use super::text::{count, cut};
use crate::domain::{IssueState, Level};
use crate::query::{Field, Is, Sort};

/// Maximum characters of a value in a link.
const VALUE: usize = 40;

/// `environments` and `projects` are the values to choose from. A row without values is left out.
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

/// A query that names no state means open issues.
fn state_links(asked: ListRequest, states: &[(IssueState, i64)]) -> Html {
    let query = &asked.listing.query;
    let shown = query.states();
    let links = states.iter().map(|(state, issues)| {
        let (name, is) = match state {
            IssueState::Open => ("Open", None),
            IssueState::Resolved => ("Resolved", Some(Is::State(*state))),
            IssueState::Ignored => ("Ignored", Some(Is::State(*state))),
        };
        choice(&asked.with_query(&query.with_state(is)), html!("{} {}", name, count(*issues)), shown == [*state])
    });
    let any = (shown == IssueState::ALL).then(|| choice(&asked.with_query(query), html!("Any state"), true));
    links.chain(any).collect()
}

/// Links for the values. The current value is included even if no event has it.
fn values(asked: ListRequest, field: Field, name: &str, all: &str, values: &[impl AsRef<str>]) -> Option<Html> {
    let query = &asked.listing.query;
    let current = query.value(field);
    let mut values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    values.extend(current.filter(|value| !values.contains(value)));
    let links = values.iter().map(|value| {
        let query = query.with_field(field, Some(value));
        let text = html!("{}", cut(value, VALUE));
        choice(&asked.with_query(&query), text, current == Some(value))
    });
    let all = choice(&asked.with_query(&query.with_field(field, None)), html!("{}", all), current.is_none());
    (!values.is_empty()).then(|| html!("<p><span>{}</span>{}{}</p>\n", name, all, links.collect::<Html>()))
}

/// The column heads, which are links that sort.
pub fn heads(asked: ListRequest) -> Html {
    let heads = [(Sort::Count, "Events"), (Sort::LastSeen, "Last seen"), (Sort::FirstSeen, "First seen")];
    let heads = heads.map(|(sort, name)| {
        let is_current = asked.listing.sort == sort;
        choice(&asked.with_sort(sort), html!("{}{}", name, is_current.then_some(" ↓")), is_current)
    });
    html!("<nav class=\"cols\" aria-label=\"Sort\"><span>24 h</span>{}</nav>\n", heads.into_iter().collect::<Html>())
}
