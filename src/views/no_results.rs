//! The list when no issue matches: what was searched for, and links to wider searches.
use super::html::{Html, html};
use super::layout::dotted;
use super::list_url::ListRequest;
use super::text::cut;
use crate::domain::IssueState;
use crate::query::{Is, Query};

/// Maximum characters of one term, and of the whole query.
const TERM: usize = 60;
const QUERY: usize = 300;

/// Also the page's title.
pub fn heading(query: &Query) -> String {
    match asks_only_for_state(query) {
        true => format!("No {}issues", adjective(query)),
        false => "Nothing matches".into(),
    }
}

pub fn no_results(asked: ListRequest) -> Html {
    let query = &asked.listing.query;
    let terms = query.with_state(None);
    let shown = |query: &Query| cut(&query.to_string(), QUERY).into_owned();
    let sentence = match query.states().is_empty() {
        true => Some(html!("<p>No issue matches <code>{}</code>: an issue has only one state.</p>\n", shown(query))),
        false if terms.0.is_empty() => None,
        false => Some(html!("<p>No {}issue matches <code>{}</code>.</p>\n", adjective(query), shown(&terms))),
    };
    let link = |query: &Query, text: Html| html!("<a href=\"{}\">{}</a>", asked.with_query(query), text);
    let drops = terms
        .0
        .iter()
        .filter(|_| query.0.len() > 1)
        .map(|term| link(&query.without(term), html!("Drop <span>{}</span>", cut(&term.to_string(), TERM))));
    let wider =
        (query.states() != IssueState::ALL).then(|| link(&query.with_state(Some(Is::Any)), html!("Search all states")));
    let clear = (!query.0.is_empty()).then(|| html!("<a href=\"/\">Clear the search</a>"));
    html!(
        "<div class=\"note\">\n<h2>{}</h2>\n{}<p>{}</p>\n</div>\n",
        heading(query),
        sentence,
        dotted(drops.chain(wider).chain(clear))
    )
}

fn asks_only_for_state(query: &Query) -> bool {
    query.with_state(None).0.is_empty() && !query.states().is_empty()
}

/// `open ` and the like, to stand before `issue`.
fn adjective(query: &Query) -> String {
    match query.states().as_slice() {
        [state] => format!("{} ", state.as_str()),
        _ => String::new(),
    }
}
