//! `GET /metrics`: figures for Prometheus, in its text format.
use super::{call::Call, error::Error, response, state::State};
use crate::http::Body;
use rouille::Response;

pub fn metrics(state: &State, _: &Call, _: Body) -> Result<Response, Error> {
    let (stored, issues) = state.store.read(|reader| Ok::<_, Error>((reader.usage()?.events, reader.states(None)?)))?;
    let now = state.store.activity();
    let refused = state.refused.by_reason().map(|(reason, count)| (label("reason", reason), count.to_string()));
    let issues = issues.iter().map(|(state, count)| (label("state", state.as_str()), count.to_string()));
    let commits =
        [("_sum".into(), now.commit_time.as_secs_f64().to_string()), ("_count".into(), now.commits.to_string())];
    let families = [
        family("obs_events_stored_total", "counter", "Events stored since obs started.", one(now.stored)),
        family("obs_refused_total", "counter", "Requests to store events, refused since obs started.", refused),
        family("obs_commit_seconds", "summary", "Time to commit a batch of events.", commits),
        family("obs_queued_events", "gauge", "Events that wait for the next commit.", one(now.queued)),
        family("obs_events", "gauge", "Events in the database.", one(stored)),
        family("obs_issues", "gauge", "Issues by state.", issues),
        family("obs_database_bytes", "gauge", "Size of the database file.", one(now.database_bytes)),
        family("obs_wal_bytes", "gauge", "Size of the write-ahead log.", one(now.wal_bytes)),
    ];
    Ok(response::text("text/plain; version=0.0.4; charset=utf-8", families.concat()))
}

fn family(name: &str, kind: &str, help: &str, samples: impl IntoIterator<Item = (String, String)>) -> String {
    let samples = samples.into_iter().map(|(suffix, value)| format!("{name}{suffix} {value}\n"));
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{}", samples.collect::<String>())
}

fn one(value: impl ToString) -> [(String, String); 1] {
    [(String::new(), value.to_string())]
}

/// No value needs escaping: all are words from the code.
fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{value}\"}}")
}
