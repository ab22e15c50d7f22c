//! The list when nothing is in it: what was asked for, and the nearest wider searches.
use super::address::ListRequest;
use super::layout::dotted;
use super::text::cut;
use crate::domain::IssueState;
use crate::html;
use crate::query::{Is, Query, Term};
use crate::views::html::Html;

/// Characters of a term, and of all of them, that the page shows.
const TERM: usize = 60;
const TERMS: usize = 300;

/// What the page is called.
pub fn heading(query: &Query) -> String {
    match is_bare(query) {
        true => format!("No {}issues", adjective(query)),
        false => "Nothing matches".into(),
    }
}

pub fn no_match(asked: ListRequest) -> Html {
    let query = &asked.listing.query;
    let terms = query.with_state(None);
    let sentence = match (query.states().is_empty(), is_bare(query)) {
        (true, _) => html!("<p>No issue has <code>{}</code>: it is in one state at a time.</p>", shown(query)),
        (_, true) => html!("<p>No issue is {}.</p>", adjective(query).trim_end()),
        (..) => html!("<p>No {}issue has <code>{}</code>.</p>", adjective(query), shown(&terms)),
    };
    let link = |to: String, text: Html| html!("<a href=\"{}\">{}</a>", to, text);
    let drops = terms.0.iter().filter(|_| query.0.len() > 1).map(|term| {
        link(asked.with_query(&query.without(term)), html!("Drop <span>{}</span>", cut(&term.to_string(), TERM)))
    });
    let wider = (query.states() != IssueState::ALL)
        .then(|| link(asked.with_query(&query.with_state(Some(Is::Any))), html!("{}", look_further(query))));
    let clear = (!query.0.is_empty()).then(|| link("/".into(), html!("Clear the search")));
    html!(
        "<div class=\"note\">\n<h2>{}</h2>\n{}\n<p>{}</p>\n</div>\n",
        heading(query),
        sentence,
        dotted(drops.chain(wider).chain(clear))
    )
}

/// Nothing but a state is asked for.
fn is_bare(query: &Query) -> bool {
    !query.states().is_empty() && query.0.iter().all(|term| matches!(term, Term::Is(Is::State(_) | Is::Any)))
}

/// `open ` and the like, before `issue`.
fn adjective(query: &Query) -> String {
    match query.states().as_slice() {
        [state] => format!("{} ", state.as_str()),
        _ => String::new(),
    }
}

fn look_further(query: &Query) -> &'static str {
    match query.states().as_slice() {
        [IssueState::Open] => "Look in resolved and ignored too",
        _ => "Look in all states",
    }
}

fn shown(query: &Query) -> String {
    cut(&query.to_string(), TERMS).into_owned()
}
