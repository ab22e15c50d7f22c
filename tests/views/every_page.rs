//! Rules for every page: text from an event is always escaped, and no event makes a page too large.
use super::samples::*;
use obs::domain::{Cursor, Key};
use obs::views;
use obs::views::Setup;
use std::time::{Duration, Instant};

#[test]
fn hostile_text_is_escaped_in_every_field_of_every_page() {
    let mut all = Vec::from(pages(&event(HOSTILE), &issue(HOSTILE)));
    let keys = [Key { project: HOSTILE.into(), key: HOSTILE.into() }];
    let hostile = Setup { origin: HOSTILE, keys: &keys, may_see_keys: true };
    all.extend([views::empty(&hostile).into_string(), views::setup(&hostile).into_string()]);
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
        // Tags are bounded when they are stored.
        let carried = &mut event;
        let fields = [&mut carried.user, &mut carried.request, &mut carried.contexts, &mut carried.breadcrumbs];
        for (at, field) in fields.into_iter().enumerate() {
            *field = (at == n % 4).then(|| jsons[n].clone());
        }
        event.stacktrace = Some(traces[n % traces.len()].clone());
        event.causes = Some(if n % 2 == 0 { causes("0,") } else { causes(&frame) });
        let started = Instant::now();
        for html in pages(&event, &issue) {
            assert!(html.len() < LARGEST_PAGE, "{} bytes in case {n}", html.len());
        }
        // Milliseconds in a release build. The limit is there to catch quadratic code.
        assert!(started.elapsed() < Duration::from_secs(15), "{:?} in case {n}", started.elapsed());
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
fn a_page_past_the_end_links_back() {
    let mut past = Shown::new("", no_rows(Some(7)));
    past.listing.cursor = Cursor::After(place(3));
    let html = past.html();
    assert!(html.contains("No issues on this page") && html.contains(r#"href="/?before=7""#));
    let html = issue_page(&issue("x"), &event("x"), &no_rows(None));
    assert!(html.contains("No events on this page") && html.contains(r#"href="/issues/41#events""#));
}

#[test]
fn setup_shows_the_addresses_for_each_key_only_to_readers_who_may_see_keys() {
    let key = |project: &str, key: &str| Key { project: project.into(), key: key.into() };
    let keys = [key("", "3c9f"), key("shop", "7-7")];
    let setup = Setup { origin: "https://obs.example:8000", keys: &keys, may_see_keys: true };
    for html in [views::empty(&setup).into_string(), views::setup(&setup).into_string()] {
        assert!(html.contains("curl https://obs.example:8000/api/events") && html.contains("X-OBS-Key: 3c9f"));
        assert!(html.contains(">https://3c9f@obs.example:8000</pre>"), "{html}");
        assert!(html.contains(">https://3c9f@obs.example:8000/1</pre>"), "{html}");
        assert!(html.contains("<h2>Project <span>shop</span></h2>") && html.contains("https://7-7@obs.example:8000/1"));
        assert_eq!(html.matches("'https://3c9f@obs.example:8000'").count(), 3, "PHP, and JavaScript twice");
        assert!(html.contains("&lt;script type=\"module\"&gt;") && html.contains("https://obs.example:8000/sdk.js"));
        assert!(html.contains("accept no key with a hyphen") && html.contains("/docs/sentry.md\""));
    }
    let setup = Setup { may_see_keys: false, ..setup };
    let html = views::setup(&setup).into_string();
    assert!(html.contains("X-OBS-Key: KEY") && html.contains("https://KEY@obs.example:8000/1"));
    assert!(!html.contains("3c9f") && !html.contains("7-7") && html.contains("<span>shop</span>"));
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
