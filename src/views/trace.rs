//! The stack traces of an event: its own, then those of its causes.
use super::frames::{Trace, frames};
use super::html::{Html, html};
use super::layout::truncated;
use super::path::shared_directory;
use super::text::{MarkupBudget, cut, cut_front};
use crate::domain::StoredEvent;
use crate::event::MAX_CAUSES;
use crate::event::frame::Frame;
use crate::event::json;
use crate::sourcemaps::missing::Note;
use std::borrow::Cow;

/// Maximum characters of a cause's type and message, and of the shared directory.
const TYPE: usize = 200;
const MESSAGE: usize = 600;
const DIRECTORY: usize = 200;
/// Maximum bytes of markup for all traces of a page.
const MARKUP: usize = 1 << 20;

/// Fields in `more` that hold a stack trace: obs's own in another shape, and other names for it.
const STACKS: [&str; 4] = [r#""stacktrace""#, r#""stack""#, r#""stack_trace""#, r#""backtrace""#];

/// All traces of an event, and the directory that their paths have in common.
pub struct Traces {
    pub own: Trace,
    pub causes: Vec<Cause>,
    pub shared: String,
    /// What keeps them unreadable.
    pub notes: Vec<Note>,
}

impl Traces {
    pub fn parse(event: &StoredEvent) -> Traces {
        // Fields of another type than obs expects are in `more`.
        let more = event.more.as_deref().and_then(json::object).unwrap_or_default();
        let other = |name: &str| more.iter().find(|(key, _)| key.get() == name).map(|(_, value)| value.get());
        let own = event.stacktrace.as_deref().or_else(|| STACKS.iter().find_map(|name| other(name)));
        let own = own.map(Trace::parse).unwrap_or_default();
        let causes = event.causes.as_deref().or_else(|| other(r#""causes""#));
        let causes = causes.map(|causes| {
            json::first(causes, MAX_CAUSES)
                .map_or(vec![causes], |causes| causes.iter().map(|cause| cause.get()).collect())
        });
        let causes: Vec<Cause> = causes.unwrap_or_default().into_iter().map(Cause::parse).collect();
        Traces { own, causes, shared: String::new(), notes: Vec::new() }.with_shared_directory()
    }

    /// Has the frames changed, given as one slice for each trace.
    pub fn mapped<E>(mut self, map: impl FnOnce(&mut [&mut [Frame]]) -> Result<Vec<Note>, E>) -> Result<Traces, E> {
        let all = [&mut self.own].into_iter().chain(self.causes.iter_mut().map(|cause| &mut cause.trace));
        let mut all: Vec<_> = all.collect();
        let mut frames: Vec<_> = all.iter_mut().map(|trace| trace.frames_mut()).collect();
        self.notes = map(&mut frames)?;
        all.into_iter().for_each(Trace::find_own);
        Ok(self.with_shared_directory())
    }

    fn with_shared_directory(self) -> Traces {
        let all = [&self.own].into_iter().chain(self.causes.iter().map(|cause| &cause.trace));
        let shared = shared_directory(all.flat_map(Trace::roots)).to_string();
        Traces { shared, ..self }
    }

    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.causes.is_empty()
    }

    /// The shared directory to show, if there is one.
    pub fn below(&self) -> Option<Cow<'_, str>> {
        (!self.shared.is_empty()).then(|| cut_front(&self.shared, DIRECTORY))
    }
}

pub struct Cause {
    pub kind: Option<String>,
    pub message: String,
    pub trace: Trace,
}

impl Cause {
    /// A cause that is not an object is shown as the message.
    fn parse(text: &str) -> Cause {
        let mut cause = Cause { kind: None, message: String::new(), trace: Trace::default() };
        let Some(entries) = json::object(text) else {
            cause.message = cut(&json::string(text).unwrap_or_else(|| text.to_string()), MESSAGE).into_owned();
            return cause;
        };
        for (key, value) in entries {
            let value = value.get();
            match key.get() {
                r#""type""# => cause.kind = json::string(value).map(|kind| cut(&kind, TYPE).into_owned()),
                r#""message""# => cause.message = cut(&json::string(value).unwrap_or_default(), MESSAGE).into_owned(),
                r#""stacktrace""# if value != "null" => cause.trace = Trace::parse(value),
                _ => {}
            }
        }
        cause
    }
}

/// The section of a page. `note` follows its heading.
pub fn traces(event: &StoredEvent, traces: &Traces, note: Html) -> Html {
    if traces.is_empty() {
        return html!("<h2>Stack trace</h2>\n<p class=\"dim\">This event has none.</p>\n");
    }
    let below = traces.below().map(|shared| html!(", paths below <code>{}</code>", shared));
    let mut budget = MarkupBudget::new(MARKUP);
    let own = frames(&traces.own, &traces.shared, &mut budget);
    let causes = traces.causes.iter().map_while(|cause| caused_by(cause, &traces.shared, &mut budget));
    let causes = causes.collect::<Html>();
    let rest = budget.is_spent().then(|| truncated(event));
    let notes = traces.notes.iter().map(missing).collect::<Html>();
    html!("<h2>Stack trace <small>{}{}</small></h2>\n{}{}{}{}", note, below, notes, own, causes, rest)
}

fn missing(note: &Note) -> Html {
    let command = note.command.as_ref().map(|command| html!("<pre class=\"all\">{}</pre>\n", command));
    html!("<p class=\"dim\"><span>{}</span></p>\n{}", note.text, command)
}

fn caused_by(cause: &Cause, shared: &str, budget: &mut MarkupBudget) -> Option<Html> {
    let kind = cause.kind.as_ref().map(|kind| html!(" <b>{}</b>", kind));
    let heading = html!("<h3>Caused by{} <span dir=\"auto\">{}</span></h3>\n", kind, cause.message);
    budget.pay(heading.as_str().len())?;
    Some(html!("{}{}", heading, frames(&cause.trace, shared, budget)))
}
