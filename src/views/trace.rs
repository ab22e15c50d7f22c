//! The stack traces of an event: its own, then those of its causes.
use super::frames::{Trace, frames};
use super::layout::cut_note;
use super::path::shared_directory;
use super::text::{Budget, cut, cut_front};
use crate::domain::StoredEvent;
use crate::event::MAX_CAUSES;
use crate::html;
use crate::html::Html;
use crate::json;

/// Characters of a cause's type and message.
const TYPE: usize = 200;
const MESSAGE: usize = 600;
/// Bytes of markup for all traces of a page.
const MARKUP: usize = 1 << 20;

#[derive(Default)]
struct Cause {
    kind: Option<String>,
    message: String,
    trace: Option<Trace>,
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
}

/// The section of a page; `note` stands beside its heading.
pub fn traces(event: &StoredEvent, note: Html) -> Html {
    let trace = Trace::parse(event.stacktrace.as_deref());
    let causes = event.causes.as_deref().and_then(json::array).unwrap_or_default();
    let causes: Vec<Cause> = causes.iter().take(MAX_CAUSES).map(|cause| Cause::parse(cause.get())).collect();
    if trace.is_empty() && causes.is_empty() {
        return html!("<h2>Stack trace</h2>\n<p class=\"dim\">None was sent.</p>\n");
    }
    let all = || [&trace].into_iter().chain(causes.iter().filter_map(|cause| cause.trace.as_ref()));
    let shared = shared_directory(all().flat_map(Trace::roots));
    let below = (!shared.is_empty()).then(|| html!(", paths below <code>{}</code>", cut_front(shared, TYPE)));
    let mut budget = Budget::new(MARKUP);
    let own = frames(&trace, shared, &mut budget);
    let causes = causes.iter().map_while(|cause| caused_by(cause, shared, &mut budget)).collect::<Html>();
    let rest = budget.is_spent().then(|| cut_note(event));
    html!("<h2>Stack trace <small>{}{}</small></h2>\n{}{}{}", note, below, own, causes, rest)
}

/// Nothing once the budget is spent.
fn caused_by(cause: &Cause, shared: &str, budget: &mut Budget) -> Option<Html> {
    if budget.is_spent() {
        return None;
    }
    let kind = cause.kind.as_deref().map(|kind| html!(" <b>{}</b>", cut(kind, TYPE)));
    let trace = cause.trace.as_ref().and_then(|trace| frames(trace, shared, budget));
    let message = cut(&cause.message, MESSAGE);
    Some(html!("<h3>Caused by{} <span dir=\"auto\">{}</span></h3>\n{}", kind, message, trace))
}
