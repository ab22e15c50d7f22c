//! The stack traces of an event as text. Own frames are marked, runs of library frames are one line.
use super::screen::{Screen, WIDTH, curl};
use super::width::width;
use crate::domain::StoredEvent;
use crate::event::frame::Frame;
use crate::event::json;
use crate::views::carried::fields;
use crate::views::frames::{Entry, Item, Trace, names};
use crate::views::source;
use crate::views::trace::Traces;

/// Maximum bytes of all traces of an event.
const TRACES: usize = 80 << 10;

/// `note` follows the heading.
pub fn traces(screen: &mut Screen, event: &StoredEvent, traces: &Traces, note: &str, origin: &str) {
    if traces.is_empty() {
        return screen.heading("Stack trace: this event has none");
    }
    screen.heading(&format!("Stack trace, {note}; > marks own frames"));
    let json = curl(origin, &format!("/api/events/{}", event.summary.id));
    screen.part(TRACES, &json, |screen| body(screen, traces));
}

pub fn body(screen: &mut Screen, traces: &Traces) {
    for note in &traces.notes {
        screen.put("  ", 4, &note.text);
        note.command.iter().for_each(|command| screen.copy(&format!("  {command}")));
    }
    if let Some(shared) = traces.below() {
        screen.put("  paths below ", 4, &shared);
    }
    frames(screen, &traces.own, &traces.shared);
    for cause in &traces.causes {
        screen.heading(&format!("Caused by {}", cause.kind.as_deref().unwrap_or_default()));
        screen.lines(4, cause.message.trim());
        frames(screen, &cause.trace, &traces.shared);
    }
}

fn frames(screen: &mut Screen, trace: &Trace, shared: &str) {
    screen.lines(4, &trace.text);
    for entry in trace.entries(shared) {
        match entry {
            _ if screen.is_full() => return,
            Entry::Frame(frame) => item(screen, &frame),
            Entry::Fold(frames) => {
                screen.put("  … ", 8, &format!("{} library frames: {}", frames.len(), names(frames)));
            }
        }
    }
}

/// Function and place, on one line if there is room; for the open one, the source.
fn item(screen: &mut Screen, item: &Item) {
    let mark = if item.is_own { "  > " } else { "    " };
    let repeats = item.repeats().map(|repeats| format!("  {repeats}")).unwrap_or_default();
    let place = format!("{}{}{repeats}", item.path, item.line);
    let line = format!("{}  {place}", item.function);
    if item.function.is_empty() || width(mark) + width(&line) <= WIDTH {
        screen.put(mark, 8, line.trim());
    } else {
        screen.put(mark, 8, &item.function);
        screen.put("        ", 8, &place);
    }
    if item.is_open {
        source(screen, item.frame);
        for row in item.frame.vars.as_deref().map(fields).unwrap_or_default() {
            let value = json::string(&row.value).unwrap_or(row.value); // Python's are texts of its own notation.
            screen.line("        ", &format!("{} = {value}", row.name));
        }
    }
}

fn source(screen: &mut Screen, frame: &Frame) {
    for line in source::lines(frame).unwrap_or_default() {
        let mark = if line.is_current { "      > " } else { "        " };
        screen.line(&format!("{mark}{}", line.number.unwrap_or_default()), &line.text);
    }
}
