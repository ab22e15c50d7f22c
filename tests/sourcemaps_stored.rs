//! Source maps by `curl`, and what is stored: the answer to an upload, the list, the page, deletion, and the limit.
mod common;
use common::bundle::*;
use common::coding::gzip;
use common::database::value;
use common::triage::{delete, submit_form};
use common::*;
use obs::sourcemaps::turn::Turns;
use serde_json::{Value, json};
use std::time::Duration;

const ID: &str = "bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c";

#[test]
fn an_upload_by_curl_answers_what_was_understood() {
    let obs = Obs::start();
    let mut with_id = map("app.ts");
    with_id["sources"] = json!(["app.ts", "lib.ts"]);
    with_id["debugId"] = json!(ID.to_uppercase());
    let answer = put(&obs, "assets/x.js.map?release=web@1", with_id.to_string());
    let understood =
        json!({ "id": 1, "path": "assets/x.js", "release": "web@1", "debug_id": ID, "sources": 2, "with_content": 1 });
    assert_eq!((answer.status, answer.json()), (201, understood));
    let plain = put(&obs, "x.js", map("app.ts").to_string()).json();
    assert_eq!((&plain["path"], &plain["release"], &plain["debug_id"]), (&json!("x.js"), &Value::Null, &Value::Null));
    assert_eq!(put(&obs, "x.js?release=undefined", map("a").to_string()).json()["release"], Value::Null);
    let encoded = put(&obs, "my%20app/%C3%A9.js.map?release=web%401%20beta", map("a").to_string()).json();
    assert_eq!((&encoded["path"], &encoded["release"]), (&json!("my app/é.js"), &json!("web@1 beta")));
}

#[test]
fn a_map_may_be_compressed_or_sent_in_chunks_and_large() {
    let obs = Obs::start();
    let mut large = map("app.ts");
    large["x_padding"] = json!("x".repeat(20 << 20));
    let large = large.to_string();
    let head = format!("PUT /api/sourcemaps/x.js.map HTTP/1.1\r\n{TOKEN}");
    assert_eq!(obs.send(&format!("{head}\r\nContent-Encoding: gzip"), &gzip(&large)).status, 201);
    assert_eq!(obs.send(&format!("{head}\r\nExpect: 100-continue"), large.as_bytes()).status, 201);
    let chunked = format!("{head}\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", large.len());
    let mut connection = obs.connect();
    connection.write(&[chunked.as_bytes(), large.as_bytes(), b"\r\n0\r\n\r\n"].concat());
    assert_eq!(connection.read(false).unwrap().status, 201);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM upload_chunks"), 0, "what waited is removed");
}

#[test]
fn what_is_no_map_is_refused_with_a_sentence_and_leaves_nothing() {
    let obs = Obs::start();
    let too_large = vec![b' '; (32 << 20) + 1];
    let section = json!({ "offset": { "line": 0, "column": 0 }, "map": { "version": 3, "sections": [] } });
    let mappings = |text: &str| json!({ "version": 3, "sources": ["a"], "names": [], "mappings": text }).to_string();
    for (path, body, status) in [
        ("x.js.map", "console.log(1)".into(), 400),
        ("x.js.map", "{}".into(), 400),
        ("x.js.map", mappings(""), 400),
        ("x.js.map", mappings("AAAggggggggggggggggggggggggA"), 400),
        ("x.js.map", mappings("é"), 400),
        ("x.js.map", json!({ "version": 3, "sections": [section] }).to_string(), 400),
        ("a/%2E%2E/x.js.map", map("a").to_string(), 400),
        ("..%5Cx.js.map", map("a").to_string(), 400),
        ("x.js.map", String::from_utf8(too_large).unwrap(), 413),
    ] {
        let answer = put(&obs, path, &body);
        let error = answer.error();
        assert_eq!(answer.status, status, "{path}: {error}");
        assert!(error.len() > 20 && error.contains(' '), "{error}");
    }
    let damaged = format!("PUT /api/sourcemaps/x.js.map HTTP/1.1\r\n{TOKEN}\r\nContent-Encoding: gzip");
    assert_eq!(obs.send(&damaged, &gzip(map("a").to_string())[..40]).status, 400);
    let mut cut = obs.connect();
    cut.write(
        format!(
            "PUT /api/sourcemaps/x.js.map HTTP/1.1\r\nHost: localhost\r\n{TOKEN}\r\nContent-Length: 900000\r\n\r\n"
        )
        .as_bytes(),
    );
    cut.write(&[b'x'; 600_000]);
    drop(cut);
    assert_eq!(stored(&obs).len(), 0);
    let left = "SELECT count(*) FROM upload_chunks";
    wait_until("the chunks of an upload that failed are removed", || value::<i64>(&obs.sqlite(), left) == 0);
}

