//! What the operator meets: flags and variables, refused starts, the banner, the log, signals, modes of files, `obs backup`.
mod common;
use common::*;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Env<'a> = &'a [(&'a str, &'a str)];

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Exit status, standard output and standard error of a command that ends by itself.
fn outcome(command: &mut Command) -> (i32, String, String) {
    let mut child = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let status = eventually("the command ends", || child.0.try_wait().unwrap());
    let (mut output, mut errors) = (String::new(), String::new());
    child.0.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (status.code().unwrap(), output, errors)
}

/// The one line on standard error of a command that must fail with this exit status.
fn refused(command: &mut Command, expected: i32) -> String {
    let (status, output, errors) = outcome(command);
    assert_eq!(status, expected, "{command:?}: {errors}");
    assert_eq!(output, "", "{command:?}");
    assert!(
        errors.starts_with("obs: ") && errors.ends_with('\n') && errors.lines().count() == 1,
        "not a line: {errors}"
    );
    errors
}

/// The line with which a server on this database refuses to start.
fn refused_start(database: &Path) -> String {
    let database = database.to_str().unwrap();
    let line = refused(&mut command(&["--db", database, "--listen", "127.0.0.1:0"], &[]), 1);
    assert!(line.contains(database), "does not name the database: {line}");
    line
}

fn backup(database: &Path, dest: &Path) -> Command {
    command(&["backup", dest.to_str().unwrap(), "--db", database.to_str().unwrap()], &[])
}

/// An obs that runs in this folder, with these arguments and nothing else.
fn start(folder: &Arc<Folder>, args: &[&str], env: &[(&str, &str)]) -> Obs {
    let mut command = command(args, env);
    command.current_dir(folder.join(""));
    Obs::launch(folder.clone(), command)
}

fn names(folder: &Folder) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder.join("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", database.display()))
}

/// The key in the DSN that the banner shows.
fn key_in_banner(obs: &Obs) -> String {
    let banner = obs.banner();
    let dsn = banner.split("http://").find_map(|text| text.split_once('@'));
    dsn.unwrap_or_else(|| panic!("no DSN: {banner}")).0.to_string()
}

fn post_with(obs: &Obs, key: &str) -> u16 {
    obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), br#"{"message":"m"}"#).status
}

