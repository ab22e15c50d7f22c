//! Sentry's protocol: keys, routes, and what the SDKs are answered.
mod common;
use common::sentry::*;
use common::*;
use serde_json::{Value, json};

fn start_with(variables: &[(&str, &str)]) -> Obs {
    Obs::with(&[], &[&[("OBS_API_KEY", KEY)], variables].concat())
}

#[test]
fn what_is_no_event_is_answered_200_also_when_the_rate_limit_is_used_up() {
    let obs = start_with(&[("OBS_RATE_LIMIT", "2")]);
    assert_eq!([send(&obs, "store", "{}").status, send(&obs, "store", "{}").status], [200, 200]);
    for kind in ["client_report", "session", "sessions", "transaction", "check_in", "feedback", "user_report", "statsd"]
    {
        let answer = send(&obs, "envelope", envelope(&[item(kind, "{\"event_id\":\"x\"}")]));
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"), "{kind}");
        assert_readable(&answer);
    }
    assert_eq!([send(&obs, "envelope", "{}").text(), send(&obs, "envelope", "{}\n").text()], ["{}", "{}"]);
    assert_eq!(send(&obs, "security", "[]").text(), "{}");
    for (route, body) in [
        ("store", b"{}".to_vec()),
        ("envelope", envelope(&[item("session", "{}"), event("m")])),
        ("security", br#"{"csp-report":{}}"#.to_vec()),
    ] {
        let refused = send(&obs, route, body);
        assert_eq!((refused.status, refused.body.len()), (429, 0), "{route}");
        let seconds: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert_eq!(refused.header("x-sentry-rate-limits"), Some(format!("{seconds}:error:key").as_str()));
        assert_readable(&refused);
    }
    assert_eq!(messages(&obs).len(), 2);
}

#[test]
fn a_value_of_the_wrong_type_in_any_field_costs_that_field_only() {
    let obs = Obs::start();
    let wrong = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!([]),
        json!([null]),
        json!([7]),
        json!(["x"]),
        json!([[]]),
        json!([["a"]]),
        json!([["a", null]]),
        json!([{}]),
        json!({}),
        json!({"": null}),
        json!({"values": null}),
        json!({"values": [null, 7, "x", [], {}]}),
        json!({"values": {}}),
        json!({"frames": [null, 7, {}]}),
        json!({"formatted": 7, "message": []}),
        json!({"url": 7, "headers": 7, "data": []}),
        json!({"headers": [[7, 8], ["a"], 7]}),
        json!({"id": {}, "email": []}),
        json!({"browser": 7, "os": {"name": {}, "version": []}}),
        json!({"name": []}),
    ];
    let fields = "event_id exception logentry message threads stacktrace level timestamp fingerprint tags user request breadcrumbs \
                  contexts extra environment release server_name platform sdk transaction mechanism modules dist debug_meta culprit \
                  logger type sent_at suppressed unhandled more";
    let inner = "type value module stacktrace mechanism thread_id";
    let frame = "filename abs_path function module lineno colno in_app context_line pre_context post_context vars";
    let mut client = obs.connect();
    let mut count = 0;
    let mut send = |event: &Value, what: &str| {
        let answer = client.send(&head("store"), event.to_string().as_bytes());
        count += 1;
        assert_eq!(answer.status, 200, "{what}: {event}: {}", answer.text());
        answer.json()["id"].as_str().unwrap().to_string()
    };
    for wrong in &wrong {
        for field in fields.split_whitespace() {
            let mut event = json!({"exception": [{"type": "E", "value": "v"}], "release": "1.0"});
            event[field] = wrong.clone();
            let id = send(&event, field);
            if !["exception", "release"].contains(&field) {
                let stored = obs.json(&format!("/api/events/{id}"));
                assert_eq!((&stored["type"], &stored["release"]), (&json!("E"), &json!("1.0")), "{field}: {wrong}");
            }
        }
        for field in inner.split_whitespace() {
            let mut event =
                json!({"exception": {"values": [{"type": "C"}, {"type": "E", "value": "v"}]}, "platform": "java"});
            event["exception"]["values"][0][field] = wrong.clone();
            event["exception"]["values"][1][field] = wrong.clone();
            send(&event, field);
        }
        for field in frame.split_whitespace() {
            let mut event =
                json!({"exception": [{"type": "E", "stacktrace": {"frames": [{"function": "f", "module": "m"}]}}]});
            event["exception"][0]["stacktrace"]["frames"][0][field] = wrong.clone();
            send(&event, field);
        }
    }
    assert_eq!(messages(&obs).len(), count);
    for issue in obs.json("/api/issues")["issues"].as_array().unwrap() {
        obs.text(&format!("/issues/{}", issue["id"]));
    }
}

