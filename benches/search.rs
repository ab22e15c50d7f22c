//! How long a search takes, whether its answer is complete, and how many issues per second it scans.
use crate::load::{Client, percentile};
use crate::process::Server;
use serde_json::Value;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

const REPEATS: usize = 20;
/// Maximum number of answers in a row that are followed with `next`.
const MAX_ANSWERS: usize = 100;

/// The order, the query, what it asks for, and whether it has to scan all issues.
const SEARCHES: [(&str, &str, &str, bool); 15] = [
    ("last_seen", "", "open issues", false),
    ("count", "", "open issues", false),
    ("first_seen", "is:any", "all issues", false),
    ("last_seen", "is:resolved", "a state that none has", false),
    ("last_seen", "level:error", "a level that all have", false),
    ("last_seen", "level:info", "a level that none has", true),
    ("last_seen", "env:production", "a value that all had", false),
    ("last_seen", "env:staging", "a value that none had", false),
    ("last_seen", "failed", "a word that a third contain", false),
    ("last_seen", "QZuZuZuBa", "a word that few contain", true),
    ("last_seen", NOWHERE, "a word that none contains", true),
    ("last_seen", "нигде", "a Cyrillic word that none contains", true),
    ("last_seen", "\"failed to try\"", "a phrase that none contains", true),
    ("count", NOWHERE, "a word that none contains", true),
    ("last_seen", "failed env:production level:info", "three terms, one of which never matches", true),
];
const NOWHERE: &str = "nowhere";

pub fn table(database: &Path) -> io::Result<()> {
    let server = Server::obs(database, &["--max-events", "1000000000"])?;
    let mut client = Client::open(server.address)?;
    let stats: Value = serde_json::from_slice(&client.get("/api/stats")?)?;
    let issues = stats["issues"]["open"].as_u64().unwrap_or_default();
    println!("\nSearch among {issues} open issues: `/api/issues?sort=…&q=…`, {REPEATS} times each\n");
    println!("| sort | q | asks for | median (ms) | maximum (ms) | answer | issues scanned | issues scanned/s |");
    println!("|---|---|---|---|---|---|---|---|");
    for (sort, q, what, scans) in SEARCHES {
        let answers = (0..REPEATS).map(|_| ask(&mut client, sort, q, None)).collect::<io::Result<Vec<_>>>()?;
        let mut times: Vec<u32> = answers.iter().map(|answer| answer.time.as_micros() as u32).collect();
        times.sort_unstable();
        println!(
            "| {sort} | `{q}` | {what} | {:.1} | {:.1} | {} |",
            percentile(&times, 50.0),
            percentile(&times, 100.0),
            progress(&answers, issues, scans)
        );
    }
    follow(&mut client, issues)
}

/// The cells that show whether an answer was complete and how many issues it took.
fn progress(answers: &[Answer], issues: u64, scans: bool) -> String {
    let incomplete = answers.iter().filter(|answer| answer.scanned.is_some()).count();
    let outcome = match incomplete {
        0 => "complete".to_string(),
        all if all == answers.len() => "out of time".into(),
        some => format!("{some} of {} out of time", answers.len()),
    };
    if incomplete == 0 && !scans {
        return format!("{outcome} | – | –");
    }
    let scanned: u64 = answers.iter().map(|answer| answer.scanned.unwrap_or(issues)).sum();
    let time: Duration = answers.iter().map(|answer| answer.time).sum();
    format!("{outcome} | {} | {:.0}", scanned / answers.len() as u64, scanned as f64 / time.as_secs_f64())
}

/// Follows `next` from the first answer to the last, unless the first is complete already.
fn follow(client: &mut Client, issues: u64) -> io::Result<()> {
    let (mut answers, mut after) = (Vec::new(), None);
    while answers.len() < MAX_ANSWERS {
        let answer = ask(client, "last_seen", NOWHERE, after.as_deref())?;
        after = answer.next.clone();
        answers.push(answer);
        if after.is_none() {
            break;
        }
    }
    if answers.len() == 1 {
        return Ok(());
    }
    let time: Duration = answers.iter().map(|answer| answer.time).sum();
    let end = if after.is_none() { "the end of the list is reached" } else { "the end of the list is NOT reached" };
    println!(
        "\nFollowing `next` for `{NOWHERE}`: {end} after {} answers and {:.2} s, {:.0} issues/s; slowest answer {:.0} ms.",
        answers.len(),
        time.as_secs_f64(),
        issues as f64 / time.as_secs_f64(),
        answers.iter().map(|answer| answer.time).max().unwrap_or_default().as_secs_f64() * 1e3,
    );
    Ok(())
}

struct Answer {
    time: Duration,
    /// How many issues were scanned, if time ran out.
    scanned: Option<u64>,
    next: Option<String>,
}

fn ask(client: &mut Client, sort: &str, q: &str, after: Option<&str>) -> io::Result<Answer> {
    let q: String = q.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let after = after.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
    let sent = Instant::now();
    let body = client.get(&format!("/api/issues?sort={sort}&q={q}{after}"))?;
    let time = sent.elapsed();
    let json: Value = serde_json::from_slice(&body)?;
    Ok(Answer { time, scanned: json["scanned"].as_u64(), next: json["next"].as_str().map(str::to_string) })
}
