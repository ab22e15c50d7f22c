//! `--max-size`: which events go once the database is too large, whether floods stay within it, and when removal ends.
mod common;
use common::database::{assert_stored_counts_match, value};
use common::load::word;
use common::*;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

const MB: i64 = 1_000_000;

fn with_size(size: &str) -> Obs {
    Obs::with(&["--max-size", size], &[("OBS_API_KEY", KEY)])
}

/// Bytes of the database, without free pages.
fn used(obs: &Obs) -> i64 {
    value(&obs.sqlite(), "SELECT (page_count - freelist_count) * 4096 FROM pragma_page_count, pragma_freelist_count")
}

fn count(obs: &Obs, what: &str) -> i64 {
    value(&obs.sqlite(), &format!("SELECT count(*) FROM {what}"))
}

fn event(group: &str, bytes: usize) -> String {
    format!(r#"{{"message":"m","fingerprint":["{group}"],"extra":"{}"}}"#, "x".repeat(bytes))
}

/// Clients send the event as fast as they can, `events` in all. Returns the largest size seen.
fn flood(obs: &Obs, clients: usize, events: usize, event: &str) -> i64 {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut largest = 0;
            while !done.load(Relaxed) {
                largest = largest.max(used(obs));
            }
            largest
        });
        let send = || {
            let mut connection = obs.connect();
            // On a busy machine, large events wait for each other to be parsed, and some get a 503.
            (0..events / clients).map(|_| connection.post(event).status).find(|status| ![201, 503].contains(status))
        };
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(send)).collect();
        let refused: Vec<_> = clients.into_iter().filter_map(|client| client.join().unwrap()).collect();
        done.store(true, Relaxed);
        assert_eq!(refused, [0; 0], "{}", obs.errors());
        sampler.join().unwrap()
    })
}

#[test]
fn floods_of_large_and_tiny_events_stay_within_the_size_and_push_out_no_rare_error() {
    for (limit, clients, events, bytes) in [(20 * MB, 4, 120, 1_000_000), (2 * MB, 16, 16_000, 10)] {
        let obs = with_size(&limit.to_string());
        let rare: Vec<_> = (0..10).map(|n| obs.add(event(&format!("rare {n}"), 1000))).collect();
        let largest = flood(&obs, clients, events, &event("flood", bytes));
        let commit = (clients * (bytes + 1000)) as i64; // at most one event of each client
        assert!(largest <= limit + limit / 100 + 2 * commit, "{largest} bytes at a limit of {limit}");
        wait_until("the limit holds", || used(&obs) <= limit);
        assert!(used(&obs) > limit * 9 / 10, "{} bytes are left at a limit of {limit}", used(&obs));
        assert!(count(&obs, "events") < 10 + events as i64);
        rare.iter().for_each(|id| assert_eq!(obs.get(&format!("/api/events/{id}")).status, 200));
        assert_stored_counts_match(&obs.sqlite());
    }
}

#[test]
fn a_lower_size_takes_effect_at_the_next_start_and_the_file_shrinks() {
    let obs = with_size("1GB");
    for n in 0..900 {
        obs.add(event(&(n % 3).to_string(), [100, 3000, 30_000][n % 3]));
    }
    let before = used(&obs);
    let mut obs = obs.restart(&["--max-size", "3MB"], &[("OBS_API_KEY", KEY)]);
    wait_until("the limit holds", || used(&obs) <= 3 * MB);
    wait_until("free pages are returned", || value::<i64>(&obs.sqlite(), "PRAGMA freelist_count") < 100);
    assert!(before > 9 * MB && used(&obs) > 2_500_000, "{before} bytes before, {} after", used(&obs));
    let (most, least): (i64, i64) = obs
        .sqlite()
        .query_row("SELECT max(stored), min(stored) FROM issues", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert!(most - least <= most / 10 + 1, "the issues keep {least} to {most} events");
    assert_stored_counts_match(&obs.sqlite());
    obs.signal("TERM");
    assert!(obs.wait().success());
    let size = fs::metadata(&obs.database).unwrap().len() as i64;
    assert!(size < 3_500_000, "{size} bytes");
}

#[test]
fn the_oldest_large_events_go_and_not_more_than_needed() {
    let obs = with_size("20MB");
    let small: Vec<_> = (0..1000).map(|_| obs.add(event("same", 10))).collect();
    let large: Vec<_> = (0..30).map(|_| obs.add(event("same", 1_000_000))).collect();
    wait_until("the limit holds", || used(&obs) <= 20 * MB);
    let kept = large.iter().filter(|id| obs.get(&format!("/api/events/{id}")).status == 200).count();
    assert!((17..20).contains(&kept), "{kept} of the large events are left");
    assert_eq!(obs.get(&format!("/api/events/{}", small[0])).status, 404);
}

#[test]
fn issues_that_alone_are_too_large_go_least_recently_seen_first_and_then_removal_rests() {
    let obs = with_size("1MB");
    let mut connection = obs.connect();
    for n in 0..2500 {
        let event = format!(r#"{{"message":"{} failed","release":"{n}","environment":"{n}"}}"#, word(n));
        assert_eq!(connection.post(event).status, 201);
    }
    wait_until("the limit holds", || used(&obs) <= MB);
    let issues = count(&obs, "issues");
    assert!((200..2500).contains(&issues), "{issues} issues are left");
    assert_eq!(count(&obs, "issues WHERE id <= 2500 - (SELECT count(*) FROM issues)"), 0);
    assert_stored_counts_match(&obs.sqlite());

    // What is not events or issues cannot be removed.
    let filler = "INSERT INTO settings VALUES ('filler', zeroblob(2000000))";
    obs.sqlite().execute(filler, []).unwrap();
    assert_eq!(connection.post(r#"{"message":"m"}"#).status, 201);
    wait_until("nothing is left", || count(&obs, "issues") == 0);
    let worked = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", obs.id())).unwrap();
        stat.split(' ').nth(13).unwrap().parse::<u32>().unwrap() // user time in 1/100 s
    };
    let before = worked();
    thread::sleep(std::time::Duration::from_secs(1));
    assert!(worked() - before < 50, "obs is busy with removing nothing");
    assert_eq!(connection.post(r#"{"message":"m"}"#).status, 201);
    assert!(!obs.errors().contains("maintenance failed"), "{}", obs.errors());
}
