//! The promise behind a 201: an acknowledged event survives kill -9 and a torn WAL, is in every later backup, and counts once.
mod common;
use common::database::*;
use common::load::*;
use common::*;
use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::thread;
use uuid::Uuid;

const WITH_KEY: [(&str, &str); 1] = [("OBS_API_KEY", KEY)];

/// `KILLS` sets the number of kills.
#[test]
fn kill_9_under_load_loses_no_acknowledged_event() {
    let mut obs = Obs::start();
    let mut all = Vec::new();
    let kills = std::env::var("KILLS").map_or(5, |text| text.parse().unwrap());
    for round in 0..kills {
        let load = Load::start(&obs, 12);
        load.wait_for(150 + 137 * (round % 7)); // somewhere in the middle of a commit
        obs.kill();
        let (acknowledged, unanswered) = load.stop();
        assert!(!unanswered.is_empty(), "the kill interrupted no request");
        all.extend(acknowledged);

        obs = obs.restart(&[], &WITH_KEY);
        let database = obs.sqlite();
        assert_holds(&database, &all);
        assert_consistent(&database);
        let stored = event_ids(&database);
        let unacknowledged = stored.len() - all.len();
        assert!(unacknowledged <= unanswered.len(), "{unacknowledged} stored, {} unanswered", unanswered.len());

        for id in unanswered {
            let retry = obs.post(event(&id, "retried", 0)).status;
            assert_eq!(retry, if stored.contains(&id) { 200 } else { 201 });
            all.push(id);
        }
        assert_consistent(&database);
        assert_eq!(event_ids(&database).len(), all.len());
    }
}

#[test]
fn a_backup_under_load_is_a_consistent_snapshot() {
    let obs = Obs::start();
    let load = Load::start(&obs, 12);
    for number in 1..=3 {
        load.wait_for(300 * number);
        let dest = obs.folder().join(&format!("copy{number}"));
        let before = load.acknowledged();
        let mut backup = command(&["backup", dest.to_str().unwrap(), "--db", obs.database.to_str().unwrap()], &[]);
        assert!(backup.status().unwrap().success());
        let after = load.acknowledged().len();
        let copy = open(&dest);
        assert_holds(&copy, &before);
        assert_consistent(&copy);
        assert!(after > before.len(), "no event was stored during the backup");
    }
    let (acknowledged, _) = load.stop();
    assert_holds(&obs.sqlite(), &acknowledged);
    assert_consistent(&obs.sqlite());
}

#[test]
fn two_thousand_concurrent_events_are_each_stored_once() {
    let obs = Obs::start();
    let clients = 32;
    let run_client = |client: usize| {
        let mut connection = obs.connect();
        let send = |n| {
            let response = connection.post(event(&Uuid::now_v7().to_string(), &word(n % 40), n));
            assert_eq!(response.status, 201, "{}", response.text());
            response.json()["id"].as_str().unwrap().to_string()
        };
        (client..2000).step_by(clients).map(send).collect::<Vec<_>>()
    };
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|client| scope.spawn(move || run_client(client))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let database = obs.sqlite();
    assert_eq!(acknowledged.len(), 2000);
    assert_holds(&database, &acknowledged);
    assert_eq!(value::<i64>(&database, "SELECT count(*) FROM events"), 2000);
    assert_consistent(&database);
}

#[test]
fn an_event_sent_sixteen_times_at_once_is_stored_once() {
    let obs = Obs::start();
    let id = Uuid::now_v7().to_string();
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let send = || scope.spawn(|| obs.post(event(&id, "once", 0)).status);
        let threads: Vec<_> = (0..16).map(|_| send()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort();
    assert_eq!(statuses, [[200; 15].as_slice(), &[201]].concat());
    assert_eq!(event_ids(&obs.sqlite()), HashSet::from([id]));
    assert_consistent(&obs.sqlite());
}

/// A power failure can leave the end of the WAL cut off, zeroed or garbled.
#[test]
fn a_torn_wal_loses_only_the_events_after_the_tear() {
    let mut obs = Obs::start();
    let mut connection = obs.connect();
    let sent: Vec<String> = (0..120)
        .map(|n| {
            let id = Uuid::now_v7().to_string();
            assert_eq!(connection.post(event(&id, &word(n % 5), n)).status, 201);
            id
        })
        .collect();
    obs.kill();
    let (database, wal) = (obs.folder().join("obs.sqlite"), obs.folder().join("obs.sqlite-wal"));
    let whole = fs::read(&wal).unwrap();
    let mut fewest = sent.len();
    for (at, kind) in (0..12).flat_map(|at| [(at, 0), (at, 1), (at, 2)]) {
        let folder = Arc::new(Folder::new());
        fs::copy(&database, folder.join("obs.sqlite")).unwrap();
        let tear = whole.len() * (at + 1) / 13 + 7 * at;
        let mut torn = whole.clone();
        match kind {
            0 => torn.truncate(tear),
            1 => torn[tear..].fill(0),
            _ => torn[tear..].iter_mut().for_each(|byte| *byte = !*byte),
        }
        fs::write(folder.join("obs.sqlite-wal"), torn).unwrap();
        let obs = Obs::in_folder(folder, &[], &WITH_KEY);
        assert_eq!(obs.post(r#"{"message":"after","fingerprint":["after"]}"#).status, 201);
        let database = obs.sqlite();
        assert_consistent(&database);
        let stored = event_ids(&database);
        let survived = sent.iter().take_while(|id| stored.contains(*id)).count();
        assert_eq!(stored.len(), survived + 1, "an event survived although an earlier one was lost");
        fewest = fewest.min(survived);
    }
    assert!(fewest < sent.len(), "no tear lost an event");
}
