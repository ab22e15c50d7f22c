//! The list of issues: its rows, chart, filters, buttons and search.
use super::samples::*;
use obs::domain::{Cursor, Hour, Issue, IssueState, Neighbours, Page};
use obs::query::Sort;
use obs::views;
use obs::views::{Action, Done, EventPage, Figures, IssuePage, Period};

#[test]
fn a_page_of_rows_is_small() {
    let mut issue = issue("production");
    issue.message = "load order 8812: query orders: dial tcp 10.0.3.7:5432: connect: connection refused".into();
    issue.culprit = Some("(*Store).LoadOrder in orders/store.go".into());
    let mut shown = Shown::new("level:error", page(&issue));
    shown.figures.hours = Some(vec![Hour { events: 1739, errors: 967 }; 24]);
    shown.issue_hours.insert(41, (0..24).map(|events| Hour { events, errors: 0 }).collect());
    let html = shown.html();
    let rows = html.split_once("<ol").unwrap().1.split_once("</ol>").unwrap().0;
    assert!(rows.len() / 50 < 1100, "{} bytes a row", rows.len() / 50);
    assert!(html.len() < 70_000, "{} bytes", html.len());
}

#[test]
fn the_overview_has_a_text_alternative_for_its_chart() {
    let mut shown = Shown::new("", page(&issue("x")));
    let mut hours: Vec<Hour> = (0..24).map(|n| Hour { events: 10 * n, errors: n }).collect();
    hours[23] = Hour { events: 1337, errors: 967 };
    shown.figures = figures(14, hours);
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
    let mut hours = vec![Hour::default(); Period::Fortnight.hours(now())];
    hours[5 * 24] = Hour { events: 7, errors: 0 };
    shown.figures = figures(14, hours);
    let html = shown.html();
    assert!(html.contains(r#"aria-label="Events a day over the last 14 days: 7 in all, most on Mon 16 Nov with 7""#));
    assert!(html.contains("events in 14 d") && html.contains("<span>11 Nov</span><span>peak 7 on Mon 16 Nov</span>"));
    assert!(html.contains(r#"<a href="/">24 h</a> <a href="/?period=14d" aria-current="true">14 d</a>"#));

    shown.figures = figures(14, vec![Hour::default(); Period::Fortnight.hours(now())]);
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
    assert!(with(23, 1).ends_with(r#"aria-label="Last 24 hours: 1, most at 18:00: 1"><path d="M94 0v3"/>"#));
    assert!(with(0, 6).ends_with(r#"aria-label="Last 24 hours: 6, most at 19:00: 6"><path d="M2 0v15"/>"#));
    assert!(with(12, 9_000_000_000_000_000_000).contains(r#"<path d="M50 0v15"/>"#), "no number overflows");
    let uneven = bars(Some((0..24).map(|n| if n == 7 { 4310 } else { 1 }).collect()));
    assert!(uneven.contains("Last 24 hours: 4,333, most at 02:00: 4,310") && uneven.contains("M2 0v2M6 0v2"));
}

#[test]
fn filters_change_the_query_and_keep_order_and_period() {
    let mut shown = Shown::new("level:error env:staging card", page(&issue("x")));
    shown.listing.sort = Sort::Count;
    shown.listing.cursor = Cursor::After(place(7));
    shown.period = Period::Fortnight;
    shown.figures = figures(14, vec![Hour::default(); Period::Fortnight.hours(now())]);
    shown.environments = choices(&["production", "staging"], 3);
    shown.releases = choices(&["v3", "v2"], 0);
    let html = shown.html();
    let filters = html.split_once("<nav class=\"filters\"").unwrap().1.split_once("</nav>").unwrap().0;
    let links: Vec<&str> = filters.split("<a href=").skip(1).map(|link| link.split("</a>").next().unwrap()).collect();
    let kept = "&amp;sort=count&amp;period=14d\"";
    let expected = [
        ("level:error+env:staging+card", " aria-current=\"true\">Open"),
        ("level:error+env:staging+card+is:resolved", ">Resolved"),
        ("level:error+env:staging+card+is:ignored", ">Ignored"),
        ("level:error+env:staging+card+is:new", ">new"),
        ("level:error+env:staging+card+is:reopened", ">reopened"),
        ("level:error+env:staging+card+is:unhandled", ">unhandled"),
        ("env:staging+card", ">any"),
        ("env:staging+card+level:error", " aria-current=\"true\">error"),
        ("env:staging+card+level:warning", ">warning"),
        ("env:staging+card+level:info", ">info"),
        ("level:error+card", ">all"),
        ("level:error+card+env:production", ">production"),
        ("level:error+card+env:staging", " aria-current=\"true\">staging"),
        ("level:error+env:staging+card", " aria-current=\"true\">all"),
        ("level:error+env:staging+card+release:v3", ">v3"),
        ("level:error+env:staging+card+release:v2", ">v2"),
    ];
    assert_eq!(links, expected.map(|(q, rest)| format!("\"/?q={q}{kept}{rest}")));
    assert!(!filters.contains("Project") && filters.contains(">staging</a><span>and 3 more</span></div>"));
    let groups = ["State", "Mark", "Level", "Environment", "Release"];
    groups.iter().for_each(|name| assert!(filters.contains(&format!("<div role=\"group\" aria-label=\"{name}\">"))));
    assert!(html.contains("<summary>Filters: <b>open · level:error · env:staging</b></summary>"), "text is in the box");
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
    shown.environments = choices(&["a&b=c#d <é>", "no\"quotes", &"x".repeat(200)], 0);
    shown.projects = vec!["shop", "web"];
    let html = shown.html();
    assert!(
        html.contains(r#"<a href="/?q=project:web+env:%22a%26b%3Dc%23d+%3C%C3%A9%3E%22">a&amp;b=c#d &lt;é&gt;</a>"#)
    );
    assert!(html.contains(r#"<a href="/?q=project:web+env:%22no%22%22quotes%22">no&quot;quotes</a>"#));
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
        let bar = html.split_once("<div class=\"acts\">").unwrap().1.split_once("</form>").unwrap().0.to_string();
        bar.split("name=\"do\" value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(buttons(""), ["resolve", "ignore", "resolve-all", "ignore-all", "merge"]);
    assert_eq!(buttons("is:resolved"), ["reopen", "merge"]);
    assert_eq!(buttons("is:ignored x"), ["reopen", "merge"]);
    assert_eq!(buttons("is:any"), ["resolve", "ignore", "reopen", "merge"]);
}

#[test]
fn readers_who_may_not_make_changes_see_no_buttons() {
    let mut shown = Shown::new("", page(&issue("x")));
    shown.may_act = false;
    let (event, issue) = (event("x"), issue("x"));
    let events = found(page(&event.summary));
    let whole = IssuePage { may_act: false, ..whole(&issue, &event, &events) };
    let one_of_one = Neighbours::default();
    let one = EventPage { may_act: false, ..alone(&event, &issue, &one_of_one) };
    for html in [shown.html(), views::issue(&whole).into_string(), views::event(&one).into_string()] {
        assert!(!html.contains("method=\"post\"") && !html.contains("checkbox") && !html.contains("Delete"));
        assert_eq!((html.matches("<form").count(), html.matches("<button").count()), (1, 1), "only the search");
    }
}

#[test]
fn a_row_shows_the_status_of_its_issue() {
    let mut issue = issue("x");
    (issue.unhandled, issue.users) = (false, 0);
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
fn a_search_has_figures_of_its_own_or_says_why_it_has_none() {
    let mut shown = Shown::new("level:error", page(&issue("x")));
    shown.figures = figures(3, vec![Hour { events: 2, errors: 1 }; 24]);
    let html = shown.html();
    assert!(
        html.contains("<p><b>3</b> issues match</p><p><b>48</b> events in 24 h</p><p><b>24</b> errors</p>"),
        "{html}"
    );
    assert!(!html.contains("Open 14") && !html.contains("counted whole"));
    shown.figures = Figures { issues: 1000, is_complete: false, hours: None, any_state: false };
    let html = shown.html();
    assert!(html.contains("<p>at least <b>1,000</b> issues match</p>") && html.contains("Narrow the search"));
    assert!(!html.contains("<figure") && !html.contains("events in 24 h") && !html.contains("resolve-all"));
    let mut all = Shown::new("project:shop", page(&issue("x")));
    all.figures.any_state = true;
    let html = all.html();
    assert!(html.contains("<b>14</b> open</p><p><b>0</b> events in 24 h, any state</p>") && html.contains("Open 14"));
}

#[test]
fn a_filter_on_what_differs_between_events_says_that_issues_are_counted_whole() {
    let html = |q: &str| Shown::new(q, page(&issue("x"))).html();
    let text = html("env:production release:2 plan:pro env:eu");
    assert!(text.contains("<p class=\"dim\">Issues are counted whole, in all environments, releases and tags.</p>"));
    assert!(text.contains("<span>all environments</span> · <span>all releases</span>"), "{text}");
    assert!(html("server:web-1").contains("in all servers.") && !html("server:web-1").contains("all servers</span>"));
    assert!(!html("level:error is:new").contains("counted whole"));
}

#[test]
fn a_row_shows_its_day_its_users_and_its_first_release() {
    let mut shown = Shown::new("", page(&issue("2.4.1")));
    shown.issue_hours.insert(41, vec![Hour { events: 50, errors: 0 }; 24]);
    let html = shown.html();
    assert!(html.contains("<i aria-hidden=\"true\">1,200</i><strong>1,204</strong><small>3 users</small><time"));
    assert!(html.contains("</time><small>2.4.1</small></li>"));
    shown.issue_hours.clear();
    assert!(!shown.html().contains("<i aria-hidden"));
}

#[test]
fn merging_is_folded_and_says_what_becomes_part_of_what() {
    let html = list(page(&issue("x")));
    let fold = html.split_once("<summary>Merge…</summary>").unwrap().1.split_once("</details>").unwrap().0;
    assert!(fold.contains("The oldest of the selected issues stays") && fold.contains("value=\"merge\""));
    assert_eq!(html.matches("value=\"merge\"").count(), 1);
}

#[test]
fn all_issues_that_match_can_be_changed_at_once_if_they_are_few_enough() {
    let mut shown = Shown::new("card <x>", page(&issue("x")));
    let html = shown.html();
    assert!(html.contains("<summary>All 14 that match…</summary>") && html.contains(">Resolve all 14</button>"));
    assert!(html.contains("name=\"q\" value=\"card &lt;x&gt;\"><input type=\"hidden\" name=\"up_to\" value=\"41\">"));
    shown.figures.issues = 1001;
    assert!(!shown.html().contains("-all\""));
    assert!(!Shown::new("is:any x", page(&issue("x"))).html().contains("-all\""));
    assert!(!Shown::new(&"ü".repeat(600), page(&issue("x"))).html().contains("-all\""), "the form stays small");
}

#[test]
fn what_a_form_did_is_said_above_the_list() {
    let mut shown = Shown::new("x", page(&issue("x")));
    shown.done = Some(Done::new(Action::Resolve, vec![3, 4]));
    let html = shown.html();
    assert!(html.contains("<div class=\"done\" role=\"status\"><p>Resolved 2 issues.</p>"), "{html}");
    assert!(html.contains("value=\"/?q=x\"><input type=\"hidden\" name=\"did\" value=\"resolve\">"));
}

#[test]
fn the_list_by_events_of_the_last_day_says_what_it_leaves_out() {
    let mut shown = Shown::new("x", page(&issue("x")));
    shown.listing.sort = Sort::Day;
    assert!(shown.html().contains("Issues without an event in the last 24 hours are left out.</p>"));
    assert!(shown.html().contains("sort=day\" aria-current=\"true\">24 h ↓</a>"));
    shown.found.scanned = Some(48_000);
    assert!(shown.html().contains("Only the 48,000 issues that were active last were compared in time."));
    shown.found = obs::domain::Found { page: no_rows(None), scanned: None };
    let html = shown.html();
    assert!(html.contains("None of these issues had an event in the last 24 hours. <a href=\"/?q=x\">"), "{html}");
}
