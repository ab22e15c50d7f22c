//! The promise behind a 201: kill -9, backups under load, a locked database, a full disk, readers meanwhile.
mod common;
use common::ledger::*;
use common::*;
use rusqlite::Connection as Sqlite;
use serde_json::Value;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use uuid::Uuid;

const WITH_KEY: [(&str, &str); 1] = [("OBS_API_KEY", KEY)];

#[test]
fn kill_9_under_load_loses_nothing_that_was_acknowledged() {
    let mut obs = Obs::start();
    let mut all = Vec::new();
    let kills = std::env::var("KILLS").map_or(5, |text| text.parse().unwrap());
    for round in 0..kills {
        let load = Load::start(&obs, 12);
        load.reaches(150 + 137 * (round % 7)); // somewhere in the middle of a commit
        obs.kill();
        let (acknowledged, unanswered) = load.end();
        assert!(!unanswered.is_empty(), "nobody was cut off");
        all.extend(acknowledged);

        obs = obs.restart(&[], &WITH_KEY);
        let database = obs.sqlite();
        assert_holds(&database, &all);
        assert_consistent(&database);
        let stored = ids(&database);
        let beyond = stored.len() - all.len();
        assert!(beyond <= unanswered.len(), "{beyond} events more than were sent");

        for id in unanswered {
            let again = obs.post(event(&id, "again", 0)).status;
            assert_eq!(again, if stored.contains(&id) { 200 } else { 201 });
            all.push(id);
        }
        assert_consistent(&database);
        assert_eq!(ids(&database).len(), all.len());
    }
}

#[test]
fn a_backup_under_load_is_a_whole_moment() {
    let obs = Obs::start();
    let load = Load::start(&obs, 12);
    for copy in 1..=3 {
        load.reaches(300 * copy);
        let dest = obs.folder().join(&format!("copy{copy}"));
        let before = load.acknowledged();
        let mut backup = command(&["backup", dest.to_str().unwrap(), "--db", obs.database.to_str().unwrap()], &[]);
        assert!(backup.status().unwrap().success());
        let during = load.acknowledged().len();
        let copy = open(&dest);
        assert_holds(&copy, &before);
        assert_consistent(&copy);
        assert!(during > before.len(), "ingest stood still meanwhile");
    }
    let (acknowledged, _) = load.end();
    assert_holds(&obs.sqlite(), &acknowledged);
    assert_consistent(&obs.sqlite());
}

/// A refusal for now, which a client may read and act on.
fn assert_unavailable(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (503, why));
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().unwrap() > 0), "{answer:?}");
}

fn recovers(obs: &Obs) {
    eventually("obs is well again", || (obs.get("/health").status == 200).then_some(()));
}

