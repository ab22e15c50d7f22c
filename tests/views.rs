//! The pages as a whole: nothing of an event gets out of its text, and no event makes a page too big.
use obs::domain::{Issue, Level, Page, Place, State, StoredEvent, Summary};
use obs::html::Html;
use obs::time::Time;
use obs::views;
use std::time::{Duration, Instant};

/// In bytes.
const LARGEST_PAGE: usize = 2_500_000;
const HOSTILE: &str = r#"<script>alert("1")</script><img src=x onerror='1'>&lt;"#;

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn now() -> Time {
    at("2026-11-24T18:42:30Z")
}

/// An event with `text` in every field that a client can fill, and in its traces and JSON too.
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
        state: State::Open,
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

fn place(key: i64) -> Place {
    Place { key, id: 0 }
}

fn no_rows<T>(newer: Option<i64>) -> Page<T> {
    Page { rows: Vec::new(), newer: newer.map(place), older: None }
}

/// Every page that shows something of this event.
fn pages(event: &StoredEvent, issue: &Issue) -> [String; 3] {
    let one = Some(&event.summary);
    [
        views::issues(&page(issue), now()),
        views::issue(issue, event, &page(&event.summary), now()),
        views::event(event, issue, one, one, now()),
    ]
    .map(Html::into_string)
}

#[test]
fn hostile_text_is_escaped_in_every_field_of_every_page() {
    let mut all = Vec::from(pages(&event(HOSTILE), &issue(HOSTILE)));
    all.push(views::empty(HOSTILE, Some(HOSTILE)).into_string());
    all.push(views::error(404, HOSTILE, HOSTILE).into_string());
    for html in all {
        for raw in ["<script", "<img", "\"1\"", "'1'", " &lt;\"", "&lt;img src=x onerror='"] {
            assert!(!html.contains(raw), "{raw} in {html}");
        }
        assert!(html.contains("&lt;script&gt;"));
    }
}

#[test]
fn every_element_that_is_opened_is_closed() {
    let void = ["!doctype", "meta", "link", "wbr", "hr", "br"];
    for html in pages(&event("a/long.name::of/more.than/thirty.two"), &issue("x")) {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let name = tag.split(['>', ' ', '\n']).next().unwrap();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "before {tag}"),
                None if void.contains(&name) => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn pages_have_no_script_no_inline_style_and_one_heading() {
    for html in pages(&event("x"), &issue("x")) {
        assert!(!html.contains("<script") && !html.contains("style=\"") && !html.contains(" on"), "{html}");
        assert_eq!((html.matches("<h1").count(), html.matches("<main").count()), (1, 1));
        assert!(html.contains(views::style_url()));
    }
}

#[test]
fn no_event_makes_a_page_too_big_or_slow() {
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
        // Milliseconds in a release build; this is to notice what is quadratic.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?} in case {n}", started.elapsed());
    }
}

