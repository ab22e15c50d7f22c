//! Random bundles of source maps: valid ones with some bytes, names, sizes or fields of the manifest changed. obs stores
//! them or refuses them with a sentence, never hangs, and serves the next valid bundle. `FUZZ_SECONDS` sets the duration
//! (default 10), `FUZZ_SEED` reproduces a failure.
mod common;
use common::bundle::{File, upload, zip};
use common::rng::Rng;
use common::*;
use serde_json::{Value, json};
use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NAMES: &[&str] = &["x.js", "x.js.map", "files/_/_/x.js", "files/_/_/x.js.map", "é"];
const BAD_NAMES: &[&str] = &["manifest.json", "../x.js", "/x", "..\\x", "", "a/../b"];
const URLS: &[&str] =
    &["~/x.js", "~/x.js.map", "https://a.example/x.js", "//", "x.js.map?v=1", "../..", "", "~", "\u{0}"];
const KINDS: &[&str] = &["source_map", "source_map", "minified_source", "minified_source", "source", ""];
const HEADERS: &[&str] = &["debug-id", "Debug-Id", "sourcemap", "Sourcemap", "other"];
const VALUES: &[&str] = &[
    "bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c",
    "x.js.map",
    "./x.js.map",
    "data:,{}",
    "bf9a",
    "",
    "00000000-0000-0000-0000-000000000000",
];
const CONTENTS: &[&str] = &[
    r#"{"version":3,"sources":["a.ts"],"sourcesContent":["x"],"names":[],"mappings":"AAAA"}"#,
    "!function(){e._sentryDebugIds[n]=\"bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c\"}",
    "_debugIds[",
    "_sentryDebugIds[x]=`é`bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c",
    r#"{"version":3,"sources":["a.ts"],"names":["b"],"mappings":"AAAAA;;CAAC,gggggggggggggB"}"#,
    r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sources":[],"mappings":""}}]}"#,
    r#"{"version":3,"sections":[{"offset":{"line":9,"column":0}}]}"#,
    ")]}'\n{}",
    "",
];

fn name(rng: &mut Rng) -> String {
    let names = if rng.below(20) > 0 { NAMES } else { BAD_NAMES };
    rng.pick(names).into()
}

/// A manifest that mostly lists files that the bundle has.
fn manifest(rng: &mut Rng, bundled: &[File]) -> Value {
    let mut files = serde_json::Map::new();
    for file in bundled.iter().chain([&File::new("x", "")]).filter(|file| !file.name.is_empty()) {
        if rng.below(4) == 0 || file.name == "x" && rng.below(8) > 0 {
            continue;
        }
        let name = file.name.clone();
        let headers: serde_json::Map<_, _> =
            (0..rng.below(3)).map(|_| (rng.pick(HEADERS).to_string(), json!(rng.pick(VALUES)))).collect();
        let file = match rng.below(8) {
            0 => json!(7),
            1 => json!({ "type": rng.pick(KINDS), "url": 7, "headers": headers }),
            2 => json!({ "type": rng.pick(KINDS), "url": rng.pick(URLS), "headers": [] }),
            _ => json!({ "type": rng.pick(KINDS), "url": rng.pick(URLS), "headers": headers }),
        };
        files.insert(name, file);
    }
    match rng.below(10) {
        0 => json!({ "files": [files] }),
        1 => json!({ "files": files, "release": 7 }),
        _ => json!({ "files": files, "release": rng.pick(&["web@1", "undefined", ""]) }),
    }
}

fn random_bundle(rng: &mut Rng) -> Vec<u8> {
    let mut files: Vec<File> = Vec::new();
    for _ in 0..rng.below(5) {
        let content = if rng.below(2) == 0 { rng.pick(&CONTENTS[..2]) } else { rng.pick(CONTENTS) };
        files.push(File::new(&name(rng), content));
    }
    let manifest = manifest(rng, &files).to_string();
    files.insert(0, File::new("manifest.json", manifest));
    for file in &mut files {
        file.is_deflated = rng.below(2) == 0;
        match rng.below(20) {
            0 => file.size = Some([0, 1, 1 << 20, 33 << 20, u32::MAX][rng.below(5)]),
            1 => file.crc = Some(0),
            _ => {}
        }
    }
    let base = [0, 8, 8, 8, u32::MAX >> 1][rng.below(5)];
    let mut bytes = [b"SYSB\x02\0\0\0".to_vec(), zip(&files, base)].concat();
    for _ in 0..[0, 0, 0, 1, 3][rng.below(5)] {
        let at = rng.below(bytes.len());
        match rng.below(4) {
            0 => bytes[at] = rng.below(256) as u8,
            1 => bytes.truncate(at.max(1)),
            2 => drop(bytes.drain(at..(at + rng.below(20)).min(bytes.len() - 1).max(at))),
            _ => drop(bytes.splice(at..at, [0xFF; 4])),
        }
    }
    bytes
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn every_bundle_is_stored_or_refused_with_a_sentence() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut seed = variable("FUZZ_SEED").unwrap_or(clock) | 1;
    let end = Instant::now() + Duration::from_secs(variable("FUZZ_SECONDS").unwrap_or(10));
    let obs = Obs::start();
    let (mut bundles, mut good) = (0, 0);
    while Instant::now() < end {
        let mut rng = Rng(seed);
        for _ in 0..50 {
            let bytes = random_bundle(&mut rng);
            let answer = upload(&obs, &bytes, None); // which checks for a 200
            let (state, detail) = (answer["state"].as_str().unwrap(), answer["detail"].as_str());
            let is_sentence = detail.is_some_and(|detail| detail.len() > 20 && !detail.contains("panic"));
            assert!(state == "ok" && detail.is_none() || state == "error" && is_sentence, "FUZZ_SEED={seed}: {answer}");
            good += usize::from(state == "ok");
            bundles += 1;
        }
        assert!(!obs.errors().contains("fault") && !obs.errors().contains("bug"), "FUZZ_SEED={seed}: {}", obs.errors());
        seed = seed.wrapping_add(2);
    }
    let lost = "SELECT count(*) FROM source_maps WHERE state = 'incoming'";
    assert_eq!(database::value::<i64>(&obs.sqlite(), lost), 0);
    println!("{bundles} bundles, {good} of them stored");
    assert!(bundles >= 50 && good > 0 && good < bundles);
}
