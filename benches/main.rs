//! `make bench`: what obs does in a second and what it costs, as tables. Everything in one run, what is compared in turn, medians.
mod events;
mod load;
mod noop;
mod process;
mod writer;

use events::{Ids, json};
use load::{Client, Run, ingest, percentile};
use obs::store::{AlertPolicy, Retention, Store};
use process::{Server, cpu};
use std::hint::black_box;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, fs, process as this, thread};

const ROUNDS: usize = 3;
const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];
/// How long each measurement takes.
const TIME: Duration = Duration::from_millis(1500);
/// Kinds of events in the ingest load.
const ISSUES: usize = 100;
const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

fn main() -> io::Result<()> {
    let peer = env::var("PEER").ok().filter(|url| !url.is_empty());
    match (env::args().nth(1).as_deref(), peer) {
        (Some("noop"), _) => noop::run(),
        (_, Some(url)) => against(&url),
        _ => {
            let begin = Instant::now();
            let folder = Folder::new()?;
            ingest_table(&folder)?;
            writer_table(&folder);
            at_the_limit(&folder)?;
            pages_table(&folder, "events in 20 issues", 20)?;
            let million = pages_table(&folder, "events, each an issue", usize::MAX)?;
            search_table(&million)?;
            costs(&folder)?;
            println!("\nIt took {:.0} s.", begin.elapsed().as_secs_f64());
            Ok(())
        }
    }
}

