//! Whole pages: text from an event is always escaped, and no event makes a page too large.
use obs::domain::{
    Cursor, Facet, Found, HistoryEntry, Hour, Issue, IssueState, Level, Page, Position, StoredEvent, Summary,
};
use obs::query::{Listing, Query, Sort};
use obs::time::Time;
use obs::views;
use obs::views::{EventPage, IssuePage, ListPage, ListRequest, Period};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// In bytes.
const LARGEST_PAGE: usize = 2_500_000;
const HOSTILE: &str = r#"<script>alert("no")</script><img src=x onerror='no'>&lt;"#;

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn now() -> Time {
    at("2026-11-24T18:42:30Z")
}

/// An event with `text` in every field that a client can set, including its traces and JSON.
fn event(text: &str) -> StoredEvent {
    let quoted = serde_json::to_string(text).unwrap();
    let own = format!(
        r#"{{"filename":{quoted},"function":{quoted},"lineno":7,"in_app":true,"pre_context":[{quoted}],"context_line":{quoted},"post_context":[{quoted}]}}"#
    );
    let library = format!(r#"{{"filename":{quoted},"function":{quoted},"in_app":false}}"#);
    let stacktrace = format!("[{own},{quoted},{own},{library},{library},{library},{{}}]");
    let json = format!("{{{quoted}:{quoted},\"object\":{{{quoted}:[{quoted},1]}}}}");
    StoredEvent {
        summary: summary(text),
        issue_id: 1,
        project: text.into(),
        platform: Some(text.into()),
        suppressed: Some(12),
        fingerprint: Some(format!("[{quoted},\"b\"]")),
        causes: Some(format!(
            r#"[{{"type":{quoted},"message":{quoted},"stacktrace":{stacktrace}}},{quoted},{{"message":7}}]"#
        )),
        stacktrace: Some(stacktrace),
        extra: Some(json.clone()),
        more: Some(json),
    }
}

fn summary(text: &str) -> Summary {
    Summary {
        seq: 9,
        id: "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91".into(),
        level: Level::Error,
        r#type: Some(text.into()),
        message: text.into(),
        timestamp: at("2026-11-24T18:42:04Z"),
        received_at: at("2026-11-24T18:42:06Z"),
        environment: Some(text.into()),
        server_name: Some(text.into()),
        release: Some(text.into()),
    }
}

fn issue(text: &str) -> Issue {
    Issue {
        id: 41,
        project: text.into(),
        title: text.into(),
        culprit: Some(text.into()),
        grouped_by: text.into(),
        count: 1204,
        stored: 417,
        first_seen: at("2026-11-11T17:42:30Z"),
        first_release: Some(text.into()),
        state: IssueState::Open,
        reopened_at: None,
        resolved_at: None,
        last_seen: at("2026-11-24T18:42:06Z"),
        last_event_id: "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91".into(),
        level: Level::Error,
        r#type: Some(text.into()),
        message: text.into(),
        platform: Some(text.into()),
        environment: Some(text.into()),
        release: Some(text.into()),
        last_seq: 9,
    }
}

fn page<T: Clone>(row: &T) -> Page<T> {
    Page { rows: vec![row.clone(); 50], newer: Some(place(99)), older: Some(place(7)) }
}

fn place(key: i64) -> Position {
    Position { key, id: 0 }
}

fn no_rows<T>(newer: Option<i64>) -> Page<T> {
    Page { rows: Vec::new(), newer: newer.map(place), older: None }
}

fn listing(q: &str) -> Listing {
    Listing { query: Query::parse(q), text: q.into(), sort: Sort::default(), cursor: Cursor::Newest }
}

/// A list page, with nothing around its rows unless a test sets it.
struct Shown {
    listing: Listing,
    period: Period,
    found: Found,
    hours: Vec<Hour>,
    issue_hours: HashMap<i64, Vec<Hour>>,
    environments: Vec<String>,
    projects: Vec<&'static str>,
    may_act: bool,
}

impl Shown {
    fn new(q: &str, rows: Page<Issue>) -> Shown {
        Shown {
            listing: listing(q),
            period: Period::Day,
            found: Found { page: rows, scanned: None },
            hours: vec![Hour::default(); 24],
            issue_hours: HashMap::new(),
            environments: Vec::new(),
            projects: Vec::new(),
            may_act: true,
        }
    }

    fn html(&self) -> String {
        let list = ListPage {
            asked: ListRequest { listing: &self.listing, period: self.period },
            found: &self.found,
            hours: &self.hours,
            issue_hours: &self.issue_hours,
            states: &[(IssueState::Open, 14), (IssueState::Resolved, 1203), (IssueState::Ignored, 6)],
            environments: &self.environments,
            projects: &self.projects,
            may_act: self.may_act,
            now: now(),
        };
        views::issues(&list).into_string()
    }
}

fn list(rows: Page<Issue>) -> String {
    Shown::new("", rows).html()
}

fn whole<'a>(issue: &'a Issue, newest: &'a StoredEvent, events: &'a Page<Summary>) -> IssuePage<'a> {
    IssuePage { issue, newest, events, hours: &[], facets: &[], history: &[], may_act: true, now: now() }
}

