//! `obs export`: one event a line, as it would be sent, with its project, its arrival and `more`.
use super::progress::Progress;
use crate::domain::{Level, StoredEvent};
use crate::store::{Export, ExportFilter};
use crate::time::Time;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

/// Writes the events that are wanted to standard output. A reader that has had enough is no error.
pub fn export(database: &Path, wanted: ExportFilter) -> Result<(), String> {
    let mut events = Export::open(database, wanted)?;
    let mut output = BufWriter::new(io::stdout().lock());
    match copy(&mut events, &mut output)? {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write to standard output: {e}")),
        _ => Ok(()),
    }
}

/// Outside is what reading failed of, inside what writing failed of.
fn copy(events: &mut Export, output: &mut impl Write) -> Result<io::Result<()>, String> {
    let mut progress = Progress::new();
    let among_events = io::stdout().is_terminal();
    let mut count = 0u64;
    for page in events {
        let page = page?;
        count += page.len() as u64;
        if let Err(e) = page.iter().try_for_each(|event| write(event, output)) {
            progress.clear();
            return Ok(Err(e));
        }
        if !among_events {
            progress.show(&format!("{count} events exported"));
        }
    }
    let flushed = output.flush();
    if flushed.is_ok() {
        progress.end(&format!("{count} events exported"));
    }
    Ok(flushed)
}

fn write(event: &StoredEvent, output: &mut impl Write) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Line::of(event))?;
    // Between values as they came there may be line breaks; in a JSON string there is none.
    line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    line.push(b'\n');
    output.write_all(&line)
}

/// The fields as the contract names and orders them.
#[derive(Serialize)]
struct Line<'a> {
    event_id: &'a str,
    project: &'a str,
    received_at: Time,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stacktrace: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<&'a RawValue>,
}

impl<'a> Line<'a> {
    fn of(event: &'a StoredEvent) -> Line<'a> {
        let summary = &event.summary;
        Line {
            event_id: &summary.id,
            project: &event.project,
            received_at: summary.received_at,
            level: summary.level,
            r#type: summary.r#type.as_deref(),
            message: &summary.message,
            stacktrace: raw(&event.stacktrace),
            causes: raw(&event.causes),
            platform: event.platform.as_deref(),
            timestamp: summary.timestamp,
            server_name: summary.server_name.as_deref(),
            environment: summary.environment.as_deref(),
            release: summary.release.as_deref(),
            fingerprint: raw(&event.fingerprint),
            suppressed: event.suppressed,
            extra: raw(&event.extra),
            more: raw(&event.more),
        }
    }
}

/// JSON text as it is. The file is open to other hands: what is none any more is left out.
fn raw(text: &Option<String>) -> Option<&RawValue> {
    serde_json::from_str(text.as_deref()?).ok()
}
