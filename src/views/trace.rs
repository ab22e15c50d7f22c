//! The stack traces of an event: its own, then those of its causes.
use super::frames::{Trace, frames};
use super::layout::cut_note;
use super::path::shared_directory;
use super::text::{Budget, cut, cut_front};
use crate::domain::StoredEvent;
use crate::event::MAX_CAUSES;
use crate::event::json;
use crate::html;
use crate::views::html::Html;
use std::borrow::Cow;

/// Characters of a cause's type and message.
const TYPE: usize = 200;
const MESSAGE: usize = 600;
/// Bytes of markup for all traces of a page.
const MARKUP: usize = 1 << 20;

/// All of an event's, and the directory that their paths are written from.
pub struct Traces {
    pub own: Trace,
    pub causes: Vec<Cause>,
    pub shared: String,
}

impl Traces {
    pub fn of(event: &StoredEvent) -> Traces {
        let own = Trace::parse(event.stacktrace.as_deref());
        let causes = event.causes.as_deref().and_then(json::array).unwrap_or_default();
        let causes: Vec<Cause> = causes.iter().take(MAX_CAUSES).map(|cause| Cause::parse(cause.get())).collect();
        let all = [&own].into_iter().chain(causes.iter().filter_map(|cause| cause.trace.as_ref()));
        let shared = shared_directory(all.flat_map(Trace::roots)).to_string();
        Traces { own, causes, shared }
    }

    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.causes.is_empty()
    }

    /// The shared directory as it is told, if there is one.
    pub fn below(&self) -> Option<Cow<'_, str>> {
        (!self.shared.is_empty()).then(|| cut_front(&self.shared, TYPE))
    }
}

#[derive(Default)]
pub struct Cause {
    kind: Option<String>,
    message: String,
    pub trace: Option<Trace>,
}

impl Cause {
    /// As it was sent; what is no object is shown as the message.
    fn parse(text: &str) -> Cause {
        let Some(entries) = json::object(text) else {
            return Cause { message: json::string(text).unwrap_or_else(|| text.to_string()), ..Cause::default() };
        };
        let mut cause = Cause::default();
        for (key, value) in entries {
            match key.get() {
                r#""type""# => cause.kind = json::string(value.get()),
                r#""message""# => cause.message = json::string(value.get()).unwrap_or_default(),
                r#""stacktrace""# => cause.trace = Some(Trace::parse(Some(value.get()))),
                _ => {}
            }
        }
        cause
    }

    pub fn kind(&self) -> Option<Cow<'_, str>> {
        self.kind.as_deref().map(|kind| cut(kind, TYPE))
    }

    pub fn message(&self) -> Cow<'_, str> {
        cut(&self.message, MESSAGE)
    }
}

/// The section of a page; `note` stands beside its heading.
pub fn traces(event: &StoredEvent, note: Html) -> Html {
    let traces = Traces::of(event);
    if traces.is_empty() {
        return html!("<h2>Stack trace</h2>\n<p class=\"dim\">None was sent.</p>\n");
    }
    let Traces { own, causes, shared } = &traces;
    let below = traces.below().map(|shared| html!(", paths below <code>{}</code>", shared));
    let mut budget = Budget::new(MARKUP);
    let own = frames(own, shared, &mut budget);
    let causes = causes.iter().map_while(|cause| caused_by(cause, shared, &mut budget)).collect::<Html>();
    let rest = budget.is_spent().then(|| cut_note(event));
    html!("<h2>Stack trace <small>{}{}</small></h2>\n{}{}{}", note, below, own, causes, rest)
}

/// Nothing once the budget is spent.
fn caused_by(cause: &Cause, shared: &str, budget: &mut Budget) -> Option<Html> {
    if budget.is_spent() {
        return None;
    }
    let kind = cause.kind().map(|kind| html!(" <b>{}</b>", kind));
    let trace = cause.trace.as_ref().and_then(|trace| frames(trace, shared, budget));
    Some(html!("<h3>Caused by{} <span dir=\"auto\">{}</span></h3>\n{}", kind, cause.message(), trace))
}