/// A folder for databases that goes with the bench.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", this::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }

    /// A name that no database has had.
    fn database(&self) -> PathBuf {
        self.0.join(format!("{}.sqlite", Ids::Ordered.next()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn open(database: &Path) -> Store {
    Store::open(database, Retention { events: i64::MAX, days: None }, AlertPolicy::Never).expect("a database")
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// One measurement of ingest, and what it cost.
struct Ingest {
    run: Run,
    /// Microseconds on a processor for each event.
    cpu: f64,
    memory: usize,
    /// The generator's part of all time on the processors.
    share: f64,
}

fn measure(server: &Server, connections: usize, ids: Ids) -> io::Result<Ingest> {
    let before = (server.cpu(), cpu(this::id()));
    let run = ingest(server.address, connections, ids, ISSUES, TIME)?;
    let used = (server.cpu() - before.0, cpu(this::id()) - before.1);
    // The warm-up cost time too.
    let events = run.events as f64 * 10.0 / 9.0;
    Ok(Ingest {
        cpu: used.0.as_secs_f64() * 1e6 / events,
        memory: server.peak_memory(),
        share: used.1.as_secs_f64() / (used.0 + used.1).as_secs_f64(),
        run,
    })
}

fn of(runs: &[Ingest], value: impl Fn(&Ingest) -> f64) -> f64 {
    median(runs.iter().map(value).collect())
}

fn ingest_table(folder: &Folder) -> io::Result<()> {
    println!("Durable ingest, about 1,000 bytes an event; ids ordered / random\n");
    println!(
        "| connections | events/s | of the no-op ceiling | random to ordered | median, 99 % (ms) | CPU an event (µs) | memory (MB) | generator's share of CPU |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let mut runs: [Vec<Ingest>; 3] = Default::default();
        for _ in 0..ROUNDS {
            runs[0].push(measure(&Server::noop()?, connections, Ids::Ordered)?);
            for (ids, runs) in [Ids::Ordered, Ids::Random].into_iter().zip(&mut runs[1..]) {
                runs.push(measure(&Server::obs(&folder.database(), &[])?, connections, ids)?);
            }
        }
        let [noop, ordered, random] = &runs;
        let rate = |runs: &[Ingest]| of(runs, |one| one.run.rate());
        println!(
            "| {connections} | {:.0} / {:.0} | {:.2} of {:.0} | {:.2} | {:.1}, {:.1} / {:.1}, {:.1} | {:.0} / {:.0} | {:.1} | {:.0} % |",
            rate(ordered),
            rate(random),
            rate(ordered) / rate(noop),
            rate(noop),
            rate(random) / rate(ordered),
            of(ordered, |one| one.run.percentile(50.0)),
            of(ordered, |one| one.run.percentile(99.0)),
            of(random, |one| one.run.percentile(50.0)),
            of(random, |one| one.run.percentile(99.0)),
            of(ordered, |one| one.cpu),
            of(random, |one| one.cpu),
            of(ordered, |one| one.memory as f64) / 1e6,
            of(ordered, |one| one.share) * 100.0,
        );
    }
    Ok(())
}

fn writer_table(folder: &Folder) {
    println!("\nThe store alone, fed from memory (events/s, ordered / random)\n");
    println!("| threads | events/s |\n|---|---|");
    for threads in CONNECTIONS {
        let events = 2_000 * threads.min(16);
        let rates = [Ids::Ordered, Ids::Random].map(|ids| {
            let rates = (0..ROUNDS).map(|_| writer::rate(&open(&folder.database()), threads, ids, events));
            median(rates.collect())
        });
        println!("| {threads} | {:.0} / {:.0} |", rates[0], rates[1]);
    }
}

/// Ingest once as many events are stored as are to be kept, against ingest before.
fn at_the_limit(folder: &Folder) -> io::Result<()> {
    let mut below = Vec::new();
    let mut at = Vec::new();
    let full = folder.database();
    let store = open(&full);
    writer::fill(&store, 0, 100_000, ISSUES);
    store.close();
    for _ in 0..ROUNDS {
        for (limit, runs) in [("1000000", &mut below), ("100000", &mut at)] {
            let copy = folder.database();
            fs::copy(&full, &copy)?;
            runs.push(measure(&Server::obs(&copy, &["--max-events", limit])?, 32, Ids::Ordered)?);
            fs::remove_file(copy)?;
        }
    }
    let (below, limit) = (of(&below, |one| one.run.rate()), of(&at, |one| one.run.rate()));
    println!(
        "\nAt the limit of stored events (100,000), 32 connections: {limit:.0} events/s, {:.2} of what it is below it; 99 % {:.1} ms, the longest {:.0} ms.",
        limit / below,
        of(&at, |one| one.run.percentile(99.0)),
        of(&at, |one| one.run.percentile(100.0)),
    );
    Ok(())
}

fn pages_table(folder: &Folder, what: &str, issues: usize) -> io::Result<PathBuf> {
    let database = folder.database();
    println!("\nPages, median and 99 % (ms) alone / while 32 connections send as fast as they can; {what}\n");
    println!("| events | list | last page of the list | issue | event | /api/issues |\n|---|---|---|---|---|---|");
    let mut filled = 0;
    for size in SIZES {
        let store = open(&database);
        writer::fill(&store, filled, size, issues);
        store.close();
        drop(store);
        filled = size;
        let server = Server::obs(&database, &["--max-events", "1000000000"])?;
        let paths = paths(server.address)?;
        let alone = paths.iter().map(|path| time_gets(server.address, path)).collect::<io::Result<Vec<_>>>()?;
        let loaded = beside_ingest(server.address, || {
            paths.iter().map(|path| time_gets(server.address, path)).collect::<io::Result<Vec<_>>>()
        })??;
        let cells: Vec<_> = alone
            .iter()
            .zip(&loaded)
            .map(|(alone, loaded)| {
                format!(
                    "{:.2}, {:.2} / {:.1}, {:.1}",
                    percentile(alone, 50.0),
                    percentile(alone, 99.0),
                    percentile(loaded, 50.0),
                    percentile(loaded, 99.0)
                )
            })
            .collect();
        println!("| {size} | {} |", cells.join(" | "));
    }
    Ok(database)
}

/// What to look for among a million issues, and what that asks of a search.
const SEARCHES: [(&str, &str); 12] = [
    ("", "open issues"),
    ("sort=count", "open issues by count"),
    ("q=is:any&sort=first_seen", "all issues by age"),
    ("q=is:resolved", "a state that none has"),
    ("q=level:error", "what all have"),
    ("q=level:info", "what none has, looked for along the list"),
    ("q=env:production", "a value that all have had"),
    ("q=env:staging", "a value that none has had"),
    ("q=failed", "a word that all have"),
    ("q=QZuZuZuZu", "a word that few have"),
    ("q=nowhere", "a word that none has"),
    ("q=failed+env:production+level:info", "three terms, of which one never holds"),
];

fn search_table(database: &Path) -> io::Result<()> {
    println!("\nSearch among over a million issues, as JSON, median and 99 % (ms)\n");
    println!("| query | what it asks for | ms |\n|---|---|---|");
    let server = Server::obs(database, &["--max-events", "1000000000"])?;
    let mut client = Client::open(server.address)?;
    let deadline = Instant::now() + Duration::from_secs(120);
    // The index of texts catches up with what came while there was no rest.
    while client.text("/api/issues?q=nowhere")?.contains("looked_through") && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(100));
    }
    for (query, what) in SEARCHES {
        let times = time_gets(server.address, &format!("/api/issues?{query}"))?;
        println!("| `{query}` | {what} | {:.1}, {:.1} |", percentile(&times, 50.0), percentile(&times, 99.0));
    }
    Ok(())
}

/// The list, its last page, an issue, its newest event, and the list as JSON.
fn paths(address: SocketAddr) -> io::Result<Vec<String>> {
    let mut client = Client::open(address)?;
    let issue = client.text("/api/issues")?;
    let field = |name: &str| {
        let rest = issue.split(&format!("\"{name}\":")).nth(1).unwrap_or_default();
        rest.split([',', '}']).next().unwrap_or_default().trim_matches('"').to_string()
    };
    Ok(vec![
        "/".into(),
        "/?before=0".into(),
        format!("/issues/{}", field("id")),
        format!("/events/{}", field("last_event_id")),
        "/api/issues".into(),
    ])
}

/// Sorted microseconds of a page read again and again over one connection.
fn time_gets(address: SocketAddr, path: &str) -> io::Result<Vec<u32>> {
    let mut client = Client::open(address)?;
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < 300 && (begin.elapsed() < Duration::from_secs(1) || times.len() < 20) {
        let sent = Instant::now();
        let status = client.get(path)?;
        if status != 200 {
            return Err(io::Error::other(format!("{path} answered {status}")));
        }
        times.push(sent.elapsed().as_micros() as u32);
    }
    times.sort_unstable();
    Ok(times)
}

/// What `look` finds while events are sent as fast as can be.
fn beside_ingest<T>(address: SocketAddr, look: impl FnOnce() -> T) -> io::Result<T> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            while !done.load(Relaxed) {
                ingest(address, 32, Ids::Ordered, ISSUES, Duration::from_millis(300))?;
            }
            io::Result::Ok(())
        });
        let found = look();
        done.store(true, Relaxed);
        load.join().map_err(|_| io::Error::other("the load generator failed"))??;
        Ok(found)
    })
}

