//! The same error as an event of obs's own and as Sentry's Python SDK sends it: an envelope, compressed, with 25 breadcrumbs
//! and 6 tags. Both have about 4 KB before they are compressed.
use crate::database::Folder;
use crate::events::word;
use crate::load::{KEY, Run, send};
use crate::process::{Server, cpu};
use crate::{ISSUES, ingest};
use flate2::{Compression, write::GzEncoder};
use std::io::{self, Write};
use std::process;
use std::time::Duration;

const ROUNDS: usize = 3;
const CONNECTIONS: usize = 32;
const TIME: Duration = Duration::from_millis(1500);

pub fn table(folder: &Folder) -> io::Result<()> {
    let own: Vec<Vec<u8>> =
        (0..ISSUES).map(|n| request("events", &format!("X-OBS-Key: {KEY}"), own(n).as_bytes())).collect();
    let auth = format!("X-Sentry-Auth: Sentry sentry_version=7, sentry_key={KEY}\r\nContent-Encoding: gzip");
    let sentrys = (0..ISSUES).map(|n| Ok(request("1/envelope/", &auth, &gzip(&envelope(n))?)));
    let sentrys = sentrys.collect::<io::Result<Vec<_>>>()?;
    let mut runs: [Vec<(Run, f64)>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (requests, runs) in [&own, &sentrys].into_iter().zip(&mut runs) {
            let server = Server::obs(&folder.path(), &[])?;
            let before = (server.cpu(), cpu(process::id()));
            let run = send(server.address, CONNECTIONS, |n| requests[n % ISSUES].clone(), TIME)?;
            let cpu = (server.cpu() - before.0).as_secs_f64() * 1e6 / (run.events as f64 * 10.0 / 9.0);
            runs.push((run, cpu));
        }
    }
    let rate = |runs: &[(Run, f64)]| ingest::median(runs, |(run, _)| run.rate());
    println!("\nSentry's protocol: an error of about 4 KB, {CONNECTIONS} connections\n");
    println!(
        "| sent as | events/s | share of our own | 99th percentile (ms) | CPU per event (µs) |\n|---|---|---|---|---|"
    );
    for (name, one) in ["an event of obs's own", "a compressed envelope"].into_iter().zip(&runs) {
        println!(
            "| {name} | {:.0} | {:.2} | {:.1} | {:.0} |",
            rate(one),
            rate(one) / rate(&runs[0]),
            ingest::median(one, |(run, _)| run.percentile(99.0)),
            ingest::median(one, |(_, cpu)| *cpu),
        );
    }
    Ok(())
}

fn request(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST /api/{path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzip(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

fn frames(word: &str) -> String {
    let frame = |depth| {
        format!(
            r#"{{"filename":"shop/{word}.py","function":"step{depth}","module":"shop.{word}","lineno":{},"in_app":true}}"#,
            depth * 7 + 3
        )
    };
    (0..6).map(frame).collect::<Vec<_>>().join(",")
}

/// As long as the envelope, by its `extra`.
fn own(n: usize) -> String {
    let word = word(n);
    let event = format!(
        r#"{{"type":"PaymentFailed","message":"{word} was declined","stacktrace":[{}],"platform":"python","environment":"production","release":"1.0","server_name":"web-1","extra":"#,
        frames(&word)
    );
    let pad = envelope(n).len().saturating_sub(event.len() + 3);
    format!("{event}\"{}\"}}", "x".repeat(pad))
}

fn envelope(n: usize) -> String {
    let word = word(n);
    let crumb = |at| {
        format!(
            r#"{{"type":"default","category":"cart","level":"info","message":"added article {at} of {word}","timestamp":"2026-11-27T10:00:{at:02}.123456Z","data":{{"n":{at}}}}}"#
        )
    };
    let crumbs = (0..25).map(crumb).collect::<Vec<_>>().join(",");
    let tags = (0..6).map(|at| format!(r#""tag{at}":"value{}""#, (n + at) % 5)).collect::<Vec<_>>().join(",");
    let event = format!(
        r#"{{"level":"error","platform":"python","environment":"production","release":"1.0","server_name":"web-1","user":{{"id":"{n}"}},"tags":{{{tags}}},"breadcrumbs":{{"values":[{crumbs}]}},"contexts":{{"runtime":{{"name":"CPython","version":"3.11.7"}}}},"sdk":{{"name":"sentry.python","version":"2.75.0"}},"exception":{{"values":[{{"type":"PaymentFailed","value":"{word} was declined","mechanism":{{"type":"generic","handled":true}},"stacktrace":{{"frames":[{}]}}}}]}}}}"#,
        frames(&word)
    );
    format!("{{\"sent_at\":\"2026-11-27T10:00:00Z\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n", event.len())
}
