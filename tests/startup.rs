//! Starting and stopping: refused starts, addresses, signals, and the mode of the files.
mod common;
use common::database::event_ids;
use common::process::*;
use common::*;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Env<'a> = &'a [(&'a str, &'a str)];

/// Starts a server that must refuse this database, and returns its error.
fn refused_start(database: &Path) -> String {
    let database = database.to_str().unwrap();
    let line = refused(&mut command(&["--db", database, "--listen", "127.0.0.1:0"], &[]), 1);
    assert!(line.contains(database), "does not name the database: {line}");
    line
}

/// The path of a file that belongs to the database, such as its WAL.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", database.display()))
}

#[test]
fn a_port_in_use_is_reported_before_any_file_is_created() {
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
fn a_database_path_that_cannot_be_created_is_refused() {
    let folder = Folder::new();
    fs::write(folder.join("file"), "").unwrap();
    assert!(refused_start(&folder.join("missing/obs.sqlite")).contains("No such file or directory"));
    assert!(refused_start(&folder.join("file/obs.sqlite")).contains("Not a directory"));
    refused_start(Path::new("/proc/obs.sqlite")); // not even root can write there
    assert_eq!(names(&folder), ["file"]);
}

#[test]
fn a_directory_is_refused_as_a_database() {
    let folder = Folder::new();
    fs::create_dir(folder.join("obs.sqlite")).unwrap();
    assert!(refused_start(&folder.join("obs.sqlite")).contains("directory"));
    assert_eq!(names(&folder), ["obs.sqlite"]);
}

#[test]
fn a_file_that_is_not_a_database_is_left_unchanged() {
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
fn the_database_of_another_program_is_left_unchanged() {
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
fn the_database_of_a_newer_obs_and_its_wal_are_left_unchanged() {
    let folder = Folder::new();
    let mut obs = Obs::with(&[], &[]);
    obs.signal("TERM");
    obs.wait();
    let newer = obs.sqlite();
    newer.execute_batch("PRAGMA user_version = 99; CREATE TABLE future (id)").unwrap();
    // Copied while open, as a crash would leave them: the newest pages are only in the WAL.
    let (database, wal) = (folder.join("obs.sqlite"), folder.join("obs.sqlite-wal"));
    fs::copy(&obs.database, &database).unwrap();
    fs::copy(beside(&obs.database, "-wal"), &wal).unwrap();
    let before = [&database, &wal].map(|path| fs::read(path).unwrap());
    let line = refused_start(&database);
    assert!(line.contains("a newer obs wrote it (schema 99; "), "{line}");
    assert!(fs::read(&database).unwrap() == before[0], "the database was written to");
    assert!(fs::read(&wal).ok().as_ref() == Some(&before[1]), "the WAL was written to");
}

#[test]
fn a_second_obs_on_the_same_file_is_refused() {
    let obs = Obs::start();
    let link = obs.folder().join("link");
    symlink(&obs.database, &link).unwrap();
    symlink(obs.folder().join(""), obs.folder().join("folder")).unwrap();
    let database = obs.database.to_str().unwrap();
    for path in [obs.database.clone(), link, obs.folder().join("folder/obs.sqlite")] {
        let mut command = command(&["--listen", "127.0.0.1:0", "--db", path.to_str().unwrap()], &[]);
        let line = refused(&mut command, 1);
        assert!(line.contains(database) && line.contains("another obs has it open"), "{line}");
    }
    obs.add(r#"{"message":"the first still works"}"#);
}

#[test]
fn listening_beyond_loopback_needs_a_password_or_public_dashboard() {
    let folder = Folder::new();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let line = refused(command(&["--listen", address], &[]).current_dir(folder.join("")), 1);
        assert!(line.contains("OBS_DASHBOARD_PASSWORD") && line.contains("--public-dashboard"), "{line}");
    }
    assert_eq!(names(&folder), [""; 0]);

    let listen = ["--listen", "0.0.0.0:0"];
    let permitted: [(&[&str], Env, u16); 3] = [
        (&[], &[("OBS_DASHBOARD_PASSWORD", "hunter2")], 401),
        (&["--public-dashboard"], &[], 200),
        (&[], &[("OBS_PUBLIC_DASHBOARD", "1")], 200),
    ];
    for (flags, env, status) in permitted {
        let obs = Obs::with(&[&listen, flags].concat(), env);
        assert_eq!(obs.get("/api/issues").status, status, "{flags:?} {env:?}");
    }
    refused(command(&listen, &[("OBS_PUBLIC_DASHBOARD", "0")]).current_dir(folder.join("")), 1);
}

#[test]
fn localhost_means_every_loopback_address_of_the_machine() {
    let obs = Obs::with(&["--listen", "localhost:0"], &[]);
    let interfaces = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let has_v6 = interfaces.lines().any(|line| line.starts_with(&format!("{:032x}", 1)));
    let first = obs.errors().lines().next().unwrap().to_string();
    assert_eq!(first.contains(&format!("http://[::1]:{}", obs.port)), has_v6, "{first}");
    let hosts = if has_v6 { &["127.0.0.1", "::1"][..] } else { &["127.0.0.1"] };
    for host in hosts {
        let response = Connection::to((*host, obs.port)).send("GET /health HTTP/1.1", b"");
        assert_eq!(response.status, 200, "{host}");
    }
}

#[test]
fn systemd_hears_that_obs_is_ready_once_it_answers() {
    let folder = Arc::new(Folder::new());
    let path = folder.join("notify");
    let abstract_name = format!("obs-test-{}", std::process::id());
    for (variable, address) in [
        (path.to_str().unwrap().to_string(), SocketAddr::from_pathname(&path).unwrap()),
        (format!("@{abstract_name}"), SocketAddr::from_abstract_name(&abstract_name).unwrap()),
    ] {
        let systemd = UnixDatagram::bind_addr(&address).unwrap();
        systemd.set_read_timeout(Some(PATIENCE)).unwrap();
        let obs = Obs::in_folder(folder.clone(), &["--verbose"], &[("NOTIFY_SOCKET", &variable)]);
        let mut message = [0; 64];
        let length = systemd.recv(&mut message).unwrap();
        assert_eq!(&message[..length], b"READY=1", "{variable}");
        eventually("obs has answered", || obs.errors().contains("GET /health 200").then_some(()));
    }
}

#[test]
fn obs_runs_although_systemd_cannot_be_told() {
    let obs = Obs::with(&[], &[("NOTIFY_SOCKET", "/nowhere")]);
    eventually("a line says so", || {
        obs.errors().contains("cannot tell systemd that obs is ready: No such").then_some(())
    });
    assert_eq!(obs.get("/health").status, 200);
}

/// Starts obs with its standard error on a terminal, and returns all that it prints before it logs the first request.
fn on_a_terminal(folder: &Folder, env: Env) -> String {
    let database = folder.join("obs.sqlite");
    let obs = format!("exec {} --verbose --listen 127.0.0.1:0 --db {}", env!("CARGO_BIN_EXE_obs"), database.display());
    let mut script = Command::new("script");
    script.args(["-qefc", &obs, "/dev/null"]).env_clear().env("PATH", "/usr/bin:/bin").envs(env.iter().copied());
    let mut script = Running(script.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines =
        BufReader::new(script.0.stdout.take().unwrap()).lines().map(|line| line.unwrap().trim_end().to_string());
    let first = lines.next().unwrap();
    Connection::open(first.rsplit(':').next().unwrap().parse().unwrap()).send("GET /nowhere HTTP/1.1", b"");
    let rest = lines.by_ref().take_while(|line| !line.contains("GET /nowhere")).map(|line| line + "\n");
    let printed = format!("{first}\n{}", rest.collect::<String>());
    // Where hang-ups are ignored, obs would outlive its terminal and hold the database.
    assert!(Command::new("kill").arg(script.0.id().to_string()).status().unwrap().success());
    lines.for_each(drop);
    printed
}

#[test]
fn the_first_start_on_a_terminal_ends_with_what_to_type_next() {
    let folder = Folder::new();
    let printed = on_a_terminal(&folder, &[]);
    let key = printed.split("X-OBS-Key: ").nth(1).unwrap().split('\'').next().unwrap();
    assert_eq!(key.len(), 32, "{printed}");
    let url = printed.split("  dashboard  ").nth(1).unwrap().split(' ').next().unwrap();
    let curl = format!("\n  curl {url}/api/events -H 'X-OBS-Key: {key}' -d '{{\"message\":\"hello\"}}'\n");
    let init = format!("\n  obs.init({{ dsn: '{}' }})\n", url.replace("://", &format!("://{key}@")));
    assert!(printed.contains(&curl) && printed.contains(&init), "{printed}");
    assert!(printed.contains("\n  OBS_DASHBOARD_PASSWORD=… obs --listen 0.0.0.0:"), "{printed}");

    let again = on_a_terminal(&folder, &[]);
    assert!(!again.contains("curl"), "only the first start: {again}");
    let configured = on_a_terminal(&Folder::new(), &[("OBS_API_KEY", KEY)]);
    assert!(!configured.contains("curl"), "{configured}");
    let piped = Obs::with(&[], &[]);
    piped.get("/");
    assert!(!piped.banner().contains("curl"), "{}", piped.errors());
}

#[test]
fn under_journald_each_line_is_one_item_without_a_time() {
    let folder = Folder::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let file = fs::metadata(format!("/proc/self/fd/{}", writer.as_raw_fd())).unwrap();
    let stream = format!("{}:{}", file.dev(), file.ino());
    let database = folder.join("obs.sqlite");
    let args = ["--verbose", "--listen", "127.0.0.1:0", "--db", database.to_str().unwrap()];
    let mut obs = command(&args, &[("JOURNAL_STREAM", &stream), ("OBS_API_KEY", KEY)]);
    let _obs = Running(obs.stderr(writer).spawn().unwrap());
    drop(obs); // it holds the other end of the pipe
    let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let port: u16 = first.rsplit(':').next().unwrap().parse().unwrap();
    let banner: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("retention: ")).collect();
    let names: Vec<_> = banner.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(names, ["dashboard", "DSN", "DSN", "database", "stored"], "{banner:?}");
    assert_eq!(Connection::open(port).send("GET /nowhere HTTP/1.1", b"").status, 404);
    assert!(lines.next().unwrap().starts_with("GET /nowhere 404 "));

    let elsewhere = Obs::with(&["--verbose"], &[("JOURNAL_STREAM", "8:1")]);
    elsewhere.get("/nowhere");
    let line = eventually("it is logged", || {
        elsewhere.errors().lines().find(|line| line.contains("/nowhere")).map(String::from)
    });
    assert!(line.starts_with("20"), "inherited, but standard error is elsewhere: {line}");
}

#[test]
fn on_a_signal_obs_checkpoints_and_exits_with_0_without_waiting_for_idle_connections() {
    for signal in ["TERM", "INT"] {
        let mut obs = Obs::start();
        let id = obs.add(r#"{"message":"m"}"#);
        let mut idle = obs.connect();
        idle.send("GET /health HTTP/1.1", b"");
        let silent = obs.connect();
        let mut halfway = obs.connect();
        halfway.write(b"POST /api/events HTTP/1.1\r\nHost: loc");
        let start = Instant::now();
        obs.signal(signal);
        assert_eq!(obs.wait().code(), Some(0), "{signal}");
        assert!(start.elapsed() < Duration::from_secs(4), "{signal} took {:?}", start.elapsed());
        drop((idle, silent, halfway));
        assert_eq!(names(obs.folder()), ["obs.sqlite", "obs.sqlite.lock"], "{signal}");
        assert!(event_ids(&obs.sqlite()).contains(&id), "{signal}");
    }
}

/// Opens a connection and sends a request with half of its body.
fn send_half_a_body(obs: &Obs) -> Connection {
    let mut connection = obs.connect();
    let head = "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\nExpect: 100-continue";
    connection.write(format!("{head}\r\nX-OBS-Key: {KEY}\r\n\r\n").as_bytes());
    assert_eq!(connection.read(false).unwrap().status, 100);
    connection.write(br#"{"messa"#);
    connection
}

#[test]
fn a_client_may_finish_sending_a_body_after_a_signal() {
    let mut obs = Obs::start();
    let mut connection = send_half_a_body(&obs);
    obs.signal("TERM");
    eventually("obs stops accepting", || TcpStream::connect(("127.0.0.1", obs.port)).err());
    connection.write(br#"ge":"m"}"#);
    let response = connection.read(false).unwrap();
    assert_eq!(response.status, 201);
    assert_eq!(obs.wait().code(), Some(0));
    assert!(event_ids(&obs.sqlite()).contains(response.json()["id"].as_str().unwrap()));
}

#[test]
fn a_body_that_is_never_finished_delays_the_exit_by_only_a_few_seconds() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    let connection = send_half_a_body(&obs);
    let start = Instant::now();
    obs.signal("TERM");
    assert_eq!(obs.wait().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(names(obs.folder()), ["obs.sqlite", "obs.sqlite.lock"]);
    drop(connection);
}

#[test]
fn only_the_owner_can_read_the_files() {
    let obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    for suffix in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(&beside(&obs.database, suffix)), 0o600, "{suffix}");
    }
}

#[test]
fn a_database_readable_by_others_is_made_private() {
    let mut obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    obs.kill(); // leaves a WAL
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
        assert_eq!(mode(&beside(&obs.database, suffix)), 0o600, "{suffix} after a clean exit");
    }
}