fn issue_page(issue: &Issue, newest: &StoredEvent, events: &Page<Summary>) -> String {
    views::issue(&whole(issue, newest, events)).into_string()
}

fn event_page(event: &StoredEvent, issue: &Issue, older: Option<&Summary>, newer: Option<&Summary>) -> String {
    views::event(&EventPage { event, issue, older, newer, may_act: true, now: now() }).into_string()
}

/// Every page that shows this event; the list pages with a query made of its text.
fn pages(event: &StoredEvent, issue: &Issue) -> [String; 4] {
    let (one, text) = (Some(&event.summary), event.project.as_str());
    let facet = |kind| Facet { kind, values: vec![(text.to_string(), 7); 10], other: 3 };
    let facets = ["environment", "release", "server_name"].map(facet);
    let hours = vec![Hour { events: i64::MAX / 1000, errors: 1 }; Period::Fortnight.hours(now())];
    let history = [HistoryEntry { at: now(), what: "merged".into(), other: Some(3) }];
    let events = page(&event.summary);
    let whole = IssuePage { facets: &facets, hours: &hours, history: &history, ..whole(issue, event, &events) };
    let query: String = format!("{text} env:{text} \"{text}\"").chars().take(1000).collect();
    let mut shown = Shown::new(&query, page(issue));
    shown.environments = vec![text.into(); 10];
    shown.hours = hours[..24].to_vec();
    shown.issue_hours.insert(issue.id, vec![Hour { events: i64::MAX / 1000, errors: 0 }; 24]);
    let mut nothing = Shown::new(&query, no_rows(None));
    nothing.environments = shown.environments.clone();
    [shown.html(), nothing.html(), views::issue(&whole).into_string(), event_page(event, issue, one, one)]
}

#[test]
fn hostile_text_is_escaped_in_every_field_of_every_page() {
    let mut all = Vec::from(pages(&event(HOSTILE), &issue(HOSTILE)));
    all.push(views::empty(HOSTILE, Some(HOSTILE)).into_string());
    all.push(views::error(404, HOSTILE, HOSTILE).into_string());
    for html in all {
        for raw in ["<script", "<img", "\"no\"", "'no'", " &lt;\"", "&lt;img src=x onerror='"] {
            assert!(!html.contains(raw), "{raw} in {html}");
        }
        assert!(html.contains("&lt;script&gt;"));
    }
}