#[test]
fn the_list_has_pages_and_says_how_much_room_there_is() {
    let obs = Obs::with(&["--max-sourcemaps", "2MB"], &[("OBS_API_KEY", KEY)]);
    assert_eq!(
        obs.json("/api/sourcemaps"),
        json!({ "sourcemaps": [], "next": null, "bytes": 0, "max_bytes": 2_000_000 })
    );
    for n in 1..=60 {
        assert_eq!(put(&obs, &format!("{n}.js.map"), map("a").to_string()).status, 201);
    }
    let first = obs.json("/api/sourcemaps");
    let ids = |page: &Value| {
        page["sourcemaps"].as_array().unwrap().iter().map(|map| map["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&first), &first["next"]), ((11..=60).rev().collect(), &json!("11")));
    let second = obs.json("/api/sourcemaps?after=11");
    assert_eq!((ids(&second), &second["next"]), ((1..=10).rev().collect(), &Value::Null));
    assert!(first["bytes"].as_i64().unwrap() > 0 && first["bytes"] == second["bytes"]);
    assert_eq!(obs.get("/api/sourcemaps?after=x").status, 400);
    let page = obs.text("/setup/sourcemaps");
    assert!(page.contains("/setup/sourcemaps?after=11") && page.contains("of 2 MB"), "{page}");
    assert!(obs.text("/setup").contains("href=\"/setup/sourcemaps\""));
}

#[test]
fn the_page_shows_each_map_with_a_button_that_deletes_it() {
    let obs = Obs::start();
    put(&obs, "%3Cb%3E/x.js.map?release=%3Ci%3E", map("a").to_string());
    put(&obs, "y.js.map", map("a").to_string());
    let page = obs.text("/setup/sourcemaps");
    for part in ["&lt;b&gt;/x.js", "&lt;i&gt;", "y.js", "any release", "name=\"delete\" value=\"1\"", "1 source "] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let text = obs.text("/setup/sourcemaps?format=text");
    for part in ["  1  <b>/x.js", "release       <i>", "2  y.js", "/api/sourcemaps/ID -X DELETE -u :PASSWORD"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(
        text.lines()
            .filter(|line| !line.contains("curl") && !line.contains("http"))
            .all(|line| line.chars().count() <= 80)
    );
    let deleted = submit_form(&obs, "/setup/sourcemaps", "delete=1");
    assert_eq!((deleted.status, deleted.header("location")), (303, Some("/setup/sourcemaps")));
    assert_eq!(stored(&obs).len(), 1);
    assert_eq!(
        [submit_form(&obs, "/setup/sourcemaps", "delete=1").status, submit_form(&obs, "/setup/sourcemaps", "").status],
        [404, 400]
    );
    assert_eq!(obs.send("POST /setup/sourcemaps HTTP/1.1\r\nSec-Fetch-Site: cross-site", b"delete=2").status, 403);
    assert_eq!(
        [delete(&obs, "/api/sourcemaps/2"), delete(&obs, "/api/sourcemaps/2"), delete(&obs, "/api/sourcemaps/x")],
        [204, 404, 405]
    );
    assert_eq!(stored(&obs).len(), 0);
    let public = Obs::with(&["--listen", "127.0.0.1:0", "--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    put(&public, "y.js.map", map("a").to_string());
    let elsewhere = public.send("GET /setup/sourcemaps HTTP/1.1\r\nHost: obs.example", b"");
    assert!(elsewhere.status == 200 && elsewhere.text().contains("y.js") && !elsewhere.text().contains("<button"));
}

#[test]
fn neither_chunks_nor_maps_push_events_out() {
    let obs = Obs::with(&["--max-size", "1MB"], &[("OBS_API_KEY", KEY)]);
    for n in 0..10 {
        obs.add(format!(r#"{{"message":"{n}","fingerprint":["a"]}}"#));
    }
    let mut rng = common::rng::Rng(3);
    for n in 0..12 {
        let noise: Vec<u8> = (0..CHUNK).map(|_| rng.below(256) as u8).collect();
        assert_eq!(send_chunk(&obs, &format!("{n:040x}"), &noise, false).status, 200);
    }
    obs.add(r#"{"message":"last","fingerprint":["a"]}"#);
    let work = "SELECT count(*) FROM issues WHERE state = 'deleted'";
    wait_until("upkeep is done", || value::<i64>(&obs.sqlite(), work) == 0);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events"), 11);
}

#[test]
fn a_wait_for_a_turn_ends_and_leaves_the_turn_to_whoever_has_it() {
    let (turns, patience) = (Turns::default(), Duration::from_millis(20));
    let first = turns.wait(patience);
    assert!(first.is_some() && turns.wait(patience).is_none() && turns.wait(patience).is_none());
    drop(first);
    assert!(turns.wait(patience).is_some() && turns.wait(patience).is_some());
}
