//! The stack traces of an event: its own, then those of its causes. Own frames are marked, runs of library frames told.
use super::screen::{Screen, WIDTH, curl};
use super::width::width;
use crate::domain::StoredEvent;
use crate::event::frame::Frame;
use crate::views::frames::{Entry, Trace, function, is_nowhere, names};
use crate::views::path::below;
use crate::views::source;
use crate::views::trace::Traces;

/// Bytes of all traces of an event.
const TRACES: usize = 80 << 10;

/// `note` ends the heading.
pub fn traces(screen: &mut Screen, event: &StoredEvent, note: &str, origin: &str) {
    let traces = Traces::of(event);
    if traces.is_empty() {
        return screen.heading("Stack trace: none was sent");
    }
    screen.heading(&format!("Stack trace{note}; > marks own frames"));
    if let Some(shared) = traces.below() {
        screen.put("  paths below ", 4, &shared);
    }
    let whole = curl(origin, &format!("/api/events/{}", event.summary.id));
    screen.part(TRACES, &whole, |screen| {
        frames(screen, &traces.own, &traces.shared);
        for cause in &traces.causes {
            screen.heading(&format!("Caused by {}", cause.kind().unwrap_or_default()));
            screen.lines(4, cause.message().trim());
            if let Some(trace) = &cause.trace {
                frames(screen, trace, &traces.shared);
            }
        }
    });
}

fn frames(screen: &mut Screen, trace: &Trace, shared: &str) {
    for entry in trace.entries() {
        match entry {
            _ if screen.is_full() => return,
            Entry::Frame { frame, own, culprit } => {
                item(screen, frame, own, shared);
                if culprit {
                    source(screen, frame);
                }
            }
            Entry::Fold(frames) => {
                let names = names(frames);
                let colon = if names.is_empty() { "" } else { ": " };
                let text = format!("{} library frames{colon}{}", frames.len(), names.join(", "));
                screen.put("  … ", 8, &text);
            }
        }
    }
}

/// A function and its place, in one line where there is room.
fn item(screen: &mut Screen, frame: &Frame, own: bool, shared: &str) {
    let mark = if own { "  > " } else { "    " };
    let place = (!is_nowhere(frame)).then(|| place(frame, shared));
    match (function(frame), place) {
        (None, None) => screen.put(mark, 8, "unknown"),
        (Some(only), None) => screen.put(mark, 8, &only),
        (None, Some(only)) => screen.put(mark, 8, &only),
        (Some(function), Some(place)) => {
            let line = format!("{function}  {place}");
            if width(mark) + width(&line) <= WIDTH {
                return screen.put(mark, 8, &line);
            }
            screen.put(mark, 8, &function);
            screen.put("        ", 8, &place);
        }
    }
}

/// `src/cart.ts:141:18`.
fn place(frame: &Frame, shared: &str) -> String {
    let number = |number: Option<u64>| number.map_or(String::new(), |number| format!(":{number}"));
    let column = frame.lineno.and(frame.colno);
    format!("{}{}{}", below(frame, shared), number(frame.lineno), number(column))
}

fn source(screen: &mut Screen, frame: &Frame) {
    for line in source::lines(frame).unwrap_or_default() {
        let mark = if line.is_current { "      > " } else { "        " };
        let lead = format!("{mark}{}", line.number.unwrap_or_default());
        screen.line(&lead, &line.text);
    }
}
