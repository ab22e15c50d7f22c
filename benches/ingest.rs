//! How many events per second obs stores: over HTTP, without HTTP, and at the limit of stored events.
use crate::ISSUES;
use crate::database::{Database, Folder, open};
use crate::events::Ids;
use crate::load::{Run, ingest};
use crate::process::{Server, cpu};
use crate::writer;
use std::net::ToSocketAddrs;
use std::time::Duration;
use std::{fs, io, process};

const ROUNDS: usize = 3;
const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];
/// Duration of each measurement.
const TIME: Duration = Duration::from_millis(1500);

/// One measurement of ingest and what it cost.
struct Ingest {
    run: Run,
    /// Microseconds of CPU time per event.
    cpu: f64,
    memory: usize,
    /// The load generator's share of all CPU time.
    share: f64,
}

fn measure(server: &Server, connections: usize, ids: Ids) -> io::Result<Ingest> {
    let before = (server.cpu(), cpu(process::id()));
    let run = ingest(server.address, connections, ids, ISSUES, TIME)?;
    let used = (server.cpu() - before.0, cpu(process::id()) - before.1);
    // The tenth of the time that does not count took CPU time too.
    let events = run.events as f64 * 10.0 / 9.0;
    Ok(Ingest {
        cpu: used.0.as_secs_f64() * 1e6 / events,
        memory: server.peak_memory(),
        share: used.1.as_secs_f64() / (used.0 + used.1).as_secs_f64(),
        run,
    })
}

pub fn median<T>(runs: &[T], value: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn over_http(folder: &Folder) -> io::Result<()> {
    println!("Durable ingest over HTTP: events of about 1,000 bytes, ids ordered / random\n");
    println!(
        "| connections | events/s | share of the no-op server's events/s | random : ordered | median, 99th percentile (ms) | CPU per event (µs) | peak memory (MB) | load generator's share of CPU (%) |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let mut runs: [Vec<Ingest>; 3] = Default::default();
        for _ in 0..ROUNDS {
            runs[0].push(measure(&Server::noop()?, connections, Ids::Ordered)?);
            for (ids, runs) in [Ids::Ordered, Ids::Random].into_iter().zip(&mut runs[1..]) {
                runs.push(measure(&Server::obs(&folder.path(), &[])?, connections, ids)?);
            }
        }
        let [noop, ordered, random] = &runs;
        let rate = |runs: &[Ingest]| median(runs, |one| one.run.rate());
        println!(
            "| {connections} | {:.0} / {:.0} | {:.2} of {:.0} | {:.2} | {:.1}, {:.1} / {:.1}, {:.1} | {:.0} / {:.0} | {:.1} | {:.0} |",
            rate(ordered),
            rate(random),
            rate(ordered) / rate(noop),
            rate(noop),
            rate(random) / rate(ordered),
            median(ordered, |one| one.run.percentile(50.0)),
            median(ordered, |one| one.run.percentile(99.0)),
            median(random, |one| one.run.percentile(50.0)),
            median(random, |one| one.run.percentile(99.0)),
            median(ordered, |one| one.cpu),
            median(random, |one| one.cpu),
            median(ordered, |one| one.memory as f64) / 1e6,
            median(ordered, |one| one.share) * 100.0,
        );
    }
    Ok(())
}

pub fn store_alone(folder: &Folder) {
    println!("\nThe store alone: events from memory, ids ordered / random\n");
    println!("| threads | events/s |\n|---|---|");
    for threads in CONNECTIONS {
        let events = 2_000 * threads.min(16);
        let [ordered, random] = [Ids::Ordered, Ids::Random].map(|ids| {
            let rates = [(); ROUNDS].map(|()| writer::rate(&open(&folder.path()), threads, ids, ISSUES, events));
            median(&rates, |rate| *rate)
        });
        println!("| {threads} | {ordered:.0} / {random:.0} |");
    }
}

/// Compares ingest into a full database, where each new event displaces an old one, with ingest below the limit.
pub fn at_the_limit(folder: &Folder, database: &mut Database) -> io::Result<()> {
    let full = database.grow(100_000);
    let mut runs: [Vec<Ingest>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (limit, runs) in ["1000000", "100000"].into_iter().zip(&mut runs) {
            let copy = folder.path();
            fs::copy(full, &copy)?;
            runs.push(measure(&Server::obs(&copy, &["--max-events", limit])?, 32, Ids::Ordered)?);
            fs::remove_file(copy)?;
        }
    }
    let [below, at] = runs;
    let rate = |runs: &[Ingest]| median(runs, |one| one.run.rate());
    println!("\nIngest at the limit of 100,000 stored events, 32 connections\n");
    println!(
        "| events/s | share of events/s below the limit | 99th percentile (ms) | maximum (ms) |\n|---|---|---|---|"
    );
    println!(
        "| {:.0} | {:.2} | {:.1} | {:.0} |",
        rate(&at),
        rate(&at) / rate(&below),
        median(&at, |one| one.run.percentile(99.0)),
        median(&at, |one| one.run.percentile(100.0)),
    );
    Ok(())
}

/// The ingest load against any server with the same API and the key `bench-key`.
pub fn peer(url: &str) -> io::Result<()> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let address = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    println!("Ingest at {url}: events of about 1,000 bytes, ordered ids\n");
    println!("| connections | events/s | median, 99th percentile (ms) |\n|---|---|---|");
    for connections in CONNECTIONS {
        let runs = (0..ROUNDS).map(|_| ingest(address, connections, Ids::Ordered, ISSUES, TIME));
        let runs = runs.collect::<io::Result<Vec<_>>>()?;
        println!(
            "| {connections} | {:.0} | {:.1}, {:.1} |",
            median(&runs, Run::rate),
            median(&runs, |run| run.percentile(50.0)),
            median(&runs, |run| run.percentile(99.0))
        );
    }
    Ok(())
}
