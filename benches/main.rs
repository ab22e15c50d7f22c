//! `make bench`: prints tables of what obs does per second and what it costs. Things to be compared are measured in
//! turn, and figures are medians. `cargo bench --bench bench -- search` runs only the section `search`.
mod costs;
mod database;
mod events;
mod ingest;
mod load;
mod noop;
mod pages;
mod process;
mod search;
mod sentry;
mod sourcemaps;
mod writer;

use database::Folder;
use events::{Ids, uniform, varied};
use std::time::Instant;
use std::{env, io};

const SECTIONS: [&str; 8] = ["ingest", "sentry", "store", "limit", "pages", "search", "sourcemaps", "costs"];
/// Number of issues in the ingest load.
const ISSUES: usize = 100;

fn main() -> io::Result<()> {
    // Cargo adds `--bench`.
    let sections: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if sections == ["noop"] {
        return noop::run();
    }
    if let Some(url) = env::var("PEER").ok().filter(|url| !url.is_empty()) {
        return ingest::peer(&url);
    }
    if let Some(unknown) = sections.iter().find(|name| !SECTIONS.contains(&name.as_str())) {
        return Err(io::Error::other(format!("no section {unknown}: expected {}", SECTIONS.join(", "))));
    }
    let wanted = |section: &str| sections.is_empty() || sections.iter().any(|name| name == section);

    let begin = Instant::now();
    let folder = Folder::new()?;
    let mut hundred_issues = folder.database(|n| uniform(Ids::Ordered.next(), n, ISSUES));
    let mut each_an_issue = folder.database(varied);
    if wanted("ingest") {
        ingest::over_http(&folder)?;
    }
    if wanted("sentry") {
        sentry::table(&folder)?;
    }
    if wanted("store") {
        ingest::store_alone(&folder);
    }
    if wanted("limit") {
        ingest::at_the_limit(&folder, &mut hundred_issues)?;
    }
    if wanted("pages") {
        pages::table("events in 20 issues", &mut folder.database(|n| uniform(Ids::Ordered.next(), n, 20)))?;
        pages::table("events, each an issue", &mut each_an_issue)?;
    }
    if wanted("search") {
        search::table(folder.database(varied).grow(20_000))?;
        search::table(each_an_issue.grow(1_000_000))?;
    }
    if wanted("sourcemaps") {
        sourcemaps::table(&folder)?;
    }
    if wanted("costs") {
        costs::table(&folder, &mut hundred_issues, &mut each_an_issue)?;
    }
    println!("\nThe bench took {:.0} s.", begin.elapsed().as_secs_f64());
    Ok(())
}