#[test]
fn a_database_locked_by_another_process_is_told_and_waited_out() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"before"}"#);
    let other = obs.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..2 {
        assert_unavailable(&obs.post(r#"{"message":"meanwhile"}"#), "The database is locked");
        let health = obs.get("/health");
        assert_eq!(health.status, 503);
        assert!(health.header("retry-after").is_some());
    }
    assert_eq!(obs.json("/api/issues")["issues"][0]["last_event_id"], id);
    assert_eq!([obs.get("/").status, obs.get(&format!("/api/events/{id}")).status], [200, 200]);
    other.execute_batch("ROLLBACK").unwrap();
    recovers(&obs);
    obs.add(r#"{"message":"after"}"#);
    let log = obs.errors();
    assert_eq!(log.matches("events cannot be stored: The database is locked").count(), 1, "{log}");
    assert_eq!(log.matches("events are stored again").count(), 1, "{log}");
    assert_consistent(&obs.sqlite());
}

/// An obs on a disk of 2 MiB: a tmpfs in a mount namespace of its own, which goes with the process. And where the disk is
/// seen from here.
fn obs_on_a_small_disk(folder: &Arc<Folder>) -> (Obs, PathBuf) {
    let place = folder.join("disk");
    fs::create_dir(&place).unwrap();
    let script = r#"mount -t tmpfs -o size=2m tmpfs "$1" || exit; disk=$1; shift; exec "$@" --db "$disk/obs.sqlite""#;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(&place);
    command.arg(env!("CARGO_BIN_EXE_obs")).args(["--listen", "127.0.0.1:0"]).envs(WITH_KEY);
    let obs = Obs::launch(folder.clone(), command); // fails with the line of unshare or mount where that is not allowed
    let seen = PathBuf::from(format!("/proc/{}/root{}", obs.id(), fs::canonicalize(place).unwrap().display()));
    assert!(seen.join("obs.sqlite").is_file(), "the tmpfs cannot be seen in {}", seen.display());
    (obs, seen)
}

/// Takes all the room that is left.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[b'b'; 4096]).is_ok() {}
}

/// A copy to look into, of a database that is not written to meanwhile.
fn copy_of(disk: &Path, folder: &Folder) -> Sqlite {
    for name in ["obs.sqlite", "obs.sqlite-wal"] {
        fs::copy(disk.join(name), folder.join(name)).unwrap();
    }
    open(&folder.join("obs.sqlite"))
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let folder = Arc::new(Folder::new());
    let (obs, disk) = obs_on_a_small_disk(&folder);
    fs::write(disk.join("ballast"), vec![b'b'; 600 << 10]).unwrap();
    let mut acknowledged = Vec::new();
    let large = "x".repeat(8000);
    let refusal = loop {
        let answer = obs.post(format!(r#"{{"message":"m","environment":"e","extra":"{large}"}}"#));
        if answer.status != 201 {
            break answer;
        }
        acknowledged.push(answer.json()["id"].as_str().unwrap().to_string());
        assert!(acknowledged.len() < 1000, "the disk never fills");
    };
    assert_unavailable(&refusal, "The disk is full");
    fill(&disk.join("more ballast")); // or a probe, which is small, might still find room
    for _ in 0..2 {
        assert_unavailable(&obs.post(r#"{"message":"m"}"#), "The disk is full");
        assert_eq!(obs.get("/health").status, 503);
    }
    assert_eq!(obs.json("/api/issues")["issues"][0]["count"], acknowledged.len());
    let aside = Folder::new();
    let full = copy_of(&disk, &aside);
    assert_holds(&full, &acknowledged);
    assert_eq!(text(&full, "PRAGMA integrity_check"), "ok");

    for ballast in ["ballast", "more ballast"] {
        fs::remove_file(disk.join(ballast)).unwrap();
    }
    recovers(&obs);
    acknowledged.push(obs.add(r#"{"message":"m"}"#));
    let database = copy_of(&disk, &folder);
    assert_holds(&database, &acknowledged);
    assert_consistent(&database);
    assert_eq!(ids(&database).len(), acknowledged.len(), "what was refused is not there");
}

/// All rows of a list by following `next` to its end.
fn walk(connection: &mut Connection, path: &str, list: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut from = String::new();
    loop {
        let answer = connection.send(&format!("GET {path}{from} HTTP/1.1"), b"");
        assert_eq!(answer.status, 200, "{path}{from}");
        let page = answer.json();
        rows.extend(page[list].as_array().unwrap().iter().map(|row| row["id"].clone()));
        match page["next"].as_str() {
            Some(next) => from = format!("?after={next}"),
            None => return rows,
        }
    }
}

fn assert_shows(rows: &[Value], all: &[Value]) {
    let seen: HashSet<_> = rows.iter().map(Value::to_string).collect();
    assert_eq!(seen.len(), rows.len(), "something shows twice");
    let missing: Vec<_> = all.iter().filter(|row| !seen.contains(&row.to_string())).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

#[test]
fn paging_is_whole_while_events_arrive() {
    let obs = Obs::start();
    let mut connection = obs.connect();
    let mut add = |group: &str| {
        let id = Uuid::now_v7().to_string();
        assert_eq!(connection.post(event(&id, group, 0)).status, 201);
        id
    };
    // The first 60 groups are to be left alone; all later ones go on, and one of them has pages of its own.
    let first: Vec<_> = (0..130).map(|n| add(&word(n))).collect();
    let old_events: Vec<_> = (0..120).map(|_| Value::from(add("busy"))).collect();
    let issue_of = |id: &str| obs.json(&format!("/api/events/{id}"))["issue_id"].clone();
    let left_alone: Vec<_> = first[..60].iter().map(|id| issue_of(id)).collect();
    let busy = issue_of(old_events[0].as_str().unwrap());

    let done = AtomicBool::new(false);
    let added = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..4 {
            let (obs, done, added) = (&obs, &done, &added);
            scope.spawn(move || {
                let mut connection = obs.connect();
                for n in (writer..).step_by(4) {
                    if done.load(Relaxed) {
                        break;
                    }
                    let group = if n % 3 == 0 { "busy".into() } else { word(60 + n % 120) };
                    let id = Uuid::now_v7().to_string();
                    assert_eq!(connection.post(event(&id, &group, n)).status, 201);
                    added.fetch_add(1, Relaxed);
                }
            });
        }
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = obs.connect();
                    for round in 0.. {
                        if round >= 6 && added.load(Relaxed) > 50 {
                            break;
                        }
                        assert_shows(&walk(&mut connection, "/api/issues", "issues"), &left_alone);
                        let events = walk(&mut connection, &format!("/api/issues/{busy}"), "events");
                        assert_shows(&events, &old_events);
                    }
                })
            })
            .collect();
        let results: Vec<_> = readers.into_iter().map(|reader| reader.join()).collect();
        done.store(true, Relaxed); // before a failure is passed on, or the writers would never end
        results.into_iter().for_each(|result| result.unwrap());
    });
}

#[test]
fn two_thousand_events_at_once_are_all_stored_once() {
    let obs = Obs::start();
    let clients = 32;
    let each = |client: usize| {
        let mut connection = obs.connect();
        let range = (client..2000).step_by(clients);
        let send = |n| {
            let answer = connection.post(event(&Uuid::now_v7().to_string(), &word(n % 40), n));
            assert_eq!(answer.status, 201, "{}", answer.text());
            answer.json()["id"].as_str().unwrap().to_string()
        };
        range.map(send).collect::<Vec<_>>()
    };
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|client| scope.spawn(move || each(client))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let database = obs.sqlite();
    assert_eq!(acknowledged.len(), 2000);
    assert_holds(&database, &acknowledged);
    assert_eq!(text(&database, "SELECT count(*) || '' FROM events"), "2000");
    assert_consistent(&database);
}

#[test]
fn a_retry_while_the_first_try_is_on_its_way_counts_once() {
    let obs = Obs::start();
    let id = Uuid::now_v7().to_string();
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let send = || scope.spawn(|| obs.post(event(&id, "once", 0)).status);
        let threads: Vec<_> = (0..16).map(|_| send()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort();
    assert_eq!(statuses, [[200; 15].as_slice(), &[201]].concat());
    assert_eq!(ids(&obs.sqlite()), HashSet::from([id]));
    assert_consistent(&obs.sqlite());
}

#[test]
fn a_database_that_is_removed_or_replaced_is_noticed_and_taken_again_when_it_is_back() {
    for replaced in [false, true] {
        let obs = Obs::start();
        let id = obs.add(r#"{"message":"before"}"#);
        let (database, aside) = (obs.folder().join("obs.sqlite"), obs.folder().join("aside"));
        fs::rename(&database, &aside).unwrap();
        if replaced {
            fs::copy(&aside, &database).unwrap();
        }
        assert_unavailable(&obs.post(r#"{"message":"meanwhile"}"#), "The database file was removed or replaced");
        eventually("it says so", || (obs.get("/health").status == 503).then_some(()));
        assert!(obs.errors().contains("lost unless it is put back"), "{}", obs.errors());
        fs::rename(&aside, &database).unwrap();
        recovers(&obs);
        assert_eq!(obs.get(&format!("/api/events/{id}")).status, 200);
    }
}

#[test]
fn a_removed_database_is_noticed_without_an_event() {
    let obs = Obs::start();
    fs::remove_file(obs.folder().join("obs.sqlite-wal")).unwrap();
    eventually("it is noticed", || (obs.get("/health").status == 503).then_some(()));
    assert!(obs.errors().contains("removed or replaced"), "{}", obs.errors());
}

/// A crash may leave the end of the WAL half written, or not at all, or as rubbish.
#[test]
fn a_torn_wal_costs_the_end_of_it_and_nothing_else() {
    let mut obs = Obs::start();
    let mut connection = obs.connect();
    let ids: Vec<String> = (0..120)
        .map(|n| {
            let id = Uuid::now_v7().to_string();
            assert_eq!(connection.post(event(&id, &word(n % 5), n)).status, 201);
            id
        })
        .collect();
    obs.kill();
    let (database, wal) = (obs.folder().join("obs.sqlite"), obs.folder().join("obs.sqlite-wal"));
    let whole = fs::read(&wal).unwrap();
    let mut fewest = ids.len();
    for (at, tear) in (0..12).flat_map(|at| [(at, 0), (at, 1), (at, 2)]) {
        let folder = Arc::new(Folder::new());
        fs::copy(&database, folder.join("obs.sqlite")).unwrap();
        let place = whole.len() * (at + 1) / 13 + 7 * at;
        let mut torn = whole.clone();
        match tear {
            0 => torn.truncate(place),
            1 => torn[place..].fill(0),
            _ => torn[place..].iter_mut().for_each(|byte| *byte = !*byte),
        }
        fs::write(folder.join("obs.sqlite-wal"), torn).unwrap();
        let obs = Obs::in_folder(folder, &[], &WITH_KEY);
        assert_eq!(obs.post(r#"{"message":"after","fingerprint":["after"]}"#).status, 201);
        let database = obs.sqlite();
        assert_consistent(&database);
        let stored = common::ledger::ids(&database);
        let survived = ids.iter().take_while(|id| stored.contains(*id)).count();
        assert_eq!(stored.len(), survived + 1, "what survives is all that came up to some moment");
        fewest = fewest.min(survived);
    }
    assert!(fewest < ids.len(), "no tear took anything");
}

#[test]
fn writes_that_fail_are_told_and_survived() {
    let folder = Arc::new(Folder::new());
    let mut command = Command::new("bash");
    command.args([
        "-c",
        "trap '' XFSZ; exec \"$@\"",
        "bash",
        env!("CARGO_BIN_EXE_obs"),
        "--listen",
        "127.0.0.1:0",
        "--db",
    ]);
    command.arg(folder.join("obs.sqlite")).envs(WITH_KEY);
    let mut obs = Obs::launch(folder, command);
    let limit = |bytes: &str| {
        let set = Command::new("prlimit").args(["--pid", &obs.id().to_string(), &format!("--fsize={bytes}:")]).status();
        assert!(set.unwrap().success());
    };
    let before = obs.add(r#"{"message":"before"}"#);
    limit("4096"); // as a failing disk: no write beyond that succeeds
    assert_unavailable(&obs.post(r#"{"message":"meanwhile"}"#), "The database is not available");
    assert_eq!(obs.get("/health").status, 503);
    assert_eq!(obs.get(&format!("/api/events/{before}")).status, 200);
    limit("unlimited");
    recovers(&obs);
    let after = obs.add(r#"{"message":"after"}"#);
    obs.kill();
    let database = obs.sqlite();
    assert_holds(&database, &[before, after]);
    assert_consistent(&database);
}

/// As root nothing is read-only, so the folder is mounted so, in a mount namespace of its own.
#[test]
fn a_folder_that_cannot_be_written_to_is_refused_at_the_start() {
    let folder = Arc::new(Folder::new());
    let mut obs = Obs::in_folder(folder.clone(), &[], &WITH_KEY);
    let id = obs.add(r#"{"message":"before"}"#);
    obs.kill();
    let before = fs::read(folder.join("obs.sqlite")).unwrap();
    let script = r#"mount --bind -o ro "$1" "$1" && mount -o remount,bind,ro "$1" || exit 9; shift; exec "$@""#;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(folder.join("."));
    command.arg(env!("CARGO_BIN_EXE_obs")).args(["--listen", "127.0.0.1:0", "--db"]).arg(folder.join("obs.sqlite"));
    let output = command.envs(WITH_KEY).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
    assert_eq!(fs::read(folder.join("obs.sqlite")).unwrap(), before);
    let obs = Obs::in_folder(folder, &[], &WITH_KEY);
    assert_eq!(obs.get(&format!("/api/events/{id}")).status, 200);
}
