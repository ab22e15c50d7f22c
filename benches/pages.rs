//! How long pages take, on an idle server and under full ingest load.
use crate::ISSUES;
use crate::database::Database;
use crate::events::Ids;
use crate::load::{Client, ingest, percentile};
use crate::process::Server;
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

pub fn table(contents: &str, database: &mut Database) -> io::Result<()> {
    println!("\nPages, median and 99th percentile (ms): idle / under full ingest load on 32 connections; {contents}\n");
    println!("| events | list | last page of the list | issue | event | /api/issues |\n|---|---|---|---|---|---|");
    for size in SIZES {
        let server = Server::obs(database.grow(size), &["--max-events", "1000000000"])?;
        let paths = paths(server.address)?;
        let time_all = || paths.iter().map(|path| time_gets(server.address, path)).collect::<io::Result<Vec<_>>>();
        let idle = time_all()?;
        let loaded = under_load(server.address, time_all)??;
        let cell = |(idle, loaded): (&Vec<u32>, &Vec<u32>)| {
            format!(
                "{:.2}, {:.2} / {:.1}, {:.1}",
                percentile(idle, 50.0),
                percentile(idle, 99.0),
                percentile(loaded, 50.0),
                percentile(loaded, 99.0)
            )
        };
        let cells: Vec<_> = idle.iter().zip(&loaded).map(cell).collect();
        println!("| {size} | {} |", cells.join(" | "));
    }
    Ok(())
}

/// The list, its last page, an issue, its newest event, and the list as JSON.
fn paths(address: SocketAddr) -> io::Result<[String; 5]> {
    let list: Value = serde_json::from_slice(&Client::open(address)?.get("/api/issues")?)?;
    let issue = &list["issues"][0];
    Ok([
        "/".into(),
        "/?before=0".into(),
        format!("/issues/{}", issue["id"]),
        format!("/events/{}", issue["last_event_id"].as_str().unwrap_or_default()),
        "/api/issues".into(),
    ])
}

/// Requests a page repeatedly over one connection. Returns sorted microseconds.
pub fn time_gets(address: SocketAddr, path: &str) -> io::Result<Vec<u32>> {
    let mut client = Client::open(address)?;
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < 300 && (begin.elapsed() < Duration::from_secs(1) || times.len() < 20) {
        let sent = Instant::now();
        client.get(path)?;
        times.push(sent.elapsed().as_micros() as u32);
    }
    times.sort_unstable();
    Ok(times)
}

/// Runs `work` while 32 connections send events as fast as possible.
pub fn under_load<T>(address: SocketAddr, work: impl FnOnce() -> T) -> io::Result<T> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            while !done.load(Relaxed) {
                ingest(address, 32, Ids::Ordered, ISSUES, Duration::from_millis(300))?;
            }
            io::Result::Ok(())
        });
        let result = work();
        done.store(true, Relaxed);
        load.join().map_err(|_| io::Error::other("the load generator panicked"))??;
        Ok(result)
    })
}
