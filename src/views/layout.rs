//! What pages share: the frame around them with the search, badges, headings, facts in a line, paging.
use super::address::{ListRequest, Period};
use super::style_url;
use super::text::cut;
use crate::domain::{Level, StoredEvent};
use crate::html;
use crate::query::Sort;
use crate::views::html::Html;

/// A message past this many characters steps down to the weight of body text.
const LONG: usize = 300;

/// A whole page. `skip` names what the first link jumps to: the list's issues, or else the content.
pub fn page(title: &str, skip: &str, search: Option<Html>, main: Html) -> Html {
    html!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{} · obs</title>
<link rel="stylesheet" href="{}">
</head>
<body>
<a class="skip" href="#main">Skip to {}</a>
<header><a href="/">obs</a>{}</header>
<main id="main" tabindex="-1">
{}
</main>
</body>
</html>
"##,
        title,
        style_url(),
        skip,
        search,
        main
    )
}

/// The search in the header, with what was typed, and what it keeps of the list that it is on.
pub fn search(typed: &str, asked: Option<ListRequest>) -> Html {
    let kept = |name: &str, value: &str| html!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", name, value);
    let sort = asked.map(|asked| asked.listing.sort).filter(|sort| *sort != Sort::default());
    let period = asked.map(|asked| asked.period).filter(|period| *period != Period::default());
    html!(
        "\n<form role=\"search\" action=\"/\"><input type=\"search\" name=\"q\" aria-label=\"Search issues\" \
         placeholder=\"text, level:error, env:production, platform:go\" value=\"{}\">{}{}<button>Search</button></form>\n",
        typed,
        sort.map(|sort| kept("sort", sort.as_str())),
        period.map(|period| kept("period", period.as_str()))
    )
}

/// A page that is a few sentences, for a reader who may not know yet what there is to search.
pub fn note(heading: &str, body: Html) -> Html {
    page(heading, "content", None, html!("<div class=\"note\">\n<h1>{}</h1>\n{}\n</div>", heading, body))
}

/// Three shapes as well as three words and colours.
pub fn badge(level: Level) -> Html {
    html!(r#"<b class="level {}">{}</b>"#, level.as_str(), level.as_str())
}

/// What broke, as a page's title: a browser shows little of it.
pub fn title(kind: Option<&str>, message: &str) -> String {
    let parts: Vec<&str> = kind.into_iter().chain([message]).filter(|part| !part.is_empty()).collect();
    cut(&parts.join(": "), 100).into_owned()
}

/// What broke, as a page's heading.
pub fn heading(kind: Option<&str>, message: &str) -> Html {
    let long = message.chars().nth(LONG).map(|_| html!(r#" class="long""#));
    let kind = kind.map(|kind| html!("<b>{}</b> ", kind));
    html!(r#"<h1{}>{}<span dir="auto">{}</span></h1>"#, long, kind, message)
}

/// Where it broke: `function in file`, as grouping words it, the function louder than the file.
pub fn culprit(culprit: &str, most: usize) -> Html {
    let culprit = cut(culprit, most);
    match culprit.rsplit_once(" in ") {
        Some((function, file)) => html!("<code>{}</code> <span>{}</span>", function, file),
        None => html!("<code>{}</code>", culprit),
    }
}

/// Short facts in a line.
pub fn dotted(facts: impl IntoIterator<Item = Html>) -> Html {
    Html::join(facts, &html!(" · "))
}

/// Those texts that are there, each an element of its own.
pub fn spans<'a, const N: usize>(texts: [Option<&'a str>; N]) -> impl Iterator<Item = Html> + 'a {
    texts.into_iter().flatten().filter(|text| !text.is_empty()).map(|text| html!("<span>{}</span>", text))
}

/// Where an event is as it is stored, for programs and for what a page has no room for.
pub fn raw_json(event: &StoredEvent) -> Html {
    html!("<a href=\"/api/events/{}\">raw JSON</a>", event.summary.id)
}

/// Stands where a part of an event ends because a page has no room for all of it.
pub fn cut_note(event: &StoredEvent) -> Html {
    html!("<p class=\"dim\">cut here; the {} has all of it</p>\n", raw_json(event))
}

/// Links to the neighbouring pages of a list, where there are any.
pub fn pager(label: &str, newer: Option<Html>, older: Option<Html>) -> Option<Html> {
    (newer.is_some() || older.is_some())
        .then(|| html!(r#"<nav class="pager" aria-label="{}">{}{}</nav>"#, label, newer, older))
}
