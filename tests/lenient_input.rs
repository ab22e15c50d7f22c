//! What clients send that is not quite an event is stored, found and shown as well as it can be.
mod common;
use common::process::outcome;
use common::triage::issue_ids;
use common::*;
use serde_json::{Value, json};

/// Stores `{"message":"m"}` with one more field, whose value is JSON text, and reads the event back.
fn with(obs: &Obs, field: &str, value: &str) -> Value {
    obs.add_and_read(format!(r#"{{"message":"m","{field}":{value}}}"#))
}

/// The section of an event's text page about its stack trace.
fn shown(obs: &Obs, event: &Value) -> String {
    text_page(obs, event).split_once("Stack trace").unwrap().1.split("\n\n").next().unwrap().to_string()
}

fn text_page(obs: &Obs, event: &Value) -> String {
    obs.send(&format!("GET /events/{} HTTP/1.1\r\nUser-Agent: curl/8.5.0", event["id"].as_str().unwrap()), b"").text()
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let obs = Obs::start();
    assert_eq!(obs.add_and_read("\u{FEFF}{\"message\":\"from PowerShell\"}")["message"], "from PowerShell");
    assert_eq!(obs.post("\u{FEFF}").error(), "Invalid JSON: EOF while parsing a value at line 1 column 0");
}

#[test]
fn an_import_skips_the_byte_order_mark_of_each_file() {
    let folder = Folder::new();
    let (file, database) = (folder.join("events.jsonl"), folder.join("obs.sqlite"));
    std::fs::write(&file, "\u{FEFF}{\"message\":\"a\"}\r\n\u{FEFF}{\"message\":\"b\",\"extra\":NaN}\n").unwrap();
    let (file, database) = (file.to_str().unwrap(), database.to_str().unwrap());
    let (status, _, errors) = outcome(&mut command(&["import", file, "--db", database], &[]));
    assert_eq!((status, errors.contains("2 events imported")), (0, true), "{errors}");
}

#[test]
fn numbers_that_are_not_finite_count_as_null() {
    let obs = Obs::start();
    let event =
        obs.add_and_read(r#"{"message":"NaN","level":NaN,"extra":{"rate":NaN,"limits":[-Infinity,"Infinity"]}}"#);
    assert_eq!((&event["message"], &event["level"], &event["more"]), (&json!("NaN"), &json!("error"), &Value::Null));
    assert_eq!(event["extra"], json!({"rate": null, "limits": [null, "Infinity"]}));
    for broken in [r#"{"message":"m","extra":NaNs}"#, r#"{"message":"m","extra":NaN"#, r#"{"message":"m",NaN:1}"#] {
        assert!(obs.post(broken).error().starts_with("Invalid JSON: "), "{broken}");
    }
}

#[test]
fn a_time_is_understood_in_seconds_milliseconds_and_with_a_space_before_its_zone() {
    let obs = Obs::start();
    for value in [
        "1771078830",
        "1771078830123",
        "1771078830.123",
        "1.771078830123e12",
        r#""1771078830""#,
        r#"" 1771078830123 ""#,
        r#""2026-02-14 15:20:30 +0100""#,
        r#""2026-02-14 14:20:30 UTC""#,
        r#""2026-02-14 14:20:30.123456789 +0000 UTC""#,
        r#"" 2026-02-14T14:20:30Z\n""#,
    ] {
        let event = with(&obs, "timestamp", value);
        let second = &event["timestamp"].as_str().unwrap()[..19];
        assert_eq!((second, &event["more"]), ("2026-02-14T14:20:30", &Value::Null), "{value}");
    }
    assert_eq!(with(&obs, "timestamp", r#""2026-06-30T23:59:60Z""#)["timestamp"], "2026-06-30T23:59:59.000Z");
    assert_eq!(with(&obs, "timestamp", "99999999999")["timestamp"], "5138-11-16T09:46:39.000Z");
}

#[test]
fn text_that_shows_nothing_is_blank() {
    let obs = Obs::start();
    for text in [r"\u200b\ufeff", r"\u0000\u0007", r"\u2800", r"\u3164 \u00ad", r"\u2066\u2069", "\u{E0020}"] {
        assert_eq!(obs.post(format!(r#"{{"message":"{text}"}}"#)).error(), "Missing required field: message", "{text}");
        let event = obs.add_and_read(format!(r#"{{"message":"m","type":"{text}","release":"{text}"}}"#));
        assert_eq!((&event["type"], &event["release"]), (&Value::Null, &Value::Null), "{text}");
    }
    assert_eq!(obs.add_and_read(r#"{"message":"\u200b👩‍💻\u200b"}"#)["message"], "\u{200b}👩‍💻\u{200b}");
    obs.add(r#"{"message":"\u200b\n\u2800\nqueue is stuck"}"#);
    assert!(obs.text("/").contains("queue is stuck"), "a list shows the first line that is not blank");
}

#[test]
fn a_filter_finds_every_value_that_was_sent() {
    let obs = Obs::start();
    for (at, (sent, stored)) in [
        (r#"" prod ""#, "prod"),
        (r#""\u00a0eu\u00a0west\u200b""#, "eu\u{a0}west"),
        (r#""say \"hi\" twice""#, r#"say "hi" twice"#),
        (r#""\"quoted\"""#, r#""quoted""#),
        (r#""a\nb""#, "a\nb"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = ["ink", "paper", "power", "disk", "mail"][at];
        let event = obs.add_and_read(format!(r#"{{"message":"no {name}","environment":{sent}}}"#));
        assert_eq!(event["environment"], stored);
        let query = format!("env:\"{}\"", stored.replace('"', "\"\""));
        assert_eq!(issue_ids(&obs, &encode(&query)), [event["issue_id"].as_i64().unwrap()], "{query}");
        let issue = obs.get(&format!("/issues/{}", event["issue_id"])).text();
        let start = format!("/issues/{}?q=env:", event["issue_id"]);
        let link = issue.split("href=\"").filter_map(|part| part.strip_prefix(&*start)?.split_once("#events")).next();
        let (link, _) = link.unwrap_or_else(|| panic!("no link for {stored} in {issue}"));
        assert_eq!(issue_ids(&obs, &format!("env:{link}")), [event["issue_id"].as_i64().unwrap()], "{link}");
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn a_stack_trace_that_is_text_is_shown_under_its_heading() {
    let obs = Obs::start();
    let event = with(
        &obs,
        "stacktrace",
        r#""TypeError: x is undefined\n    at pay (/srv/<b>.js:3:4)\n    at main (/srv/b.js:9:1)""#,
    );
    let text = shown(&obs, &event);
    assert!(text.contains("at pay (/srv/<b>.js:3:4)") && text.contains("at main (/srv/b.js:9:1)"), "{text}");
    for page in [format!("/events/{}", event["id"].as_str().unwrap()), format!("/issues/{}", event["issue_id"])] {
        let html = obs.get(&page).text();
        let trace = html.split_once("Stack trace").unwrap().1;
        assert!(trace.contains("at pay (/srv/&lt;b&gt;.js:3:4)\n    at main") && !html.contains("has none"), "{html}");
    }
    assert_eq!(event["stacktrace"], Value::Null, "the API keeps what was sent in more");
    assert!(event["more"]["stacktrace"].as_str().unwrap().contains("at pay"));
}

#[test]
fn frames_in_the_shapes_of_other_tools_are_shown_with_function_file_and_line() {
    let obs = Obs::start();
    for (stacktrace, expected) in [
        (r#"[{"file":"/srv/a.php","line":3,"method":"pay"}]"#, "pay  /srv/a.php:3"),
        (r#"[{"file":"/srv/a.php","line":3,"class":"Order","type":"->","function":"pay"}]"#, "Order.pay  /srv/a.php:3"),
        (r#"[{"abs_path":"/srv/a.py","function":"pay","lineno":3}]"#, "pay  /srv/a.py:3"),
        (r#"[{"filename":"/srv/a.rb","function":"pay","lineno":"12"}]"#, "pay  /srv/a.rb:12"),
        (r#"[{"filename":"/srv/a.lua","function":"pay","lineno":12.0,"colno":"4"}]"#, "pay  /srv/a.lua:12:4"),
        (
            r#"[{"fileName":"/srv/a.js","lineNumber":3,"columnNumber":7,"functionName":"pay","name":"pay"}]"#,
            "pay  /srv/a.js:3:7",
        ),
        (r#"{"filename":"/srv/a.py","function":"pay"}"#, r#"{"filename":"/srv/a.py","function":"pay"}"#),
        (r#"["a.rb:3:in `pay'"]"#, "a.rb:3:in `pay'"),
        (r#""[{\"filename\":\"/srv/a.py\",\"function\":\"pay\",\"lineno\":3}]""#, "pay  /srv/a.py:3"),
    ] {
        let event = with(&obs, "stacktrace", stacktrace);
        let text = shown(&obs, &event);
        assert!(text.contains(expected), "{stacktrace}\n{text}");
    }
    let sentry =
        r#"{"frames":[{"filename":"main.py","function":"main"},{"filename":"a.py","function":"pay","lineno":3}]}"#;
    let text = shown(&obs, &with(&obs, "stacktrace", sentry));
    assert!(text.find("pay").unwrap() < text.find("main").unwrap(), "the most recent call comes first: {text}");
    let many: Vec<String> = (0..300).map(|n| format!(r#"{{"function":"f{n}","filename":"a.py"}}"#)).collect();
    let text = shown(&obs, &with(&obs, "stacktrace", &format!(r#"{{"frames":[{}]}}"#, many.join(","))));
    assert!(text.contains("f299 ") && text.contains("f50 ") && !text.contains("f49 "), "the latest calls: {text}");
    for name in ["stack", "stack_trace", "backtrace"] {
        assert!(shown(&obs, &with(&obs, name, r#""at pay (a.js:1)""#)).contains("at pay (a.js:1)"), "{name}");
    }
    let cause = with(&obs, "causes", r#"{"type":"IOError","message":"disk is full","stacktrace":"at write (a.js:1)"}"#);
    let page = text_page(&obs, &cause);
    assert!(
        page.contains("Caused by IOError") && page.contains("disk is full") && page.contains("at write (a.js:1)"),
        "{page}"
    );
}

#[test]
fn frames_below_a_relative_or_windows_library_path_are_the_librarys() {
    let obs = Obs::start();
    for library in [r"C:\\app\\node_modules\\express\\index.js", "vendor/monolog/src/Logger.php"] {
        let own = r#"{"filename":"src/order.php","function":"pay"}"#;
        let event = with(&obs, "stacktrace", &format!(r#"[{{"filename":"{library}","function":"next"}},{own}]"#));
        let text = shown(&obs, &event);
        assert!(text.contains("  > pay") && !text.contains("  > next"), "{text}");
    }
}
