//! Where an issue's events come from: environments, releases and servers, with their shares.
use super::address::with_value;
use super::text::{count, cut};
use crate::domain::Facet;
use crate::html;
use crate::query::Field;
use crate::views::html::Html;

/// Characters of a value that are shown.
const VALUE: usize = 100;

/// Those that have any value.
pub fn facets(facets: &[Facet]) -> Html {
    facets.iter().filter(|facet| !facet.values.is_empty()).map(facet).collect()
}

fn facet(facet: &Facet) -> Html {
    let (heading, field) = match facet.kind {
        "environment" => ("Environment", Field::Environment),
        "release" => ("Release", Field::Release),
        _ => ("Server", Field::Server),
    };
    let all = facet.values.iter().map(|(_, events)| events).sum::<i64>() + facet.other;
    let values = facet.values.iter().map(|(value, events)| row(name(field, value), *events, all));
    let other = (facet.other > 0).then(|| row(html!("<span class=\"dim\">other</span>"), facet.other, all));
    html!("<h2>{}</h2>\n<table>\n{}</table>\n", heading, values.chain(other).collect::<Html>())
}

/// A link to the issues that have it, if one can ask for them.
fn name(field: Field, value: &str) -> Html {
    match with_value(field, value) {
        Some(address) => html!("<a href=\"{}\"><span>{}</span></a>", address, cut(value, VALUE)),
        None => html!("<span>{}</span>", cut(value, VALUE)),
    }
}

fn row(name: Html, events: i64, all: i64) -> Html {
    html!(
        "<tr><td>{}</td><td class=\"num\">{}</td><td class=\"num dim\">{}</td></tr>\n",
        name,
        count(events),
        share(events, all)
    )
}

/// To the nearest whole, but never all or nothing where that is not so.
fn share(part: i64, all: i64) -> String {
    let (part, all) = (i128::from(part.max(0)), i128::from(all.max(1)));
    match (200 * part + all) / (2 * all) {
        0 if part > 0 => "< 1 %".into(),
        100 if part < all => "> 99 %".into(),
        percent => format!("{percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_all_or_nothing_where_that_is_not_so() {
        assert_eq!(
            (share(1, 3), share(2, 3), share(5, 5), share(0, 0)),
            ("33 %".into(), "67 %".into(), "100 %".into(), "0 %".into())
        );
        assert_eq!((share(1, 1_000_000), share(999_999, 1_000_000)), ("< 1 %".into(), "> 99 %".into()));
        assert_eq!(share(i64::MAX, i64::MAX), "100 %");
    }
}
