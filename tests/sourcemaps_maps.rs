//! Source maps as obs reads them: every form that the standard and the tools know, damaged and hostile ones, and random ones.
mod common;
use common::bundle::put;
use common::minified::{Segment, lookup, mappings, parts, vlq};
use common::rng::Rng;
use common::*;
use obs::sourcemaps::lookup::Token;
use obs::sourcemaps::map::SourceMap;
use serde_json::{Value, json};
use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn plain(segments: &[Segment]) -> Value {
    json!({ "version": 3, "sources": ["a.ts", "b.ts"], "names": ["x", "y"], "mappings": mappings(segments) })
}

fn find(map: &str, line: u64, column: u64) -> Option<Token> {
    let map = SourceMap::parse(map.as_bytes()).unwrap_or_else(|why| panic!("{why}: {map}"));
    lookup(&map, &[(line, column)]).remove(0)
}

/// `source:line:column` and the name, or nothing.
fn shown(map: &Value, line: u64, column: u64) -> String {
    let token = find(&map.to_string(), line, column);
    let name = |token: &Token| token.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    token.map(|token| format!("{}:{}:{}{}", token.source, token.line, token.column, name(&token))).unwrap_or_default()
}

#[test]
fn a_place_belongs_to_the_last_segment_before_it_on_its_line() {
    let map = plain(&[(0, 5, 0, 1, 2, Some(1)), (0, 9, 1, 3, 0, None), (2, 0, 1, 4, 0, Some(0))]);
    for (line, column, expected) in [
        (1, 5, ""),
        (1, 6, "a.ts:2:3 y"),
        (1, 9, "a.ts:2:3 y"),
        (1, 10, "b.ts:4:1"),
        (1, 9999, "b.ts:4:1"),
        (2, 1, ""),
        (3, 1, "b.ts:5:1 x"),
        (4, 1, ""),
        (u64::MAX, u64::MAX, ""),
        (1, 0, ""),
    ] {
        assert_eq!(shown(&map, line, column), expected, "{line}:{column}");
    }
}

#[test]
fn segments_may_be_out_of_order_repeat_a_place_or_stand_for_nothing() {
    let map = plain(&[(0, 20, 0, 1, 0, None), (0, 10, 0, 2, 0, None), (0, 10, 0, 3, 0, None), (0, 15, 0, 4, 0, None)]);
    let expected = ["", "a.ts:3:1", "a.ts:5:1", "a.ts:2:1"];
    assert_eq!([10, 11, 16, 30].map(|column| shown(&map, 1, column)), expected);
    let map = json!({ "version": 3, "sources": ["a.ts"], "names": [], "mappings": "AAAA,K,EAAC" });
    assert_eq!([1, 6, 7, 8].map(|column| shown(&map, 1, column)), ["a.ts:1:1", "", "", "a.ts:1:2"]);
}

#[test]
fn a_map_may_have_a_source_root_a_prefix_and_other_names_for_fields() {
    for (root, source, expected) in [
        ("https://x.example/src", "a.ts", "https://x.example/src/a.ts"),
        ("src/", "../lib/a.ts", "src/../lib/a.ts"),
        ("", "../../src/a.ts", "src/a.ts"),
        ("", "webpack://shop/./src/a.ts", "src/a.ts"),
        ("", "webpack:///./node_modules/x/a.js", "node_modules/x/a.js"),
    ] {
        let mut map = plain(&[(0, 0, 0, 0, 0, None)]);
        (map["sourceRoot"], map["sources"]) = (json!(root), json!([source]));
        assert_eq!(find(&map.to_string(), 1, 1).unwrap().source, expected);
    }
    let map = plain(&[(0, 0, 1, 0, 0, None)]).to_string();
    for prefix in [")]}'\n", ")]}'\r\n", "\u{FEFF}", "\u{FEFF})]}'anything\n"] {
        assert_eq!(find(&format!("{prefix}{map}"), 1, 1).unwrap().source, "b.ts", "{prefix:?}");
    }
    for field in ["ignoreList", "x_google_ignoreList"] {
        let mut map = plain(&[(0, 0, 0, 0, 0, None), (1, 0, 1, 0, 0, None)]);
        map[field] = json!([1]);
        let is_library = |line| find(&map.to_string(), line, 1).unwrap().is_library;
        assert_eq!((is_library(1), is_library(2)), (false, true));
    }
    let id = "BF9A0A1C4D504D1E9C8A0F1D2E3A4B5C";
    for field in ["debugId", "debug_id"] {
        let mut map = plain(&[(0, 0, 0, 0, 0, None)]);
        map[field] = json!(id);
        let text = map.to_string();
        let map = SourceMap::parse(text.as_bytes()).unwrap();
        assert_eq!(map.debug_id.as_deref(), Some("bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c"));
    }
}

