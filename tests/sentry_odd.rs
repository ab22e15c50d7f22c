//! Events in Sentry's form as old SDKs, and SDKs in haste, send them.
use obs::event::sentry::{self, EnvelopeHeader};
use obs::event::{Event, csp};
use serde_json::{Value, json};

fn read(event: Value) -> Event {
    sentry::parse(event.to_string().as_bytes(), EnvelopeHeader::default()).unwrap().event
}

fn value(text: &Option<String>) -> Value {
    text.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

fn stack(file: &str) -> Value {
    json!({"frames": [{"filename": file}]})
}

#[test]
fn fields_may_have_the_names_that_sentrys_first_sdks_gave_them() {
    let event = read(json!({
        "message": "no ink", "platform": "java", "culprit": "com.shop.Order.pay",
        "sentry.interfaces.Exception": [
            {"type": "InkException", "value": "empty", "module": "com.shop"},
            {"type": "IllegalStateException", "value": "no ink", "module": "java.lang", "stacktrace": {"frames": [
                {"filename": "Main.java", "module": "com.shop.Main", "function": "main", "lineno": 3, "in_app": true},
                {"filename": "Order.java", "module": "com.shop.Order", "function": "pay", "lineno": 9, "in_app": true},
            ]}},
        ],
        "sentry.interfaces.Message": {"message": "no {}", "params": ["ink"]},
        "sentry.interfaces.User": {"id": "7"},
        "sentry.interfaces.Http": {"url": "http://shop/pay", "headers": [["Host", "shop"]]},
    }));
    assert_eq!((event.r#type.as_deref(), event.message.as_str()), (Some("IllegalStateException"), "no ink"));
    assert_eq!(value(&event.stacktrace)[0]["function"], "com.shop.Order.pay");
    assert_eq!(value(&event.causes)[0]["type"], "InkException");
    assert_eq!(
        (value(&event.user)["id"].as_str(), value(&event.request)["url"].as_str()),
        (Some("7"), Some("http://shop/pay"))
    );
    let message = json!({"message": "no {}", "params": ["ink"]});
    let more = json!({"message": "no ink", "culprit": "com.shop.Order.pay", "sentry.interfaces.Message": message});
    assert_eq!(value(&event.more), more);
    let event = read(json!({"sentry.interfaces.Message": message, "sentry.interfaces.Stacktrace": stack("a")}));
    assert_eq!((event.message.as_str(), &value(&event.stacktrace)[0]["filename"]), ("no {}", &json!("a")));
    let both = json!({"user": {"id": 1}, "sentry.interfaces.User": {"id": 2}, "message": "m"});
    assert_eq!(value(&read(both).user)["id"], 1, "today's name wins");
}

#[test]
fn one_exception_needs_no_list_and_what_is_none_is_kept_in_more() {
    let exception = json!({"type": "E", "value": "v", "stacktrace": stack("a")});
    for exception in [exception.clone(), json!([null, exception]), json!({"values": [exception, 7]})] {
        let event = read(json!({"exception": exception, "message": "m"}));
        assert_eq!((event.r#type.as_deref(), event.message.as_str()), (Some("E"), "v"), "{exception}");
        assert_eq!(value(&event.stacktrace)[0]["filename"], "a");
    }
    for none in [json!([7]), json!({"values": [null]}), json!({"values": {"a": 1}}), json!("boom"), json!({})] {
        let event = read(json!({"exception": none, "message": "m"}));
        assert_eq!((event.message.as_str(), &value(&event.more)["exception"]), ("m", &none));
    }
}

#[test]
fn a_stack_without_frames_gives_way_to_the_next_one() {
    for empty in
        [Value::Null, json!({}), json!({"frames": null}), json!({"frames": []}), json!({"frames": [null]}), json!(7)]
    {
        let file = |event: Value| value(&read(event).stacktrace)[0]["filename"].clone();
        let error = json!([{"type": "E", "stacktrace": empty}]);
        assert_eq!(file(json!({"exception": error, "stacktrace": stack("event")})), "event", "{empty}");
        let threads = json!([{"crashed": true, "stacktrace": stack("thread")}]);
        assert_eq!(file(json!({"exception": error, "stacktrace": empty, "threads": threads})), "thread", "{empty}");
    }
    let event = read(json!({"message": "m", "stacktrace": "raw"}));
    assert_eq!((event.stacktrace, value(&event.more)), (None, json!({"stacktrace": "raw"})));
}

#[test]
fn frames_that_say_nothing_are_left_out_and_none_gets_half_a_name() {
    let frames = json!({"frames": [null, {"module": "com.shop.Order", "lineno": 3}, {"function": "f"}]});
    let event = read(json!({"platform": "java", "exception": [{"type": "E", "stacktrace": frames}]}));
    let unnamed = json!({"filename": "com.shop.Order", "module": "com.shop.Order", "lineno": 3});
    assert_eq!(value(&event.stacktrace), json!([{"function": "f"}, unnamed]));
}

#[test]
fn a_fingerprint_may_consist_of_any_scalars() {
    let read = |sent: Value| value(&read(json!({"message": "m", "fingerprint": sent})).fingerprint);
    assert_eq!(read(json!(["{{ default }}", 404, true, 1.5])), json!(["{{ default }}", "404", "true", "1.5"]));
    assert_eq!(read(json!(["checkout", null])), json!(["checkout"]));
    for none in [json!([null]), json!([["a"]]), json!("a"), json!(vec!["a"; 9])] {
        assert_eq!(read(none), Value::Null);
    }
}

#[test]
fn tags_may_be_a_list_of_objects() {
    let tags = json!([{"key": "plan", "value": "pro"}, {"key": "seats", "value": 3}, {"plan": "free"}, 7]);
    let tags = read(json!({"message": "m", "tags": tags})).tags;
    assert_eq!(tags, [("plan".into(), "pro".into()), ("seats".into(), "3".into())]);
}

#[test]
fn a_csp_report_that_lacks_something_is_told_from_none_at_all() {
    let read = |report: Value| {
        let events = csp::reports(report.to_string().as_bytes()).unwrap();
        events.into_iter().map(|event| event.message).collect::<Vec<_>>()
    };
    let inline = json!({"violated-directive": "style-src 'self'", "blocked-uri": ""});
    assert_eq!(read(json!({"csp-report": inline})), ["blocked 'style-src'"]);
    for none in [Value::Null, json!([]), json!(5), json!("x")] {
        assert_eq!(read(json!({"csp-report": none})), [""; 0]);
        assert_eq!(read(json!([{"type": "csp-violation", "body": none}])), [""; 0]);
    }
}
