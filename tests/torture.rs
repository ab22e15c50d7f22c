//! `make torture`: attacks that last long enough to hurt, with figures. Each can be run alone:
//! `cargo test --release --test torture NAME -- --ignored --nocapture`.
mod common;
use common::*;
use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const LASTS: Duration = Duration::from_secs(12);

/// Threads, open files, resident memory now, and its peak, both in kB.
fn used(obs: &Obs) -> (usize, usize, usize, usize) {
    let status = fs::read_to_string(format!("/proc/{}/status", obs.id())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let files = fs::read_dir(format!("/proc/{}/fd", obs.id())).unwrap().count();
    (field("Threads:"), files, field("VmRSS:"), field("VmHWM:"))
}

/// Two honest clients during an attack: one sends events, one reads the list, each over one connection. Returns how long
/// requests took, sorted, and how many failed.
fn honest(obs: &Obs, stop: &AtomicBool) -> (Vec<Duration>, usize) {
    let mut times = Vec::new();
    let mut refused = 0;
    let mut connections = [None, None];
    while !stop.load(Relaxed) {
        for (at, slot) in connections.iter_mut().enumerate() {
            let begin = Instant::now();
            let ask = |connection: &mut Connection| match at {
                0 => connection
                    .try_send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}"), br#"{"message":"honest"}"#),
                _ => connection.try_send("GET / HTTP/1.1", b""),
            };
            // An idle connection may have been closed to make room. Like any client, try once more on a new one.
            let kept = slot.as_mut().and_then(ask);
            let answer = kept.or_else(|| ask(slot.insert(obs.connect())));
            match answer {
                Some(answer) if answer.status < 300 => times.push(begin.elapsed()),
                other => {
                    println!("  refused after {:?}: {:?}", begin.elapsed(), other.map(|answer| answer.status));
                    refused += 1;
                }
            }
        }
        thread::sleep(Duration::from_millis(2)); // these are clients, not load generators
    }
    times.sort();
    (times, refused)
}

