//! Links that change the list's query (state, level, environment, release, project) and its order.
use super::html::{Html, html};
use super::layout::choice;
use super::list_url::ListRequest;
use super::text::{count, cut, grouped};
use crate::domain::{Choices, IssueState, Level};
use crate::query::{Field, Is, Sort, Term};

/// Maximum characters of a value in a link.
const VALUE: usize = 40;
/// Maximum characters of the line that says which filters are set.
const SET: usize = 80;

/// What there is to choose from. A group without values is left out.
pub struct Offered<'a> {
    pub states: &'a [(IssueState, i64)],
    pub environments: &'a Choices,
    pub releases: &'a Choices,
    pub projects: &'a [&'a str],
}

/// On a narrow screen they are folded behind a line that says which are set.
pub fn filters(asked: ListRequest, offered: &Offered) -> Html {
    let levels = Level::ALL.map(Level::as_str);
    let (environments, releases) = (offered.environments, offered.releases);
    html!(
        "<details class=\"fold\"><summary>Filters: <b>{}</b></summary>\n<nav class=\"filters\" aria-label=\"Filters\">\n\
         {}{}{}{}{}{}</nav></details>\n",
        cut(&set(asked), SET),
        group("State", None, state_links(asked, offered.states)),
        group("Mark", None, marks(asked)),
        values(asked, Field::Level, "Level", "any", &levels, 0),
        values(asked, Field::Environment, "Environment", "all", &environments.values, environments.more),
        values(asked, Field::Release, "Release", "all", &releases.values, releases.more),
        values(asked, Field::Project, "Project", "all", offered.projects, 0)
    )
}

fn group(label: &str, title: Option<Html>, links: Html) -> Html {
    html!("<div role=\"group\" aria-label=\"{}\">{}{}</div>\n", label, title, links)
}

/// The filters that are set, as a user would type them.
fn set(asked: ListRequest) -> String {
    let query = &asked.listing.query;
    let state = if query.states() == [IssueState::Open] { "open" } else { "" };
    let terms = query.0.iter().filter(|term| !matches!(term, Term::Text(_) | Term::Is(Is::State(IssueState::Open))));
    let terms = terms.map(Term::to_string);
    let set: Vec<String> = Some(state.to_string()).filter(|state| !state.is_empty()).into_iter().chain(terms).collect();
    set.join(" · ")
}

/// What can be noteworthy about an issue. Each is set on its own.
fn marks(asked: ListRequest) -> Html {
    let query = &asked.listing.query;
    let marks = [(Is::New, "new"), (Is::Reopened, "reopened"), (Is::Unhandled, "unhandled")];
    let links = marks.map(|(is, name)| {
        let term = Term::Is(is);
        let is_set = query.0.contains(&term);
        let query = if is_set { query.without(&term) } else { query.with(term) };
        choice(&asked.with_query(&query), html!("{}", name), is_set)
    });
    links.into_iter().collect()
}

/// A query that names no state means open issues. How many there are is known only if nothing else is asked for.
fn state_links(asked: ListRequest, states: &[(IssueState, i64)]) -> Html {
    let query = &asked.listing.query;
    let shown = query.states();
    let links = states.iter().map(|(state, issues)| {
        let (name, is) = match state {
            IssueState::Open => ("Open", None),
            IssueState::Resolved => ("Resolved", Some(Is::State(*state))),
            IssueState::Ignored => ("Ignored", Some(Is::State(*state))),
        };
        let issues = query.is_counted().then(|| html!(" {}", count(*issues)));
        choice(&asked.with_query(&query.with_state(is)), html!("{}{}", name, issues), shown == [*state])
    });
    let any = (shown == IssueState::ALL).then(|| choice(&asked.with_query(query), html!("Any state"), true));
    links.chain(any).collect()
}

/// Links for the values, and how many more there are. The current value is included even if no event has it.
fn values(
    asked: ListRequest,
    field: Field,
    name: &str,
    all: &str,
    values: &[impl AsRef<str>],
    more: i64,
) -> Option<Html> {
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
    let more = (more > 0).then(|| html!("<span>and {} more</span>", grouped(more)));
    let links = html!("{}{}{}", all, links.collect::<Html>(), more);
    (!values.is_empty()).then(|| group(name, Some(html!("<span>{}</span>", name)), links))
}

/// The column heads, which are links that sort.
pub fn heads(asked: ListRequest) -> Html {
    let heads =
        [(Sort::Day, "24 h"), (Sort::Count, "Events"), (Sort::LastSeen, "Last seen"), (Sort::FirstSeen, "First seen")];
    let heads = heads.map(|(sort, name)| {
        let is_current = asked.listing.sort == sort;
        choice(&asked.with_sort(sort), html!("{}{}", name, is_current.then_some(" ↓")), is_current)
    });
    html!("<nav class=\"cols\" aria-label=\"Sort\">{}</nav>\n", heads.into_iter().collect::<Html>())
}
