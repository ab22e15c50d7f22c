//! What an event costs in time and on disk, and what a server costs to start, to back up and to keep running.
use crate::ISSUES;
use crate::database::{Database, Folder, size};
use crate::events::{Ids, uniform};
use crate::load::Client;
use crate::pages::under_load;
use crate::process::Server;
use crate::writer;
use obs::event::Event;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

pub fn table(folder: &Folder, hundred_issues: &mut Database, each_an_issue: &mut Database) -> io::Result<()> {
    println!("\nCosts\n\n| what | cost |\n|---|---|");
    let bodies: Vec<_> = (0..10_000).map(|n| uniform(Ids::Ordered.next(), n, ISSUES)).collect();
    let each = |work: &dyn Fn(&str)| {
        let begin = Instant::now();
        bodies.iter().for_each(|body| work(body));
        begin.elapsed().as_nanos() / bodies.len() as u128
    };
    let parsing = each(&|body| drop(black_box(Event::parse(body.as_bytes()))));
    let preparing = each(&|body| drop(black_box(writer::prepare(body))));
    println!("| parsing an event (ns) | {parsing} |");
    println!("| grouping an event, including its frames (ns) | {} |", preparing.saturating_sub(parsing));

    let json = bodies.iter().map(String::len).sum::<usize>() as f64 / bodies.len() as f64;
    let stored = size(hundred_issues.grow(100_000)) as f64 / 100_000.0;
    println!("| an event on disk (bytes; times its JSON) | {stored:.0}; {:.2} |", stored / json);

    let million = each_an_issue.grow(1_000_000);
    let server = Server::obs(million, &["--max-events", "1000000000"])?;
    let ready = server.ready_after.as_secs_f64() * 1e3;
    println!("| start with a million events, each an issue, until ready (ms) | {ready:.0} |");
    let copy = folder.path();
    let begin = Instant::now();
    let obs = env!("CARGO_BIN_EXE_obs");
    let mut backup = Command::new(obs);
    let status = under_load(server.address, || backup.arg("backup").arg(&copy).arg("--db").arg(million).status())??;
    if !status.success() {
        return Err(io::Error::other(format!("the backup failed: {status}")));
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("| backup of that database under full ingest load (s; MB) | {seconds:.1}; {} |", size(&copy) / 1_000_000);
    drop(server);

    let idle = Server::obs(&folder.path(), &[])?;
    Client::open(idle.address)?.get("/health")?;
    println!("| binary (MB) | {:.2} |", size(Path::new(obs)) as f64 / 1e6);
    println!("| resident memory of an idle server (MB) | {:.1} |", idle.memory() as f64 / 1e6);
    Ok(())
}
