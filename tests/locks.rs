//! Another process holds a lock on the database: no request waits longer than two seconds, however long the queue is.
mod common;
use common::process::*;
use common::triage::{delete, patch};
use common::*;
use rusqlite::Connection as Sqlite;
use std::thread;
use std::time::{Duration, Instant};

/// Two seconds, and a generous margin for a busy machine.
const BOUND: Duration = Duration::from_secs(3);

fn locked(obs: &Obs) -> Sqlite {
    let other = obs.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// Starts obs with three issues.
fn with_issues() -> Obs {
    let obs = Obs::start();
    (0..3).for_each(|n| drop(obs.add(format!(r#"{{"message":"m","fingerprint":["{n}"]}}"#))));
    obs
}

/// Sends changes and events at the same time, again and again for so long. Returns how long each took, and the statuses.
fn send_all(obs: &Obs, rounds: usize) -> (Duration, Vec<u16>) {
    let send = |client: usize, round: usize| {
        thread::sleep(Duration::from_millis(400) * round as u32);
        let start = Instant::now();
        let response = match client % 2 {
            0 => patch(obs, client as i64 % 3 + 1, r#"{"state":"resolved"}"#),
            _ => obs.post(r#"{"message":"m"}"#),
        };
        if response.status == 503 {
            assert_eq!(response.error(), "The database is locked");
        }
        (start.elapsed(), response.status)
    };
    let sent: Vec<_> = thread::scope(|scope| {
        let clients = (0..10).flat_map(|client| (0..rounds).map(move |round| (client, round)));
        let threads: Vec<_> = clients.map(|(client, round)| scope.spawn(move || send(client, round))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    (sent.iter().map(|(took, _)| *took).max().unwrap(), sent.into_iter().map(|(_, status)| status).collect())
}

#[test]
fn whatever_is_queued_behind_a_lock_fails_after_two_seconds() {
    let obs = with_issues();
    let other = locked(&obs);
    let (slowest, statuses) = send_all(&obs, 8);
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    assert!(slowest < BOUND, "{slowest:?}");
    assert_eq!(obs.get("/health").status, 503);
    let start = Instant::now();
    assert_eq!([obs.get("/").status, obs.get("/api/issues/1").status], [200, 200]);
    assert!(start.elapsed() < Duration::from_secs(1), "pages wait for the lock");
    other.execute_batch("ROLLBACK").unwrap();
    wait_until("obs recovers", || obs.get("/health").status == 200);
    assert_eq!(patch(&obs, 1, r#"{"state":"resolved"}"#).status, 200);
}

#[test]
fn changes_alone_behind_a_lock_fail_together() {
    let obs = with_issues();
    let _other = locked(&obs);
    let start = Instant::now();
    thread::scope(|scope| {
        let obs = &obs;
        for id in [1, 2, 3, 1, 2, 3] {
            scope.spawn(move || assert_eq!(patch(obs, id, r#"{"state":"resolved"}"#).status, 503));
        }
    });
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert_eq!(obs.get("/health").status, 503, "the last commit failed");
}

#[test]
fn a_lock_that_is_released_in_time_only_delays() {
    let obs = with_issues();
    let other = locked(&obs);
    let (slowest, statuses) = thread::scope(|scope| {
        let sent = scope.spawn(|| send_all(&obs, 1));
        thread::sleep(Duration::from_secs(1));
        other.execute_batch("ROLLBACK").unwrap();
        sent.join().unwrap()
    });
    assert!(statuses.iter().all(|status| matches!(status, 200 | 201)), "{statuses:?}");
    assert!(slowest < BOUND, "{slowest:?}");
}

#[test]
fn background_work_and_retries_do_not_wait_for_a_lock() {
    let obs = with_issues();
    let filler = "x".repeat(20_000);
    let mut connection = obs.connect();
    (0..400)
        .for_each(|_| drop(connection.post(format!(r#"{{"message":"m","fingerprint":["1"],"extra":"{filler}"}}"#))));
    assert_eq!(delete(&obs, "/api/issues/2"), 204); // takes a while to be purged
    let _other = locked(&obs);
    for _ in 0..4 {
        let start = Instant::now();
        assert_eq!(obs.post(r#"{"message":"m"}"#).status, 503);
        assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
        thread::sleep(Duration::from_millis(700));
    }
    assert!(!obs.errors().contains("maintenance failed"), "{}", obs.errors());
}

#[test]
fn commands_behind_a_lock_read_at_once_and_fail_to_write_after_two_seconds() {
    let mut obs = Obs::with(&[], &[]);
    obs.signal("TERM");
    obs.wait();
    let database = obs.database.to_str().unwrap().to_string();
    let copy = obs.folder().join("copy");
    let _other = locked(&obs);
    let start = Instant::now();
    assert_eq!(outcome(&mut command(&["backup", copy.to_str().unwrap(), "--db", &database], &[])).0, 0);
    assert_eq!(outcome(&mut command(&["export", "--db", &database], &[])).0, 0);
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());

    let file = obs.folder().join("events");
    std::fs::write(&file, r#"{"message":"m"}"#).unwrap();
    let start = Instant::now();
    let line = refused(&mut command(&["import", file.to_str().unwrap(), "--db", &database], &[]), 1);
    assert!(line.contains("The database is locked"), "{line}");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}

#[test]
fn a_start_behind_a_lock_says_so() {
    let folder = Folder::new();
    let database = folder.join("obs.sqlite");
    let other = open(&database);
    other.execute_batch("BEGIN IMMEDIATE; CREATE TABLE t (a)").unwrap();
    let start = Instant::now();
    let line = refused(&mut command(&["--db", database.to_str().unwrap(), "--listen", "127.0.0.1:0"], &[]), 1);
    assert!(line.contains(database.to_str().unwrap()) && line.contains("another process has locked it"), "{line}");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}