#[test]
fn what_a_page_has_no_room_for_is_said_and_linked() {
    let mut event = event("x");
    event.extra = Some(format!(r#"{{"a":"{}","last":1}}"#, "x".repeat(2 << 20)));
    let html = views::event(&event, &issue("x"), None, None, now()).into_string();
    let note = format!(r#"cut here; the <a href="/api/events/{}">raw JSON</a> has all of it"#, event.summary.id);
    assert_eq!(html.matches(&note).count(), 1);
    assert!(!html.contains("<span>last</span>") && !html.contains("<h2>More"));
    event.extra = Some(r#"{"a":1}"#.into());
    assert!(!views::event(&event, &issue("x"), None, None, now()).as_str().contains("cut here"));
}

#[test]
fn a_row_shows_the_newest_events_type_and_first_line_not_the_title() {
    let mut issue = issue("x");
    issue.title = "order <*> failed".into();
    issue.r#type = Some("TypeError".into());
    issue.message = format!("\n  order 8812 failed {}\nsecond line", "y".repeat(400));
    issue.first_seen = at("2026-11-24T00:00:00Z");
    issue.project = "shop".into();
    let html = views::issues(&Page { rows: vec![issue], newer: None, older: Some(place(7)) }, now()).into_string();
    assert!(html.contains(r#"<b>TypeError</b> <span dir="auto">order 8812 failed yyy"#));
    assert!(html.contains("y…</span>") && !html.contains("second line") && !html.contains("&lt;*&gt;"));
    assert!(html.contains("<em>new</em>") && html.contains("<span>shop</span>"));
    assert!(html.contains("<strong>1,204<small> events</small></strong>") && html.contains(">24 s</time>"));
    assert!(html.contains(r#"href="/?after=7""#) && !html.contains("?before="));
}

#[test]
fn the_issue_page_tells_how_many_events_are_left_and_how_they_were_grouped() {
    let (event, mut issue) = (event("x"), issue("x"));
    issue.title = "order <*> failed".into();
    let html = views::issue(&issue, &event, &page(&event.summary), now()).into_string();
    assert!(html.contains("<b>1,204</b> events, 417 stored"));
    let grouped = html.split_once("How it was grouped").unwrap();
    assert!(grouped.1.contains("order &lt;*&gt; failed") && !grouped.0.contains("&lt;*&gt;"));
    assert!(html.contains(r#"href="/issues/41?before=99#events""#) && html.contains("/issues/41?after=7#events"));
    issue.stored = issue.count;
    assert!(!views::issue(&issue, &event, &page(&event.summary), now()).as_str().contains(" stored"));
}

#[test]
fn a_long_message_folds_on_the_issue_page_and_is_whole_on_the_events() {
    let (mut event, mut issue) = (event("x"), issue("x"));
    issue.message = format!("{}{}\nlast line", "a".repeat(600), "b".repeat(100));
    event.summary.message = issue.message.clone();
    let html = views::issue(&issue, &event, &page(&event.summary), now()).into_string();
    let heading = html.split_once("</h1>").unwrap();
    assert!(heading.0.ends_with("aaa</span>"));
    assert!(heading.1.contains("… 110 characters more") && heading.1.contains("bbb\nlast line"));
    let html = views::event(&event, &issue, None, None, now()).into_string();
    assert!(html.split_once("</h1>").unwrap().0.contains("abbb") && html.contains("b\nlast line</span></h1>"));
}

#[test]
fn the_event_page_leads_up_and_to_its_neighbours() {
    let (event, issue) = (event("x"), issue("x"));
    let one = Summary { id: "older-id".into(), ..event.summary.clone() };
    let html = views::event(&event, &issue, Some(&one), None, now()).into_string();
    assert!(html.contains(r#"<a href="/issues/41">Issue 41, 1,204 events</a>"#));
    assert!(html.contains(r#"rel="prev" href="/events/older-id">← Older"#) && !html.contains("Newer,"));
    assert!(html.contains("12 events like it, held back by the client") && html.contains(">2 s later</time>"));
    assert!(html.contains("<dt>fingerprint</dt><dd><code>x</code>, <code>b</code></dd>"));
}

#[test]
fn a_page_past_the_end_leads_back() {
    let html = views::issues(&no_rows(Some(7)), now()).into_string();
    assert!(html.contains("No issues here") && html.contains(r#"href="/?before=7""#));
    let html = views::issue(&issue("x"), &event("x"), &no_rows(None), now()).into_string();
    assert!(html.contains("No events here") && html.contains(r#"href="/issues/41#events""#));
}

#[test]
fn the_empty_page_shows_the_key_only_to_whom_it_is_given() {
    let html = views::empty("https://obs.example:8000", Some("3c9f")).into_string();
    assert!(html.contains("curl https://obs.example:8000/api/events") && html.contains("X-OBS-Key: 3c9f"));
    assert!(html.contains("https://3c9f@obs.example:8000"));
    assert_eq!(html.matches("'https://3c9f@obs.example:8000'").count(), 3, "PHP and twice JavaScript");
    assert!(html.contains("&lt;script type=\"module\"&gt;") && html.contains("https://obs.example:8000/sdk.js"));
    let html = views::empty("http://localhost:8000", None).into_string();
    assert!(html.contains("X-OBS-Key: KEY") && html.contains("http://KEY@localhost:8000"));
}

#[test]
fn an_error_says_its_number_in_the_text() {
    let html = views::error(404, "No such page", "There is nothing here.").into_string();
    assert!(html.contains("<h1>No such page</h1>") && html.contains("<p>404. There is nothing here.</p>"));
    assert!(html.contains(r#"<a href="/">"#));
}

#[test]
fn only_html_rs_makes_html_out_of_text() {
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
