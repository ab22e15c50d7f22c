//! The pages of an issue and of an event.
use super::samples::*;
use obs::domain::{Facet, HistoryEntry, Hour, Issue, IssueState, StoredEvent, Summary};
use obs::views;
use obs::views::{IssuePage, Period};

#[test]
fn the_issue_page_shows_the_state_and_since_when() {
    let (event, mut issue) = (event("x"), issue("x"));
    let show = |issue: &Issue| issue_page(issue, &event, &page(&event.summary));
    let html = show(&issue);
    assert!(html.contains("<b>open</b> <span class=\"dim\">"));
    assert!(
        html.contains(r#"<button class="do" name="do" value="resolve">Resolve</button>"#) && html.contains(">Ignore<")
    );
    assert!(html.contains(
        r#"<form class="acts" method="post" action="/issues/41"><input type="hidden" name="back" value="/issues/41">"#
    ));
    issue.reopened_at = Some(at("2026-11-24T10:42:30Z"));
    issue.resolved_at = Some(at("2026-11-18T10:42:30Z"));
    let html = show(&issue);
    assert!(
        html.contains("<b>open</b> · <em>reopened</em> <time")
            && html.contains(">8 h ago, 10:42 UTC</time>, resolved <time")
    );
    assert!(html.contains(">6 d ago, 18 Nov, 10:42 UTC</time>"));
    issue.state = IssueState::Resolved;
    let html = show(&issue);
    assert!(html.contains("<b>resolved</b> <time") && html.contains(r#"value="reopen">Reopen<"#));
    assert!(!html.contains("value=\"resolve\"") && !html.contains("value=\"ignore\""));
}

#[test]
fn the_issue_page_shows_its_fortnight_the_origin_of_its_events_and_its_history() {
    let (mut event, issue) = (event("x"), issue("x"));
    event.breadcrumbs = None; // another table
    let mut hours = vec![Hour::default(); Period::Fortnight.hours(now())];
    hours[0].events = 773;
    *hours.last_mut().unwrap() = Hour { events: 431, errors: 0 };
    let values = |names: &[(&str, i64)]| names.iter().map(|(name, n)| (name.to_string(), *n)).collect();
    let facets = [
        Facet { kind: "environment".into(), values: values(&[("production", 1190), ("say \"hi\"", 4)]), other: 10 },
        Facet { kind: "release".into(), values: Vec::new(), other: 0 },
        Facet { kind: "server_name".into(), values: values(&[("web 1", 1204)]), other: 0 },
    ];
    let happened = |what: &str, other| HistoryEntry { at: at("2026-11-18T17:52:00Z"), what: what.into(), other };
    let history = [happened("merged", Some(12)), happened("reopened by an event", None)];
    let events = found(page(&event.summary));
    let html = views::issue(&IssuePage {
        hours: &hours,
        facets: &facets,
        history: &history,
        ..whole(&issue, &event, &events)
    })
    .into_string();
    assert!(
        html.contains(r#"aria-label="Events a day over the last 14 days: 1,204 in all, most on Wed 11 Nov with 773""#)
    );
    assert!(
        html.contains(r#"<tr><td>Tue 24 Nov so far</td><td class="num">431</td></tr>"#)
            && !html.contains("class=\"error\"")
    );
    let (tables, _) = html.split_once("id=\"events\"").unwrap();
    assert_eq!(tables.matches("<tr><td>").count(), 14 + 3 + 1);
    assert!(html.contains(r#"<a href="/issues/41?q=env:production#events"><span>production</span></a></td><td class="num">1,190</td><td class="num dim">99 %<"#));
    assert!(
        html.contains(
            "<a href=\"/issues/41?q=env:%22say+%22%22hi%22%22%22#events\"><span>say &quot;hi&quot;</span></a>"
        ),
        "a query doubles the quotes of a value"
    );
    assert!(html.contains(">other</span>") && html.contains(">10</td>") && !html.contains("<h2>Release"));
    assert!(html.contains(r##"<a href="/issues/41?q=server:%22web+1%22#events">"##) && html.contains("100 %"));
    let history = html.split_once("<h2>History").unwrap().1;
    assert!(history.contains("merged with issue 12") && history.find("reopened by an event") < history.find("created"));
    assert!(!issue_page(&issue, &event, &events.page).contains("<h2>History"), "nothing happened");
}

#[test]
fn deleting_takes_two_steps_and_names_what_is_deleted() {
    let (event, mut issue) = (event("x"), issue("x"));
    let html = issue_page(&issue, &event, &page(&event.summary));
    let folded = |html: &str| {
        html.split_once("<details><summary>Delete this").unwrap().1.split_once("</details>").unwrap().0.to_string()
    };
    let form = folded(&html);
    assert!(form.contains(r#"action="/issues/41"><input type="hidden" name="back" value="/">"#));
    assert!(form.contains("This cannot be undone.") && form.contains(">Delete issue 41 and 417 events</button>"));
    issue.stored = 1;
    assert!(folded(&issue_page(&issue, &event, &page(&event.summary))).contains("issue 41 and 1 event<"));

    let form = folded(&event_page(&event, &issue, Some(&event.summary), None));
    assert!(form.contains(&format!(
        r#"action="/events/{}"><input type="hidden" name="back" value="/issues/1">"#,
        event.summary.id
    )));
    assert!(form.contains(">Delete the event of 24 Nov 2026, 18:42:06 UTC</button>"));
    let form = folded(&event_page(&event, &issue, None, None));
    assert!(form.contains(r#"name="back" value="/">"#) && form.contains(">Delete issue 1 and the event of 24 Nov"));
}

#[test]
fn the_issue_page_shows_how_many_events_are_stored_and_how_they_were_grouped() {
    let (event, mut issue) = (event("x"), issue("x"));
    issue.title = "order <*> failed".into();
    let html = issue_page(&issue, &event, &page(&event.summary));
    assert!(html.contains("<b>1,204</b> events, 417 stored"));
    let grouped = html.split_once("How these events were grouped").unwrap();
    assert!(grouped.1.contains("order &lt;*&gt; failed") && !grouped.0.contains("&lt;*&gt;"));
    assert!(html.contains(r#"href="/issues/41?before=99#events""#) && html.contains("/issues/41?after=7#events"));
    issue.stored = issue.count;
    assert!(!issue_page(&issue, &event, &page(&event.summary)).contains(" stored"));
}

#[test]
fn a_long_message_is_folded_on_the_issue_page_and_whole_on_the_event_page() {
    let (mut event, mut issue) = (event("x"), issue("x"));
    issue.message = format!("{}{}\nlast line", "a".repeat(600), "b".repeat(100));
    event.summary.message = issue.message.clone();
    let html = issue_page(&issue, &event, &page(&event.summary));
    let heading = html.split_once("</h1>").unwrap();
    assert!(heading.0.ends_with("aaa</span>"));
    assert!(heading.1.contains("… 110 more characters") && heading.1.contains("bbb\nlast line"));
    let html = event_page(&event, &issue, None, None);
    assert!(html.split_once("</h1>").unwrap().0.contains("abbb") && html.contains("b\nlast line</span></h1>"));
}

#[test]
fn the_event_page_links_to_its_issue_and_its_neighbours() {
    let (event, issue) = (event("x"), issue("x"));
    let one = Summary { id: "older-id".into(), ..event.summary.clone() };
    let html = event_page(&event, &issue, Some(&one), None);
    assert!(html.contains(r#"<a href="/issues/41">Issue 41, 1,204 events</a>"#));
    assert!(html.contains(r#"rel="prev" href="/events/older-id" title="#) && !html.contains("Next"));
    assert!(html.contains("12 events held back by the client") && html.contains("<dd><span>2 s later</span>"));
    assert!(html.contains("<dt>fingerprint</dt><dd><span>x, b</span></dd>"));
}

/// The rows between a heading and the end of its section, as `name: value`.
fn rows(html: &str, heading: &str) -> Vec<String> {
    let section = html.split(&format!("<h2>{heading}")).nth(1).unwrap().split("</section>").next().unwrap();
    let text =
        |html: &str| html.split('<').map(|tag| tag.split_once('>').map_or("", |(_, text)| text)).collect::<String>();
    let row =
        |row: &str| row.split_once("</dt>").map(|(name, value)| format!("{}: {}", text(name), text(value).trim_end()));
    section.split("<dt").skip(1).filter_map(|html| row(&format!("<dt{html}"))).collect()
}

#[test]
fn what_an_event_carries_is_one_line_where_it_has_a_name_and_a_version() {
    let event = StoredEvent {
        contexts: Some(
            r#"{"trace":{"type":"trace","op":"x"},"rust":{"type":"runtime","name":"rustc","version":"1.95.0"},
                "os":{"name":"Debian","version":"12.11\n"},"cloud_resource":{}}"#
                .into(),
        ),
        more: Some(
            r#"{"sdk":{"name":"sentry.rust","version":"0.49","integrations":["panic"]},"modules":{"flask":"3.1.3","six":"1.17.0"},
                "transaction_info":{},"time_spent":null,"transaction":"/pay"}"#
                .into(),
        ),
        ..event("x")
    };
    let html = event_page(&event, &issue("x"), None, None);
    let contexts = rows(&html, "Contexts");
    assert_eq!(contexts[..2], ["os: Debian 12.11", "rust: rustc 1.95.0"], "known ones first");
    assert!(contexts.len() == 3 && contexts[2].starts_with("trace: "), "{contexts:?}");
    assert_eq!(rows(&html, "More"), ["sdk: sentry.rust 0.49", "modules: flask 3.1.3, six 1.17.0", "transaction: /pay"]);
}

#[test]
fn a_query_that_its_address_contains_is_not_repeated() {
    let shown = |query: &str| {
        let request = Some(format!(r#"{{"method":"GET","url":"/pay?a=1","query_string":{query}}}"#));
        rows(&event_page(&StoredEvent { request, ..event("x") }, &issue("x"), None, None), "Request")
    };
    assert_eq!(shown(r#""a=1""#), ["GET: /pay?a=1"]);
    assert_eq!(shown(r#""b=2""#), ["GET: /pay?a=1", "query: b=2"]);
}
