//! One stack trace as a list: own frames loud, runs of library frames folded.
use super::path::{self, breakable};
use super::source::source;
use super::text::{Budget, cut};
use crate::event::frame::{self, Frame};
use crate::event::library;
use crate::html;
use crate::views::html::Html;
use std::borrow::Cow;

/// Characters of a function.
const FUNCTION: usize = 300;
/// Library frames in a row that fold, libraries that the fold names, and characters of such a name.
const FOLD: usize = 3;
const NAMES: usize = 4;
const NAME: usize = 60;

/// Frames, most recent call first, and which of them are the application's own.
pub struct Trace {
    frames: Vec<Frame>,
    own: Vec<bool>,
}

impl Trace {
    pub fn parse(stacktrace: Option<&str>) -> Trace {
        let frames = Frame::parse(stacktrace.unwrap_or("[]"));
        Trace { own: frame::own(&frames), frames }
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Directories that the application lies in.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.frames.iter().zip(&self.own).filter_map(|(frame, own)| path::root(&frame.filename, *own))
    }

    /// What a reader sees of it, one thing after the other.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let culprit = self.own.iter().position(|own| *own).unwrap_or(0);
        let mut at = 0;
        std::iter::from_fn(move || {
            let frame = self.frames.get(at)?;
            let run = self.foldable(at);
            let entry = match run {
                0 => Entry::Frame { frame, own: self.own[at], culprit: at == culprit },
                _ => Entry::Fold(&self.frames[at..at + run]),
            };
            at += run.max(1);
            Some(entry)
        })
    }

    /// How many library frames from here on are to fold. The first frame never does, nor any if none is own.
    fn foldable(&self, at: usize) -> usize {
        let run = self.own[at..].iter().take_while(|own| !**own).count();
        if at == 0 || run < FOLD || !self.own.contains(&true) { 0 } else { run }
    }
}

/// A frame, or library frames in a row that are told in one line.
pub enum Entry<'a> {
    Frame { frame: &'a Frame, own: bool, culprit: bool },
    Fold(&'a [Frame]),
}

/// As much of it as the budget allows, if it has frames. Paths are written from the `shared` directory on.
pub fn frames(trace: &Trace, shared: &str, budget: &mut Budget) -> Option<Html> {
    let items = trace.entries().map_while(|entry| match entry {
        Entry::Frame { frame, own, culprit } => item(frame, own, culprit, shared, budget),
        Entry::Fold(frames) => fold(frames, shared, budget),
    });
    let items = items.collect::<Html>();
    (!trace.is_empty()).then(|| html!("<ol class=\"frames\" role=\"list\">\n{}</ol>\n", items))
}

/// The culprit's source is open. That of other frames is a click away, so that a trace with sources stays short.
fn item(frame: &Frame, own: bool, culprit: bool, shared: &str, budget: &mut Budget) -> Option<Html> {
    if budget.is_spent() {
        return None;
    }
    let own = own.then(|| html!(" class=\"own\""));
    let function = function(frame).map(|function| html!("<b>{}</b> ", breakable(&function)));
    let place = match function {
        None if is_nowhere(frame) => Some(html!("<span>unknown</span>")),
        Some(_) if is_nowhere(frame) => None,
        _ => Some(path::place(frame, shared)),
    };
    let source = source(frame).map(|source| match culprit {
        true => source,
        false => html!("<details><summary>source</summary>{}</details>", source),
    });
    let item = html!("<li{}>{}{}{}</li>\n", own, function, place, source);
    budget.pay(item.as_str().len());
    Some(item)
}

pub fn function(frame: &Frame) -> Option<Cow<'_, str>> {
    (!frame.function.trim().is_empty()).then(|| cut(&frame.function, FUNCTION))
}

/// It has no place that could be looked up.
pub fn is_nowhere(frame: &Frame) -> bool {
    frame.filename.is_empty() && frame.lineno.is_none_or(|line| line == 0)
}

fn fold(frames: &[Frame], shared: &str, budget: &mut Budget) -> Option<Html> {
    if budget.is_spent() {
        return None;
    }
    let items = frames.iter().map_while(|frame| item(frame, false, false, shared, budget)).collect::<Html>();
    Some(html!(
        "<li><details><summary>{}</summary><ol class=\"frames\" role=\"list\">\n{}</ol></details></li>\n",
        summary(frames),
        items
    ))
}

/// `5 library frames: net/http, github.com/go-chi/chi`.
fn summary(frames: &[Frame]) -> Html {
    let names = names(frames);
    let colon = (!names.is_empty()).then_some(": ");
    let named = names.iter().map(|name| html!("<span>{}</span>", name));
    html!("{} library frames{}{}", frames.len(), colon, Html::join(named, &html!(", ")))
}

/// The libraries that frames lie in, each once. A last `…` stands for those that are too many.
pub fn names(frames: &[Frame]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in frames.iter().map(|frame| library::name(&frame.filename)) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    let more = (names.len() > NAMES).then(|| "…".to_string());
    names.iter().take(NAMES).map(|name| cut(name, NAME).into_owned()).chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(stacktrace: &str) -> String {
        frames(&Trace::parse(Some(stacktrace)), "", &mut Budget::new(100_000)).unwrap().into_string()
    }

    /// Frames as letters: `o` is own, `l` in the library `lib`, `m` in another.
    fn of(kinds: &str) -> String {
        let frames = kinds.chars().map(|kind| match kind {
            'o' => r#"{"function":"f","filename":"/srv/a.php","lineno":1}"#,
            'l' => r#"{"function":"f","filename":"/srv/vendor/a/lib/x.php","lineno":1}"#,
            _ => r#"{"function":"f","filename":"/srv/node_modules/other/x.js","lineno":1}"#,
        });
        rendered(&format!("[{}]", frames.collect::<Vec<_>>().join(",")))
    }

    #[test]
    fn three_library_frames_in_a_row_fold() {
        assert!(of("olllmo").contains("<summary>4 library frames: <span>a/lib</span>, <span>other</span></summary>"));
        assert!(!of("ollo").contains("summary"));
        assert_eq!(of("olllollllo").matches("<details>").count(), 2);
    }

    #[test]
    fn the_first_frame_never_folds_nor_any_if_none_is_own() {
        assert!(of("llllo").contains("<summary>3 library frames"));
        assert!(!of("lllo").contains("summary"));
        assert!(!of("lllllll").contains("summary"));
    }

    #[test]
    fn only_the_culprits_source_is_open() {
        let frame = r#"{"function":"f","filename":"a.php","context_line":"x"}"#;
        let html = rendered(&format!("[{frame},{frame},{frame}]"));
        assert_eq!((html.matches("<pre").count(), html.matches("<summary>source").count()), (3, 2));
    }

    #[test]
    fn a_frame_without_names_is_shown_all_the_same() {
        let html = rendered(
            r#"[{},{"filename":"a.js","lineno":3},{"function":"f","lineno":0},{"function":"f","lineno":7},"raw"]"#,
        );
        for frame in [
            "><span>unknown</span></li>",
            "><span><b>a.js</b><i>:3</i></span></li>",
            "><b>f</b> </li>",
            "><b>f</b> <span><b></b><i>:7</i></span></li>",
            "><b>raw</b> </li>",
        ] {
            assert!(html.contains(frame), "{frame} in {html}");
        }
    }
}
