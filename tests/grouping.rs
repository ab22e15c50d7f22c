//! Which events are one issue. A case has events, and the indexes of those that belong together.
use obs::grouping::{Grouping, Input, group};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn grouped(event: &Value) -> Grouping {
    let json = |field: &str| event.get(field).map(Value::to_string);
    group(&Input {
        message: event["message"].as_str().unwrap(),
        r#type: event["type"].as_str(),
        fingerprint: json("fingerprint").as_deref(),
        stacktrace: json("stacktrace").as_deref(),
    })
}

fn title(message: &str) -> String {
    grouped(&json!({ "message": message })).title
}

fn assert_grouped(cases: &str) {
    for case in cases.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let keys: Vec<Grouping> = case["events"].as_array().unwrap().iter().map(grouped).collect();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in 0..keys.len() {
            match groups.iter_mut().find(|group| keys[group[0]].hash == keys[at].hash) {
                Some(group) => group.push(at),
                None => groups.push(vec![at]),
            }
        }
        let titles: Vec<&str> = keys.iter().map(|key| key.title.as_str()).collect();
        assert_eq!(json!(groups), case["groups"], "{}: {titles:#?}", case["name"]);
    }
}

#[test]
fn the_cases_of_the_specification_are_grouped_as_specified() {
    assert_grouped(include_str!("grouping.jsonl"));
}

#[test]
fn messages_of_real_programs_are_grouped_as_expected() {
    assert_grouped(include_str!("grouping-more.jsonl"));
}

#[test]
fn openings_tracebacks_types_and_typed_values_of_real_reports_are_grouped_as_expected() {
    assert_grouped(include_str!("grouping-reports.jsonl"));
}

#[test]
fn a_traceback_gives_the_type_the_text_and_the_place() {
    let frames =
        "  File \"/srv/shop/run.py\", line 3, in main\n  File \"/srv/shop/cart.py\", line 9, in total\n    x['a']\n";
    let message = format!("job failed\nTraceback (most recent call last):\n{frames}KeyError: 'a'\nlater lines");
    let by_traceback = grouped(&json!({ "message": message }));
    assert_eq!(by_traceback.title, "KeyError: 'a'");
    assert_eq!(by_traceback.culprit.as_deref(), Some("total in shop/cart.py"));
    assert_eq!(by_traceback.grouped_by, "type, message and place: total in cart.py");
    let stack = json!([{"filename": "/srv/shop/cart.py", "function": "total", "lineno": 9}]);
    let by_fields = grouped(&json!({"message": "'a'", "type": "KeyError", "stacktrace": stack}));
    assert_eq!(by_traceback.hash, by_fields.hash);
}

#[test]
fn frames_that_were_sent_come_before_those_in_the_text() {
    let message = "Remote call failed\n    at handler (node_modules/x/y.js:3:1)";
    let culprit =
        |stack: Value| grouped(&json!({"message": message, "type": "TypeError", "stacktrace": stack})).culprit;
    let library = json!({"filename": "lib/queue.js", "function": "next", "in_app": false});
    let own = json!({"filename": "src/cart.js", "function": "total", "in_app": true});
    assert_eq!(culprit(json!([library, own])).as_deref(), Some("total in src/cart.js"));
    assert_eq!(culprit(json!([])).as_deref(), Some("handler in x/y.js"));
}

#[test]
fn an_error_that_browsers_word_differently_has_the_title_of_chrome() {
    let title = |name: &str, message: &str| grouped(&json!({"message": message, "type": name})).title;
    let chromes = "TypeError: Cannot read properties of undefined (reading 'map')";
    assert_eq!(title("TypeError", "undefined is not an object (evaluating 'cart.items.map(x)')"), chromes);
    assert_eq!(title("TypeError", "can't access property \"map\", cart.items is undefined"), chromes);
    assert_eq!(title("InternalError", "too much recursion"), "RangeError: Maximum call stack size exceeded");
    assert_eq!(title("ImportError", "Load failed"), "ImportError: Load failed");
    assert_eq!(title("", "Load failed for plugin cart"), "Load failed for plugin cart");
}

#[test]
fn a_title_names_a_generated_type_without_what_was_generated() {
    let title = |name: &str| grouped(&json!({"message": "cart is empty", "type": name})).title;
    assert_eq!(title("App\\Order@anonymous\0/srv/r/17/Order.php:3$0"), "App\\Order@anonymous: cart is empty");
    assert_eq!(title("shop.Order$$EnhancerBySpringCGLIB$$deadbeef"), "shop.Order: cart is empty");
    assert_eq!(title("shop.Order$$Lambda$214/0x0000000800d6"), "shop.Order: cart is empty");
    assert_eq!(title("com.sun.proxy.$Proxy47"), "com.sun.proxy.$Proxy: cart is empty");
    assert_eq!(title("#<Class:0x000078e2f1a0b3c8>"), "#<Class:<*>>: cart is empty");
}

