//! The forms that change or delete issues and events, for readers who may make changes. They work without a script.
use super::html::{Html, html};
use super::list_url::CameFrom;
use super::text::{counted, grouped};
use super::times;
use crate::domain::{Issue, IssueState, StoredEvent};

/// All issues that match the list's query.
pub struct All<'a> {
    pub issues: i64,
    pub q: &'a str,
    /// Of those, the issues that exist so far.
    pub up_to: i64,
}

/// Under the list, for the selected issues, or for all that match. `shown` are the states that the list shows. The style
/// sheet counts the selected ones.
pub fn on_selected(shown: &[IssueState], all: Option<All>) -> Html {
    let open = shown.contains(&IssueState::Open);
    let close = open.then(|| html!("{}{}", button("resolve", "Resolve selected"), button("ignore", "Ignore selected")));
    let reopen = (shown != [IssueState::Open]).then(|| button("reopen", "Reopen selected"));
    html!(
        "<div class=\"acts\"><span class=\"selected\"></span>{}{}{}\n\
         <details><summary>Merge…</summary>\n<p>The oldest of the selected issues stays, with its address, title and state. \
         The others become part of it, with their events and all later ones like them. This cannot be undone.</p>\n\
         <button class=\"danger\" name=\"do\" value=\"merge\">Merge selected into the oldest</button></details></div>\n",
        close,
        reopen,
        all.map(on_all)
    )
}

fn on_all(All { issues, q, up_to }: All) -> Html {
    let buttons = [("resolve-all", "Resolve"), ("ignore-all", "Ignore")];
    let buttons = buttons.map(|(action, name)| button(action, &format!("{name} all {}", grouped(issues))));
    let all = if q.is_empty() { "open issues" } else { "that match" };
    html!(
        "\n<details><summary>All {} {}…</summary>\n<p>Selected or not, and on every page of this list.</p>\n\
         <input type=\"hidden\" name=\"q\" value=\"{}\"><input type=\"hidden\" name=\"up_to\" value=\"{}\">{}</details>",
        grouped(issues),
        all,
        q,
        up_to,
        Html::join(buttons, &html!(" "))
    )
}

/// On the page of an issue or of one of its events, to which the form returns.
pub fn on_issue(issue: &Issue, page: &str) -> Html {
    let buttons = match issue.state {
        IssueState::Open => {
            html!("<button class=\"do\" name=\"do\" value=\"resolve\">Resolve</button>{}", button("ignore", "Ignore"))
        }
        IssueState::Resolved | IssueState::Ignored => button("reopen", "Reopen"),
    };
    html!("<form class=\"acts\" method=\"post\" action=\"/issues/{}\">{}{}</form>\n", issue.id, back(page), buttons)
}

/// At the end of an issue's page. Returns to the list.
pub fn delete_issue(issue: &Issue, list: &str) -> Html {
    let path = format!("/issues/{}", issue.id);
    let events = counted(issue.stored, "event");
    delete(&path, list, "issue", html!(""), html!("issue {} and {}", issue.id, events))
}

/// Below an event's metadata. The last event of an issue takes the issue with it.
pub fn delete_event(event: &StoredEvent, is_last: bool, came_from: &CameFrom) -> Html {
    let (issue, time) = (event.issue_id, times::exact(event.summary.received_at));
    let path = format!("/events/{}", event.summary.id);
    match is_last {
        true => {
            let note = html!("This is the only event of issue {}, so the issue is deleted too. ", issue);
            delete(&path, &came_from.list(), "event", note, html!("issue {} and the event of {}", issue, time))
        }
        false => {
            let note = html!("The other events of issue {} are kept. ", issue);
            let back_to = came_from.along(&format!("/issues/{issue}"));
            delete(&path, &back_to, "event", note, html!("the event of {}", time))
        }
    }
}

/// Deleting takes two steps: unfold the form, then press a button that names what is deleted.
fn delete(path: &str, back_to: &str, kind: &str, note: Html, what: Html) -> Html {
    html!(
        "<section class=\"remove\"><h2>Delete</h2>\n<details><summary>Delete this {}…</summary>\n\
         <form method=\"post\" action=\"{}\">{}<p>{}This cannot be undone.</p>\n\
         <button class=\"danger\" name=\"do\" value=\"delete\">Delete {}</button></form></details></section>\n",
        kind,
        path,
        back(back_to),
        note,
        what
    )
}

/// The page that the form returns to.
pub fn back(path: &str) -> Html {
    html!("<input type=\"hidden\" name=\"back\" value=\"{}\">", path)
}

fn button(action: &str, text: &str) -> Html {
    html!("<button name=\"do\" value=\"{}\">{}</button>", action, text)
}
