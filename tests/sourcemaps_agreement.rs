//! The maps of real packages, read as the `source-map` package from npm reads them. `tests/deps` installs the packages.
mod common;
use common::Folder;
use common::minified::lookup;
use obs::sourcemaps::lookup::Token;
use obs::sourcemaps::map::SourceMap;
use serde::Deserialize;
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the package says about places of a map: line from 1, column from 0, and what is there.
#[derive(Deserialize)]
struct Known {
    file: String,
    found: Vec<(u64, u64, Place)>,
}

/// Source, line, column and name, if there are any.
type Place = (Option<String>, Option<u64>, Option<u64>, Option<String>);

/// The path as obs shows it.
fn readable(source: &str) -> String {
    let path = source.rsplit_once("/./").map_or(source, |(_, path)| path);
    path.trim_start_matches("../").trim_start_matches("./").into()
}

#[test]
fn random_places_of_real_maps_are_what_the_source_map_package_says() {
    let folder = Folder::new();
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u32 | 1;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sourcemaps-npm/places.js");
    let output = Command::new("node").arg(script).arg(folder.join("")).arg(seed.to_string()).output().unwrap();
    assert!(output.status.success(), "run tests/deps first: {}", String::from_utf8_lossy(&output.stderr));
    let (mut maps, mut places, mut different) = (0, 0, Vec::new());
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let known: Known = serde_json::from_str(line).unwrap();
        let text = fs::read(&known.file).unwrap();
        let map = SourceMap::parse(&text).unwrap();
        let asked: Vec<_> = known.found.iter().map(|(line, column, ..)| (*line, column + 1)).collect();
        for (place, token) in known.found.iter().zip(lookup(&map, &asked)) {
            let (line, column, (source, to, to_column, name)) = place;
            let expected =
                source.as_ref().map(|source| (readable(source), to.unwrap(), to_column.unwrap() + 1, name.clone()));
            let found = token.map(|Token { source, line, column, name, .. }| (source, line, column, name));
            if found != expected {
                different.push(format!("{} {line}:{column}: {found:?}, not {expected:?}", known.file));
            }
            places += 1;
        }
        maps += 1;
    }
    assert_eq!((maps, places), (5, 20_000));
    assert!(
        different.is_empty(),
        "seed {seed}, {} of {places}:\n{}",
        different.len(),
        different[..different.len().min(20)].join("\n")
    );
}