fn costs(folder: &Folder) -> io::Result<()> {
    println!();
    let bodies: Vec<_> = (0..10_000).map(|n| json(Ids::Ordered.next(), n, ISSUES)).collect();
    let begin = Instant::now();
    bodies.iter().for_each(|body| drop(black_box(obs::event::Event::parse(body.as_bytes()))));
    let parsing = begin.elapsed() / bodies.len() as u32;
    let begin = Instant::now();
    bodies.iter().for_each(|body| drop(black_box(writer::prepare(body))));
    let both = begin.elapsed() / bodies.len() as u32;
    println!(
        "Parsing an event: {} ns; grouping it, its frames read: {} ns.",
        parsing.as_nanos(),
        (both - parsing).as_nanos()
    );

    let mut databases: Vec<_> = fs::read_dir(&folder.0)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    databases.retain(|path| path.extension().is_some_and(|extension| extension == "sqlite"));
    databases.sort_by_key(|path| size(path));
    let Some(largest) = databases.last() else { return Ok(()) };
    let json: usize = bodies.iter().map(String::len).sum::<usize>() / bodies.len();
    let small = folder.database();
    let store = open(&small);
    writer::fill(&store, 0, 100_000, ISSUES);
    store.close();
    drop(store);
    let each = size(&small) as f64 / 100_000.0;
    println!("On disk: {each:.0} bytes an event of {json} bytes of JSON, {:.2} times.", each / json as f64);

    let server = Server::obs(largest, &["--max-events", "1000000000"])?;
    println!(
        "Start with over a million events, each an issue: {:.0} ms to the line that says it is ready.",
        server.ready_after.as_secs_f64() * 1e3
    );
    let copy = folder.0.join("copy");
    let begin = Instant::now();
    let status = beside_ingest(server.address, || {
        this::Command::new(env!("CARGO_BIN_EXE_obs")).arg("backup").arg(&copy).arg("--db").arg(largest).status()
    })??;
    println!(
        "Backup of them under full load: {:.1} s for {} MB ({status}).",
        begin.elapsed().as_secs_f64(),
        size(&copy) / 1_000_000
    );
    drop(server);

    let idle = Server::obs(&folder.database(), &[])?;
    Client::open(idle.address)?.get("/health")?;
    println!(
        "Binary {:.2} MB; resident memory idle {:.1} MB.",
        size(Path::new(env!("CARGO_BIN_EXE_obs"))) as f64 / 1e6,
        idle.memory() as f64 / 1e6
    );
    Ok(())
}

/// The same ingest load on any server that speaks the API, with the key `bench-key`.
fn against(url: &str) -> io::Result<()> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let address = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    println!("Ingest on {url}\n\n| connections | events/s | median, 99 % (ms) |\n|---|---|---|");
    for connections in CONNECTIONS {
        let mut runs = Vec::new();
        for _ in 0..ROUNDS {
            runs.push(ingest(address, connections, Ids::Ordered, ISSUES, TIME)?);
        }
        let of = |value: &dyn Fn(&Run) -> f64| median(runs.iter().map(value).collect());
        println!(
            "| {connections} | {:.0} | {:.1}, {:.1} |",
            of(&Run::rate),
            of(&|run| run.percentile(50.0)),
            of(&|run| run.percentile(99.0))
        );
    }
    Ok(())
}
