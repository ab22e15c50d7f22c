//! How long source maps are kept: which one makes room, when its use is recorded, and that nothing is left of one that is gone.
mod common;
use common::bundle::stored;
use common::database::value;
use common::minified::*;
use common::rng::Rng;
use common::*;
use serde_json::{Value, json};
use std::process::Command;
use std::thread;

/// A map that takes about `kilobytes` in the database.
fn large(kilobytes: usize, secret: &str) -> Value {
    let mut rng = Rng(kilobytes as u64 + 7);
    let digit = |rng: &mut Rng| char::from(b"0123456789abcdef"[rng.below(16)]);
    let text: String = (0..kilobytes * 1800).map(|_| digit(&mut rng)).collect();
    let mut map = map();
    map["sourcesContent"] = json!([source("cart"), format!("{secret}{text}"), source("react"), source("wrap")]);
    map
}

fn used_at(obs: &Obs, id: &Value) -> String {
    value(&obs.sqlite(), &format!("SELECT used_at FROM source_maps WHERE id = {id}"))
}

fn set_used_at(obs: &Obs, id: &Value, time: &str) {
    obs.sqlite().execute(&format!("UPDATE source_maps SET used_at = '{time}' WHERE id = {id}"), []).unwrap();
}

#[test]
fn the_least_recently_used_map_makes_room_and_events_stay() {
    let obs = Obs::with(&["--max-sourcemaps", "2MB"], &[("OBS_API_KEY", KEY)]);
    let event = obs.add(event("https://x.example/a.js", None, None).to_string());
    let ids = ["a", "b", "c"].map(|name| {
        let id = upload(&obs, &format!("{name}.js.map"), &large(550, name))["id"].clone();
        set_used_at(&obs, &id, &format!("2026-01-0{}T00:00:00.000Z", "abc".find(name).unwrap() + 1));
        id
    });
    assert_eq!(stored(&obs).len(), 3);
    obs.text(&format!("/events/{event}")); // uses the oldest
    upload(&obs, "d.js.map", &large(550, "d"));
    eventually("a map makes room", || (stored(&obs).len() == 3).then_some(()));
    let left: Vec<Value> = stored(&obs).iter().map(|map| map["id"].clone()).collect();
    assert!(left.contains(&ids[0]) && !left.contains(&ids[1]), "{left:?}");
    assert!(obs.text(&format!("/events/{event}?format=text")).contains("src/cart.ts:7:9"));
    wait_until("its parts are gone", || value::<i64>(&obs.sqlite(), "SELECT count(*) FROM source_maps") == 3);
    let counted: i64 = value(&obs.sqlite(), "SELECT source_map_bytes FROM totals");
    let there: i64 = value(&obs.sqlite(), "SELECT sum(length(data) + 512) FROM source_map_parts");
    assert_eq!(counted, there);
}

#[test]
fn the_use_of_a_map_is_recorded_once_a_day() {
    let obs = Obs::start();
    let event = obs.add(event(SCRIPT, None, None).to_string());
    let id = upload(&obs, PATH, &map())["id"].clone();
    let view = || drop(obs.text(&format!("/events/{event}")));
    let uploaded = used_at(&obs, &id);
    view();
    assert_eq!(used_at(&obs, &id), uploaded);
    set_used_at(&obs, &id, "2026-01-01T00:00:00.000Z");
    view();
    let used = used_at(&obs, &id);
    assert!(used > uploaded, "{used}");
    view();
    assert_eq!(used_at(&obs, &id), used);
}