/// Runs an attack alongside honest clients, and checks how they and the server fared. Returns how many requests of honest
/// clients were refused.
fn under(what: &str, attack: impl FnOnce(&Obs)) -> usize {
    let obs = Obs::start();
    obs.add(format!(r#"{{"message":"large","extra":"{}"}}"#, "<".repeat(1_000_000)));
    let before = used(&obs);
    let stop = AtomicBool::new(false);
    let (times, refused) = thread::scope(|scope| {
        let honest = scope.spawn(|| honest(&obs, &stop));
        attack(&obs);
        stop.store(true, Relaxed);
        honest.join().unwrap()
    });
    let peak = used(&obs).3;
    let p99 = times[times.len() * 99 / 100];
    println!(
        "{what}: honest clients: median {:.1} ms, p99 {:.1} ms, longest {:.0} ms, {refused} of {} refused; peak memory {} MB",
        times[times.len() / 2].as_secs_f64() * 1e3,
        p99.as_secs_f64() * 1e3,
        times.last().unwrap().as_secs_f64() * 1e3,
        times.len() + refused,
        peak / 1000
    );
    assert!(p99 < Duration::from_secs(1), "the p99 of honest clients is {p99:?}");
    assert!(peak < 100_000, "{peak} kB at the peak");
    assert!(refused * 100 <= times.len(), "{refused} refused");
    let after = eventually("threads and open files are freed", || {
        let now = used(&obs);
        (now.0 <= before.0 + 4 && now.1 <= before.1 + 8).then_some(now)
    });
    println!(
        "  threads {} to {}, open files {} to {}, resident {} to {} kB",
        before.0, after.0, before.1, after.1, before.2, after.2
    );
    refused
}

fn open(obs: &Obs) -> Option<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", obs.port)).ok()?;
    stream.set_nonblocking(true).ok()?;
    Some(stream)
}

/// Keeps a number of connections open. Each sends `first`, then `then` every 100 ms. Replaces those that are cut off.
fn hold(obs: &Obs, connections: usize, first: &[u8], then: &[u8]) {
    let end = Instant::now() + LASTS;
    let mut held: VecDeque<TcpStream> = VecDeque::new();
    while Instant::now() < end {
        while held.len() < connections {
            let Some(mut stream) = open(obs) else { break };
            let _ = stream.write(first);
            held.push_back(stream);
        }
        held.retain_mut(|stream| {
            let cut = matches!(stream.read(&mut [0; 4096]), Ok(0))
                || then.is_empty() && stream.take_error().unwrap().is_some();
            let sent =
                then.is_empty() || !stream.write(then).is_err_and(|e| e.kind() != std::io::ErrorKind::WouldBlock);
            !cut && sent
        });
        thread::sleep(Duration::from_millis(100));
    }
}

fn post(length: usize) -> String {
    format!("POST /api/events HTTP/1.1\r\nHost: localhost\r\nX-OBS-Key: {KEY}\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
#[ignore = "long: make torture"]
fn half_heads() {
    under("1,000 half heads", |obs| hold(obs, 1000, b"GET / HTTP/1.1\r\nHost: lo", b""));
}

#[test]
#[ignore = "long: make torture"]
fn stalled_bodies() {
    let refused = under("1,000 stalled bodies", |obs| hold(obs, 1000, format!("{}{{", post(1000)).as_bytes(), b""));
    assert_eq!(refused, 0);
}

#[test]
#[ignore = "long: make torture"]
fn trickling() {
    under("200 clients that send ten bytes a second", |obs| hold(obs, 200, b"GET / HTTP/1.1\r\nX: ", b"a"));
}

#[test]
#[ignore = "long: make torture"]
fn slow_uploads_with_a_key() {
    under("512 slow uploads of 1 MiB", |obs| hold(obs, 512, post(1 << 20).as_bytes(), &[b' '; 8192]));
}

/// Tiny fields and array elements need far more memory parsed than as text.
#[test]
#[ignore = "long: make torture"]
fn bodies_made_of_tiny_parts() {
    let fields: Vec<_> = (0..).map(|n| format!("\"a{n}\":1")).take(6600).collect();
    let fields = format!("{{\"message\":\"a\",{}}}", fields.join(","));
    let frames = format!("{{\"message\":\"a\",\"stacktrace\":[{}]}}", vec!["{}"; 21_600].join(","));
    let numbers = format!("{{\"message\":\"a\",\"stacktrace\":[{}]}}", vec!["1"; 32_400].join(","));
    for (what, body) in [("fields", fields), ("frames", frames), ("numbers", numbers)] {
        assert!((62_000..=65_000).contains(&body.len()), "{} bytes of {what}", body.len());
        let obs = Obs::start();
        let (begin, stored) = (Barrier::new(400), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..400 {
                scope.spawn(|| {
                    let mut connection = obs.connect();
                    for _ in 0..3 {
                        begin.wait();
                        match connection.post(&body).status {
                            201 => stored.fetch_add(1, Relaxed),
                            status => {
                                assert_eq!(status, 503);
                                connection = obs.connect();
                                0
                            }
                        };
                    }
                });
            }
        });
        let peak = used(&obs).3;
        println!("400 bodies of tiny {what}: {} of 1200 stored, peak memory {} MB", stored.into_inner(), peak / 1000);
        assert!(peak < 100_000, "{peak} kB at the peak");
        assert_eq!(obs.post(r#"{"message":"afterwards"}"#).status, 201);
    }
}

#[test]
#[ignore = "long: make torture"]
fn large_pages_never_read() {
    under("300 clients that ask for a large page and never read", |obs| {
        let id = obs.json("/api/issues")["issues"].as_array().unwrap().last().unwrap()["last_event_id"].clone();
        let request = format!("GET /events/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", id.as_str().unwrap());
        // `hold` would read.
        let end = Instant::now() + LASTS;
        let mut held = Vec::new();
        for _ in 0..300 {
            if let Some(mut stream) = open(obs) {
                let _ = stream.write(request.as_bytes());
                held.push(stream);
            }
        }
        thread::sleep(end.saturating_duration_since(Instant::now()));
    });
}

#[test]
#[ignore = "long: make torture"]
fn nonsense_without_end() {
    for (what, bytes) in [
        ("endless header lines", format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(1 << 20))),
        ("absurd lengths", format!("{}{}", post(1_000_000_000_000), "x".repeat(1 << 16))),
        ("HTTP/2.0", "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n".into()),
        ("thousands of pipelined requests", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(5000)),
    ] {
        let sent = AtomicUsize::new(0);
        under(what, |obs| {
            let end = Instant::now() + LASTS / 3;
            while Instant::now() < end {
                let Ok(mut stream) = TcpStream::connect(("127.0.0.1", obs.port)) else { continue };
                let _ = stream.set_write_timeout(Some(Duration::from_millis(200)));
                let _ = stream.write_all(bytes.as_bytes());
                sent.fetch_add(1, Relaxed);
            }
        });
        println!("  {} of them", sent.into_inner());
    }
}

#[test]
#[ignore = "long: make torture"]
fn connection_churn() {
    let opened = AtomicUsize::new(0);
    under("connection churn", |obs| {
        let end = Instant::now() + LASTS;
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while Instant::now() < end {
                        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", obs.port)) else { continue };
                        let _ =
                            stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
                        if opened.fetch_add(1, Relaxed).is_multiple_of(2) {
                            let _ = stream.read_to_end(&mut Vec::new());
                        }
                    }
                });
            }
        });
    });
    println!("  {} connections a second", opened.into_inner() as u64 / LASTS.as_secs());
}

