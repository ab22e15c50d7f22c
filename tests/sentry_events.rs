//! How events in Sentry's form, as its SDKs send them, become events of obs.
use obs::domain::Level;
use obs::event::sentry::{self, EnvelopeHeader};
use obs::event::{Event, csp};
use obs::web::envelope::{Envelope, Part};
use serde_json::{Value, json};

fn read(event: Value) -> Event {
    sentry::parse(event.to_string().as_bytes(), EnvelopeHeader::default()).unwrap().event
}

fn value(text: &Option<String>) -> Value {
    text.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

fn exception(kind: &str, text: &str, files: &[&str]) -> Value {
    let frames: Vec<_> = files.iter().map(|file| json!({"filename": file, "function": "f", "lineno": 1})).collect();
    json!({"type": kind, "value": text, "stacktrace": {"frames": frames}, "mechanism": {"type": "generic", "handled": true}})
}

#[test]
fn the_last_exception_is_the_error_and_the_others_are_its_causes() {
    let values = [
        exception("OSError", "disk", &["a"]),
        exception("DbError", "write", &[]),
        exception("Order", "failed", &["main", "pay"]),
    ];
    for exception in [json!({ "values": values }), json!(values)] {
        let event = read(json!({"exception": exception, "level": "error", "platform": "python"}));
        assert_eq!((event.r#type.as_deref(), event.message.as_str()), (Some("Order"), "failed"));
        let frames = value(&event.stacktrace);
        assert_eq!(
            (&frames[0]["filename"], &frames[1]["filename"]),
            (&json!("pay"), &json!("main")),
            "newest call first"
        );
        let causes = value(&event.causes);
        assert_eq!(
            (&causes[0]["type"], &causes[0]["message"], &causes[0]["stacktrace"]),
            (&json!("DbError"), &json!("write"), &Value::Null)
        );
        assert_eq!((&causes[1]["type"], &causes[1]["stacktrace"][0]["filename"]), (&json!("OSError"), &json!("a")));
        assert_eq!(value(&event.more), json!({"mechanism": {"type": "generic", "handled": true}}));
        assert!(!event.unhandled);
    }
}

#[test]
fn a_message_may_have_any_of_sentrys_forms() {
    for (event, message) in [
        (json!({"message": "plain"}), "plain"),
        (json!({"message": {"message": "no %s", "params": ["ink"], "formatted": "no ink"}}), "no ink"),
        (json!({"message": {"message": "no %s"}}), "no %s"),
        (json!({"logentry": {"message": "no %s", "formatted": "no ink"}, "message": "other"}), "no ink"),
        (json!({"logentry": null, "message": "plain"}), "plain"),
        (json!({"logentry": {"message": ""}, "message": "plain"}), "plain"),
        (json!({"exception": {"values": []}, "message": "plain"}), "plain"),
        (
            json!({"exception": {"values": [{"value": "ignored", "stacktrace": {"frames": [{}]}}]}, "message": "plain"}),
            "plain",
        ),
        (json!({"exception": {"values": [{"value": "only this"}]}}), "only this"),
        (json!({"exception": [{"type": "E", "value": {"code": 7}}]}), r#"{"code":7}"#),
        (json!({}), "(no message)"),
    ] {
        assert_eq!(read(event.clone()).message, message, "{event}");
    }
    let event = read(json!({"message": {"message": "no %s", "params": ["ink"]}}));
    assert_eq!(value(&event.more)["message"]["params"], json!(["ink"]));
    assert_eq!(read(json!({"message": "plain"})).more, None);
}

#[test]
fn the_stack_may_come_from_a_thread_or_from_the_event() {
    let stack = |file: &str| json!({"frames": [{"filename": file}]});
    let threads =
        json!([{"current": true, "stacktrace": stack("current")}, {"crashed": true, "stacktrace": stack("crashed")}]);
    let file = |event| value(&read(event).stacktrace)[0]["filename"].clone();
    assert_eq!(file(json!({"message": "m", "threads": {"values": threads}})), "crashed");
    assert_eq!(file(json!({"message": "m", "threads": [threads[0]]})), "current");
    assert_eq!(file(json!({"message": "m", "stacktrace": stack("event"), "threads": threads})), "event");
    assert_eq!(
        file(json!({"exception": [{"type": "E", "stacktrace": stack("error")}], "stacktrace": stack("event")})),
        "error"
    );
    assert_eq!(read(json!({"message": "m", "threads": [{"id": 1}]})).stacktrace, None);
}

#[test]
fn frames_get_a_file_and_java_and_rust_their_own_corrections() {
    let frame = |platform: &str, sdk: &str, frame: Value| {
        let event = json!({"platform": platform, "sdk": {"name": sdk}, "exception": [{"type": "E", "stacktrace": {"frames": [frame]}}]});
        value(&read(event).stacktrace)[0].clone()
    };
    let sent = json!({"filename": "a.py", "function": "f", "lineno": 0, "vars": {"x": "1"}, "module": "m", "context_line": "x"});
    assert_eq!(frame("python", "", sent.clone()), sent, "as it was sent");
    assert_eq!(frame("python", "", json!({"abs_path": "/srv/a.py", "filename": null}))["filename"], "/srv/a.py");
    assert_eq!(frame("python", "", json!({"module": "shop.order"}))["filename"], "shop.order");
    let java = frame(
        "java",
        "",
        json!({"filename": "Order.java", "module": "com.shop.Order", "function": "pay", "in_app": true}),
    );
    assert_eq!(
        (&java["function"], &java["filename"], &java["in_app"]),
        (&json!("com.shop.Order.pay"), &json!("Order.java"), &json!(true))
    );
    for runtime in [
        "rust_begin_unwind",
        "sentry_panic::panic_handler",
        "core::panicking::panic_fmt",
        "<alloc::boxed::Box<F> as X>::call",
        "at /rustc/59807616e1/library/std/src/panicking.rs:581:40",
    ] {
        assert_eq!(
            frame("native", "sentry.rust", json!({"function": runtime, "in_app": true}))["in_app"],
            false,
            "{runtime}"
        );
    }
    for (path, in_app) in [
        ("/rustc/59807616e1/library/core/src/slice/index.rs", false),
        ("/root/.rustup/toolchains/x/lib/rustlib/src/rust/library/core/src/slice/index.rs", false),
        ("/usr/local/cargo/registry/src/index.crates.io-1949cf8c6b5b557f/axum-0.8.6/src/handler/mod.rs", false),
        ("/root/.cargo/git/checkouts/shop-a1b2c3/4d5e6f7/src/lib.rs", false),
        ("/srv/shop/src/slice/index.rs", true),
    ] {
        let sent = json!({"function": "<usize as core::slice::index::SliceIndex<[T]>>::index", "abs_path": path, "in_app": true});
        assert_eq!(frame("native", "sentry.rust", sent)["in_app"], in_app, "{path}");
    }
    assert_eq!(frame("native", "sentry.rust", json!({"function": "shop::pay", "in_app": true}))["in_app"], true);
}

#[test]
fn a_level_that_obs_does_not_have_is_kept_in_more() {
    for (sent, level) in [
        (json!("fatal"), Level::Error),
        (json!("debug"), Level::Info),
        (json!("critical"), Level::Error),
        (json!(40), Level::Error),
        (json!(30), Level::Warning),
        (json!(20), Level::Info),
        (json!({}), Level::Error),
    ] {
        let event = read(json!({"message": "m", "level": sent}));
        assert_eq!((event.level, &value(&event.more)["level"]), (level, &sent));
    }
    for (sent, level) in [(json!("warning"), Level::Warning), (json!("info"), Level::Info), (Value::Null, Level::Error)]
    {
        let event = read(json!({"message": "m", "level": sent}));
        assert_eq!((event.level, event.more), (level, None));
    }
}

#[test]
fn an_error_is_unhandled_if_its_mechanism_or_a_go_panic_says_so() {
    let with =
        |handled: Value| read(json!({"exception": [{"type": "E", "mechanism": {"handled": handled}}]})).unhandled;
    assert!(with(json!(false)) && !with(json!(true)) && !with(Value::Null));
    assert!(read(json!({"platform": "go", "level": "fatal", "exception": [{"type": "E"}]})).unhandled);
    assert!(!read(json!({"platform": "python", "level": "fatal", "exception": [{"type": "E"}]})).unhandled);
}

#[test]
fn what_an_event_carries_is_kept_and_everything_else_is_more() {
    let event = read(json!({
        "message": "m", "environment": " prod ", "release": "1.0", "server_name": "web", "fingerprint": ["a"],
        "tags": [["browser", "x"], ["paid", true], ["none", null]], "user": {"id": 7}, "request": {"url": "/"}, "extra": {"z": 1},
        "contexts": {"os": {"name": "Linux"}}, "breadcrumbs": {"values": [{"message": "click"}]},
        "transaction": "/pay", "modules": {"a": "1"}, "dist": "7",
    }));
    assert_eq!((event.environment.as_deref(), event.release.as_deref()), (Some("prod"), Some("1.0")));
    assert_eq!(event.tags, [("browser".into(), "x".into()), ("paid".into(), "true".into())]);
    assert_eq!((value(&event.user), value(&event.request)), (json!({"id": 7}), json!({"url": "/"})));
    assert_eq!(
        (value(&event.breadcrumbs), value(&event.contexts)),
        (json!([{"message": "click"}]), json!({"os": {"name": "Linux"}}))
    );
    assert_eq!(value(&event.more), json!({"transaction": "/pay", "modules": {"a": "1"}, "dist": "7"}));
    assert_eq!(read(json!({"message": "m", "fingerprint": []})).fingerprint, None);
}

#[test]
fn a_field_of_the_wrong_type_costs_that_field_only() {
    let wrong = [
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!([7]),
        json!([[]]),
        json!({}),
        json!({"values": 7}),
        json!({"values": [null, 7, {}]}),
    ];
    let names = "event_id exception logentry message threads stacktrace level timestamp fingerprint tags user request breadcrumbs \
                 contexts extra environment release server_name platform sdk transaction mechanism";
    for name in names.split_whitespace() {
        for wrong in &wrong {
            let mut event = json!({"exception": [{"type": "E", "value": "v"}], "release": "1.0"});
            event[name] = wrong.clone();
            let event = read(event);
            if name != "exception" {
                assert_eq!((event.r#type.as_deref(), event.message.as_str()), (Some("E"), "v"), "{name}: {wrong}");
            }
            for text in [
                &event.stacktrace,
                &event.causes,
                &event.user,
                &event.request,
                &event.breadcrumbs,
                &event.contexts,
                &event.more,
            ] {
                value(text); // is JSON
            }
        }
    }
    for broken in ["", "[]", "7", "{", "\u{1}"] {
        assert!(sentry::parse(broken.as_bytes(), EnvelopeHeader::default()).is_err(), "{broken}");
    }
}

#[test]
fn id_and_age_come_from_the_event_and_its_envelope() {
    let id = "0193a5c277ab7d109b1e5d2f0c4e8a91";
    let header = EnvelopeHeader::parse(
        br#"{"event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91","sent_at":"2026-11-27T10:00:30.5Z","dsn":7}"#,
    )
    .unwrap();
    let sent = sentry::parse(br#"{"message":"m","timestamp":1795773600.5,"event_id":"none"}"#, header).unwrap();
    assert_eq!((sent.event.id.unwrap().simple().to_string().as_str(), sent.age), (id, Some(30_000)));
    let own = sentry::parse(br#"{"message":"m","event_id":"0193a5c277ab7d109b1e5d2f0c4e8a92"}"#, header).unwrap();
    assert_eq!(
        (own.event.id.unwrap().simple().to_string().as_str(), own.age),
        ("0193a5c277ab7d109b1e5d2f0c4e8a92", None)
    );
    assert!(EnvelopeHeader::parse(b"{}").is_some() && EnvelopeHeader::parse(b"hello").is_none());
}

#[test]
fn a_csp_report_is_a_warning_grouped_by_directive_and_host() {
    let old = r#"{"csp-report":{"document-uri":"https://shop.example.com/pay","violated-directive":"script-src 'self'","blocked-uri":"https://evil.example.com:8443/x.js?y"}}"#;
    let new = r#"[{"type":"deprecation","body":{}},{"type":"csp-violation","url":"https://x","body":{"documentURL":"https://shop.example.com/pay","effectiveDirective":"script-src-elem","blockedURL":"inline"}}]"#;
    let old = &csp::reports(old.as_bytes()).unwrap()[0];
    assert_eq!(
        (old.r#type.as_deref(), old.level, old.message.as_str()),
        (Some("CSP"), Level::Warning, "blocked 'script-src' from evil.example.com:8443")
    );
    assert_eq!(value(&old.fingerprint), json!(["script-src", "evil.example.com:8443"]));
    assert_eq!(value(&old.request)["url"], "https://shop.example.com/pay");
    assert_eq!(value(&old.extra)["violated-directive"], "script-src 'self'");
    let new = csp::reports(new.as_bytes()).unwrap();
    assert_eq!((new.len(), new[0].message.as_str()), (1, "blocked 'script-src-elem' from inline"));
    assert!(csp::reports(b"{}").unwrap().is_empty() && csp::reports(b"hello").is_err());
}

/// The events of an envelope: their bytes, or `-` for one that is too large.
fn events(envelope: &[u8]) -> Vec<String> {
    let mut envelope = Envelope::open(envelope, 100).unwrap().unwrap();
    let mut events = Vec::new();
    while let Some(item) = envelope.next_event(|_, _| ()).unwrap() {
        events.push(match item {
            Part::Whole(event) => String::from_utf8(event).unwrap(),
            Part::TooLong => "-".into(),
        });
    }
    events
}

#[test]
fn an_envelope_yields_its_events_and_skips_everything_else() {
    for (items, found) in [
        ("{\"type\":\"event\"}\n{\"a\":1}", vec![r#"{"a":1}"#]),
        ("{\"type\":\"event\",\"length\":7}\n{\"a\":1}\n", vec![r#"{"a":1}"#]),
        ("{\"type\":\"event\",\"length\":8}\n{\"a\":\n1}\n{\"type\":\"event\"}\n{}", vec!["{\"a\":\n1}", "{}"]),
        ("{\"type\":\"attachment\",\"length\":3}\n\n\n\0\n{\"type\":\"event\"}\n{}\n", vec!["{}"]),
        ("{\"type\":\"replay_recording\"}\n{}\n\n{\"type\":\"event\"}\n{}\n", vec!["{}"]),
        ("{\"type\":\"session\"}\n\n{\"type\":\"event\"}\n{}\n", vec!["{}"]),
        ("{\"type\":\"event\"}\n{}\nbroken\n{\"type\":\"event\"}\n{}\n", vec!["{}"]),
        ("{\"type\":\"event\"}\n{}\n{\"type\":\"event\",\"length\":99}\n{}\n", vec!["{}"]),
        ("{\"type\":\"event\",\"length\":-1}\n{}\n{\"type\":7}\n", vec!["{}"]),
        ("", vec![]),
    ] {
        assert_eq!(events(format!("{{}}\n{items}").as_bytes()), found, "{items}");
    }
    let long = "x".repeat(101);
    assert_eq!(
        events(format!("{{}}\n{{\"type\":\"event\"}}\n{long}\n{{\"type\":\"event\"}}\n{{}}").as_bytes()),
        ["-", "{}"]
    );
    assert_eq!(
        events(format!("{{}}\n{{\"type\":\"event\",\"length\":101}}\n{long}\n{{\"type\":\"event\"}}\n{{}}").as_bytes()),
        ["-", "{}"]
    );
    assert_eq!(events(b"{}"), [""; 0]);
    for none in [&b""[..], b"\n", b"hello\n", b"[]\n{\"type\":\"event\"}\n{}", &[b'{'; 70_000]] {
        assert!(Envelope::open(none, 100).unwrap().is_none());
    }
}
