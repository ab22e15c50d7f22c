//! The rules of `POST /api/events`: every field, refusal and limit, sent over HTTP and read back.
mod common;
use common::*;
use serde_json::{Value, json};
use std::thread;

/// Sends `{"message":"m"}` with one more field, whose value is JSON text, and reads the event back.
fn with(obs: &Obs, field: &str, value: &str) -> Value {
    obs.add_and_read(format!(r#"{{"message":"m","{field}":{value}}}"#))
}

#[test]
fn an_event_is_read_back_with_every_field() {
    let obs = Obs::start();
    let event = obs.add_and_read(
        r#"{"event_id":"0193A5C277AB7D109B1E5D2F0C4E8A91","level":"warning","type":"DbError","message":"no connection",
            "stacktrace":[{"filename":"a.go","function":"main.f","lineno":3,"vars":{"x":1.0}}],
            "causes":[{"type":"net.Error","message":"refused"}],"platform":"go","timestamp":"2026-02-25 15:05:20+01:00",
            "server_name":"web-1","environment":"production","release":"v1","fingerprint":["a","b"],"suppressed":3,
            "extra":{"z":1,"a":1.000000000000000000001,"z":2},"user":{"id":7},"tags":{"paid":true},"request":{"url":"/"},
            "breadcrumbs":[{"message":"click"}],"contexts":{"os":{}},"mechanism":{"handled":false},"colour":"red"}"#,
    );
    assert_eq!(event["id"], "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91");
    assert_eq!(event["level"], "warning");
    assert_eq!(event["type"], "DbError");
    assert_eq!(event["message"], "no connection");
    assert_eq!(event["stacktrace"][0]["vars"]["x"], 1.0);
    assert_eq!(event["causes"][0]["message"], "refused");
    assert_eq!(event["platform"], "go");
    assert_eq!(event["timestamp"], "2026-02-25T14:05:20.000Z");
    assert_eq!(event["server_name"], "web-1");
    assert_eq!(event["environment"], "production");
    assert_eq!(event["release"], "v1");
    assert_eq!(event["fingerprint"], json!(["a", "b"]));
    assert_eq!(event["suppressed"], 3);
    assert_eq!((&event["user"], &event["tags"]), (&json!({"id": 7}), &json!({"paid": "true"})));
    assert_eq!((&event["request"], &event["contexts"]), (&json!({"url": "/"}), &json!({"os": {}})));
    assert_eq!((&event["breadcrumbs"], &event["unhandled"]), (&json!([{"message": "click"}]), &json!(true)));
    assert_eq!(event["more"], json!({"mechanism": {"handled": false}, "colour": "red"}));
    assert_eq!((&event["seq"], &event["issue_id"], &event["project"]), (&json!(1), &json!(1), &json!("")));
    let text = obs.text("/api/events/0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91");
    assert!(text.contains(r#""extra":{"z":1,"a":1.000000000000000000001,"z":2}"#), "{text}");
}

#[test]
fn absent_fields_are_null() {
    let obs = Obs::start();
    let event = obs.add_and_read(r#"{"message":"m","environment":" ","release":null,"stacktrace":null}"#);
    let fields = "type stacktrace causes platform server_name environment release fingerprint suppressed extra more";
    for field in fields.split(' ') {
        assert_eq!(event[field], Value::Null, "{field}");
        assert!(event.as_object().unwrap().contains_key(field), "{field}");
    }
    assert_eq!(event["level"], "error");
    assert_eq!(event["timestamp"], event["received_at"]);
    assert_eq!(&event["id"].as_str().unwrap()[14..15], "7", "the server makes version 7 ids");
}

#[test]
fn levels_are_understood_in_any_case() {
    let obs = Obs::start();
    let levels = [
        ("error", "error"),
        ("WARNING", "warning"),
        ("Warn", "warning"),
        ("info", "info"),
        ("debug", "info"),
        ("LOG", "info"),
        ("notice", "info"),
        ("fatal", "error"),
        ("", "error"),
    ];
    for (sent, stored) in levels {
        assert_eq!(with(&obs, "level", &format!("\"{sent}\""))["level"], stored, "{sent}");
    }
}

#[test]
fn a_message_is_required_unless_there_is_a_type() {
    let obs = Obs::start();
    for missing in ["{}", r#"{"message":null}"#, r#"{"message":" \t\n"}"#, r#"{"type":"  "}"#, r#"{"type":7}"#] {
        let answer = obs.post(missing);
        assert_eq!((answer.status, answer.error().as_str()), (400, "Missing required field: message"), "{missing}");
    }
    for blank in
        [r#"{"type":"KeyError"}"#, r#"{"type":"KeyError","message":null}"#, r#"{"type":"KeyError","message":""}"#]
    {
        let event = obs.add_and_read(blank);
        assert_eq!((&event["message"], &event["type"]), (&json!(""), &json!("KeyError")), "{blank}");
    }
}

#[test]
fn a_body_that_is_not_an_event_is_refused_with_the_reason() {
    let obs = Obs::start();
    let deep = |n: usize| format!(r#"{{"message":"m","extra":{}{}}}"#, "[".repeat(n), "]".repeat(n));
    let cases: [(Vec<u8>, &str); 11] = [
        (b"".into(), "Invalid JSON: "),
        (b"hello".into(), "Invalid JSON: "),
        (b"{\"message\":\"m\"".into(), "Invalid JSON: "),
        (b"{\"message\":\"m\"} x".into(), "Invalid JSON: "),
        (b"{\"message\":\"\xff\"}".into(), "Invalid JSON: "),
        (b"{\"message\":\"a\nb\"}".into(), "Invalid JSON: "),
        (deep(127).into(), "Invalid JSON: "),
        (b"[]".into(), "Invalid event: expected a JSON object"),
        (b"\"m\"".into(), "Invalid event: expected a JSON object"),
        (b"{\"message\":7}".into(), "Invalid field message: expected a string"),
        (b"{\"message\":\"m\",\"event_id\":\"7\"}".into(), "Invalid field event_id: expected a UUID"),
    ];
    for (body, error) in cases {
        let answer = obs.post(&body);
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(&body));
        assert!(answer.error().starts_with(error), "{}", answer.error());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(obs.post(deep(126)).status, 201, "126 arrays in an object are nested 127 deep");
    assert_eq!(obs.json("/api/issues")["issues"].as_array().unwrap().len(), 1);
}

#[test]
fn ids_are_accepted_in_every_documented_form_and_no_other() {
    let obs = Obs::start();
    let forms = [
        "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91",
        "1193A5C277AB4D109B1E5D2F0C4E8A91",
        "00000000-0000-0000-0000-000000000001",
    ];
    let stored = [
        "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91",
        "1193a5c2-77ab-4d10-9b1e-5d2f0c4e8a91",
        "00000000-0000-0000-0000-000000000001",
    ];
    for (form, id) in forms.iter().zip(stored) {
        assert_eq!(obs.add(json!({"message": "m", "event_id": form}).to_string()), id);
        assert_eq!(obs.get(&format!("/api/events/{form}")).status, 200);
    }
    for wrong in [
        "{0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91}",
        "urn:uuid:0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91",
        "",
        "g193a5c277ab7d109b1e5d2f0c4e8a91",
    ] {
        assert_eq!(obs.post(json!({"message": "m", "event_id": wrong}).to_string()).status, 400, "{wrong}");
    }
}

#[test]
fn an_id_that_is_sent_twice_is_stored_and_counted_once() {
    let obs = Obs::start();
    let body = r#"{"message":"m","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91"}"#;
    assert_eq!(obs.post(body).status, 201);
    let again = obs.post(body.replace("\"m\"", "\"another issue\""));
    assert_eq!((again.status, again.json()["id"].as_str()), (200, Some("0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91")));
    let issues = obs.json("/api/issues")["issues"].clone();
    assert_eq!((issues.as_array().unwrap().len(), &issues[0]["count"]), (1, &json!(1)));
}

#[test]
fn an_id_that_many_threads_send_at_once_is_stored_once() {
    let obs = Obs::start();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let send = || obs.post(r#"{"message":"m","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91"}"#).status;
        let threads: Vec<_> = (0..32).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 201)), "{statuses:?}");
    let issue = obs.json("/api/issues/1");
    assert_eq!((&issue["issue"]["count"], &issue["issue"]["stored"]), (&json!(1), &json!(1)));
}

#[test]
fn texts_are_cut_at_their_limits_but_not_before() {
    let obs = Obs::start();
    let message = |n: usize| {
        obs.add_and_read(json!({"message": "é".repeat(n)}).to_string())["message"].as_str().unwrap().to_string()
    };
    assert_eq!(message(8192), "é".repeat(8192));
    assert_eq!(message(8193), "é".repeat(8191) + "…");
    for field in ["platform", "server_name", "environment", "release", "type"] {
        for (sent, stored) in [(200, 200), (201, 200)] {
            let event = with(&obs, field, &format!("\"{}\"", "é".repeat(sent)));
            assert_eq!(event[field].as_str().unwrap(), "é".repeat(stored), "{field}");
        }
    }
}

#[test]
fn lists_are_cut_at_their_limits_but_not_before() {
    let obs = Obs::start();
    for (field, limit) in [("stacktrace", 250), ("causes", 20)] {
        for sent in [limit, limit + 1] {
            let list: Vec<Value> = (0..sent).map(|n| json!({"n": n, "message": "x"})).collect();
            let event = with(&obs, field, &json!(list).to_string());
            assert_eq!(event[field].as_array().unwrap().len(), limit, "{field} of {sent}");
            assert_eq!(event[field][limit - 1]["n"], limit - 1);
        }
    }
    let kept = with(&obs, "stacktrace", r#"["a frame that is not an object",{"lineno":1}]"#);
    assert_eq!(kept["stacktrace"], json!(["a frame that is not an object", {"lineno": 1}]));
}

#[test]
fn an_optional_field_of_the_wrong_type_counts_as_absent_and_is_kept_in_more() {
    let obs = Obs::start();
    let wrong = [
        ("level", "5"),
        ("type", "[]"),
        ("platform", "{}"),
        ("server_name", "1"),
        ("environment", "true"),
        ("release", "1.5"),
        ("stacktrace", r#""at main""#),
        ("causes", r#"{"message":"x"}"#),
        ("timestamp", "true"),
        ("fingerprint", r#""a""#),
        ("fingerprint", "[]"),
        ("fingerprint", "[1]"),
        ("fingerprint", r#"["1","2","3","4","5","6","7","8","9"]"#),
        ("suppressed", "-1"),
        ("suppressed", "1000001"),
        ("suppressed", "1.5"),
        ("suppressed", r#""1""#),
    ];
    for (field, value) in wrong {
        let event = with(&obs, field, value);
        let sent: Value = serde_json::from_str(value).unwrap();
        assert_eq!(event["more"], json!({ field: sent }), "{field}: {value}");
        if !["level", "timestamp"].contains(&field) {
            assert_eq!(event[field], Value::Null, "{field}: {value}");
        }
    }
    assert_eq!(with(&obs, "fingerprint", r#"["1","2","3","4","5","6","7","8"]"#)["more"], Value::Null);
}

#[test]
fn impossible_times_become_the_time_of_arrival() {
    let obs = Obs::start();
    for (sent, stored) in [
        (r#""2026-02-25T15:05:20.98765+02:00""#, "2026-02-25T13:05:20.987Z"),
        (r#""2026-02-25 15:05""#, "2026-02-25T15:05:00.000Z"),
        (r#""2026-02-25T15:05:20+0230""#, "2026-02-25T12:35:20.000Z"),
        (r#""2026-02-25T15:05:20-05""#, "2026-02-25T20:05:20.000Z"),
        ("1705314030.9999", "2024-01-15T10:20:30.999Z"),
        ("0", "1970-01-01T00:00:00.000Z"),
        (r#""9999-12-31T23:59:59.999Z""#, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(with(&obs, "timestamp", sent)["timestamp"], stored, "{sent}");
    }
    for impossible in
        [r#""2026-02-31T00:00:00Z""#, r#""2026-02-25T24:00:00Z""#, r#""soon""#, "-1", "253402300800000", "1e300"]
    {
        let event = with(&obs, "timestamp", impossible);
        assert_eq!(event["timestamp"], event["received_at"], "{impossible}");
    }
}

#[test]
fn suppressed_events_are_counted_but_not_stored() {
    let obs = Obs::start();
    with(&obs, "suppressed", "99");
    with(&obs, "suppressed", "1.0e6");
    let issue = &obs.json("/api/issues/1")["issue"];
    assert_eq!((&issue["count"], &issue["stored"]), (&json!(1_000_101), &json!(2)));
    let hours: i64 =
        obs.sqlite().query_row("SELECT sum(events) FROM issue_hours WHERE issue_id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(hours, 1_000_101);
}

#[test]
fn lone_surrogates_become_replacement_characters_where_text_is_stored() {
    let obs = Obs::start();
    let id = obs
        .add(r#"{"message":"cut \ud83d","release":"\udc00","extra":{"\ud83d":"\ud83d"},"x":"\ud83d","n":"a\u0000b"}"#);
    let text = obs.text(&format!("/api/events/{id}"));
    assert!(text.contains("\"message\":\"cut \u{fffd}\"") && text.contains("\"release\":\"\u{fffd}\""), "{text}");
    assert!(
        text.contains(r#""extra":{"\ud83d":"\ud83d"}"#) && text.contains(r#""more":{"x":"\ud83d","n":"a\u0000b"}"#),
        "{text}"
    );
    assert!(obs.text(&format!("/events/{id}")).contains('\u{fffd}'));
    assert_eq!(obs.add_and_read(r#"{"message":"a\u0000b"}"#)["message"], "a\0b");
}

#[test]
fn keys_with_different_lone_surrogates_are_different_fields() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m","\ud800":1,"\ud801":2,"x":3}"#);
    let text = obs.text(&format!("/api/events/{id}"));
    assert!(text.contains(r#""more":{"\ud800":1,"\ud801":2,"x":3}"#), "{text}");
}

#[test]
fn an_event_with_the_largest_numbers_has_its_pages() {
    let obs = Obs::start();
    let most = u64::MAX;
    let id = obs.add(format!(
        r#"{{"message":"m","stacktrace":[{{"lineno":{most},"colno":{most},"context_line":"x","pre_context":["w"],"post_context":["y"]}}]}}"#
    ));
    assert_eq!((obs.get("/issues/1").status, obs.get(&format!("/events/{id}")).status), (200, 200));
}

#[test]
fn the_last_of_several_fields_with_one_name_counts() {
    let obs = Obs::start();
    let event = obs.add_and_read(r#"{"message":"a","message":"b","x":1,"x":2}"#);
    assert_eq!((&event["message"], &event["more"]), (&json!("b"), &json!({"x": 2})));
}

#[test]
fn a_body_of_one_mebibyte_is_accepted_but_not_one_byte_more() {
    let obs = Obs::start();
    let body_of = |size: usize| {
        let body = |n| format!(r#"{{"message":"m","extra":"{}"}}"#, "x".repeat(n));
        body(size - body(0).len())
    };
    assert_eq!(obs.post(body_of(1 << 20)).status, 201);
    let refused = obs.post(body_of((1 << 20) + 1));
    assert_eq!((refused.status, refused.error().contains("1048576")), (413, true), "{}", refused.text());
    let chunked =
        "POST /api/events HTTP/1.1\r\nX-OBS-Key: test123\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut connection = obs.connect();
    connection.write(chunked.as_bytes());
    connection.write(b"10\r\n{\"message\":\"abc\"\r\n1\r\n}\r\n0\r\n\r\n");
    assert_eq!(connection.read(false).unwrap().status, 201);
    connection.write(chunked.as_bytes());
    connection.write(b"100001\r\n");
    assert_eq!(connection.read(false).unwrap().status, 413);
}

#[test]
fn a_wrong_key_is_refused_whatever_the_body_is() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "first, shop=second")]);
    for key in ["", "X-OBS-Key: ", "X-OBS-Key: firs", "X-OBS-Key: firstt", "X-OBS-Key: shop", "X-OBS-Key: shop=second"]
    {
        let answer = obs.send(format!("POST /api/events HTTP/1.1\r\n{key}").trim_end_matches("\r\n"), b"no json");
        assert_eq!((answer.status, answer.error().as_str()), (401, "Invalid API key"), "{key}");
    }
}

#[test]
fn a_projects_key_stores_events_in_that_project() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "first,shop=second,,blog=third")]);
    for (key, project) in [("first", ""), ("second", "shop"), ("third", "blog")] {
        let answer = obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), br#"{"message":"the same"}"#);
        let event = obs.json(&format!("/api/events/{}", answer.json()["id"].as_str().unwrap()));
        assert_eq!(event["project"], project);
    }
    let issues = obs.json("/api/issues")["issues"].clone();
    let projects: Vec<_> = issues.as_array().unwrap().iter().map(|issue| issue["project"].clone()).collect();
    assert_eq!(projects, ["blog", "shop", ""], "one message in three projects is three issues");
}

#[test]
fn an_issue_keeps_its_first_title_and_shows_its_newest_event() {
    let obs = Obs::start();
    obs.add(
        r#"{"message":"order 7 failed\nmore","type":"OrderError","level":"info","release":"v1","environment":"staging",
                "stacktrace":[{"filename":"/srv/app/src/Order.php","function":"Order::pay"}]}"#,
    );
    let last = obs.add(
        r#"{"message":"order 8 failed\nother","type":"OrderError","level":"error","release":"v2","platform":"php",
                "stacktrace":[{"filename":"/srv/app/src/Cart.php","function":"Cart::pay"}]}"#,
    );
    let issue = &obs.json("/api/issues/1")["issue"];
    assert_eq!(issue["title"], "OrderError: order <*> failed");
    assert_eq!(issue["culprit"], "Order::pay in src/Order.php");
    assert_eq!((&issue["message"], &issue["level"]), (&json!("order 8 failed\nother"), &json!("error")));
    assert_eq!(
        (&issue["release"], &issue["environment"], &issue["platform"]),
        (&json!("v2"), &Value::Null, &json!("php"))
    );
    assert_eq!((&issue["count"], &issue["stored"], &issue["last_event_id"]), (&json!(2), &json!(2), &json!(last)));
    assert!(issue["first_seen"].as_str() <= issue["last_seen"].as_str());
    assert!(!issue["grouped_by"].as_str().unwrap().is_empty());
}

#[test]
fn hours_and_values_are_counted_from_the_first_event() {
    let obs = Obs::start();
    for n in 0..105 {
        obs.add(json!({"message": "m", "level": if n < 5 { "info" } else { "error" }, "release": format!("v{n}"), "server_name": "web"}).to_string());
    }
    obs.add(r#"{"message":"another"}"#);
    let sqlite = obs.sqlite();
    let number = |sql: &str| sqlite.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("SELECT sum(events) FROM project_hours"), 106);
    assert_eq!(number("SELECT sum(errors) FROM project_hours"), 101);
    assert_eq!(number("SELECT sum(events) FROM issue_hours WHERE issue_id = 1"), 105);
    assert_eq!(
        number("SELECT count(*) FROM issue_values WHERE issue_id = 1 AND kind = 'release' AND value <> ''"),
        100
    );
    assert_eq!(number("SELECT events FROM issue_values WHERE issue_id = 1 AND kind = 'release' AND value = ''"), 5);
    assert_eq!(
        number("SELECT events FROM issue_values WHERE issue_id = 1 AND kind = 'server_name' AND value = 'web'"),
        105
    );
    assert_eq!(number("SELECT count(*) FROM issue_values WHERE kind = 'environment'"), 0);
    let first: String =
        sqlite.query_row("SELECT first_release FROM issues WHERE id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(first, "v0");
}

#[test]
fn an_event_that_cannot_be_inserted_fails_alone() {
    let obs = Obs::start();
    obs.sqlite()
        .execute_batch("CREATE TRIGGER poison BEFORE INSERT ON events WHEN new.message = 'poison' BEGIN SELECT RAISE(ABORT, 'no'); END")
        .unwrap();
    thread::scope(|scope| {
        for n in 0..16 {
            let obs = &obs;
            scope.spawn(move || {
                let mut connection = obs.connect();
                for m in 0..20 {
                    let (message, status) = if (n + m) % 4 == 0 { ("poison", 503) } else { ("good", 201) };
                    let answer = connection.post(format!(r#"{{"message":"{message}","extra":{n}}}"#));
                    assert_eq!(answer.status, status);
                    assert_eq!(answer.header("retry-after").is_some(), status == 503);
                }
            });
        }
    });
    let issues = obs.json("/api/issues")["issues"].clone();
    assert_eq!(issues.as_array().unwrap().len(), 1, "a failed event leaves no issue behind");
    assert_eq!(issues[0]["count"], 240);
    assert_eq!(obs.get("/health").status, 200);
}