/// The system's limit is per user and does not apply to root. If the test runs as root, obs runs as a user of its own.
#[test]
#[ignore = "long: make torture"]
fn threads_that_cannot_be_started() {
    let folder = std::sync::Arc::new(Folder::new());
    let mut command = Command::new("bash");
    command.args([
        "-c",
        "ulimit -u 40; exec \"$@\"",
        "bash",
        env!("CARGO_BIN_EXE_obs"),
        "--listen",
        "127.0.0.1:0",
        "--db",
    ]);
    command.arg(folder.join("obs.sqlite")).env("OBS_API_KEY", KEY);
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if root {
        let user = 54_321;
        std::os::unix::fs::chown(folder.join("."), Some(user), Some(user)).unwrap();
        command.uid(user).gid(user);
    }
    let obs = Obs::launch(folder, command);
    assert_eq!(obs.post(r#"{"message":"before"}"#).status, 201);
    let mut held: Vec<TcpStream> = (0..200).filter_map(|_| open(&obs)).collect();
    for stream in &mut held {
        let _ = stream.write(b"GET / HTTP/1.1\r\nHost: lo");
    }
    eventually("no thread can be started", || obs.errors().contains("thread").then_some(()));
    drop(held);
    eventually("clients are served again", || {
        let answer = Connection::open(obs.port)
            .try_send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}"), br#"{"message":"after"}"#);
        answer.filter(|answer| answer.status == 201).map(drop)
    });
    println!("40 threads at most: {}", obs.errors().lines().last().unwrap_or_default());
}

/// No event is acknowledged before it has been synced: in the trace of system calls, a sync precedes each 201.
#[test]
#[ignore = "needs strace: make torture"]
fn every_answer_comes_after_a_sync() {
    let obs = Obs::start();
    let trace = obs.folder().join("trace");
    let mut strace = Command::new("strace")
        .args(["-f", "-e", "trace=fdatasync,fsync,recvfrom,sendto,write,writev", "-s", "16", "-o"])
        .arg(&trace)
        .args(["-p", &obs.id().to_string()])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("strace");
    let mut connection = obs.connect();
    eventually("strace is attached", || {
        connection.post(r#"{"message":"m"}"#);
        fs::read_to_string(&trace).ok().filter(|text| text.contains("HTTP/1.1 201")).map(drop)
    });
    (0..50).for_each(|_| assert_eq!(connection.post(r#"{"message":"m"}"#).status, 201));
    Command::new("kill").args(["-INT", &strace.id().to_string()]).status().unwrap();
    strace.wait().unwrap();
    let mut synced = true; // strace may have missed the sync before the first 201
    let (mut answers, mut syncs) = (0, 0);
    for line in fs::read_to_string(&trace).unwrap().lines() {
        if line.contains("sync(") && line.contains("= 0") || line.contains("sync resumed") {
            (synced, syncs) = (true, syncs + 1);
        } else if line.contains("HTTP/1.1 201") {
            assert!(synced, "no sync before this response: {line}");
            (synced, answers) = (false, answers + 1);
        }
    }
    println!("{answers} responses, {syncs} syncs");
    assert!(answers >= 50 && syncs >= answers);
}
