//! Memory stays below 100 MB under attack.
mod common;
use common::*;
use std::fs;
use std::thread;

/// Checks the peak of resident memory.
fn assert_below_100_mb(obs: &Obs) {
    let status = fs::read_to_string(format!("/proc/{}/status", obs.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u32 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 100_000, "peak: {peak} kB");
}

#[test]
fn large_bodies_made_of_tiny_fields_take_bounded_memory() {
    let obs = Obs::start();
    let name = |n: u32| (0..4).map(|at| char::from(b'a' + (n / 26_u32.pow(at) % 26) as u8)).collect::<String>();
    let fields: Vec<String> = (0..110_000).map(|n| format!("\"{}\":1", name(n))).collect();
    let body = format!(r#"{{"message":"m",{}}}"#, fields.join(","));
    assert!((900_000..1 << 20).contains(&body.len()));
    thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                for _ in 0..4 {
                    let status = obs.post(&body).status;
                    assert!([201, 503].contains(&status), "{status}"); // 503: too many bodies in flight
                }
            });
        }
    });
    wait_until("a retry succeeds", || obs.post(&body).status == 201);
    assert_below_100_mb(&obs);
}

#[test]
fn large_responses_that_no_client_reads_take_bounded_memory() {
    let obs = Obs::start();
    let id = obs.add(format!(r#"{{"message":"m","extra":{{"text":"{}"}}}}"#, "<&".repeat(500_000)));
    for path in [format!("/events/{id}"), format!("/api/events/{id}")] {
        let mut clients: Vec<Connection> = (0..200).map(|_| obs.connect()).collect();
        for client in &mut clients {
            client.write(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        }
        for client in &mut clients {
            client.first_byte(); // and leaves the rest unread
        }
        assert_below_100_mb(&obs);
        assert_eq!(obs.post(r#"{"message":"still served"}"#).status, 201);
    }
}
