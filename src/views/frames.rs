//! One stack trace as a list: the application's own frames stand out, runs of library frames are folded. A trace that
//! is not an array of frames is shown as text.
use super::carried;
use super::extra;
use super::html::{Html, html};
use super::path::{self, breakable};
use super::source::source;
use super::text::{MarkupBudget, cut, cut_front};
use crate::event::frame::{self, Frame, MAX_FRAMES};
use crate::event::{json, library};
use crate::text;
use std::borrow::Cow;

/// Maximum characters of a function and of a path.
const FUNCTION: usize = 300;
const PATH: usize = 200;
/// Library frames in a row that are folded, maximum libraries that the fold names, and characters of each name.
const FOLD: usize = 3;
const NAMES: usize = 4;
const NAME: usize = 60;
/// Maximum characters of a trace that is text.
const TEXT: usize = 20_000;

/// Frames, most recent call first, and which of them are the application's own.
#[derive(Default)]
pub struct Trace {
    frames: Vec<Frame>,
    own: Vec<bool>,
    /// What was sent instead of an array of frames, or empty.
    pub text: String,
}

impl Trace {
    /// Reads an array of frames, or as much as can be read of anything else: an object with `frames`, which have the
    /// most recent call last, as Sentry has them; or text.
    pub fn parse(stacktrace: &str) -> Trace {
        let text = json::string(stacktrace);
        let sent = text.as_deref().filter(|text| json::array(text).is_some()).unwrap_or(stacktrace); // an array as text
        let nested = json::object(sent).unwrap_or_default().into_iter().find(|(key, _)| key.get() == r#""frames""#);
        let frames = match nested.and_then(|(_, frames)| json::last(frames.get(), MAX_FRAMES)) {
            Some(frames) => frames.iter().rev().map(|frame| Frame::read(frame.get())).collect(),
            None => Frame::parse(sent),
        };
        let text = match frames.is_empty() && nested.is_none() && json::array(sent).is_none() {
            true => cut(text::trim(text.as_deref().unwrap_or(sent)), TEXT).into_owned(),
            false => String::new(),
        };
        Trace { own: frame::own(&frames), frames, text }
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.text.is_empty()
    }

    pub fn frames_mut(&mut self) -> &mut [Frame] {
        &mut self.frames
    }

    /// Decides again which frames are the application's own, after they have changed.
    pub fn find_own(&mut self) {
        self.own = frame::own(&self.frames);
    }

    /// Directories that contain the application.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.frames.iter().zip(&self.own).filter_map(|(frame, own)| path::root(&frame.filename, *own))
    }

    /// What a page lists, in order. Paths are relative to `shared`.
    pub fn entries(&self, shared: &str) -> impl Iterator<Item = Entry<'_>> {
        let has_source = |at: &usize| self.frames.get(*at).is_some_and(|frame| frame.context_line.is_some());
        let own = || (0..self.frames.len()).filter(|at| self.own[*at]);
        let open = own().find(has_source).or(own().next()).unwrap_or(0);
        let mut at = 0;
        std::iter::from_fn(move || {
            let frame = self.frames.get(at)?;
            let (run, times) = (self.foldable(at), self.repeated(at));
            let entry = match run {
                0 => {
                    let is_open = (at..at + times).contains(&open);
                    Entry::Frame(Item { times, is_open, ..Item::new(frame, self.own[at], shared) })
                }
                _ => Entry::Fold(&self.frames[at..at + run]),
            };
            at += run.max(times);
            Some(entry)
        })
    }

    /// How many frames from here on are the same, as those of a recursion are.
    fn repeated(&self, at: usize) -> usize {
        let place = |frame: &Frame| (frame.function.clone(), frame.filename.clone(), frame.lineno);
        let first = place(&self.frames[at]);
        self.frames[at..].iter().take_while(|frame| place(frame) == first).count()
    }

    /// How many library frames to fold from here on. The first frame is never folded; without own frames, none is.
    fn foldable(&self, at: usize) -> usize {
        let run = self.own[at..].iter().take_while(|own| !**own).count();
        if at == 0 || run < FOLD || !self.own.contains(&true) { 0 } else { run }
    }
}

/// A frame, or library frames in a row that share one line.
pub enum Entry<'a> {
    Frame(Item<'a>),
    Fold(&'a [Frame]),
}

/// What pages show of a frame.
pub struct Item<'a> {
    /// Empty if only the place is known; `unknown` if nothing is.
    pub function: Cow<'a, str>,
    pub path: Cow<'a, str>,
    /// `:141:18`, or empty.
    pub line: String,
    pub frame: &'a Frame,
    pub is_own: bool,
    /// Its source is visible: the first own frame that has some.
    pub is_open: bool,
    /// It stands for so many frames in a row.
    pub times: usize,
}

