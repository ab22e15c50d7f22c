//! A database that an older obs left: `tests/fixtures/version-N.sqlite` was written by the first obs whose schema was N, with
//! the three events of `EVENTS`, and is never made anew.
mod common;
use common::*;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// The newest schema. A migration adds a fixture of its own.
const NEWEST: u32 = 4;
const EVENTS: [&str; 3] = [
    r#"{"message":"customer 7 has no address","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91","environment":"production"}"#,
    r#"{"message":"customer 8 has no address","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a92","extra":{"z":1.0,"a":[]},"suppressed":4}"#,
    r#"{"message":"t is undefined","type":"TypeError","level":"warning","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a93",
        "stacktrace":[{"filename":"/srv/app/src/cart.js","function":"total","lineno":4}]}"#,
];

fn fixture(version: u32) -> PathBuf {
    PathBuf::from(format!("{}/tests/fixtures/version-{version}.sqlite", env!("CARGO_MANIFEST_DIR")))
}

fn schema(obs: &Obs) -> Vec<String> {
    let sqlite = obs.sqlite();
    let mut tables = sqlite.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_database_of_any_version_is_brought_up_to_date_with_nothing_lost() {
    for version in 1..=NEWEST {
        let folder = Arc::new(Folder::new());
        fs::copy(fixture(version), folder.join("obs.sqlite")).unwrap();
        let obs = Obs::in_folder(folder, &[], &[("OBS_API_KEY", KEY)]);

        let issues = obs.json("/api/issues")["issues"].clone();
        let counts: Vec<_> =
            issues.as_array().unwrap().iter().map(|issue| (&issue["title"], &issue["count"])).collect();
        let kept = [("TypeError: t is undefined", 1), ("customer <*> has no address", 6)];
        assert_eq!(
            counts,
            kept.map(|(title, count)| (json!(title), json!(count))).iter().map(|(t, c)| (t, c)).collect::<Vec<_>>()
        );
        for sent in EVENTS {
            let sent: Value = serde_json::from_str(sent).unwrap();
            let event = obs.json(&format!("/api/events/{}", sent["event_id"].as_str().unwrap()));
            for field in ["message", "type", "environment", "extra", "stacktrace", "suppressed"] {
                assert_eq!(event[field], sent[field], "{field} of version {version}");
            }
        }
        assert_eq!(obs.post(EVENTS[0]).status, 200, "an event that was there is not stored again");
        obs.add(r#"{"message":"customer 9 has no address"}"#);
        assert_eq!(obs.json("/api/issues/1")["issue"]["count"], 7, "a new event finds its issue by the old key");

        assert_eq!(schema(&obs), schema(&Obs::start()), "of version {version}");
        let now: u32 = obs.sqlite().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(now, NEWEST, "a new migration needs a fixture: see the first lines of this file");
    }
}
