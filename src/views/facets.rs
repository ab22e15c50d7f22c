//! Where an issue's events come from: environments, releases, servers and tags, each value with its share.
use super::html::{Html, html};
use super::list_url::events_of;
use super::text::{count, cut, plural};
use crate::domain::{Cursor, Facet};
use crate::query::{Field, Query, Term};

/// Maximum characters of a value.
const VALUE: usize = 100;
/// Start of the kind of a tag's facet.
const TAG: &str = "tag:";
/// Tags that are not folded.
const TAGS: usize = 4;

/// Facets without values are left out, and all tags but the first few are folded. Each value leads to the issue's events
/// that have it.
pub fn facets(issue: i64, facets: &[Facet]) -> Html {
    let is_tag = |facet: &&Facet| facet.kind.starts_with(TAG);
    let (tags, fields): (Vec<&Facet>, Vec<&Facet>) =
        facets.iter().filter(|facet| !facet.values.is_empty()).partition(is_tag);
    let (shown, folded) = tags.split_at(tags.len().min(TAGS));
    let names: Vec<&str> = folded.iter().filter_map(|facet| facet.kind.strip_prefix(TAG)).collect();
    let folded = (!folded.is_empty()).then(|| {
        let summary = html!(
            "{} more tag{}: <span>{}</span>",
            names.len(),
            plural(names.len() as i64),
            cut(&names.join(", "), VALUE)
        );
        let tags = folded.iter().map(|tag| facet(issue, tag)).collect::<Html>();
        html!("<details><summary>{}</summary>\n{}</details>\n", summary, tags)
    });
    html!("{}{}", fields.iter().chain(shown).map(|values| facet(issue, values)).collect::<Html>(), folded)
}

fn facet(issue: i64, facet: &Facet) -> Html {
    let (heading, term): (_, &dyn Fn(String) -> Term) = match facet.kind.as_str() {
        "environment" => (html!("Environment"), &|value| Term::Field(Field::Environment, value)),
        "release" => (html!("Release"), &|value| Term::Field(Field::Release, value)),
        "server_name" => (html!("Server"), &|value| Term::Field(Field::Server, value)),
        kind => {
            let name = kind.strip_prefix(TAG).unwrap_or(kind);
            (html!("<span>{}</span>", name), &|value| Term::Tag(name.into(), value))
        }
    };
    let total = facet.values.iter().map(|(_, events)| events).sum::<i64>() + facet.other;
    let values =
        facet.values.iter().map(|(value, events)| row(name(issue, term(value.clone()), value), *events, total));
    let other = (facet.other > 0).then(|| row(html!("<span class=\"dim\">other</span>"), facet.other, total));
    html!("<h2>{}</h2>\n<table>\n{}</table>\n", heading, values.chain(other).collect::<Html>())
}

/// A link to the events with this value.
fn name(issue: i64, term: Term, value: &str) -> Html {
    let events = events_of(issue, &Query(vec![term]), Cursor::Newest);
    html!("<a href=\"{}#events\"><span>{}</span></a>", events, cut(value, VALUE))
}

fn row(name: Html, events: i64, total: i64) -> Html {
    html!(
        "<tr><td>{}</td><td class=\"num\">{}</td><td class=\"num dim\">{}</td></tr>\n",
        name,
        count(events),
        share(events, total)
    )
}

/// Rounded, but `100 %` only for all and `0 %` only for none.
fn share(part: i64, total: i64) -> String {
    match (100.0 * part as f64 / total.max(1) as f64).round() {
        0.0 if part > 0 => "< 1 %".into(),
        100.0 if part < total => "> 99 %".into(),
        percent => format!("{percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_100_percent_only_for_all_and_0_percent_only_for_none() {
        assert_eq!(
            (share(1, 3), share(2, 3), share(5, 5), share(0, 0)),
            ("33 %".into(), "67 %".into(), "100 %".into(), "0 %".into())
        );
        assert_eq!((share(1, 1_000_000), share(999_999, 1_000_000)), ("< 1 %".into(), "> 99 %".into()));
        assert_eq!(share(i64::MAX, i64::MAX), "100 %");
    }
}
