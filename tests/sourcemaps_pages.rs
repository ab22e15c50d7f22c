//! Minified stack traces on the pages: what a source map makes of them, which map is taken, and what a page says is missing.
mod common;
use common::database::value;
use common::minified::*;
use common::*;
use serde_json::{Value, json};

/// An event's page as text for a terminal.
fn page(obs: &Obs, id: &str) -> String {
    obs.text(&format!("/events/{id}?format=text"))
}

fn add(obs: &Obs, event: &Value) -> String {
    obs.add(event.to_string())
}

/// All pages that show an event: as HTML, as text and as Markdown.
fn pages(obs: &Obs, id: &str) -> Vec<String> {
    let issue = &obs.json(&format!("/api/events/{id}"))["issue_id"];
    let paths = [format!("/issues/{issue}"), format!("/events/{id}")];
    paths
        .iter()
        .flat_map(|path| ["", "?format=text", "?format=md"].map(|format| obs.text(&format!("{path}{format}"))))
        .collect()
}

/// The text of a page without its markup.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text += part.split_once('>').map_or(part, |(_, text)| text);
    }
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&#x27;", "'").replace("&amp;", "&")
}

#[test]
fn an_event_that_came_before_its_map_becomes_readable_on_every_page() {
    let obs = Obs::start();
    let sent = event(SCRIPT, None, None);
    let id = add(&obs, &sent);
    for page in pages(&obs, &id) {
        assert!(page.contains("Rc") && !page.contains("cart.ts"), "{page}");
    }
    upload(&obs, PATH, &map());
    for page in pages(&obs, &id) {
        let text = plain(&page);
        for line in ["totalOf", "src/cart.ts:7:9", "applyDiscount", "src/checkout.ts:12:5", "checkout", "16:3"] {
            assert!(text.contains(line), "{line} in {text}");
        }
        for line in 2..=12 {
            assert!(text.contains(&format!("cart {line}\n")), "line {line} in {text}");
        }
        assert!(!text.contains("cart 1\n") && !text.contains("cart 13\n"), "{text}");
        assert!(text.contains("3 library frames: react, lib") && !text.contains("No source map"), "{text}");
    }
    let event = obs.json(&format!("/api/events/{id}"));
    assert_eq!(event["stacktrace"], sent["stacktrace"], "JSON stays as it was sent");
}

#[test]
fn a_function_behind_a_native_frame_and_one_without_a_name_keep_what_was_sent() {
    let obs = Obs::start();
    upload(&obs, PATH, &map());
    let mut sent = event(SCRIPT, None, None);
    let frames = sent["stacktrace"].as_array_mut().unwrap();
    frames.insert(1, json!({ "function": "Array.reduce", "filename": "<anonymous>" }));
    frames[2]["function"] = json!("?");
    let text = page(&obs, &add(&obs, &sent));
    assert!(text.contains("> Rc  src/cart.ts:7:9"), "{text}");
    assert!(text.contains("> src/checkout.ts:12:5") && text.contains("> checkout  src/checkout.ts:16:3"), "{text}");
}

#[test]
fn the_stack_traces_of_causes_are_mapped_too() {
    let obs = Obs::start();
    upload(&obs, PATH, &map());
    let cause = json!({ "type": "E", "message": "inner", "stacktrace": frames(SCRIPT) });
    let text = page(&obs, &add(&obs, &json!({ "message": "outer", "causes": [cause] })));
    let (_, cause) = text.split_once("Caused by E").unwrap();
    assert!(cause.contains("> totalOf  src/cart.ts:7:9") && cause.contains(">  7  cart 7"), "{text}");
}

#[test]
fn frames_that_no_map_covers_stay_as_they_are() {
    let obs = Obs::start();
    upload(&obs, PATH, &map());
    let mut sent = event(SCRIPT, None, None);
    sent["stacktrace"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "function": "Vue", "filename": "https://cdn.example/v.js", "lineno": 1, "colno": 9 }));
    sent["stacktrace"][0]["colno"] = json!(7); // before the first segment of its line
    let text = page(&obs, &add(&obs, &sent));
    assert!(text.contains("Rc  ") && text.contains("index-lR73.js:2:7"), "{text}");
    assert!(text.contains("Vue  ") && text.contains("v.js:1:9") && text.contains("checkout.ts:12:5"), "{text}");
}

/// A map of which every place is line 1 of a source.
fn only(source: &str) -> Value {
    json!({ "version": 3, "sources": [source], "names": [], "mappings": mappings(&[(1, 0, 0, 0, 0, None)]) })
}

#[test]
fn a_map_is_found_by_debug_id_then_by_release_and_path_then_among_those_without_a_release() {
    let obs = Obs::start();
    let with_id = add(&obs, &event(SCRIPT, Some(&ID.to_uppercase()), Some("web@1")));
    let with_release = add(&obs, &event(SCRIPT, None, Some("web@1")));
    let with_other = add(&obs, &event(SCRIPT, None, Some("web@2")));
    let shown = |path: &str, map: Value, expected: [&str; 3]| {
        upload(&obs, path, &map);
        for (id, source) in [&with_id, &with_release, &with_other].into_iter().zip(expected) {
            assert!(page(&obs, id).contains(source), "{source} after {path}: {}", page(&obs, id));
        }
    };
    let script = "index-lR73.js:2:101";
    shown("index-lR73.js.map?release=web%401", only("r.ts"), ["r.ts:1:1", "r.ts:1:1", script]);
    shown("other/index-lR73.js.map", only("none.ts"), ["r.ts", "r.ts", "none.ts"]);
    shown("assets/index-lR73.js.map", only("tail.ts"), ["r.ts", "r.ts", "tail.ts"]);
    shown("public/index-lR73.js.map", only("no.ts"), ["r.ts", "r.ts", "tail.ts"]);
    shown("assets/index-lR73.js.map?release=web%401", only("rt.ts"), ["rt.ts", "rt.ts", "tail.ts"]);
    shown("assets/index-lR73.js.map?release=web%401", only("last.ts"), ["last.ts", "last.ts", "tail.ts"]);
    let mut by_id = only("id.ts");
    by_id["debugId"] = json!(ID);
    shown("somewhere/else.js.map?release=x", by_id.clone(), ["id.ts", "last.ts", "tail.ts"]);
    by_id["sources"] = json!(["again.ts"]);
    shown("elsewhere/y.js.map", by_id, ["again.ts", "last.ts", "tail.ts"]);
}

