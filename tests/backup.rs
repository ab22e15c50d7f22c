//! `obs backup`: the copy is complete and private, and never overwrites a file.
mod common;
use common::database::value;
use common::process::*;
use common::*;
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

fn backup(database: &Path, dest: &Path) -> Command {
    command(&["backup", dest.to_str().unwrap(), "--db", database.to_str().unwrap()], &[])
}

/// Checks that a backup is intact and private, and returns the ids of its events.
fn events_in(dest: &Path) -> Vec<String> {
    assert_eq!(mode(dest), 0o600);
    let copy = open(dest);
    assert_eq!(value::<String>(&copy, "PRAGMA integrity_check"), "ok");
    let mut ids = copy.prepare("SELECT id FROM events ORDER BY seq").unwrap();
    let ids = ids.query_map([], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_backup_of_a_running_server_has_every_acknowledged_event() {
    let obs = Obs::start();
    let dest = obs.folder().join("copy");
    let mut ids: Vec<String> = (0..20).map(|_| obs.add(r#"{"message":"m"}"#)).collect();
    assert_eq!(outcome(&mut backup(&obs.database, &dest)), (0, String::new(), String::new()));
    assert_eq!(events_in(&dest), ids);
    ids.push(obs.add(r#"{"message":"the server still works"}"#));
    assert_eq!(names(obs.folder()), ["copy", "obs.sqlite", "obs.sqlite-shm", "obs.sqlite-wal", "obs.sqlite.lock"]);

    let second = obs.folder().join("second");
    let env = [("OBS_DB_PATH", obs.database.to_str().unwrap())];
    assert_eq!(outcome(&mut command(&["backup", second.to_str().unwrap()], &env)).0, 0);
    assert_eq!(events_in(&second), ids);
}

#[test]
fn a_backup_needs_no_running_server_and_can_be_opened_by_one() {
    let mut obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    obs.kill(); // leaves the event only in the WAL
    let folder = Arc::new(Folder::new());
    assert_eq!(outcome(&mut backup(&obs.database, &folder.join("obs.sqlite"))).0, 0);
    assert_eq!(names(&folder), ["obs.sqlite"]);
    let restored = Obs::in_folder(folder, &[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(restored.json(&format!("/api/events/{id}"))["message"], "m");
    restored.add(r#"{"message":"m"}"#);
}

#[test]
fn a_backup_has_no_trace_of_events_that_are_still_to_be_purged() {
    let mut obs = Obs::start();
    let kept = obs.add(r#"{"message":"kept"}"#);
    (0..300).for_each(|n| drop(obs.add(format!(r#"{{"message":"deleted","extra":"secret {n}"}}"#))));
    obs.kill(); // as in the middle of the purge
    open(&obs.database).execute("UPDATE issues SET state = 'deleted', title = '' WHERE title = 'deleted'", []).unwrap();
    let dest = obs.folder().join("copy");
    assert_eq!(outcome(&mut backup(&obs.database, &dest)), (0, String::new(), String::new()));
    assert_eq!(events_in(&dest), [kept]);
    assert_eq!(value::<i64>(&open(&dest), "SELECT stored FROM totals"), 1);
    let bytes = fs::read(&dest).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"secret"), "deleted text is in the backup");
    assert!(names(obs.folder()).iter().all(|name| !name.starts_with("copy-") && !name.contains("unfinished")));
}

#[test]
fn a_backup_never_overwrites_a_file() {
    let obs = Obs::start();
    let dest = obs.folder().join("copy");
    fs::write(&dest, "precious").unwrap();
    let dangling = obs.folder().join("dangling");
    symlink(obs.folder().join("nowhere"), &dangling).unwrap();
    for dest in [&dest, &dangling, &obs.database, &obs.folder().join("")] {
        let line = refused(&mut backup(&obs.database, dest), 1);
        assert!(line.contains(dest.to_str().unwrap()) && line.contains("exists"), "{line}");
    }
    assert_eq!(fs::read_to_string(dest).unwrap(), "precious");
    assert!(!obs.folder().join("nowhere").exists());
    obs.add(r#"{"message":"the server still works"}"#);
}

/// Starts a backup of a database large enough for it to take a while, and ends it once it has begun to write.
#[test]
fn a_backup_ended_by_a_signal_leaves_nothing() {
    let mut obs = Obs::start();
    let filler = "x".repeat(1_000_000);
    let mut connection = obs.connect();
    (0..150).for_each(|_| assert_eq!(connection.post(format!(r#"{{"message":"m","extra":"{filler}"}}"#)).status, 201));
    obs.signal("TERM");
    obs.wait();
    let before = names(obs.folder());
    let folder = Folder::new();
    for (signal, size) in [("INT", 0), ("TERM", 1), ("HUP", 50 << 20), ("INT INT", 20 << 20), ("TERM", 100 << 20)] {
        let mut command = backup(&obs.database, &folder.join("copy"));
        let mut child = Running(command.stderr(Stdio::piped()).spawn().unwrap());
        eventually("the backup writes", || {
            let sizes =
                fs::read_dir(folder.join("")).unwrap().map(|e| e.unwrap().metadata().map_or(0, |file| file.len()));
            sizes.max().filter(|largest| *largest >= size)
        });
        for name in signal.split(' ') {
            let id = child.0.id().to_string();
            assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
        }
        let status = eventually("the backup ends", || child.0.try_wait().unwrap());
        let mut errors = String::new();
        child.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(names(&folder), [""; 0], "SIG{signal} at {size} bytes");
        assert_eq!(status.code(), Some(1));
        assert!(
            errors.contains("/copy: ") && errors.ends_with("interrupted\n") && errors.lines().count() == 1,
            "{errors}"
        );
    }
    assert_eq!(names(obs.folder()), before);
}

#[test]
fn a_failed_backup_says_why_and_leaves_no_file() {
    let obs = Obs::start();
    let folder = Folder::new();
    fs::write(folder.join("garbage"), "garbage ".repeat(1000)).unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    open(&folder.join("foreign")).execute_batch("CREATE TABLE events (id)").unwrap();
    let before = names(&folder);
    let cases = [
        (obs.database.clone(), "missing/copy", "missing/copy"),
        (obs.database.clone(), "garbage/copy", "garbage/copy"),
        (folder.join("none"), "copy", "none: there is no such file"),
        (folder.join(""), "copy", "is a directory"),
        (folder.join("garbage"), "copy", "garbage: it is not a database"),
        (folder.join("empty"), "copy", "empty: it is empty"),
        (folder.join("foreign"), "copy", "foreign: it is a database, but not one of obs"),
    ];
    for (database, dest, why) in cases {
        let line = refused(&mut backup(&database, &folder.join(dest)), 1);
        assert!(line.contains(why), "{line}");
        assert_eq!(names(&folder), before, "{line}");
    }
}