#[test]
fn help_names_every_flag_and_variable_of_this_version() {
    let (status, help, errors) = outcome(&mut command(&["--help"], &[]));
    assert_eq!((status, errors.as_str()), (0, ""));
    let names = "--listen OBS_LISTEN localhost:8000 --db OBS_DB_PATH obs.sqlite OBS_API_KEY OBS_DASHBOARD_PASSWORD \
                 --max-events OBS_MAX_EVENTS 1000000 --retention-days OBS_RETENTION_DAYS OBS_RATE_LIMIT \
                 OBS_ALERT_COMMAND OBS_ALERT_RATE OBS_URL test-alert \
                 --public-dashboard OBS_PUBLIC_DASHBOARD --verbose --help --version backup DEST";
    for name in names.split(' ') {
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn version_is_the_crates_own() {
    let (status, version, errors) = outcome(&mut command(&["--version"], &[]));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(version, format!("obs {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_default() {
    let listen = ("OBS_LISTEN", "127.0.0.1:0");
    let cases: [(&[&str], Env, &str); 5] = [
        (&["--db", "flag"], &[listen, ("OBS_DB_PATH", "variable")], "flag"),
        (&["--db=flag"], &[listen, ("OBS_DB_PATH", "variable")], "flag"),
        (&[], &[listen, ("OBS_DB_PATH", "variable")], "variable"),
        (&[], &[listen], "obs.sqlite"),
        (&[], &[listen, ("OBS_DB_PATH", ""), ("OBS_API_KEY", ""), ("OBS_DASHBOARD_PASSWORD", "")], "obs.sqlite"),
    ];
    for (args, env, database) in cases {
        let folder = Arc::new(Folder::new());
        let mut obs = start(&folder, args, env);
        assert!(obs.banner().contains(&format!("/{database}\n")), "{}", obs.banner());
        obs.signal("TERM");
        obs.wait();
        assert_eq!(names(&folder), [database.to_string(), format!("{database}.lock")], "{args:?} {env:?}");
    }
}

#[test]
fn a_listen_flag_beats_its_variable_with_a_space_or_an_equals_sign() {
    for flag in [&["--listen", "127.0.0.2:0"] as &[_], &["--listen=127.0.0.2:0"]] {
        let obs = start(&Arc::new(Folder::new()), flag, &[("OBS_LISTEN", "127.0.0.1:0")]);
        assert!(obs.banner().contains("listening on http://127.0.0.2:"), "{}", obs.banner());
    }
    let obs = start(&Arc::new(Folder::new()), &[], &[("OBS_LISTEN", "127.0.0.1:0")]);
    assert!(obs.banner().contains("listening on http://127.0.0.1:"), "{}", obs.banner());
}

#[test]
fn the_default_is_port_8000_of_localhost() {
    let folder = Folder::new();
    for empty in [&[] as &[_], &[("OBS_LISTEN", "")]] {
        let mut command = command(&[], empty);
        let mut child = Running(command.current_dir(folder.join("")).stderr(Stdio::piped()).spawn().unwrap());
        let mut first = String::new();
        BufReader::new(child.0.stderr.take().unwrap()).read_line(&mut first).unwrap();
        // The tester may run an obs there.
        let taken = "obs: cannot listen on localhost:8000: ";
        assert!(first.contains("listening on http://127.0.0.1:8000") || first.starts_with(taken), "{first}");
    }
}

#[test]
fn what_the_command_line_does_not_know_is_one_line_and_exit_status_2() {
    let folder = Folder::new();
    let cases: [(&[&str], &str); 22] = [
        (&["--frobnicate"], "--frobnicate"),
        (&["--frobnicate=1"], "--frobnicate"),
        (&["-x"], "-x"),
        (&["frobnicate"], "frobnicate"),
        (&["--verbose", "frobnicate"], "frobnicate"),
        (&["--verbose=1"], "1"),
        (&["--max-events", "0"], "--max-events '0'"),
        (&["--max-events=many"], "--max-events 'many'"),
        (&["--retention-days", "-5"], "--retention-days '-5'"),
        (&["--retention-days=4294967296"], "--retention-days '4294967296'"),
        (&["--listen"], "--listen"),
        (&["--listen="], "--listen"),
        (&["--listen", "nowhere"], "'nowhere'"),
        (&["--listen", "::1:8000"], "'::1:8000'"),
        (&["--listen=localhost:65536"], "'localhost:65536'"),
        (&["--db"], "--db"),
        (&["--db", ""], "--db"),
        (&["backup"], "DEST"),
        (&["backup", ""], "DEST"),
        (&["backup", "--verbose", "dest"], "--verbose"),
        (&["backup", "dest", "--listen", "localhost:0"], "--listen"),
        (&["backup", "dest", "other"], "other"),
    ];
    for (args, name) in cases {
        let line = refused(command(args, &[]).current_dir(folder.join("")), 2);
        assert!(line.contains(name), "{args:?}: {line}");
    }
    assert_eq!(names(&folder), [""; 0], "a refused command leaves nothing");
}

#[test]
fn a_bad_variable_is_named_without_the_key_in_it() {
    let folder = Folder::new();
    let long = "secret".repeat(40);
    let cases = [
        ("OBS_LISTEN", "nowhere", "'nowhere'"),
        ("OBS_PUBLIC_DASHBOARD", "yes", "OBS_PUBLIC_DASHBOARD 'yes'"),
        ("OBS_API_KEY", "good,very secret", "OBS_API_KEY: the key of entry 2"),
        ("OBS_API_KEY", "sh op=secret", "OBS_API_KEY: the project of entry 1"),
        ("OBS_API_KEY", "shop=secret=", "OBS_API_KEY"),
        ("OBS_API_KEY", "=secret", "OBS_API_KEY"),
        ("OBS_API_KEY", &long, "OBS_API_KEY"),
        ("OBS_API_KEY", " , ", "OBS_API_KEY"),
    ];
    for (variable, value, name) in cases {
        let line = refused(command(&[], &[(variable, value)]).current_dir(folder.join("")), 2);
        assert!(line.contains(name), "{variable}={value}: {line}");
        assert!(!line.contains("secret"), "{variable}={value}: {line}");
    }
    for variable in ["OBS_API_KEY", "OBS_DASHBOARD_PASSWORD", "OBS_PUBLIC_DASHBOARD"] {
        let mut command = command(&[], &[]);
        let line = refused(command.env(variable, OsStr::from_bytes(b"secret\xff")).current_dir(folder.join("")), 2);
        assert!(line.contains(variable) && !line.contains("secret"), "{line}");
    }
    assert_eq!(names(&folder), [""; 0], "a refused start leaves nothing");
}

#[test]
fn a_port_in_use_is_told_before_any_file_is_made() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost"] {
        let address = format!("{host}:{port}");
        let line = refused(command(&["--listen", &address], &[]).current_dir(folder.join("")), 1);
        assert!(line.contains(&address) && line.contains("in use"), "{line}");
    }
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn a_database_in_a_place_that_takes_no_file_is_refused() {
    let folder = Folder::new();
    fs::write(folder.join("file"), "").unwrap();
    assert!(refused_start(&folder.join("missing/obs.sqlite")).contains("No such file or directory"));
    assert!(refused_start(&folder.join("file/obs.sqlite")).contains("Not a directory"));
    refused_start(Path::new("/proc/obs.sqlite")); // where root cannot write either
    assert_eq!(names(&folder), ["file"]);
}

#[test]
fn a_folder_is_no_database() {
    let folder = Folder::new();
    fs::create_dir(folder.join("obs.sqlite")).unwrap();
    assert!(refused_start(&folder.join("obs.sqlite")).contains("directory"));
    assert_eq!(names(&folder), ["obs.sqlite"]);
}

#[test]
fn a_file_that_is_no_database_stays_as_it_is() {
    let folder = Folder::new();
    let database = folder.join("obs.sqlite");
    for garbage in [&b"x"[..], b"a letter to a friend\n", b"SQLite format 3\0", &b"garbage ".repeat(20_000)] {
        fs::write(&database, garbage).unwrap();
        let line = refused_start(&database);
        assert!(line.contains("it is not a database"), "{line}");
        assert!(fs::read(&database).unwrap() == garbage, "{} bytes", garbage.len());
    }
}

#[test]
fn the_database_of_another_program_stays_as_it_is() {
    for journal in ["DELETE", "WAL"] {
        let folder = Folder::new();
        let database = folder.join("obs.sqlite");
        let sql = format!("PRAGMA journal_mode = {journal}; CREATE TABLE events (id); INSERT INTO events VALUES (1)");
        open(&database).execute_batch(&sql).unwrap();
        let before = (fs::read(&database).unwrap(), mode(&database));
        let line = refused_start(&database);
        assert!(line.contains("it is a database, but not one of obs"), "{line}");
        assert!((fs::read(&database).unwrap(), mode(&database)) == before, "{journal}");
    }
}

#[test]
fn the_database_of_a_newer_obs_stays_as_it_is_with_its_wal() {
    let folder = Folder::new();
    let mut obs = Obs::with(&[], &[]);
    obs.signal("TERM");
    obs.wait();
    let newer = obs.sqlite();
    newer.execute_batch("PRAGMA user_version = 99; CREATE TABLE future (id)").unwrap();
    // As a crash leaves them: the newest pages are in the WAL alone.
    let (database, wal) = (folder.join("obs.sqlite"), folder.join("obs.sqlite-wal"));
    fs::copy(&obs.database, &database).unwrap();
    fs::copy(beside(&obs.database, "-wal"), &wal).unwrap();
    let before = [&database, &wal].map(|path| fs::read(path).unwrap());
    let line = refused_start(&database);
    assert!(line.contains("a newer obs wrote it (schema 99, "), "{line}");
    assert!(fs::read(&database).unwrap() == before[0], "the database was written to");
    assert!(fs::read(&wal).ok().as_ref() == Some(&before[1]), "the WAL was written to");
}

#[test]
fn a_second_obs_on_the_same_file_is_refused() {
    let obs = Obs::start();
    let link = obs.folder().join("link");
    symlink(&obs.database, &link).unwrap();
    let other = obs.folder().join("");
    symlink(&other, obs.folder().join("folder")).unwrap();
    let database = obs.database.to_str().unwrap();
    for path in [obs.database.clone(), link, obs.folder().join("folder/obs.sqlite")] {
        let mut command = command(&["--listen", "127.0.0.1:0", "--db", path.to_str().unwrap()], &[]);
        let line = refused(&mut command, 1);
        assert!(line.contains(database) && line.contains("another obs has it open"), "{line}");
    }
    obs.add(r#"{"message":"the first goes on"}"#);
}

#[test]
fn the_file_of_an_obs_that_was_killed_is_free() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(obs.json(&format!("/api/events/{id}"))["message"], "m");
}

#[test]
fn beyond_loopback_a_password_or_a_word_is_asked_for() {
    let folder = Folder::new();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let line = refused(command(&["--listen", address], &[]).current_dir(folder.join("")), 1);
        assert!(line.contains("OBS_DASHBOARD_PASSWORD") && line.contains("--public-dashboard"), "{line}");
    }
    assert_eq!(names(&folder), [""; 0]);

    let listen = ["--listen", "0.0.0.0:0"];
    let word: [(&[&str], Env, u16); 3] = [
        (&[], &[("OBS_DASHBOARD_PASSWORD", "hunter2")], 401),
        (&["--public-dashboard"], &[], 200),
        (&[], &[("OBS_PUBLIC_DASHBOARD", "1")], 200),
    ];
    for (flags, env, status) in word {
        let obs = Obs::with(&[&listen, flags].concat(), env);
        assert_eq!(obs.get("/api/issues").status, status, "{flags:?} {env:?}");
    }
    refused(command(&listen, &[("OBS_PUBLIC_DASHBOARD", "0")]).current_dir(folder.join("")), 1);
}

#[test]
fn the_banner_tells_how_to_go_on() {
    let obs = Obs::with(&["--listen", "127.0.0.1:0"], &[("OBS_API_KEY", "plain,shop=named")]);
    let banner = obs.banner();
    let address = format!("127.0.0.1:{}", obs.port);
    assert!(banner.lines().next().unwrap().contains(&format!("listening on http://{address}")), "{banner}");
    for part in [
        format!("http://plain@{address}\n"),
        format!("http://named@{address} (project shop)\n"),
        format!(" {}\n", fs::canonicalize(&obs.database).unwrap().display()),
        "  kept       1000000 events at most\n".to_string(),
    ] {
        assert!(banner.contains(&part), "{part} is not in {banner}");
    }
}

#[test]
fn localhost_is_served_on_every_loopback_there_is() {
    let obs = Obs::with(&["--listen", "localhost:0"], &[]);
    let interfaces = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let has_v6 = interfaces.lines().any(|line| line.starts_with(&format!("{:032x}", 1)));
    let first = obs.errors().lines().next().unwrap().to_string();
    assert_eq!(first.contains(&format!("http://[::1]:{}", obs.port)), has_v6, "{first}");
    let hosts = if has_v6 { &["127.0.0.1", "::1"][..] } else { &["127.0.0.1"] };
    for host in hosts {
        let answer = Connection::to((*host, obs.port)).send("GET /health HTTP/1.1", b"");
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[test]
fn a_key_is_made_once_and_kept() {
    let obs = Obs::with(&[], &[]);
    let key = key_in_banner(&obs);
    assert!(key.len() == 32 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{key}");
    assert_eq!(post_with(&obs, &key), 201);
    assert_ne!(key_in_banner(&Obs::with(&[], &[])), key);

    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert!(!obs.banner().contains(&key), "{}", obs.banner());
    assert_eq!([post_with(&obs, &key), post_with(&obs, KEY)], [401, 201]);

    let obs = obs.restart(&[], &[]);
    assert_eq!(key_in_banner(&obs), key);
    assert_eq!([post_with(&obs, &key), post_with(&obs, KEY)], [201, 401]);
}

#[test]
fn no_log_line_holds_a_secret_or_a_control_character() {
    let secrets = [("OBS_API_KEY", "sesame-key"), ("OBS_DASHBOARD_PASSWORD", "sesame-password")];
    let mut obs = Obs::with(&["--verbose"], &secrets);
    let banner = obs.banner();
    let event = br#"{"message":"sesame-event \u001b[31m\n"}"#;
    assert_eq!(post_with(&obs, "sesame-key"), 201);
    assert_eq!(post_with(&obs, "sesame-wrong"), 401);
    // Basic of `me:sesame-password` and of `me:sesame-wrong`.
    let right = "Authorization: Basic bWU6c2VzYW1lLXBhc3N3b3Jk";
    let wrong = "Authorization: Basic bWU6c2VzYW1lLXdyb25n";
    assert_eq!(obs.send(&format!("GET /api/issues HTTP/1.1\r\n{right}"), b"").status, 200);
    assert_eq!(obs.send(&format!("GET / HTTP/1.1\r\n{wrong}"), b"").status, 401);
    for path in [
        "/api/events?key=sesame-key",
        "/%0a%1b[31mred?sesame-key",
        "/\u{9b}31mred\u{85}",
        "http://sesame-key@localhost/api/events",
        "http://me:sesame-password@localhost/health",
    ] {
        obs.send(&format!("POST {path} HTTP/1.1\r\nX-OBS-Key: sesame-key"), event);
    }
    obs.get("/last");
    eventually("the last request is logged", || obs.errors().contains("GET /last 404").then_some(()));
    obs.signal("TERM");
    obs.wait();

    let errors = obs.errors();
    let log = errors.strip_prefix(&banner).unwrap();
    assert!(log.contains("POST /api/events 201"), "{log}");
    assert!(!log.contains("sesame") && !log.contains("bWU6"), "{log}");
    assert!(!banner.contains("sesame-password"), "{banner}");
    assert!(!errors.chars().any(|c| c.is_control() && c != '\n'), "{errors:?}");
    assert!(log.lines().all(|line| line.starts_with("20") && line.split(' ').next().unwrap().ends_with('Z')), "{log}");
}

#[test]
fn a_closed_standard_error_does_not_end_the_server() {
    let folder = Arc::new(Folder::new());
    let mut command = command(&["--verbose", "--listen", "127.0.0.1:0"], &[("OBS_API_KEY", KEY)]);
    let mut child = Running(command.current_dir(folder.join("")).stderr(Stdio::piped()).spawn().unwrap());
    let mut errors = BufReader::new(child.0.stderr.take().unwrap());
    let mut first = String::new();
    errors.read_line(&mut first).unwrap();
    drop(errors);
    let port = first.trim_end().rsplit(':').next().unwrap().parse().unwrap();
    for _ in 0..3 {
        assert_eq!(Connection::open(port).post(r#"{"message":"m"}"#).status, 201);
    }
}

#[test]
fn a_signal_checkpoints_and_exits_0_without_waiting_for_the_idle() {
    for signal in ["TERM", "INT"] {
        let mut obs = Obs::start();
        let id = obs.add(r#"{"message":"m"}"#);
        let mut idle = obs.connect();
        idle.send("GET /health HTTP/1.1", b"");
        let silent = obs.connect();
        let mut halfway = obs.connect();
        halfway.write(b"POST /api/events HTTP/1.1\r\nHost: loc");
        let begun = Instant::now();
        obs.signal(signal);
        assert_eq!(obs.wait().code(), Some(0), "{signal}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{signal} took {:?}", begun.elapsed());
        drop((idle, silent, halfway));
        assert_eq!(names(obs.folder()), ["obs.sqlite", "obs.sqlite.lock"], "{signal}");
        let stored: i64 =
            obs.sqlite().query_row("SELECT count(*) FROM events WHERE id = ?1", [id], |row| row.get(0)).unwrap();
        assert_eq!(stored, 1, "{signal}");
    }
}

/// A connection whose request has reached the server, half of its body sent.
fn half_a_body(obs: &Obs) -> Connection {
    let mut connection = obs.connect();
    let head = "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\nExpect: 100-continue";
    connection.write(format!("{head}\r\nX-OBS-Key: {KEY}\r\n\r\n").as_bytes());
    assert_eq!(connection.read(false).unwrap().status, 100);
    connection.write(br#"{"messa"#);
    connection
}

#[test]
fn a_body_half_sent_is_finished_after_a_signal() {
    let mut obs = Obs::start();
    let mut connection = half_a_body(&obs);
    obs.signal("TERM");
    eventually("obs stops accepting", || TcpStream::connect(("127.0.0.1", obs.port)).err());
    connection.write(br#"ge":"m"}"#);
    let answer = connection.read(false).unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(obs.wait().code(), Some(0));
    let id = answer.json()["id"].as_str().unwrap().to_string();
    let stored: i64 =
        obs.sqlite().query_row("SELECT count(*) FROM events WHERE id = ?1", [id], |row| row.get(0)).unwrap();
    assert_eq!(stored, 1);
}

#[test]
fn a_body_that_never_ends_holds_up_the_end_for_a_few_seconds_only() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    let connection = half_a_body(&obs);
    let begun = Instant::now();
    obs.signal("TERM");
    assert_eq!(obs.wait().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(names(obs.folder()), ["obs.sqlite", "obs.sqlite.lock"]);
    drop(connection);
}

#[test]
fn every_file_is_the_owners_alone() {
    let obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(&beside(&obs.database, suffix)), 0o600, "{suffix}");
    }
}

#[test]
fn a_database_that_others_could_read_becomes_the_owners_alone() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    obs.kill(); // so that a WAL is there already
    for suffix in ["", "-wal", "-shm"] {
        fs::set_permissions(beside(&obs.database, suffix), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let mut obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    obs.add(r#"{"message":"m"}"#);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&beside(&obs.database, suffix)), 0o600, "{suffix} after a crash");
    }
    obs.signal("TERM");
    obs.wait();
    fs::set_permissions(&obs.database, fs::Permissions::from_mode(0o644)).unwrap();
    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    obs.add(r#"{"message":"m"}"#);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&beside(&obs.database, suffix)), 0o600, "{suffix} after a clean end");
    }
}

/// The ids in a copy that must be whole.
fn events_of_copy(dest: &Path) -> Vec<String> {
    assert_eq!(mode(dest), 0o600);
    let copy = open(dest);
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let mut ids = copy.prepare("SELECT id FROM events ORDER BY seq").unwrap();
    let ids = ids.query_map([], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_backup_holds_all_that_was_acknowledged_while_the_server_runs() {
    let obs = Obs::start();
    let dest = obs.folder().join("copy");
    let mut ids: Vec<String> = (0..20).map(|_| obs.add(r#"{"message":"m"}"#)).collect();
    assert_eq!(outcome(&mut backup(&obs.database, &dest)), (0, String::new(), String::new()));
    assert_eq!(events_of_copy(&dest), ids);
    ids.push(obs.add(r#"{"message":"the server goes on"}"#));
    let names = names(obs.folder());
    assert_eq!(names, ["copy", "obs.sqlite", "obs.sqlite-shm", "obs.sqlite-wal", "obs.sqlite.lock"]);

    let dest = obs.folder().join("second");
    let mut by_variable =
        command(&["backup", dest.to_str().unwrap()], &[("OBS_DB_PATH", obs.database.to_str().unwrap())]);
    assert_eq!(outcome(&mut by_variable).0, 0);
    assert_eq!(events_of_copy(&dest), ids);
}

#[test]
fn a_backup_needs_no_server_and_serves_in_its_place() {
    let mut obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    obs.kill(); // what it acknowledged is in the WAL alone
    let folder = Arc::new(Folder::new());
    assert_eq!(outcome(&mut backup(&obs.database, &folder.join("obs.sqlite"))).0, 0);
    assert_eq!(names(&folder), ["obs.sqlite"]);
    let restored = Obs::in_folder(folder, &[], &[("OBS_API_KEY", KEY)]);
    assert_eq!(restored.json(&format!("/api/events/{id}"))["message"], "m");
    restored.add(r#"{"message":"m"}"#);
}

#[test]
fn a_backup_never_overwrites() {
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
    obs.add(r#"{"message":"the server goes on"}"#);
}

#[test]
fn a_backup_that_fails_says_why_and_leaves_nothing() {
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
        (folder.join(""), "copy", "there is no such file"),
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