#[test]
fn every_element_is_closed() {
    let void = ["!doctype", "meta", "link", "wbr", "hr", "br", "input"];
    for html in pages(&event("a/long.name::of/more.than/thirty.two"), &issue("x")) {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let name = tag.split(['>', ' ', '\n']).next().unwrap();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "before {tag}"),
                None if void.contains(&name) || tag.split('>').next().unwrap().ends_with('/') => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn pages_have_no_script_no_inline_style_and_one_heading() {
    for html in pages(&event("x"), &issue("x")) {
        let handler = |rest: &str| rest.split('=').next().unwrap().bytes().all(|b| b.is_ascii_lowercase());
        assert!(!html.contains("<script") && !html.contains("style=\"") && !html.split(" on").skip(1).any(handler));
        assert_eq!((html.matches("<h1").count(), html.matches("<main").count()), (1, 1));
        assert!(html.contains(views::style_url()));
    }
}

#[test]
fn no_event_makes_a_page_too_large_or_too_slow() {
    let mib = |unit: &str| unit.repeat((1 << 20) / unit.len());
    let array = |unit: &str| format!("[{}0]", mib(unit));
    let frame = format!(
        r#"{{"function":"{0}","filename":"{0}","context_line":"{0}","pre_context":["{0}","{0}","{0}","{0}","{0}"]}},"#,
        "&'<>".repeat(100)
    );
    let stacktrace = |unit: &str| format!("[{}0]", unit.repeat(((1 << 20) / unit.len()).min(250)));
    let causes = |unit: &str| {
        let cause = format!(r#"{{"type":"{0}","message":"{0}","stacktrace":{1}}},"#, "'".repeat(400), stacktrace(unit));
        format!("[{}0]", cause.repeat((1 << 20) / cause.len() + 1))
    };
    let text = |unit: &str| format!(r#"{{"a":"{0}","b":{{"c":"{0}"}}}}"#, unit.repeat((1 << 19) / unit.len()));
    let deep = format!("[{}{}", "[".repeat(126), "0,".repeat(400_000)) + "0" + &"]".repeat(127);
    let jsons = [
        text("'"),
        text("\\\""),
        text("\\u0000"),
        text("\\ud83d"),
        array("0,"),
        array("[[]],"),
        array("{},"),
        format!("{{{}\"\":0}}", mib("\"\":0,")),
        format!("{{{}\"\":0}}", mib("\"\":{\"\":0},")),
        deep,
        mib("9"),
    ];
    let traces = [array("0,"), array("{},"), stacktrace(&frame), stacktrace("[[[[[[[[[[[[[[]]]]]]]]]]]]]],")];
    let huge = "'".repeat(8192);
    let mut event = event(&"'".repeat(200));
    event.summary.message = huge.clone();
    let mut issue = issue(&"'".repeat(200));
    issue.message = huge;
    for n in 0..jsons.len().max(traces.len()) {
        event.extra = Some(jsons[n % jsons.len()].clone());
        event.more = event.extra.clone();
        event.stacktrace = Some(traces[n % traces.len()].clone());
        event.causes = Some(if n % 2 == 0 { causes("0,") } else { causes(&frame) });
        let started = Instant::now();
        for html in pages(&event, &issue) {
            assert!(html.len() < LARGEST_PAGE, "{} bytes in case {n}", html.len());
        }
        // Milliseconds in a release build. The limit is there to catch quadratic code.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?} in case {n}", started.elapsed());
    }
}

#[test]
fn a_truncated_page_says_so_and_links_to_the_whole_event() {
    let mut event = event("x");
    event.extra = Some(format!(r#"{{"a":"{}","last":1}}"#, "x".repeat(2 << 20)));
    let html = event_page(&event, &issue("x"), None, None);
    let note = format!(r#"Truncated here. The <a href="/api/events/{}">raw JSON</a> is complete."#, event.summary.id);
    assert_eq!(html.matches(&note).count(), 1);
    assert!(!html.contains("<span>last</span>") && !html.contains("<h2>More"));
    event.extra = Some(r#"{"a":1}"#.into());
    assert!(!event_page(&event, &issue("x"), None, None).contains("Truncated"));
}

#[test]
fn a_page_of_rows_is_small() {
    let mut issue = issue("production");
    issue.message = "load order 8812: query orders: dial tcp 10.0.3.7:5432: connect: connection refused".into();
    issue.culprit = Some("(*Store).LoadOrder in orders/store.go".into());
    let mut shown = Shown::new("level:error", page(&issue));
    shown.hours = vec![Hour { events: 1739, errors: 967 }; 24];
    shown.issue_hours.insert(41, (0..24).map(|events| Hour { events, errors: 0 }).collect());
    let html = shown.html();
    let rows = html.split_once("<ol").unwrap().1.split_once("</ol>").unwrap().0;
    assert!(rows.len() / 50 < 1000, "{} bytes a row", rows.len() / 50);
    assert!(html.len() < 70_000, "{} bytes", html.len());
}

#[test]
fn the_overview_has_a_text_alternative_for_its_chart() {
    let mut shown = Shown::new("", page(&issue("x")));
    shown.hours = (0..24).map(|n| Hour { events: 10 * n, errors: n }).collect();
    shown.hours[23] = Hour { events: 1337, errors: 967 };
    let html = shown.html();
    assert!(html.contains(
        r#"role="img" aria-label="Events an hour over the last 24 hours: 3,867 in all, 1,220 of them errors, most at 18:00 with 1,337""#
    ));
    assert!(html.contains("<p><b>14</b> open</p><p><b>3,867</b> events in 24 h</p><p><b>1,220</b> errors</p>"));
    assert!(html.contains("<span>24 h ago</span><span>peak 1,337 at 18:00</span><span>18:42 UTC</span>"));
    assert!(html.contains(r#"<rect x="231" y="0" width="8" height="40"><title>18:00: 1,337</title></rect>"#), "{html}");
    assert!(html.contains(r#"<rect x="11" y="39" width="8" height="1"><title>20:00: 10</title></rect>"#));
    assert_eq!(html.matches("<rect").count(), 23, "an hour without events has no bar");
    assert!(html.contains(r#"<path class="error" d="M11 40v-1h8v1z"#) && html.contains(r#"M231 40v-29h8v29z"/>"#));

    shown.period = Period::Fortnight;
    shown.hours = vec![Hour::default(); Period::Fortnight.hours(now())];
    shown.hours[5 * 24] = Hour { events: 7, errors: 0 };
    let html = shown.html();
    assert!(html.contains(r#"aria-label="Events a day over the last 14 days: 7 in all, most on Mon 16 Nov with 7""#));
    assert!(html.contains("events in 14 d") && html.contains("<span>11 Nov</span><span>peak 7 on Mon 16 Nov</span>"));
    assert!(html.contains(r#"<a href="/">24 h</a> <a href="/?period=14d" aria-current="true">14 d</a>"#));

    shown.hours = vec![Hour::default(); Period::Fortnight.hours(now())];
    assert!(shown.html().contains(r#"aria-label="Events a day over the last 14 days: none""#));
}

#[test]
fn a_rows_bars_are_scaled_to_at_least_six_events() {
    let bars = |hours: Option<Vec<i64>>| {
        let mut shown = Shown::new("", Page { rows: vec![issue("x")], newer: None, older: None });
        shown
            .issue_hours
            .extend(hours.map(|hours| (41, hours.into_iter().map(|events| Hour { events, errors: 0 }).collect())));
        let html = shown.html();
        html.split_once("</p><svg ").unwrap().1.split_once("</svg>").unwrap().0.to_string()
    };
    let with = |at: usize, events: i64| {
        let mut hours = vec![0; 24];
        hours[at] = events;
        bars(Some(hours))
    };
    assert_eq!(bars(None), r#"viewBox="0 0 96 16" role="img" aria-label="Last 24 hours: none">"#);
    assert_eq!(bars(Some(vec![0; 24])), bars(None));
    assert!(with(23, 1).ends_with(r#"aria-label="Last 24 hours: 1, most at 18:00: 1"><path d="M94 16v-3"/>"#));
    assert!(with(0, 6).ends_with(r#"aria-label="Last 24 hours: 6, most at 19:00: 6"><path d="M2 16v-15"/>"#));
    assert!(with(12, 9_000_000_000_000_000_000).contains(r#"<path d="M50 16v-15"/>"#), "no number overflows");
    let uneven = bars(Some((0..24).map(|n| if n == 7 { 4310 } else { 1 }).collect()));
    assert!(uneven.contains("Last 24 hours: 4,333, most at 02:00: 4,310") && uneven.contains("M2 16v-2M6 16v-2"));
}

#[test]
fn filters_change_the_query_and_keep_order_and_period() {
    let mut shown = Shown::new("level:error env:staging card", page(&issue("x")));
    shown.listing.sort = Sort::Count;
    shown.listing.cursor = Cursor::After(place(7));
    shown.period = Period::Fortnight;
    shown.hours = vec![Hour::default(); Period::Fortnight.hours(now())];
    shown.environments = vec!["production".into(), "staging".into()];
    let html = shown.html();
    let filters = html.split_once("<nav class=\"filters\"").unwrap().1.split_once("</nav>").unwrap().0;
    let links: Vec<&str> = filters.split("<a href=").skip(1).map(|link| link.split("</a>").next().unwrap()).collect();
    let kept = "&amp;sort=count&amp;period=14d\"";
    let expected = [
        ("level:error+env:staging+card", " aria-current=\"true\">Open 14"),
        ("level:error+env:staging+card+is:resolved", ">Resolved 1,203"),
        ("level:error+env:staging+card+is:ignored", ">Ignored 6"),
        ("env:staging+card", ">any"),
        ("env:staging+card+level:error", " aria-current=\"true\">error"),
        ("env:staging+card+level:warning", ">warning"),
        ("env:staging+card+level:info", ">info"),
        ("level:error+card", ">all"),
        ("level:error+card+env:production", ">production"),
        ("level:error+card+env:staging", " aria-current=\"true\">staging"),
    ];
    assert_eq!(links, expected.map(|(q, rest)| format!("\"/?q={q}{kept}{rest}")));
    assert!(!filters.contains("Project"));
    assert!(html.contains(r#"<a href="/?q=level:error+env:staging+card&amp;period=14d">Last seen</a>"#));
    assert!(html.contains(r#"sort=count&amp;period=14d" aria-current="true">Events ↓</a>"#));
    assert!(
        html.contains(r#"period=14d&amp;after=7">Fewer events →</a>"#) && html.contains("before=99\">← More events")
    );
    let search = html.split_once("<form role=\"search\"").unwrap().1.split_once("</form>").unwrap().0;
    assert!(
        search.contains(r#"value="level:error env:staging card""#) && search.contains(r#"name="sort" value="count""#)
    );
    assert!(search.contains(r#"name="period" value="14d""#) && !search.contains("after"));
    let back = r#"name="back" value="/?q=level:error+env:staging+card&amp;sort=count&amp;period=14d&amp;after=7""#;
    assert!(html.contains(back), "a form returns to its own page");
}

#[test]
fn links_to_environments_and_projects_are_encoded() {
    let mut shown = Shown::new("project:web env:gone", page(&issue("x")));
    shown.environments = vec!["a&b=c#d <é>".into(), "no\"quotes".into(), "x".repeat(200)];
    shown.projects = vec!["shop", "web"];
    let html = shown.html();
    assert!(
        html.contains(r#"<a href="/?q=project:web+env:%22a%26b%3Dc%23d+%3C%C3%A9%3E%22">a&amp;b=c#d &lt;é&gt;</a>"#)
    );
    assert!(!html.contains("quotes"), "a value that no query can express is left out");
    assert!(html.contains(r#" aria-current="true">gone</a>"#), "the current value is shown although no event has it");
    assert!(html.contains(&format!(">{}…</a>", "x".repeat(39))));
    assert!(html.contains(r#"<span>Project</span><a href="/?q=env:gone">all</a>"#));
    assert!(html.contains(r#"<a href="/?q=env:gone+project:web" aria-current="true">web</a>"#));
    assert!(!list(page(&issue("x"))).contains("Environment"), "a row without values is left out");
}

#[test]
fn the_buttons_below_the_list_fit_the_states_it_shows() {
    let buttons = |q: &str| {
        let html = Shown::new(q, page(&issue("x"))).html();
        let bar = html.split_once("<p class=\"acts\">").unwrap().1.split_once("</p>").unwrap().0.to_string();
        bar.split("value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(buttons(""), ["resolve", "ignore", "merge"]);
    assert_eq!(buttons("is:resolved"), ["reopen", "merge"]);
    assert_eq!(buttons("is:ignored x"), ["reopen", "merge"]);
    assert_eq!(buttons("is:any"), ["resolve", "ignore", "reopen", "merge"]);
}

#[test]
fn readers_who_may_not_make_changes_see_no_buttons() {
    let mut shown = Shown::new("", page(&issue("x")));
    shown.may_act = false;
    let (event, issue) = (event("x"), issue("x"));
    let events = page(&event.summary);
    let whole = IssuePage { may_act: false, ..whole(&issue, &event, &events) };
    let one = EventPage { event: &event, issue: &issue, older: None, newer: None, may_act: false, now: now() };
    for html in [shown.html(), views::issue(&whole).into_string(), views::event(&one).into_string()] {
        assert!(!html.contains("method=\"post\"") && !html.contains("checkbox") && !html.contains("Delete"));
        assert_eq!((html.matches("<form").count(), html.matches("<button").count()), (1, 1), "only the search");
    }
}

#[test]
fn a_row_shows_the_status_of_its_issue() {
    let mut issue = issue("x");
    issue.reopened_at = Some(at("2026-11-24T10:42:30Z"));
    let row =
        |q: &str, issue: &Issue| Shown::new(q, Page { rows: vec![issue.clone()], newer: None, older: None }).html();
    assert!(row("", &issue).contains("<p><em>reopened</em> · <code>"));
    assert!(row("is:any", &issue).contains("<p><em>reopened</em> · <code>"), "open is the default");
    issue.reopened_at = None;
    issue.state = IssueState::Ignored;
    assert!(row("is:any", &issue).contains("<p><span>ignored</span> · <code>"));
    assert!(row("is:ignored", &issue).contains("<p><code>"), "the filter says so already");
}

#[test]
fn a_search_without_results_repeats_the_query_and_links_to_wider_searches() {
    let html = Shown::new("level:error \"a<b\" env:\"x y\"", no_rows(None)).html();
    assert!(html.contains("<title>Nothing matches · obs</title>") && html.contains("<h2>Nothing matches</h2>"));
    assert!(html.contains("No open issue matches <code>level:error a&lt;b env:&quot;x y&quot;</code>."), "{html}");
    assert!(html.contains(r#"<a href="/?q=a%3Cb+env:%22x+y%22">Drop <span>level:error</span></a>"#));
    assert!(html.contains(r#"<a href="/?q=level:error+env:%22x+y%22">Drop <span>a&lt;b</span></a>"#));
    assert!(html.contains(r#"+is:any">Search all states</a>"#));
    assert!(html.contains(r#"<a href="/">Clear the search</a>"#));
    assert!(!html.contains("checkbox") && !html.contains("class=\"cols\""));

    let html = Shown::new("is:any x", no_rows(None)).html();
    assert!(html.contains("No issue matches <code>x</code>.") && !html.contains("all states"));
    let html = Shown::new("is:resolved", no_rows(None)).html();
    assert!(html.contains("<h2>No resolved issues</h2>\n<p><a href=\"/?q=is:any\">"));
    let html = Shown::new("is:open is:resolved", no_rows(None)).html();
    assert!(html.contains("is:open is:resolved</code>: an issue has only one state."));
}

#[test]
fn a_search_that_runs_out_of_time_says_how_far_it_got_and_can_continue() {
    let mut shown = Shown::new("rare", Page { rows: Vec::new(), newer: None, older: Some(place(7)) });
    shown.found.scanned = Some(48_000);
    let html = shown.html();
    assert!(
        html.contains(r#"Searched 48,000 issues before time ran out. <a href="/?q=rare&amp;after=7">Continue</a>"#)
    );
    assert!(!html.contains("Nothing matches"), "the search is not finished");
    shown.found.page.rows = vec![issue("x")];
    assert!(shown.html().contains("Searched 48,000 issues") && shown.html().contains("class=\"rows\""));
}

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
    assert!(html.contains("<b>open</b> · <em>reopened</em> <time") && html.contains(">8 h ago</time>, resolved <time"));
    assert!(html.contains(">6 d ago</time>"));
    issue.state = IssueState::Resolved;
    let html = show(&issue);
    assert!(html.contains("<b>resolved</b> <time") && html.contains(r#"value="reopen">Reopen<"#));
    assert!(!html.contains("value=\"resolve\"") && !html.contains("value=\"ignore\""));
}

#[test]
fn the_issue_page_shows_its_fortnight_the_origin_of_its_events_and_its_history() {
    let (event, issue) = (event("x"), issue("x"));
    let mut hours = vec![Hour::default(); Period::Fortnight.hours(now())];
    hours[0].events = 773;
    *hours.last_mut().unwrap() = Hour { events: 431, errors: 0 };
    let values = |names: &[(&str, i64)]| names.iter().map(|(name, n)| (name.to_string(), *n)).collect();
    let facets = [
        Facet { kind: "environment", values: values(&[("production", 1190), ("say \"hi\"", 4)]), other: 10 },
        Facet { kind: "release", values: Vec::new(), other: 0 },
        Facet { kind: "server_name", values: values(&[("web 1", 1204)]), other: 0 },
    ];
    let happened = |what: &str, other| HistoryEntry { at: at("2026-11-18T17:52:00Z"), what: what.into(), other };
    let history = [happened("merged", Some(12)), happened("reopened by an event", None)];
    let events = page(&event.summary);
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
    assert_eq!(html.matches("<tr><td>").count(), 14 + 3 + 1);
    assert!(html.contains(r#"<a href="/?q=env:production"><span>production</span></a></td><td class="num">1,190</td><td class="num dim">99 %<"#));
    assert!(
        html.contains("<td><span>say &quot;hi&quot;</span></td>"),
        "a value that no query can express is not a link"
    );
    assert!(html.contains(">other</span>") && html.contains(">10</td>") && !html.contains("<h2>Release"));
    assert!(html.contains(r#"<a href="/?q=server:%22web+1%22">"#) && html.contains("100 %"));
    let history = html.split_once("<h2>History").unwrap().1;
    assert!(history.contains("merged with issue 12") && history.find("reopened by an event") < history.find("created"));
    assert!(!issue_page(&issue, &event, &events).contains("<h2>History"), "nothing happened");
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
fn a_form_returns_to_the_start_if_the_query_is_too_long() {
    let html = Shown::new(&"💥".repeat(1000), page(&issue("x"))).html();
    assert!(html.contains(r#"<input type="hidden" name="back" value="/">"#));
}

#[test]
fn a_row_shows_the_newest_events_type_and_first_line_not_the_title() {
    let mut issue = issue("x");
    issue.title = "order <*> failed".into();
    issue.r#type = Some("TypeError".into());
    issue.message = format!("\n  order 8812 failed {}\nsecond line", "y".repeat(400));
    issue.first_seen = at("2026-11-24T00:00:00Z");
    issue.project = "shop".into();
    let html = list(Page { rows: vec![issue], newer: None, older: Some(place(7)) });
    assert!(html.contains(r#"<b>TypeError</b> <span dir="auto">order 8812 failed yyy"#));
    assert!(html.contains("y…</span>") && !html.contains("second line") && !html.contains("&lt;*&gt;"));
    assert!(html.contains("<em>new</em>") && html.contains("<span>shop</span>"));
    assert!(html.contains("<strong>1,204</strong>") && html.contains(">24 s</time>"));
    assert!(html.contains(r#"href="/?after=7""#) && !html.contains("?before="));
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
    assert!(html.contains(r#"rel="prev" href="/events/older-id">← Older"#) && !html.contains("Newer,"));
    assert!(html.contains("12 events held back by the client") && html.contains("<dd><span>2 s later</span>"));
    assert!(html.contains("<dt>fingerprint</dt><dd><span>x, b</span></dd>"));
}

#[test]
fn a_page_past_the_end_links_back() {
    let mut past = Shown::new("", no_rows(Some(7)));
    past.listing.cursor = Cursor::After(place(3));
    let html = past.html();
    assert!(html.contains("No issues on this page") && html.contains(r#"href="/?before=7""#));
    let html = issue_page(&issue("x"), &event("x"), &no_rows(None));
    assert!(html.contains("No events on this page") && html.contains(r#"href="/issues/41#events""#));
}

#[test]
fn the_empty_page_shows_the_key_only_if_it_is_given_one() {
    let html = views::empty("https://obs.example:8000", Some("3c9f")).into_string();
    assert!(html.contains("curl https://obs.example:8000/api/events") && html.contains("X-OBS-Key: 3c9f"));
    assert!(html.contains("https://3c9f@obs.example:8000"));
    assert_eq!(html.matches("'https://3c9f@obs.example:8000'").count(), 3, "PHP, and JavaScript twice");
    assert!(html.contains("&lt;script type=\"module\"&gt;") && html.contains("https://obs.example:8000/sdk.js"));
    let html = views::empty("http://localhost:8000", None).into_string();
    assert!(html.contains("X-OBS-Key: KEY") && html.contains("http://KEY@localhost:8000"));
}

#[test]
fn an_error_page_shows_the_status_code_in_its_text() {
    let html = views::error(404, "No such page", "There is nothing here.").into_string();
    assert!(html.contains("<h1>No such page</h1>") && html.contains("<p>404. There is nothing here.</p>"));
    assert!(html.contains(r#"<a href="/">"#));
}

#[test]
fn only_html_rs_turns_text_into_html() {
    let mut files = vec![std::path::PathBuf::from("src")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if !path.ends_with("html.rs") {
            let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
            assert!(!text.contains("only_for_the_html_macro"), "{}", path.display());
        }
    }
}
