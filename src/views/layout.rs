//! What pages share: the frame around them, the search, badges, headings and links.
use super::html::{Html, html};
use super::list_url::matching;
use super::style::style_url;
use super::text::cut;
use crate::domain::{Level, StoredEvent};
use crate::query::{Is, Term};

/// Messages with more characters are set in the weight of body text.
const LONG: usize = 300;
/// Maximum characters of an event in a page's title.
const TITLE: usize = 100;

/// A whole page. `skip` names the target of the first link, "Skip to …".
pub fn page(title: &str, skip: &str, search: Option<Html>, main: Html) -> Html {
    html!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{} · obs</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="{}">
</head>
<body>
<a class="skip" href="#main">Skip to {}</a>
<header><a href="/">obs</a>{}<a href="/setup">Setup</a></header>
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

/// The search box in the header. `kept` are parameters of the current list that a new search keeps.
pub fn search(typed: &str, kept: impl Iterator<Item = (&'static str, String)>) -> Html {
    let kept = kept.map(|(name, value)| html!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", name, value));
    html!(
        "\n<form role=\"search\" action=\"/\"><input type=\"search\" name=\"q\" aria-label=\"Search issues\" \
         placeholder=\"text, level:error, env:production, platform:go\" value=\"{}\">{}<button>Search</button></form>\n",
        typed,
        kept.collect::<Html>()
    )
}

/// The page of an issue or event, with an empty search box.
pub fn content(title: &str, main: Html) -> Html {
    page(title, "content", Some(search("", std::iter::empty())), main)
}

/// A page of a few sentences, without a search box: there may be nothing to search yet.
pub fn note(heading: &str, body: Html) -> Html {
    page(heading, "content", None, html!("<div class=\"note\">\n<h1>{}</h1>\n{}\n</div>", heading, body))
}

pub fn badge(level: Level) -> Html {
    html!(r#"<b class="level {}">{}</b>"#, level.as_str(), level.as_str())
}

/// Marks an error that nobody caught, with a link to all of them.
pub fn unhandled(is_unhandled: bool) -> Option<Html> {
    is_unhandled.then(|| html!("<a href=\"{}\"><em>unhandled</em></a>", matching(Term::Is(Is::Unhandled))))
}

/// An error's type and message as a page's title.
pub fn title(kind: Option<&str>, message: &str) -> String {
    let parts: Vec<&str> = kind.into_iter().chain([message]).filter(|part| !part.is_empty()).collect();
    cut(&parts.join(": "), TITLE).into_owned()
}

/// An error's type and message as a page's heading.
pub fn heading(kind: Option<&str>, message: &str) -> Html {
    let long = message.chars().nth(LONG).map(|_| html!(r#" class="long""#));
    let kind = kind.map(|kind| html!("<b>{}</b> ", kind));
    html!(r#"<h1{}>{}<span dir="auto">{}</span></h1>"#, long, kind, message)
}

/// `function in file`, as `grouping` writes it, with the function set in code type.
pub fn culprit(culprit: &str, max: usize) -> Html {
    let culprit = cut(culprit, max);
    match culprit.rsplit_once(" in ") {
        Some((function, file)) => html!("<code>{}</code> <span>{}</span>", function, file),
        None => html!("<code>{}</code>", culprit),
    }
}

/// Short facts in one line.
pub fn dotted(facts: impl IntoIterator<Item = Html>) -> Html {
    Html::join(facts, &html!(" · "))
}

/// Platform, environment and project, each in an element of its own and left out if blank.
pub fn origin<'a>(
    platform: &'a Option<String>,
    env: &'a Option<String>,
    project: &'a str,
) -> impl Iterator<Item = Html> {
    let texts = [platform.as_deref(), env.as_deref(), Some(project)].into_iter().flatten();
    texts.filter(|text| !text.is_empty()).map(|text| html!("<span>{}</span>", text))
}

pub fn raw_json(event: &StoredEvent) -> Html {
    html!("<a href=\"/api/events/{}\">raw JSON</a>", event.summary.id)
}

/// Ends a part of an event that was truncated because it is too large for a page.
pub fn truncated(event: &StoredEvent) -> Html {
    html!("<p class=\"dim\">Truncated here. The {} is complete.</p>\n", raw_json(event))
}

/// One of several choices.
pub fn choice(href: &str, text: Html, is_current: bool) -> Html {
    let current = is_current.then(|| html!(" aria-current=\"true\""));
    html!("<a href=\"{}\"{}>{}</a>", href, current, text)
}

/// Links to the pages before and after this one, each given by its URL and text.
pub fn pager(label: &str, previous: Option<(String, Html)>, next: Option<(String, Html)>) -> Option<Html> {
    let is_empty = previous.is_none() && next.is_none();
    let previous = previous.map(|(href, text)| html!("<a rel=\"prev\" href=\"{}\">← {}</a>", href, text));
    let next = next.map(|(href, text)| html!("<a rel=\"next\" href=\"{}\">{} →</a>", href, text));
    (!is_empty).then(|| html!("<nav class=\"pager\" aria-label=\"{}\">{}{}</nav>\n", label, previous, next))
}
