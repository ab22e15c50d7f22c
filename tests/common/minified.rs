//! A small application as a bundler leaves it: its source map, and the stack traces that browsers report of it.
use super::bundle::TOKEN;
use super::*;
use flate2::write::DeflateDecoder;
use obs::sourcemaps::lookup::Token;
use obs::sourcemaps::map::SourceMap;
use serde_json::json;

pub const SCRIPT: &str = "https://shop.example/assets/index-lR73.js";
pub const PATH: &str = "assets/index-lR73.js.map";
pub const ID: &str = "bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c";

/// A place in the script and what it stands for, all from 0: line, column, source, line, column, name.
pub type Segment = (i64, i64, i64, i64, i64, Option<i64>);

const NAMES: [&str; 3] = ["totalOf", "applyDiscount", "checkout"];
const SEGMENTS: [Segment; 7] = [
    (1, 100, 0, 6, 8, None),
    (1, 200, 1, 11, 4, Some(0)),
    (1, 300, 1, 15, 2, Some(1)),
    (1, 400, 2, 0, 0, Some(2)),
    (1, 500, 2, 1, 0, None),
    (1, 600, 3, 2, 0, None),
    (1, 700, 0, 19, 0, None),
];

/// A number as Base64 VLQ.
pub fn vlq(number: i64) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = number.unsigned_abs() << 1 | u64::from(number < 0);
    let mut text = String::new();
    loop {
        let digit = (rest & 31) as usize | if rest > 31 { 32 } else { 0 };
        text.push(char::from(alphabet[digit]));
        rest >>= 5;
        if rest == 0 {
            return text;
        }
    }
}

pub fn mappings(segments: &[Segment]) -> String {
    let (mut text, mut line, mut column) = (String::new(), 0, 0);
    let mut last = (0, 0, 0, 0);
    for (at, segment) in segments.iter().enumerate() {
        let (to, script_column, source, source_line, source_column, name) = *segment;
        if to > line {
            text += &";".repeat((to - line) as usize);
            (line, column) = (to, 0);
        } else if at > 0 {
            text.push(',');
        }
        let fields = [script_column - column, source - last.0, source_line - last.1, source_column - last.2];
        text.extend(fields.map(vlq));
        column = script_column;
        (last.0, last.1, last.2) = (source, source_line, source_column);
        if let Some(name) = name {
            text += &vlq(name - last.3);
            last.3 = name;
        }
    }
    text
}

/// 20 lines: `    cart 7` is line 7 of `cart`.
pub fn source(name: &str) -> String {
    (1..=20).map(|line| format!("    {name} {line}\n")).collect()
}

/// The map of the script. The third source is in `node_modules`, and the fourth on the list of ignored ones.
pub fn map() -> Value {
    json!({
        "version": 3,
        "sources": ["../../src/cart.ts", "../../src/checkout.ts", "../../node_modules/react/index.js", "../../lib/wrap.ts"],
        "sourcesContent": (["cart", "checkout", "react", "wrap"].map(source)),
        "names": NAMES,
        "mappings": mappings(&SEGMENTS),
        "x_google_ignoreList": [3],
    })
}

/// The frames of an error in `totalOf`, which `applyDiscount` calls, which `checkout` calls, which a library calls.
pub fn frames(script: &str) -> Value {
    let names = ["Rc", "Bc", "zc", "Fa", "Fb", "Fc", "?"];
    let frame = |(at, name): (usize, &str)| json!({ "filename": script, "function": name, "lineno": 2, "colno": 101 + 100 * at, "in_app": true });
    Value::Array(names.into_iter().enumerate().map(frame).collect())
}

pub fn event(script: &str, debug_id: Option<&str>, release: Option<&str>) -> Value {
    let images: Vec<_> =
        debug_id.into_iter().map(|id| json!({ "type": "sourcemap", "code_file": script, "debug_id": id })).collect();
    json!({
        "type": "TypeError", "message": "a.b is not a function", "platform": "javascript", "stacktrace": frames(script),
        "release": release, "debug_meta": { "images": images },
    })
}

/// The parts of a map as the store gets them, empty where it has no text.
pub fn parts(map: &SourceMap) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for (number, part) in map.parts() {
        let mut text = DeflateDecoder::new(Vec::new());
        text.write_all(&part).unwrap();
        parts.resize(parts.len().max(number + 1), String::new());
        parts[number] = String::from_utf8(text.finish().unwrap()).unwrap();
    }
    parts
}

/// Looks places up in a map as the store keeps it.
pub fn lookup(map: &SourceMap, places: &[(u64, u64)]) -> Vec<Option<Token>> {
    let parts = parts(map);
    obs::sourcemaps::lookup::lookup(places, |part| Ok::<_, String>(parts[part].clone())).unwrap()
}

/// Uploads a map, which must be accepted.
pub fn upload(obs: &Obs, path: &str, map: &Value) -> Value {
    let head = format!("PUT /api/sourcemaps/{path} HTTP/1.1\r\n{TOKEN}");
    let answer = obs.send(&head, map.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}