#[test]
fn no_text_breaks_grouping_or_takes_long() {
    #[rustfmt::skip]
    let pieces = [
        "a", "Z", "7", " ", ": ", "\n", "\"", "'", "“", "”", "(", ")", "{", "<", ">", "/home/", "\\Users\\", "/tmp/", "?", "@",
        ".", "=", "$$", "\0", "é", "€", "\u{a0}", "۳", "😀", "0x", "-", "Error: ", "  File \"", "\", line 1, in f", "    at a (b:1)",
        "Traceback (most recent call last):\n", "undefined is not an object", "JSON.parse: ", "user '", " is not valid",
    ];
    let begin = Instant::now();
    let mut seed = 1u64;
    for length in (0..2000).map(|n| n % 60).chain([2000; 20]) {
        let mut random = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            pieces[(seed >> 33) as usize % pieces.len()]
        };
        let text: String = (0..length).map(|_| random()).collect();
        let stack = json!([{"filename": text, "function": text}]);
        let once = grouped(&json!({"message": text, "type": text, "stacktrace": stack}));
        assert!(!once.title.is_empty() && once.title.len() < 512 + 4 * 201 + 2);
    }
    for piece in pieces {
        let text = piece.repeat(8192 / piece.len());
        assert!(grouped(&json!({"message": text, "type": text})).title.len() < 512 + 4 * 201 + 2);
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_key_never_changes() {
    let key = grouped(&json!({"message": "cart 17 is empty", "type": "EmptyCart"})).hash;
    assert_eq!(uuid::Uuid::from_bytes(key).to_string(), "39d1d4f5-9289-5ce5-a326-59661482ac73");
}

#[test]
fn fingerprints_differ_from_each_other_and_from_text() {
    let key = |entries: &[&str]| grouped(&json!({"message": "a", "fingerprint": entries})).hash;
    assert_ne!(key(&["a", "b"]), key(&["ab"]));
    assert_ne!(key(&["a", "b"]), key(&["aeb"])); // `e` is the tag of an entry
    assert_ne!(key(&["a"]), grouped(&json!({"message": "a"})).hash);
    assert_ne!(key(&["1:at1:a"]), key(&["{{ default }}", "a"]));
    assert_eq!(key(&["{{ default }}"]), grouped(&json!({"message": "a"})).hash);
}

#[test]
fn a_group_says_in_words_which_parts_formed_it() {
    let stack = json!([{"filename": "/srv/app/src/Cart.php", "function": "App\\Cart->total"}]);
    let plain = grouped(&json!({"message": "cart 17 is empty", "type": "Error"}));
    assert_eq!((plain.title.as_str(), plain.culprit), ("cart <*> is empty", None));
    assert_eq!(plain.grouped_by, "message with changing parts as <*>");
    let typed = grouped(&json!({"message": "no cart", "type": "EmptyCart", "stacktrace": stack}));
    assert_eq!((typed.title.as_str(), typed.grouped_by.as_str()), ("EmptyCart: no cart", "type and message"));
    assert_eq!(typed.culprit.as_deref(), Some("App\\Cart->total in src/Cart.php"));
    let placed = grouped(&json!({"message": "no cart", "type": "TypeError", "stacktrace": stack}));
    assert_eq!(placed.grouped_by, "type, message and place: total in Cart.php");
    let chosen = grouped(&json!({"message": "no cart", "type": "EmptyCart", "fingerprint": ["checkout", "eu"]}));
    assert_eq!(chosen.grouped_by, "the client's fingerprint: checkout, eu");
    assert_eq!(chosen.title, "EmptyCart: no cart");
    assert_eq!(grouped(&json!({"message": " \n", "type": "Error"})).title, "Error");
}

#[test]
fn a_function_has_the_same_name_in_every_languages_notation() {
    let place = |function: &str| {
        let stack = json!([{"filename": "/app/cart.x", "function": function}]);
        let by = grouped(&json!({"message": "", "type": "KeyError", "stacktrace": stack})).grouped_by;
        by.trim_start_matches("type, message and place: ").to_string()
    };
    for function in ["App\\Cart::total", "shop.(*Cart).total.func1", "block (2 levels) in Cart#total", "total(int, x)"]
    {
        assert_eq!(place(function), "total in cart.x", "{function}");
    }
    for function in ["", "?", "{closure}", "<lambda>", "{main}", "Object.<anonymous>"] {
        assert_eq!(place(function), "cart.x", "{function}");
    }
}

#[test]
fn a_quantity_is_not_a_code_and_a_verb_is_not_a_plural() {
    assert_eq!(title("server returned 500 rows"), "server returned <*> row");
    assert_eq!(title("server returned 500 for rows"), "server returned 500 for rows");
    assert_eq!(title("customer 7 has no address"), "customer <*> has no address");
}

#[test]
fn stored_texts_are_cut_between_characters() {
    assert_eq!(title(&"é€".repeat(2000)).len(), 512);
    assert_eq!(title(&"7, ".repeat(2700)), "<*>,");
    let stack = json!([{"filename": "ü".repeat(900), "function": "é".repeat(900)}]);
    let long = grouped(
        &json!({"message": "", "type": "ß".repeat(900), "stacktrace": stack, "fingerprint": ["ö".repeat(900)]}),
    );
    for text in [long.title, long.grouped_by, long.culprit.unwrap()] {
        assert_eq!(text.chars().count(), 201);
    }
}