#[test]
fn a_page_says_which_map_is_missing_with_the_command_that_uploads_it() {
    let obs = Obs::start();
    let id = add(&obs, &event(SCRIPT, Some(ID), Some("web@1")));
    let command =
        format!("curl -u :PASSWORD -T 'index-lR73.js.map' 'http://localhost/api/sourcemaps/{PATH}?release=web@1'");
    for page in pages(&obs, &id) {
        let text = plain(&page);
        let words = format!("No source map for assets/index-lR73.js, debug id {ID}, release web@1.");
        assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(&words), "{text}");
        assert!(text.contains(&command), "{command} in {text}");
    }
    upload(&obs, &format!("{PATH}?release=web@0"), &map());
    upload(&obs, &format!("{PATH}?release=web%20b"), &map());
    let text = plain(&obs.text(&format!("/events/{id}")));
    assert!(text.contains("There is one for web b, web@0: the releases disagree."), "{text}");
    let text = plain(&obs.text(&format!("/events/{}", add(&obs, &event(SCRIPT, None, None)))));
    assert!(text.contains("assets/index-lR73.js, and the event names no release. There is one for"), "{text}");
}

#[test]
fn a_page_says_that_a_map_has_no_sources_or_belongs_to_another_build() {
    let obs = Obs::start();
    let id = add(&obs, &event(SCRIPT, None, None));
    upload(&obs, PATH, &only("bare.ts"));
    let text = plain(&obs.text(&format!("/events/{id}")));
    assert!(text.contains("The source map for assets/index-lR73.js contains no sources"), "{text}");
    let mut far = map();
    far["mappings"] = json!(mappings(&[(900, 0, 0, 0, 0, None)]));
    upload(&obs, PATH, &far);
    let text = plain(&obs.text(&format!("/events/{id}")));
    assert!(text.contains("says nothing about these places: it belongs to another build"), "{text}");
}

#[test]
fn scripts_that_are_not_minified_and_those_of_libraries_need_no_map() {
    let obs = Obs::start();
    let frame = |file: &str, function: &str| json!({ "filename": file, "function": function, "lineno": 3, "colno": 9 });
    for (file, function) in [
        ("/srv/app/server.js", "handle"),
        ("/srv/app/node_modules/x/dist/x.min.js", "a"),
        ("Cart.cs", "Op"),
        ("native.rs", "f"),
    ] {
        let id = add(&obs, &json!({ "message": "m", "stacktrace": [frame(file, function)] }));
        assert!(!page(&obs, &id).contains("source map"), "{file}");
    }
}

#[test]
fn nothing_in_a_note_or_a_map_is_markup_or_ends_a_command() {
    let obs = Obs::start();
    let script = "https://x.example/a/<b>'; rm -rf ~ #`$(x)`\n/'$(id)<i>.js";
    let id = add(&obs, &event(script, Some(ID), Some("'; rm <u>")));
    let html = obs.text(&format!("/events/{id}"));
    assert!(!html.contains("<i>.js") && !html.contains("<u>"), "{html}");
    let text = plain(&html);
    let command = text.lines().find(|line| line.contains("curl -u")).unwrap();
    assert_eq!(command.matches('\'').count(), 4, "{command}");
    assert!(!command.contains(['$', '`', ';', '\n', '<']), "{command}");
    let hostile = "<script>alert(1)</script>";
    let mut map = map();
    (map["sources"], map["names"]) = (json!([hostile, hostile, hostile, hostile]), json!([hostile, hostile, hostile]));
    map["sourcesContent"] = json!([hostile.repeat(9), hostile, hostile, hostile]);
    map["mappings"] = json!(mappings(&[(1, 0, 0, 0, 0, Some(0))]));
    upload(&obs, "a/x.js.map", &map);
    let html = obs.text(&format!("/events/{}", add(&obs, &event("https://x.example/a/x.js", None, None))));
    assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script"), "{html}");
}

#[test]
fn grouping_does_not_depend_on_maps() {
    let obs = Obs::start();
    let sent = event(SCRIPT, None, None);
    let issue = |id: &str| obs.json(&format!("/api/events/{id}"))["issue_id"].clone();
    let before = issue(&add(&obs, &sent));
    let shown = |obs: &Obs| obs.json(&format!("/api/issues/{before}"))["issue"].clone();
    let old = shown(&obs);
    upload(&obs, PATH, &map());
    page(&obs, &add(&obs, &sent));
    let mut moved = sent.clone();
    moved["stacktrace"][0]["colno"] = json!(301); // another place, by the map as well
    assert_eq!(issue(&add(&obs, &sent)), before);
    assert_eq!(issue(&add(&obs, &moved)), before);
    let new = shown(&obs);
    for field in ["title", "culprit", "grouped_by"] {
        assert_eq!(old[field], new[field]);
    }
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM issues"), 1);
}