#[test]
fn an_upload_replaces_an_earlier_one_of_the_same_file_and_release() {
    let obs = Obs::start();
    let with_id = |path: &str| {
        let mut map = map();
        map["debugId"] = json!(ID);
        upload(&obs, path, &map)["id"].as_i64().unwrap()
    };
    with_id(PATH);
    let again = with_id(PATH);
    let other = with_id(&format!("{PATH}?release=web@1"));
    let ids = |obs: &Obs| stored(obs).iter().map(|map| map["id"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(ids(&obs), [other, again]);
    let last = with_id(PATH);
    assert_eq!(ids(&obs), [last, other], "another release stays, although a later upload has its debug id");
}

#[test]
fn an_earlier_upload_with_the_same_debug_id_is_found_again_once_the_later_one_is_deleted() {
    let obs = Obs::start();
    let [_, last] = ["web@1", "web@2"].map(|release| {
        let mut map = map();
        (map["debugId"], map["sources"][0]) = (json!(ID), json!(format!("{release}.ts")));
        upload(&obs, &format!("{PATH}?release={release}"), &map)["id"].clone()
    });
    let id = obs.add(event(SCRIPT, Some(ID), None).to_string());
    let shows = |source: &str| obs.text(&format!("/events/{id}?format=text")).contains(source);
    assert!(shows("web@2.ts"));
    obs.send(&format!("DELETE /api/sourcemaps/{last} HTTP/1.1\r\n{}", bundle::TOKEN), b"");
    assert!(shows("web@1.ts"));
}

#[test]
fn nothing_is_left_of_a_map_that_is_deleted_or_whose_upload_a_crash_ended() {
    const SECRET: &str = "nobody-reads-this-again";
    let obs = Obs::start();
    let event = obs.add(event(SCRIPT, None, None).to_string());
    let id = upload(&obs, PATH, &large(3000, SECRET))["id"].clone();
    let answer = obs.send(&format!("DELETE /api/sourcemaps/{id} HTTP/1.1\r\n{}", bundle::TOKEN), b"");
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(stored(&obs), Vec::<Value>::new());
    assert!(obs.text(&format!("/events/{event}?format=text")).contains("index-lR73.js:2:101"));
    let rows = |obs: &Obs| {
        let count = |table: &str| value::<i64>(&obs.sqlite(), &format!("SELECT count(*) FROM {table}"));
        ["source_maps", "source_map_ids", "source_map_parts"].map(count)
    };
    wait_until("its parts are gone", || rows(&obs) == [0, 0, 0]);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT source_map_bytes FROM totals"), 0);
    // As a crash leaves it: a row that is not stored yet, with a part.
    let half = "INSERT INTO source_maps (file, path, uploaded_at, used_at, bytes, sources, with_content, state)
                VALUES ('x.js', 'x.js', '', '', 9, 1, 1, 'incoming');
                INSERT INTO source_map_parts SELECT id, 0, 0, 'half-a-map-is-no-map' FROM source_maps";
    obs.sqlite().execute_batch(half).unwrap();
    assert_eq!(stored(&obs), Vec::<Value>::new());
    let copy = obs.folder().join("copy.sqlite");
    let backup = ["backup", copy.to_str().unwrap(), "--db", obs.database.to_str().unwrap()];
    assert!(Command::new(env!("CARGO_BIN_EXE_obs")).args(backup).status().unwrap().success());
    assert_eq!(
        value::<i64>(&open(&copy), "SELECT (SELECT count(*) FROM source_maps) + source_map_bytes FROM totals"),
        0
    );
    let bytes = std::fs::read(&copy).unwrap();
    assert!(!bytes.windows(20).any(|window| window == b"half-a-map-is-no-map"));
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    wait_until("what a crash left is gone", || rows(&obs) == [0, 0, 0]);
}

#[test]
fn events_are_stored_while_a_large_map_comes_and_goes() {
    let obs = Obs::start();
    let stored = thread::scope(|scope| {
        let uploading = scope.spawn(|| {
            let id = upload(&obs, PATH, &large(9000, ""))["id"].clone();
            obs.send(&format!("DELETE /api/sourcemaps/{id} HTTP/1.1\r\n{}", bundle::TOKEN), b"").status
        });
        let mut connection = obs.connect();
        let mut sent = 0;
        while !uploading.is_finished() {
            assert_eq!(connection.post(r#"{"message":"m"}"#).status, 201);
            sent += 1;
        }
        assert_eq!(uploading.join().unwrap(), 204);
        sent
    });
    assert!(stored > 50, "{stored} events were stored meanwhile");
}
