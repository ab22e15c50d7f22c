//! `?format=`: plain text and Markdown for every client.
mod common;
use common::*;

const BROWSER: &str = "User-Agent: Mozilla/5.0\r\nAccept: text/html\r\nConnection: keep-alive";

/// What a browser gets: the media type and the text.
fn browse(obs: &Obs, target: &str) -> (String, String) {
    let answer = obs.send(&format!("GET {target} HTTP/1.1\r\n{BROWSER}"), b"");
    (answer.header("content-type").unwrap_or_default().to_string(), answer.text())
}

const EVENT: &str = r#"{"message":"cart `total` is undefined\nin the second line","type":"TypeError","release":"1.2",
    "environment":"production","tags":{"plan":"pro"},"user":{"id":7},
    "request":{"method":"POST","url":"https://shop.example/pay"},
    "stacktrace":[{"filename":"src/cart.js","function":"total","lineno":3,"context_line":"return cart.total;"}]}"#;

#[test]
fn a_browser_gets_text_or_markdown_if_it_asks() {
    let obs = Obs::start();
    let id = obs.add(EVENT);
    for target in ["/".to_string(), "/issues/1".into(), format!("/events/{id}"), "/setup".into(), "/nowhere".into()] {
        let separator = if target.contains('?') { '&' } else { '?' };
        let (kind, text) = browse(&obs, &format!("{target}{separator}format=text"));
        assert_eq!(kind, "text/plain; charset=utf-8", "{target}");
        assert!(!text.contains("</"), "{text}");
        assert!(browse(&obs, &target).0.starts_with("text/html"), "{target}");
        assert!(browse(&obs, &format!("{target}?format=pdf")).0.starts_with("text/html"), "{target}");
    }
    for target in ["/issues/1?format=md".to_string(), format!("/events/{id}?format=md")] {
        let (kind, text) = browse(&obs, &target);
        assert_eq!(kind, "text/markdown; charset=utf-8");
        for part in [
            "# TypeError: cart \\`total\\` is undefined\n",
            "- Release: 1.2\n",
            "- Environment: production\n",
            "## Message\n\n```text\ncart `total` is undefined\nin the second line\n```\n",
            "## Stack trace\n\n```text\n  > total  src/cart.js:3\n",
            "> 3  return cart.total;\n",
            "## Request\n\n```text\n    POST: https://shop.example/pay\n```\n",
            "## Tags\n\n```text\n    plan: pro\n```\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    let (_, issue) = browse(&obs, "/issues/1?format=md");
    assert!(issue.contains("- Users: 1\n") && issue.contains("/issues/1>\n") && issue.contains("in 1.2\n"), "{issue}");
}

#[test]
fn markdown_stays_within_8_kb_and_no_text_leaves_its_fence() {
    let obs = Obs::start();
    let long = "💥".repeat(300);
    let frame = format!(r#"{{"filename":"/srv/{long}.php","function":"{long}","lineno":1,"context_line":"{long}"}}"#);
    let fields = format!(r#""type":"{long}","release":"{long}","environment":"{long}","server_name":"{long}""#);
    let tags: Vec<String> = (0..50).map(|n| format!(r#""tag{n}":"{}""#, &long[..800])).collect();
    let event = format!(
        r#"{{"message":"a\n```` \n# not a heading\n<b>{}","stacktrace":[{}],"tags":{{{}}},"request":{{"url":"{long}"}},{fields}}}"#,
        "x\\n".repeat(2000),
        vec![frame; 200].join(","),
        tags.join(",")
    );
    obs.add(event);
    let (_, text) = browse(&obs, "/issues/1?format=md");
    assert!(text.len() <= 8192, "{} bytes", text.len());
    assert!(text.contains("## Tags") && text.contains("/api/events/"), "{text}");
    let mut fence = None;
    for line in text.lines() {
        match fence {
            None if line.starts_with("```") => fence = Some(line.trim_end_matches("text").to_string()),
            None => assert!(!line.contains("not a heading") && !line.contains("<b>"), "{line}"),
            // A longer fence closes a shorter one.
            Some(open) if line.starts_with(&open) && line.trim_end().chars().all(|c| c == '`') => fence = None,
            open => fence = open,
        }
    }
    assert_eq!(fence, None);
}
