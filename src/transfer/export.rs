//! `obs export`: writes each event as one line of JSON, in the form in which it can be sent.
use super::progress::Progress;
use crate::domain::StoredEvent;
use crate::event::json;
use crate::store::{Export, ExportFilter};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;

/// Writes the selected events to standard output.
pub fn export(database: &Path, filter: ExportFilter) -> Result<(), String> {
    let events = Export::open(database, filter)?;
    let mut output = BufWriter::new(io::stdout().lock());
    let mut progress = Progress::new();
    let shows_events = io::stdout().is_terminal();
    let mut count = 0;
    for event in events {
        let line = line(&event?).map_err(|e| format!("cannot write an event as JSON: {e}"))?;
        if let Err(error) = output.write_all(line.as_bytes()) {
            return write_failed(error);
        }
        count += 1;
        if !shows_events {
            progress.show(format_args!("{count} events exported"));
        }
    }
    if let Err(error) = output.flush() {
        return write_failed(error);
    }
    progress.finish(&format!("{count} events exported"));
    Ok(())
}

/// A reader that has seen enough, such as `head`, closes the pipe. That is not an error.
fn write_failed(error: io::Error) -> Result<(), String> {
    match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(format!("cannot write to standard output: {error}")),
    }
}

/// Takes the API's form of an event, leaves out what says nothing or belongs to this database only, and names the id as
/// a client does.
fn line(event: &StoredEvent) -> serde_json::Result<String> {
    // Raw values may contain line breaks between their tokens. A JSON string cannot.
    let text = serde_json::to_string(event)?.replace(['\n', '\r'], " ");
    let fields = json::object(&text).unwrap_or_default();
    let fields = fields.iter().filter(|(_, value)| value.get() != "null");
    let fields = fields.filter_map(|(name, value)| match name.get() {
        r#""seq""# | r#""issue_id""# => None,
        r#""unhandled""# if value.get() == "false" => None,
        r#""id""# => Some(format!(r#""event_id":{value}"#)),
        name => Some(format!("{name}:{value}")),
    });
    Ok(format!("{{{}}}\n", fields.collect::<Vec<_>>().join(",")))
}