#[test]
fn sections_have_their_own_sources_and_names_and_begin_where_they_say() {
    let inner = |source: &str, name: &str| json!({ "version": 3, "sources": [source], "names": [name], "mappings": mappings(&[(0, 0, 0, 0, 0, Some(0)), (0, 5, 0, 7, 0, None), (1, 0, 0, 1, 0, None)]) });
    let section = |line, column, source, name| json!({ "offset": { "line": line, "column": column }, "map": inner(source, name) });
    let map = json!({ "version": 3, "sections": [section(0, 0, "a.ts", "x"), section(1, 10, "b.ts", "y")] });
    for (line, column, expected) in
        [(1, 1, "a.ts:1:1 x"), (2, 10, "a.ts:2:1"), (2, 11, "b.ts:1:1 y"), (3, 1, "b.ts:2:1"), (4, 1, "")]
    {
        assert_eq!(shown(&map, line, column), expected, "{line}:{column}");
    }
    let text = map.to_string();
    let map = SourceMap::parse(text.as_bytes()).unwrap();
    assert_eq!((map.sources, find(&text, 3, 1).unwrap().part, parts(&map).len()), (2, 4, 4));
}

#[test]
fn a_map_that_cannot_be_used_is_refused_with_a_sentence_and_stores_nothing() {
    let with =
        |mappings: &str| json!({ "version": 3, "sources": ["a"], "names": ["x"], "mappings": mappings }).to_string();
    let nested = |depth: usize| {
        let mut map = with("AAAA");
        for _ in 0..depth {
            map = format!(r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":0}},"map":{map}}}]}}"#);
        }
        map
    };
    let part = |line: u32| format!(r#"{{"offset":{{"line":{line},"column":0}},"map":{}}}"#, with("AAAA"));
    let sections = |list: &str| format!(r#"{{"version":3,"sections":[{list}]}}"#);
    let many =
        |field: &str, count: usize| format!(r#"{{"version":3,"{field}":[{}0],"mappings":"AAAA"}}"#, "0,".repeat(count));
    let obs = Obs::start();
    for (map, sentence) in [
        (String::new(), "not a source map"),
        ("[]".into(), "not a source map"),
        ("console.log(1)".into(), "not a source map"),
        ("{\"version\":3}".into(), "no mappings"),
        (with(""), "maps nothing"),
        (with(";;;,,,"), "maps nothing"),
        (with("A,K"), "maps nothing"),
        (with("AAA"), "digit is missing"),
        (with("AA"), "digit is missing"),
        (with("AAAAAA"), "more than 5 numbers"),
        (with("AAAA*"), "digit is missing"),
        (with("AA\u{e9}A"), "digit is missing"),
        (with("AAAg"), "digit is missing"),
        (with("gggggggggggggggA"), "over 32 bits"),
        (with(&format!("{}AAA", vlq(1 << 31))), "beyond 2147483647"),
        (with(&format!("A{}AA", vlq(-1))), "lead below 0"),
        (with("ACAA"), "source 1, and the map has 1 sources"),
        (with("AAAAC"), "name 1, and the map has 1 names"),
        (with("AAAA").replace("3", "2"), "version 3 only"),
        (with("AAAA").replace("\"AAAA\"", "7"), "mappings are not a string"),
        (with("AAAA").replace("[\"a\"]", "{}"), "sources are not a list"),
        (with("AAAA").replace("[\"x\"]", "9"), "names are not a list"),
        (nested(2), "sections itself"),
        (nested(5000), "nested too deeply"),
        (sections(&part(1).replace("\"offset\"", "\"off\"")), "missing field `offset`"),
        (sections(&part(7).replace("7", "-7")), "expected u32"),
        (sections("3"), "sections of the source map are invalid"),
        (sections(&[part(5), part(2)].join(",")), "not in order"),
        (sections(&vec![part(0); 10_001].join(",")), "at most 10000"),
        (many("sources", 100_000), "at most 100000 sources"),
        (many("sources", 8_000_000), "at most 100000 sources"),
        (format!("{{\"a\":{}", "[".repeat(8_000_000)), "nested too deeply"),
    ] {
        let answer = put(&obs, "a/x.js.map", &map);
        let shown = &map[..map.len().min(100)];
        assert_eq!(answer.status, 400, "{shown}");
        assert!(answer.error().contains(sentence), "{sentence}: {} for {shown}", answer.error());
    }
    let not_utf8 = [br#"{"version":3,"sources":["a"],"mappings":"AAAA","file":""#, &b"\xff\"}"[..]].concat();
    assert!(put(&obs, "a/x.js.map", not_utf8).error().contains("not UTF-8"));
    assert_eq!(obs.json("/api/sourcemaps")["sourcemaps"], json!([]));
    assert!(obs.peak_memory() < 100_000, "{} kB", obs.peak_memory());
}

#[test]
fn null_and_missing_entries_count_as_absent() {
    let map = json!({
        "version": 3, "sources": [null, "b.ts"], "sourcesContent": [null, "text", "one too many"], "names": [null],
        "sourceRoot": null, "ignoreList": null, "sections": null, "mappings": mappings(&[(0, 0, 0, 0, 0, Some(0))]),
    });
    assert_eq!(shown(&map, 1, 1), ":1:1");
    let text = map.to_string();
    let map = SourceMap::parse(text.as_bytes()).unwrap();
    assert_eq!((map.sources, map.with_content), (2, 1));
    let lengths: Vec<_> = parts(&map).iter().skip(2).map(|part| part.is_empty()).collect();
    assert_eq!(lengths, [true, false]);
}

/// Bytes that mean something in a map, and some that do not.
const PIECES: [&str; 16] =
    ["A", ";", ",", "g", "/", "\"", "{", "}", "[", "]", ":", "null", "\\", "9", "\"sections\":[", "\u{e9}"];

/// A map of random segments, with some bytes changed.
fn random(rng: &mut Rng) -> Vec<u8> {
    let mut segments: Vec<Segment> = (0..rng.below(60))
        .map(|_| {
            let mut number = |max| rng.below(max) as i64;
            (number(5), number(300), number(2), number(90), number(90), Some(number(3)).filter(|name| *name < 2))
        })
        .collect();
    segments.sort_by_key(|segment| segment.0);
    let mut map = plain(&segments);
    if rng.below(4) == 0 {
        let section = |line: usize| json!({ "offset": { "line": line, "column": 0 }, "map": map });
        map = json!({ "version": 3, "sections": [section(0), section(rng.below(9))] });
    }
    let mut bytes = map.to_string().into_bytes();
    for _ in 0..[0, 1, 1, 3][rng.below(4)] {
        let at = rng.below(bytes.len());
        let end = (at + rng.below(9)).min(bytes.len());
        bytes.splice(at..end, rng.pick(&PIECES).bytes());
    }
    bytes
}

/// What the standard says, without any of the shortcuts: the nearest segment before the place, the first of equals.
fn nearest(segments: &[Segment], line: i64, column: i64) -> Option<&Segment> {
    let before = segments.iter().rev().filter(|segment| segment.0 == line && segment.1 <= column);
    before.max_by_key(|segment| segment.1)
}

#[test]
fn random_maps_are_read_as_the_standard_says_or_refused_and_never_panic() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let variable = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
    let mut seed = variable("FUZZ_SEED").unwrap_or(clock) | 1;
    let end = Instant::now() + Duration::from_secs(variable("FUZZ_SECONDS").unwrap_or(3));
    let (mut read, mut refused) = (0, 0);
    while Instant::now() < end {
        let mut rng = Rng(seed);
        for _ in 0..100 {
            let bytes = random(&mut rng);
            let places: Vec<(u64, u64)> = (0..30).map(|_| (rng.below(7) as u64, rng.below(320) as u64)).collect();
            match SourceMap::parse(&bytes) {
                Ok(map) => {
                    read += 1;
                    let found = lookup(&map, &places);
                    assert_eq!(found.len(), places.len(), "FUZZ_SEED={seed}");
                    assert!(parts(&map).len() > 1, "FUZZ_SEED={seed}");
                }
                Err(why) => {
                    refused += 1;
                    assert!(why.len() > 20, "FUZZ_SEED={seed}: {why}");
                }
            }
            let mut segments: Vec<Segment> = (0..1 + rng.below(40))
                .map(|_| {
                    (rng.below(4) as i64, rng.below(60) as i64, 0, rng.below(900) as i64, rng.below(9) as i64, None)
                })
                .collect();
            segments.sort_by_key(|segment| segment.0);
            let text = plain(&segments).to_string();
            let map = SourceMap::parse(text.as_bytes()).unwrap();
            for ((line, column), token) in places.iter().zip(lookup(&map, &places)) {
                let from_0 = |number: u64| number.saturating_sub(1) as i64;
                let expected = nearest(&segments, from_0(*line), from_0(*column));
                let expected = expected.map(|segment| (segment.3 as u64 + 1, segment.4 as u64 + 1));
                let found = token.map(|token| (token.line, token.column));
                assert_eq!(found, expected, "FUZZ_SEED={seed}: {line}:{column} in {segments:?}");
            }
        }
        seed = seed.wrapping_add(2);
    }
    assert!(read > 50 && refused > 20, "{read} maps were read, {refused} refused");
}