#[test]
fn the_key_may_be_in_any_of_three_places_and_is_checked_before_the_body() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "first, shop=second-key")]);
    let send = |target: &str, header: &str| {
        let head = format!("POST {target} HTTP/1.1{}{header}", if header.is_empty() { "" } else { "\r\n" });
        obs.send(&head, &envelope(&[event("m")]))
    };
    for (target, header) in [
        ("/api/1/envelope/", "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=x/1, sentry_key=second-key"),
        ("/api/1/envelope/", "X-Sentry-Auth: Sentry sentry_key=second-key,sentry_version=7,sentry_secret=x"),
        ("/api/1/envelope/", "x-sentry-auth: Sentry sentry_version=7,sentry_key=second-key,sentry_timestamp=1.5"),
        ("/api/1/envelope/", "X-Sentry-Auth: Sentry  sentry_key=second-key , sentry_version=7"),
        ("/api/1/envelope/", "X-Sentry-Auth: sentry_key=second-key"),
        ("/api/1/envelope/", "X-OBS-Key: second-key"),
        ("/api/1/envelope/?sentry_key=second-key&sentry_version=7", ""),
        ("/api/1/envelope?sentry_version=7&sentry_key=second%2Dkey", ""),
        ("/api/1/envelope/?sentry_key=second-key", "X-Sentry-Auth: Sentry sentry_version=7"),
    ] {
        assert_eq!(stored(&obs, &send(target, header))["project"], "shop", "{target} {header}");
    }
    for (target, header) in [
        ("/api/1/envelope/", ""),
        ("/api/1/envelope/", "X-Sentry-Auth: Sentry sentry_key=second"),
        ("/api/1/envelope/", "X-Sentry-Auth: Sentry sentry_key="),
        ("/api/1/envelope/", "X-Sentry-Auth: Sentry sentry_secret=first"),
        ("/api/1/envelope/", "X-OBS-Key: second"),
        ("/api/1/envelope/?sentry_key=wrong", ""),
        ("/api/1/envelope/?sentry_key=first", "X-Sentry-Auth: Sentry sentry_key=wrong"),
    ] {
        let refused = send(target, header);
        assert_eq!(
            (refused.status, refused.header("x-sentry-error")),
            (401, Some("Invalid API key")),
            "{target} {header}"
        );
        assert_readable(&refused);
    }
    for route in ["envelope", "store", "security"] {
        let mut client = obs.connect();
        client
            .write(format!("POST /api/1/{route}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n").as_bytes());
        assert_eq!(client.read(false).unwrap().status, 401, "before a byte of the body");
        let body = "{\"dsn\":\"http://first@localhost/1\"}\n{\"type\":\"event\"}\n{}".to_string();
        assert_eq!(obs.send(&format!("POST /api/1/{route}/ HTTP/1.1"), body.as_bytes()).status, 401);
    }
}

#[test]
fn each_route_works_with_and_without_the_slash_for_any_project() {
    let obs = Obs::start();
    for route in ["envelope", "store", "security"] {
        for project in ["1", "4505", "my-shop_2", "x"] {
            for slash in ["", "/"] {
                let path = format!("/api/{project}/{route}{slash}");
                let send = |method: &str, body: &[u8]| obs.send(&format!("{method} {path} HTTP/1.1\r\n{AUTH}"), body);
                assert_eq!(send("POST", b"{}").status, 200, "{path}");
                for method in ["GET", "PUT", "DELETE"] {
                    let refused = send(method, b"");
                    assert_eq!(
                        (refused.status, refused.header("allow")),
                        (405, Some("OPTIONS, POST")),
                        "{method} {path}"
                    );
                    assert_readable(&refused);
                }
                let preflight = obs.send(&format!("OPTIONS {path} HTTP/1.1\r\nOrigin: https://shop.example\r\n\
                    Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-sentry-auth,traceparent,baggage"), b"");
                assert_eq!((preflight.status, preflight.header("access-control-max-age")), (204, Some("86400")));
                assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
                assert_eq!(preflight.header("access-control-allow-headers"), Some("x-sentry-auth,traceparent,baggage"));
                assert_readable(&preflight);
            }
        }
    }
    for path in ["/api//envelope/", "/api/a.b/envelope/", "/api/a/b/envelope/", "/api/1/minidump/", "/api/1"] {
        let head = format!("POST {path} HTTP/1.1\r\n{AUTH}");
        assert_eq!(obs.send(&head, b"{}").status, 404, "{path}");
    }
}

