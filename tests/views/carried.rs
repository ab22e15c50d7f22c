//! What an event carries besides its error, on its page and on its issue's.
use super::samples::*;
use obs::domain::{Facet, Neighbours, StoredEvent};
use obs::views;
use obs::views::{IssuePage, terminal};

/// An event without anything but its error.
fn bare() -> StoredEvent {
    StoredEvent {
        unhandled: false,
        tags: None,
        user: None,
        request: None,
        breadcrumbs: None,
        contexts: None,
        extra: None,
        more: None,
        ..event("x")
    }
}

fn shown(event: &StoredEvent) -> String {
    event_page(event, &issue("x"), None, None)
}

/// The part of a page between a heading and the next section.
fn section<'a>(html: &'a str, heading: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!("<h2>{heading}")).unwrap_or_else(|| panic!("no {heading} in {html}"));
    rest.split("</section>").next().unwrap()
}

#[test]
fn the_sections_have_one_order_and_absent_ones_have_no_heading() {
    let all = ["Stack trace", "Request", "User", "Tags", "Breadcrumbs", "Contexts", "Extra", "More"];
    let full = event("x");
    let issue_of = |event: &StoredEvent| issue_page(&issue("x"), event, &page(&event.summary));
    for html in [shown(&full), issue_of(&full)] {
        let places: Vec<usize> = all.iter().map(|name| html.find(&format!("<h2>{name}")).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
    }
    let mut empty = bare();
    let nothing = Some("{}".to_string());
    (empty.request, empty.user, empty.tags, empty.contexts) =
        (nothing.clone(), nothing.clone(), nothing.clone(), nothing);
    empty.breadcrumbs = Some("[]".into());
    for event in [bare(), empty] {
        for html in [shown(&event), issue_of(&event)] {
            for name in &all[1..] {
                assert!(!html.contains(&format!("<h2>{name}")), "{name}");
            }
        }
    }
}

#[test]
fn a_request_begins_with_method_and_address_and_folds_many_headers_and_a_long_body() {
    let headers = |count| (0..count).map(|n| format!("[\"X-{n}\",[\"v{n}\"]]")).collect::<Vec<_>>().join(",");
    let request = |count, body: &str| {
        let mut event = bare();
        event.request = Some(format!(
            r#"{{"cookies":"[Filtered]","data":{body},"env":{{}},"headers":[{}],"query_string":"a=1","url":"/pay","method":"PUT"}}"#,
            headers(count)
        ));
        section(&shown(&event), "Request").to_string()
    };
    let html = request(3, r#"{"card":"[Filtered]"}"#);
    let order =
        [">PUT<", ">/pay<", ">query<", ">a=1<", ">X-0<", ">v0<", ">X-2<", ">body<", ">cookies<", ">[Filtered]<"];
    let places: Vec<usize> =
        order.iter().map(|text| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(html.contains("<pre>{&quot;card&quot;: &quot;[Filtered]&quot;}</pre>") && !html.contains("env"), "{html}");
    assert!(!html.contains("<details>"), "{html}");
    let html = request(20, &format!("\"{}\"", "line\\n".repeat(50)));
    assert!(html.contains("<details><summary>20 headers</summary>\n<dl>\n<dt><span>X-0</span>"), "{html}");
    assert!(html.contains("<details><summary>text, 50 lines</summary>"), "{html}");
}

#[test]
fn tags_and_the_field_that_identifies_a_user_are_links() {
    let mut event = bare();
    event.user = Some(r#"{"email":"ann@example.com","id":7,"geo":{"city":"Oslo"}}"#.into());
    event.tags = Some(r#"{"plan":"pro plus"}"#.into());
    let html = shown(&event);
    assert!(section(&html, "User").contains(r#"<dt><span>id</span></dt><dd><a href="/?q=user:7"><span>7</span></a>"#));
    assert!(!section(&html, "User").contains("q=user:ann"));
    assert!(section(&html, "Tags").contains(r#"<a href="/?q=plan:%22pro+plus%22">"#));
}

#[test]
fn a_user_whose_fields_say_nothing_gets_no_heading() {
    let mut event = bare();
    for user in [r#"{"ip_address":"{{auto}}"}"#, r#"{"id":null,"email":"","geo":{}}"#] {
        event.user = Some(user.into());
        assert!(!shown(&event).contains("<h2>User"), "{user}");
    }
    event.user = Some(r#"{"id":0,"ip_address":"{{auto}}"}"#.into());
    assert!(section(&shown(&event), "User").ends_with("<span>0</span></a></dd>\n</dl>\n"));
}

#[test]
fn breadcrumbs_are_a_table_with_the_error_last() {
    let mut event = bare();
    let long = "v".repeat(300);
    event.summary.message = "declined\nsecond line".into();
    event.breadcrumbs = Some(format!(
        r#"[{{"timestamp":1700000000.5,"category":"http","level":"warning","data":{{"url":"/pay"}}}},
            {{"message":"clicked","type":"user","level":"info","data":{{"a":"{long}"}}}},"odd"]"#
    ));
    let html = shown(&event);
    let table = section(&html, "Breadcrumbs").split_once("<table class=\"crumbs\">").unwrap().1.to_string();
    let rows: Vec<&str> = table.split("<tr>").skip(1).collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows[0].starts_with("<td>22:13:20.500</td><td><span>warning http</span></td>"), "{table}");
    assert!(rows[0].contains("<code>{&quot;url&quot;: &quot;/pay&quot;}</code>"), "short data is not folded: {table}");
    assert!(rows[1].contains("<span>user</span>") && rows[1].contains(">clicked<"), "{table}");
    assert!(rows[1].contains("<details><summary>data</summary>"), "{table}");
    assert!(rows[2].contains(">odd<"), "{table}");
    assert!(rows[3].starts_with("<td>18:42:04.000</td><td><span>error</span></td>"), "{table}");
    assert!(rows[3].contains("x: declined<"), "{table}");
}

#[test]
fn early_breadcrumbs_are_folded_and_very_early_ones_are_left_out() {
    let mut event = bare();
    let crumbs: Vec<String> = (0..130).map(|n| format!(r#"{{"message":"step {n}."}}"#)).collect();
    event.breadcrumbs = Some(format!("[{}]", crumbs.join(",")));
    let html = shown(&event);
    let html = section(&html, "Breadcrumbs");
    let (folded, last) = html.split_once("</details>").unwrap();
    assert!(folded.contains("<summary>82 earlier</summary>"), "{folded}");
    assert!(folded.contains("30 earlier ones are in the raw JSON only") && folded.contains(">step 30."), "{folded}");
    assert!(!html.contains("step 29.") && !last.contains("step 110.") && last.contains("step 111."), "{last}");
}

#[test]
fn a_context_with_a_name_is_one_line() {
    let mut event = bare();
    event.contexts = Some(
        r#"{"trace":{"trace_id":"0af7"},"os":{"name":"Linux","version":"6.1","kernel_version":"6.1.0-18"},
            "browser":{"name":"Firefox","version":"128.0"},"culture":{}}"#
            .into(),
    );
    let html = shown(&event);
    let html = section(&html, "Contexts");
    let order = [">browser<", ">Firefox 128.0<", ">os<", ">Linux 6.1<", ">trace<", "&quot;0af7&quot;"];
    let places: Vec<usize> =
        order.iter().map(|text| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"))).collect();
    assert!(places.is_sorted() && !html.contains("culture"), "{html}");
}

#[test]
fn a_cause_without_a_stack_trace_is_its_type_and_message_only() {
    let mut event = bare();
    event.causes = Some(r#"[{"type":"InkError","message":"no ink","stacktrace":null}]"#.into());
    let html = shown(&event);
    let cause = html.split_once("InkError").unwrap().1.split("</section>").next().unwrap();
    assert!(cause.contains("no ink") && !cause.contains("null"), "{cause}");
    let issue = issue("x");
    let one_of_one = Neighbours::default();
    let page = alone(&event, &issue, &one_of_one);
    let text = terminal::event(&page, "http://localhost").into_string();
    assert!(text.contains("Caused by InkError\n    no ink\n\n"), "{text}");
}

#[test]
fn local_variables_are_folded_under_their_frame() {
    let mut event = bare();
    event.stacktrace = Some(
        r#"[{"function":"f","filename":"a.py","vars":{"token":"[Filtered]","items":[1,2]}},{"function":"g","filename":"b.py"}]"#
            .into(),
    );
    let html = shown(&event);
    let frame = html.split_once("<b>f</b>").unwrap().1.split_once("</li>").unwrap().0;
    assert!(frame.contains("<details><summary>variables</summary><dl>"), "{frame}");
    assert!(frame.contains("[Filtered]") && frame.contains("<pre>[1, 2]</pre>"), "{frame}");
    assert_eq!(html.matches("<summary>variables").count(), 1, "a frame without variables has no fold");
}

#[test]
fn the_issue_page_folds_extra_and_more_and_the_event_page_does_not() {
    let event = event("x");
    let folded = |name: &str| format!("<details><summary><h2>{name}");
    let (on_issue, on_event) = (issue_page(&issue("x"), &event, &page(&event.summary)), shown(&event));
    for name in ["Extra", "More"] {
        assert!(on_issue.contains(&folded(name)) && !on_event.contains(&folded(name)), "{name}");
    }
    assert!(!on_issue.contains(&folded("Tags")));
}

#[test]
fn unhandled_errors_and_users_are_marked_on_every_page() {
    let (mut event, mut issue) = (event("x"), issue("x"));
    let mark = r#"<a href="/?q=is:unhandled"><em>unhandled</em></a>"#;
    let on_issue = issue_page(&issue, &event, &page(&event.summary));
    assert!(on_issue.contains(mark) && on_issue.contains("<p><b>3</b> users</p>"), "{on_issue}");
    assert!(shown(&event).contains(mark));
    assert!(
        list(page(&issue)).contains("<p><em>unhandled</em> · <code>")
            && list(page(&issue)).contains("<small>3 users</small>")
    );
    (event.unhandled, issue.unhandled, issue.users) = (false, false, 0);
    for html in [issue_page(&issue, &event, &page(&event.summary)), shown(&event), list(page(&issue))] {
        assert!(!html.contains("<em>unhandled") && !html.contains("users</"), "{html}");
    }
    issue.users = 1;
    assert!(list(page(&issue)).contains("<small>1 user</small>"));
}

#[test]
fn the_issue_page_links_the_shares_of_tags_and_folds_all_but_a_few() {
    let (event, issue) = (event("x"), issue("x"));
    let events = found(page(&event.summary));
    let facet =
        |name: &str| Facet { kind: format!("tag:{name}"), values: vec![("a b".into(), 3), ("c".into(), 1)], other: 0 };
    let facets: Vec<Facet> = ["browser", "os", "plan", "tenant", "url", "zone"].map(facet).into();
    let show = |facets| views::issue(&IssuePage { facets, ..whole(&issue, &event, &events) }).into_string();
    let html = show(&facets);
    let link = |name: &str| {
        format!(
            "<a href=\"/issues/41?q={name}:%22a+b%22#events\"><span>a b</span></a></td><td class=\"num\">3</td><td class=\"num dim\">75 %<"
        )
    };
    let (shown, folded) = html.split_once("<summary>2 more tags: <span>url, zone</span></summary>").unwrap();
    assert!(shown.contains("<h2><span>browser</span></h2>") && shown.contains(&link("tenant")), "{shown}");
    assert!(folded.contains(&link("url")) && folded.contains(&link("zone")) && !folded.contains(&link("tenant")));
    assert!(!show(&facets[..4]).contains("more tag"));
}

#[test]
fn a_terminal_shows_the_same_sections() {
    let mut event = bare();
    let headers: Vec<String> = (0..20).map(|n| format!("\"X-{n}\":\"v\"")).collect();
    event.unhandled = true;
    event.request =
        Some(format!(r#"{{"method":"PUT","url":"/pay","headers":{{{}}},"data":"[Filtered]"}}"#, headers.join(",")));
    event.user = Some(r#"{"id":7,"geo":{"city":"Oslo"}}"#.into());
    event.tags = Some(r#"{"plan":"pro"}"#.into());
    event.breadcrumbs =
        Some(r#"[{"timestamp":1.5,"category":"http","level":"error","message":"GET /","data":{"n":1}}]"#.into());
    event.contexts = Some(r#"{"os":{"name":"Linux","version":"6.1"}}"#.into());
    event.stacktrace = Some(r#"[{"function":"f","filename":"a.py","vars":{"token":"[Filtered]"}}]"#.into());
    let sections = "    X-19: v
    body: [Filtered]

User
    id: 7
    geo: {\"city\": \"Oslo\"}

Tags
    plan: pro

Breadcrumbs, what happened before, the error last
    00:00:01.500  error http: GET /
        {\"n\": 1}
    18:42:04.000  error: x: x

Contexts
    os: Linux 6.1
";
    let (issue, events) = (issue("x"), found(page(&event.summary)));
    let one_of_one = Neighbours::default();
    let one = alone(&event, &issue, &one_of_one);
    let pages = [
        terminal::event(&one, "http://localhost"),
        terminal::issue(&whole(&issue, &event, &events), "http://localhost"),
    ];
    for text in pages.map(terminal::Screen::into_string) {
        assert!(text.contains("\nRequest\n    PUT: /pay\n    X-0: v\n") && text.contains(sections), "{text}");
        assert!(text.contains("        token = [Filtered]\n"), "{text}");
        assert!(text.lines().next().unwrap().contains("error · unhandled · "), "{text}");
    }
}
