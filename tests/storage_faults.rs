//! A database that is locked, removed or replaced, and a disk that is full, failing or read-only: obs refuses events with
//! a 503 that says why, keeps answering reads, and recovers without a restart.
mod common;
use common::database::*;
use common::*;
use rusqlite::Connection as Sqlite;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const WITH_KEY: [(&str, &str); 1] = [("OBS_API_KEY", KEY)];

/// Checks for a 503 with a reason and a `Retry-After`.
fn assert_unavailable(response: &Response, why: &str) {
    assert_eq!((response.status, response.error().as_str()), (503, why));
    assert!(response.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().unwrap() > 0), "{response:?}");
}

fn wait_for_recovery(obs: &Obs) {
    wait_until("obs recovers", || obs.get("/health").status == 200);
}

#[test]
fn while_another_process_locks_the_database_events_are_refused_and_pages_still_work() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"before"}"#);
    let other = obs.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..2 {
        assert_unavailable(&obs.post(r#"{"message":"during"}"#), "The database is locked");
        let health = obs.get("/health");
        assert_eq!(health.status, 503);
        assert!(health.header("retry-after").is_some());
    }
    assert_eq!(obs.json("/api/issues")["issues"][0]["last_event_id"], id);
    assert_eq!([obs.get("/").status, obs.get(&format!("/api/events/{id}")).status], [200, 200]);
    other.execute_batch("ROLLBACK").unwrap();
    wait_for_recovery(&obs);
    obs.add(r#"{"message":"after"}"#);
    let log = obs.errors();
    assert_eq!(log.matches("events cannot be stored: The database is locked").count(), 1, "{log}");
    assert_eq!(log.matches("events are stored again").count(), 1, "{log}");
    assert_consistent(&obs.sqlite());
}

#[test]
fn a_lock_delays_no_answer_by_more_than_two_seconds_whatever_is_queued() {
    let obs = Obs::start();
    obs.add(r#"{"message":"before"}"#);
    let other = obs.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let longest = thread::scope(|scope| {
        let client = |n: u64| {
            thread::sleep(Duration::from_millis(170 * n)); // at different moments of the server's own attempts
            let begun = Instant::now();
            assert_unavailable(&obs.post(r#"{"message":"during"}"#), "The database is locked");
            begun.elapsed()
        };
        let clients: Vec<_> = (0..24).map(|n| scope.spawn(move || client(n))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).max().unwrap()
    });
    assert!(longest < Duration::from_millis(2900), "{longest:?}");
}

/// Starts obs on a 2 MiB tmpfs in its own mount namespace, which disappears with the process. Returns the path under
/// which this process sees the tmpfs.
fn obs_on_a_small_disk(folder: &Arc<Folder>) -> (Obs, PathBuf) {
    let mount_point = folder.join("disk");
    fs::create_dir(&mount_point).unwrap();
    let script = r#"mount -t tmpfs -o size=2m tmpfs "$1" || exit; disk=$1; shift; exec "$@" --db "$disk/obs.sqlite""#;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(&mount_point);
    command.arg(env!("CARGO_BIN_EXE_obs")).args(["--listen", "127.0.0.1:0"]).envs(WITH_KEY);
    let obs = Obs::launch(folder.clone(), command); // where mounting is not allowed, fails with the error of unshare or mount
    let disk = PathBuf::from(format!("/proc/{}/root{}", obs.id(), fs::canonicalize(mount_point).unwrap().display()));
    assert!(disk.join("obs.sqlite").is_file(), "the tmpfs cannot be seen in {}", disk.display());
    (obs, disk)
}

/// Takes all the space that is left.
fn fill_disk(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[b'b'; 4096]).is_ok() {}
}

/// Opens a copy of a database to which nothing is being written.
fn open_copy(disk: &Path, folder: &Folder) -> Sqlite {
    for name in ["obs.sqlite", "obs.sqlite-wal"] {
        fs::copy(disk.join(name), folder.join(name)).unwrap();
    }
    open(&folder.join("obs.sqlite"))
}

#[test]
fn while_the_disk_is_full_events_are_refused_and_nothing_stored_is_lost() {
    let folder = Arc::new(Folder::new());
    let (obs, disk) = obs_on_a_small_disk(&folder);
    fs::write(disk.join("ballast"), vec![b'b'; 600 << 10]).unwrap();
    let mut acknowledged = Vec::new();
    let large = "x".repeat(8000);
    let refusal = loop {
        let response = obs.post(format!(r#"{{"message":"m","environment":"e","extra":"{large}"}}"#));
        if response.status != 201 {
            break response;
        }
        acknowledged.push(response.json()["id"].as_str().unwrap().to_string());
        assert!(acknowledged.len() < 1000, "the disk never fills");
    };
    assert_unavailable(&refusal, "The disk is full");
    fill_disk(&disk.join("more ballast")); // leaves no room for the small write by which obs probes for recovery
    for _ in 0..2 {
        assert_unavailable(&obs.post(r#"{"message":"m"}"#), "The disk is full");
        assert_eq!(obs.get("/health").status, 503);
    }
    assert_eq!(obs.json("/api/issues")["issues"][0]["count"], acknowledged.len());
    let copies = Folder::new();
    let full = open_copy(&disk, &copies);
    assert_holds(&full, &acknowledged);
    assert_eq!(value::<String>(&full, "PRAGMA integrity_check"), "ok");

    for ballast in ["ballast", "more ballast"] {
        fs::remove_file(disk.join(ballast)).unwrap();
    }
    wait_for_recovery(&obs);
    acknowledged.push(obs.add(r#"{"message":"m"}"#));
    let database = open_copy(&disk, &folder);
    assert_holds(&database, &acknowledged);
    assert_consistent(&database);
    assert_eq!(event_ids(&database).len(), acknowledged.len(), "a refused event was stored");
}

#[test]
fn on_a_disk_too_full_for_events_health_stays_bad_until_they_fit() {
    let folder = Arc::new(Folder::new());
    let (obs, disk) = obs_on_a_small_disk(&folder);
    fs::write(disk.join("ballast"), vec![b'b'; 500 << 10]).unwrap();
    let event = format!(r#"{{"message":"m","extra":"{}"}}"#, "x".repeat(200_000));
    wait_until("the disk is full", || obs.post(&event).status == 503);
    fs::remove_file(disk.join("ballast")).unwrap();
    fill_disk(&disk.join("ballast"));
    let ballast = File::options().write(true).open(disk.join("ballast")).unwrap();
    ballast.set_len(ballast.metadata().unwrap().len() - (100 << 10)).unwrap(); // room for a row, but not for the event
    wait_until("the event is refused", || obs.post(&event).status == 503);
    // An event that fits after all is stored, and the next one may be the first that does not.
    let (start, mut has_stored) = (Instant::now(), false);
    while start.elapsed() < Duration::from_secs(3) {
        let is_healthy = obs.get("/health").status == 200;
        match obs.post(&event).status {
            201 => has_stored = true,
            _ if is_healthy => assert!(std::mem::take(&mut has_stored), "after {:?}", start.elapsed()),
            _ => {}
        }
        thread::sleep(Duration::from_millis(50));
    }
    ballast.set_len(0).unwrap();
    wait_for_recovery(&obs);
    assert_eq!(obs.post(&event).status, 201);
}

#[test]
fn while_the_database_file_is_removed_or_replaced_events_are_refused() {
    for replaced in [false, true] {
        let obs = Obs::start();
        let id = obs.add(r#"{"message":"before"}"#);
        let (database, aside) = (obs.folder().join("obs.sqlite"), obs.folder().join("aside"));
        fs::rename(&database, &aside).unwrap();
        if replaced {
            fs::copy(&aside, &database).unwrap();
        }
        assert_unavailable(&obs.post(r#"{"message":"during"}"#), "The database file was removed or replaced");
        wait_until("/health reports it", || obs.get("/health").status == 503);
        assert!(obs.errors().contains("lost unless it is put back"), "{}", obs.errors());
        fs::rename(&aside, &database).unwrap();
        wait_for_recovery(&obs);
        assert_eq!(obs.get(&format!("/api/events/{id}")).status, 200);
    }
}

#[test]
fn a_removed_wal_is_noticed_even_if_no_event_arrives() {
    let obs = Obs::start();
    fs::remove_file(obs.folder().join("obs.sqlite-wal")).unwrap();
    wait_until("/health reports it", || obs.get("/health").status == 503);
    wait_until("the log says why", || obs.errors().contains("removed or replaced"));
}

#[test]
fn while_writes_fail_events_are_refused_and_reads_still_work() {
    let folder = Arc::new(Folder::new());
    let mut command = Command::new("bash");
    command.args(["-c", r#"trap '' XFSZ; exec "$@""#, "bash", env!("CARGO_BIN_EXE_obs")]);
    command.args(["--listen", "127.0.0.1:0", "--db"]).arg(folder.join("obs.sqlite")).envs(WITH_KEY);
    let mut obs = Obs::launch(folder, command);
    let limit_file_size = |bytes: &str| {
        let pid = obs.id().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status();
        assert!(status.unwrap().success());
    };
    let before = obs.add(r#"{"message":"before"}"#);
    limit_file_size("4096"); // writes beyond it fail, as on a failing disk
    assert_unavailable(&obs.post(r#"{"message":"during"}"#), "The database is not available");
    assert_eq!(obs.get("/health").status, 503);
    assert_eq!(obs.get(&format!("/api/events/{before}")).status, 200);
    limit_file_size("unlimited");
    wait_for_recovery(&obs);
    let after = obs.add(r#"{"message":"after"}"#);
    obs.kill();
    let database = obs.sqlite();
    assert_holds(&database, &[before, after]);
    assert_consistent(&database);
}

/// Root may write to a read-only folder, but not to a read-only mount.
#[test]
fn obs_refuses_to_start_on_a_read_only_file_system() {
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
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), errors.lines().count()), (Some(1), 1), "{errors}");
    assert!(errors.contains("Read-only file system"), "{errors}");
    assert_eq!(fs::read(folder.join("obs.sqlite")).unwrap(), before);
    let obs = Obs::in_folder(folder, &[], &WITH_KEY);
    assert_eq!(obs.get(&format!("/api/events/{id}")).status, 200);
}