impl<'a> Item<'a> {
    fn new(frame: &'a Frame, is_own: bool, shared: &str) -> Item<'a> {
        let path = cut_front(frame.filename.strip_prefix(shared).unwrap_or(&frame.filename), PATH);
        let line = match (frame.lineno.unwrap_or_default(), frame.colno) {
            (0, _) => String::new(),
            (line, None) => format!(":{line}"),
            (line, Some(column)) => format!(":{line}:{column}"),
        };
        let function = match frame.function.trim() {
            "" if path.is_empty() && line.is_empty() => "unknown".into(),
            "" => "".into(),
            _ => cut(&frame.function, FUNCTION),
        };
        Item { function, path, line, frame, is_own, is_open: false, times: 1 }
    }

    /// `× 118`, if it stands for several frames.
    pub fn repeats(&self) -> Option<String> {
        (self.times > 1).then(|| format!("× {}", self.times))
    }
}

/// As much of the trace as the budget allows; `None` if it is empty.
pub fn frames(trace: &Trace, shared: &str, budget: &mut MarkupBudget) -> Option<Html> {
    if !trace.text.is_empty() {
        let text =
            html!("<pre class=\"src\" tabindex=\"0\" role=\"group\" aria-label=\"Stack trace\">{}</pre>\n", trace.text);
        return budget.pay(text.as_str().len()).map(|()| text);
    }
    let items = trace.entries(shared).map_while(|entry| match entry {
        Entry::Frame(frame) => item(&frame, budget),
        Entry::Fold(frames) => fold(frames, shared, budget),
    });
    let items = items.collect::<Html>();
    (!trace.is_empty()).then(|| html!("<ol class=\"frames\" role=\"list\">\n{}</ol>\n", items))
}

/// The source of one frame is visible, that of others is folded, so that a trace stays short.
fn item(item: &Item, budget: &mut MarkupBudget) -> Option<Html> {
    let own = item.is_own.then(|| html!(" class=\"own\""));
    let function = (!item.function.is_empty()).then(|| html!("<b>{}</b> ", breakable(&item.function)));
    let is_somewhere = !item.path.is_empty() || !item.line.is_empty();
    let place = is_somewhere.then(|| path::place(&item.path, &item.line));
    let source = source(item.frame).map(|source| match item.is_open {
        true => source,
        false => html!("<details><summary>source</summary>{}</details>", source),
    });
    let variables = item.frame.vars.as_deref().map(|vars| {
        html!("<details><summary>variables</summary>{}</details>", extra::rows(&carried::fields(vars), budget))
    });
    let repeats = item.repeats().map(|repeats| html!(" <small>{}</small>", repeats));
    let item = html!("<li{}>{}{}{}{}{}</li>\n", own, function, place, repeats, source, variables);
    budget.pay(item.as_str().len())?;
    Some(item)
}

fn fold(frames: &[Frame], shared: &str, budget: &mut MarkupBudget) -> Option<Html> {
    let summary = html!("<summary>{} library frames: <span>{}</span></summary>", frames.len(), names(frames));
    budget.pay(summary.as_str().len())?;
    let items = frames.iter().map_while(|frame| item(&Item::new(frame, false, shared), budget));
    let items = items.collect::<Html>();
    Some(html!("<li><details>{}<ol class=\"frames\" role=\"list\">\n{}</ol></details></li>\n", summary, items))
}

/// The libraries that the frames belong to: `net/http, github.com/go-chi/chi`.
pub fn names(frames: &[Frame]) -> String {
    let mut names: Vec<String> = Vec::new();
    for frame in frames {
        let name = match frame.filename.as_str() {
            "" => "unknown".to_string(),
            path => cut(&library::name(path), NAME).into_owned(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > NAMES {
        names.truncate(NAMES);
        names.push("…".into());
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(stacktrace: &str) -> String {
        frames(&Trace::parse(stacktrace), "", &mut MarkupBudget::new(100_000)).unwrap().into_string()
    }

    /// One letter per frame: `o` is own, `l` in the library `lib`, `m` in another.
    fn with_kinds(kinds: &str) -> String {
        let frames = kinds.chars().enumerate().map(|(line, kind)| {
            let (file, line) = match kind {
                'o' => ("a.php", 1),
                'l' => ("vendor/a/lib/x.php", line),
                _ => ("node_modules/other/x.js", line),
            };
            format!(r#"{{"function":"f","filename":"/srv/{file}","lineno":{line}}}"#)
        });
        rendered(&format!("[{}]", frames.collect::<Vec<_>>().join(",")))
    }

    #[test]
    fn three_library_frames_in_a_row_are_folded() {
        assert!(with_kinds("olllmo").contains("<summary>4 library frames: <span>a/lib, other</span></summary>"));
        assert!(!with_kinds("ollo").contains("summary"));
        assert_eq!(with_kinds("olllollllo").matches("<details>").count(), 2);
    }

    #[test]
    fn the_first_frame_is_never_folded_and_without_own_frames_none_is() {
        assert!(with_kinds("llllo").contains("<summary>3 library frames"));
        assert!(!with_kinds("lllo").contains("summary"));
        assert!(!with_kinds("lllllll").contains("summary"));
    }

    #[test]
    fn only_the_source_of_the_first_own_frame_with_source_is_visible() {
        let frame = |line| format!(r#"{{"function":"f","filename":"a.php","lineno":{line},"context_line":"x{line}"}}"#);
        let html = rendered(&format!("[{},{},{}]", frame(1), frame(2), frame(3)));
        assert_eq!((html.matches("<pre").count(), html.matches("<summary>source").count()), (3, 2));
        let html = rendered(&format!(r#"[{{"function":"f","filename":"a.php"}},{},{}]"#, frame(2), frame(3)));
        let (before, after) = html.split_once("<summary>source").unwrap();
        assert!(before.contains("x2") && after.contains("x3"), "{html}");
    }

    #[test]
    fn a_run_of_the_same_frames_is_one_line() {
        let html = with_kinds(&("o".repeat(118) + "l"));
        assert!(html.contains("<small>× 118</small>") && html.matches("<li").count() == 2, "{html}");
        assert!(!with_kinds("olo").contains("×"));
    }

    #[test]
    fn frames_without_names_are_shown() {
        let html = rendered(
            r#"[{},{"filename":"a.js","lineno":3},{"function":"f","lineno":0},{"function":"f","lineno":7},"raw"]"#,
        );
        for frame in [
            "><b>unknown</b> </li>",
            "><span><b>a.js</b><i>:3</i></span></li>",
            "><b>f</b> </li>",
            "><b>f</b> <span><b></b><i>:7</i></span></li>",
            "><b>raw</b> </li>",
        ] {
            assert!(html.contains(frame), "{frame} in {html}");
        }
    }
}
