//! What a form did: a line on the page that the form returns to, with a button that undoes it where that is possible. The
//! page learns of it from its own URL.
use super::buttons::back;
use super::html::{Html, html};
use super::list_url::CameFrom;
use super::text::counted;

/// Maximum bytes of a URL that names the issues. Many proxies accept no more than 8 KB. A longer one only counts them.
const MAX_URL: usize = 7000;
/// Maximum number of issues that are named.
const MAX_IDS: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Resolve,
    Ignore,
    Reopen,
    /// The first issue took in the others.
    Merge,
    Delete,
    DeleteEvent,
}

/// The values of `did=`, which are those of a form's `do=` too, except for an event.
const ACTIONS: [(&str, Action); 6] = [
    ("resolve", Action::Resolve),
    ("ignore", Action::Ignore),
    ("reopen", Action::Reopen),
    ("merge", Action::Merge),
    ("delete", Action::Delete),
    ("delete-event", Action::DeleteEvent),
];

/// `did=resolve&n=3&ids=7.1.4`
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub action: Action,
    /// How many issues were changed.
    pub issues: i64,
    /// The issues; none if they are too many to name or cannot be changed back.
    pub ids: Vec<i64>,
}

impl Done {
    /// `ids` are in ascending order.
    pub fn new(action: Action, ids: Vec<i64>) -> Done {
        Done { action, issues: ids.len() as i64, ids }
    }

    /// Reads the parameters of a URL or the fields of a form, by name. `None` if they do not say what was done.
    pub fn parse(value: impl Fn(&str) -> Option<String>) -> Option<Done> {
        let did = value("did")?;
        let (_, action) = ACTIONS.into_iter().find(|(name, _)| *name == did)?;
        let ids = value("ids").map_or(Some(Vec::new()), |text| parse_ids(&text)).unwrap_or_default();
        let issues = value("n").and_then(|n| n.parse().ok()).unwrap_or(ids.len() as i64);
        Some(Done { action, issues, ids })
    }

    /// The URL of the page to return to, which then shows what was done.
    pub fn url(&self, back: &str) -> String {
        let (page, fragment) = back.split_at(back.find('#').unwrap_or(back.len()));
        let separator = if page.contains('?') { '&' } else { '?' };
        let short = format!("{page}{separator}did={}&n={}", self.name(), self.issues);
        let whole = format!("{short}&ids={}", format_ids(&self.ids));
        let fits = !self.ids.is_empty() && whole.len() <= MAX_URL;
        format!("{}{fragment}", if fits { whole } else { short })
    }

    fn name(&self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self.action).map_or("", |(name, _)| name)
    }

    fn can_be_undone(&self) -> bool {
        matches!(self.action, Action::Resolve | Action::Ignore) && self.ids.len() as i64 == self.issues
    }
}

/// The first id, then how much larger each of the others is: a thousand ids fit a URL.
fn format_ids(ids: &[i64]) -> String {
    let first = ids.first().map(i64::to_string);
    let steps = ids.windows(2).map(|pair| (pair[1] - pair[0]).to_string());
    first.into_iter().chain(steps).collect::<Vec<_>>().join(".")
}

/// `None` for anything that [`format_ids`] does not write.
fn parse_ids(text: &str) -> Option<Vec<i64>> {
    let mut ids = Vec::new();
    for step in text.split('.') {
        let step = step.parse().ok().filter(|step| *step > 0 && ids.len() < MAX_IDS)?;
        ids.push(ids.last().map_or(Some(step), |last: &i64| last.checked_add(step))?);
    }
    Some(ids)
}

/// The line, and for readers who may make changes the button. `here` is the page's own path, without what was done.
pub fn done(done: &Done, here: &str, came_from: &CameFrom, may_act: bool) -> Html {
    let link = |id: &i64| html!("<a href=\"{}\">issue {}</a>", came_from.along(&format!("/issues/{id}")), id);
    let issues = match done.ids.as_slice() {
        [id] => link(id),
        _ => html!("{}", counted(done.issues, "issue")),
    };
    let what = match (done.action, done.ids.as_slice()) {
        (Action::Resolve, _) => html!("Resolved {}.", issues),
        (Action::Ignore, _) => html!("Ignored {}.", issues),
        (Action::Reopen, _) => html!("Reopened {}.", issues),
        (Action::Merge, [into, ..]) => {
            html!("Merged {} into {}.", counted(done.issues - 1, "issue"), link(into))
        }
        (Action::Merge, []) => html!("Merged {} into one.", issues),
        (Action::Delete, [id]) => html!("Deleted issue {}.", id),
        (Action::Delete, _) => html!("Deleted {}.", issues),
        (Action::DeleteEvent, _) => html!("Deleted an event."),
    };
    let undo = (may_act && done.can_be_undone()).then(|| {
        html!(
            "\n<form method=\"post\" action=\"/\">{}<input type=\"hidden\" name=\"did\" value=\"{}\">\
             <input type=\"hidden\" name=\"ids\" value=\"{}\"><button name=\"do\" value=\"undo\">Undo</button></form>",
            back(here),
            done.name(),
            format_ids(&done.ids)
        )
    });
    html!("<div class=\"done\" role=\"status\"><p>{}</p>{}</div>\n", what, undo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Option<Done> {
        let (_, query) = url.split('#').next()?.split_once('?')?;
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        Done::parse(|name| pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn what_was_done_is_read_from_the_url_that_says_so() {
        let resolved = Done::new(Action::Resolve, vec![3, 4, 1007]);
        assert_eq!(resolved.url("/?q=x#events"), "/?q=x&did=resolve&n=3&ids=3.1.1003#events");
        assert_eq!(read(&resolved.url("/issues/3")), Some(resolved));
        let many = Done::new(Action::Ignore, (1..=1000).map(|n| n * 1_000_000_007).collect());
        assert_eq!(many.url("/"), "/?did=ignore&n=1000", "too long to name");
        let most = Done::new(Action::Ignore, (1..=1000).map(|n| n * 1999).collect());
        assert_eq!(read(&most.url("/")), Some(most));
    }

    #[test]
    fn a_url_that_does_not_say_what_was_done_is_ignored() {
        for url in ["/?", "/?did=explode&ids=3", "/?ids=3"] {
            assert_eq!(read(url), None, "{url}");
        }
        for ids in ["", "x", "-3", "0", "1..2", "9223372036854775807.9"] {
            assert_eq!(read(&format!("/?did=resolve&ids={ids}")).map(|done| done.ids), Some(Vec::new()), "{ids}");
        }
    }

    #[test]
    fn only_what_can_be_undone_has_a_button_and_only_for_those_who_may_press_it() {
        let html =
            |action, may_act| done(&Done::new(action, vec![3]), "/?q=x", &CameFrom::default(), may_act).into_string();
        assert!(html(Action::Resolve, true).contains("name=\"ids\" value=\"3\"><button name=\"do\" value=\"undo\">"));
        assert!(html(Action::Ignore, true).contains("<input type=\"hidden\" name=\"back\" value=\"/?q=x\">"));
        assert!(!html(Action::Resolve, false).contains("<form") && !html(Action::Delete, true).contains("<form"));
        assert!(!html(Action::Merge, true).contains("<form") && !html(Action::Reopen, true).contains("<form"));
    }
}