#[test]
fn an_event_keeps_its_id_and_counts_once_however_often_it_is_sent() {
    let obs = Obs::start();
    let id = "0193a5c277ab7d109b1e5d2f0c4e8a91";
    let other = "5d2f0c4e0193a5c277ab7d109b1e8a91";
    let in_header =
        [format!("{{\"event_id\":\"{}\"}}\n", "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91").into_bytes(), event("m")]
            .concat();
    let in_event = envelope(&[item("event", format!(r#"{{"message":"m","event_id":"{other}"}}"#))]);
    for (body, expected) in [(in_header, id), (in_event, other)] {
        for _ in 0..3 {
            assert_eq!(send(&obs, "envelope", &body).text(), format!(r#"{{"id":"{expected}"}}"#));
        }
    }
    assert_eq!(
        send(&obs, "store", format!(r#"{{"message":"m","event_id":"{}"}}"#, id.to_uppercase())).json()["id"],
        id
    );
    assert_eq!(obs.json("/api/issues/1")["issue"]["count"], 2);
    for unusable in ["none", "00000000000000000000000000000000", "{0193a5c277ab7d109b1e5d2f0c4e8a91}"] {
        stored(&obs, &send(&obs, "store", format!(r#"{{"message":"m","event_id":"{unusable}"}}"#)));
    }
    assert_eq!(obs.json("/api/issues/1")["issue"]["count"], 5);
}

#[test]
fn an_event_from_before_a_resolution_does_not_reopen_the_issue_whatever_the_clients_clock_says() {
    let obs = Obs::start();
    for (sent_at, timestamp, state) in [
        (r#""2020-01-01T00:10:00.000000Z""#, r#""2020-01-01T00:00:00""#, "resolved"),
        ("1577837400.5", "1577836800", "resolved"),
        (r#""2020-01-01T00:00:00Z""#, r#""2020-01-01T00:00:00.000Z""#, "open"),
        (r#""2020-01-01T00:00:00Z""#, r#""2020-01-01T00:10:00Z""#, "open"),
        (r#""2020-01-01T00:00:00Z""#, "null", "open"),
        ("null", r#""2020-01-01T00:00:00Z""#, "open"),
    ] {
        assert_eq!(send(&obs, "store", "{\"message\":\"m\"}").status, 200);
        triage::set_state(&obs, 1, "resolved");
        let body = format!(
            "{{\"sent_at\":{sent_at}}}\n{{\"type\":\"event\"}}\n{{\"message\":\"m\",\"timestamp\":{timestamp}}}"
        );
        assert_eq!(send(&obs, "envelope", body).status, 200);
        assert_eq!(triage::issue(&obs, 1)["state"], state, "{sent_at} {timestamp}");
    }
}

#[test]
fn csp_reports_of_both_kinds_are_events() {
    let obs = Obs::start();
    let report = |kind: &str, body: &str| {
        let head = format!("POST /api/1/security/?sentry_key={KEY} HTTP/1.1\r\nContent-Type: {kind}");
        obs.send(&head, body.as_bytes())
    };
    let old = r#"{"csp-report":{"document-uri":"https://shop.example/pay?x=1","violated-directive":"script-src 'self'","blocked-uri":"https://evil.example/a.js"}}"#;
    let event = stored(&obs, &report("application/csp-report", old));
    assert_eq!((&event["type"], &event["message"]), (&json!("CSP"), &json!("blocked 'script-src' from evil.example")));
    assert_eq!(
        (&event["level"], &event["request"]["url"]),
        (&json!("warning"), &json!("https://shop.example/pay?x=1"))
    );
    assert_eq!(event["extra"]["blocked-uri"], "https://evil.example/a.js");
    let violation = |blocked: &str| json!({"type": "csp-violation", "body": {"effectiveDirective": "script-src", "blockedURL": blocked}});
    let new = json!([violation("https://evil.example/b.js"), {"type": "deprecation", "body": {}}, violation("eval"), violation("data:x")]);
    stored(&obs, &report("application/reports+json", &new.to_string()));
    let blocked = |from: &str| format!("blocked 'script-src' from {from}");
    assert_eq!(messages(&obs), ["evil.example", "evil.example", "eval", "data"].map(blocked));
    assert_eq!(obs.json("/api/issues/1")["issue"]["count"], 2, "grouped by directive and host");
    let many: Vec<_> = (0..500).map(|n| violation(&format!("https://{n}.example"))).collect();
    assert_eq!(report("application/reports+json", &json!(many).to_string()).status, 200);
    assert_eq!(messages(&obs).len(), 104, "as many as a browser holds back");
}
