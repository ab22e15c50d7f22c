//! Buttons: what a reader who may can do with issues and events. Each is part of a form, and so works without a script.
use super::text::{count, counted};
use super::when;
use crate::domain::{Issue, IssueState, StoredEvent};
use crate::html;
use crate::views::html::Html;

/// Under the list, for the rows that are selected.
pub fn on_selected(shown: &[IssueState]) -> Html {
    let open = shown.contains(&IssueState::Open);
    let change =
        open.then(|| html!("{}{}", button("resolve", "Resolve selected"), button("ignore", "Ignore selected")));
    let reopen = (shown != [IssueState::Open]).then(|| button("reopen", "Reopen selected"));
    let merge = button("merge", "Merge selected into the oldest");
    html!("<p class=\"acts\">{}{}{}</p>\n", change, reopen, merge)
}

/// On an issue's page.
pub fn on_issue(issue: &Issue) -> Html {
    let buttons = match issue.state {
        IssueState::Open => {
            html!("<button class=\"do\" name=\"do\" value=\"resolve\">Resolve</button>{}", button("ignore", "Ignore"))
        }
        IssueState::Resolved | IssueState::Ignored => button("reopen", "Reopen"),
    };
    let path = format!("/issues/{}", issue.id);
    html!("<form class=\"acts\" method=\"post\" action=\"{}\">{}{}</form>\n", path, back(&path), buttons)
}

/// At the end of an issue's page.
pub fn delete_issue(issue: &Issue) -> Html {
    let sentence = match issue.stored {
        1 => html!("<p>Its event goes too. There is no undo.</p>"),
        n => html!("<p>Its {} events go too. There is no undo.</p>", count(n)),
    };
    let what = html!("issue {} and {}", issue.id, counted(issue.stored, "event"));
    delete(&format!("/issues/{}", issue.id), "/", "issue", sentence, what)
}

/// At the end of what is known about an event. The last one takes its issue with it.
pub fn delete_event(event: &StoredEvent, is_last: bool) -> Html {
    let issue = event.issue_id;
    let when = when::exact(event.summary.received_at);
    let path = format!("/events/{}", event.summary.id);
    let (back, sentence, what) = match is_last {
        true => (
            "/".into(),
            html!("<p>Issue {} has no other event and goes with it. There is no undo.</p>", issue),
            html!("issue {} with the event of {}", issue, when),
        ),
        false => (
            format!("/issues/{issue}"),
            html!("<p>The other events of issue {} stay. There is no undo.</p>", issue),
            html!("the event of {}", when),
        ),
    };
    delete(&path, &back, "event", sentence, what)
}

/// Folded, so that it takes two steps, with a button that names what goes.
fn delete(path: &str, back_to: &str, kind: &str, sentence: Html, what: Html) -> Html {
    html!(
        "<section class=\"remove\"><h2>Remove</h2>\n<details><summary>Delete this {}…</summary>\n\
         <form method=\"post\" action=\"{}\">{}{}\n\
         <button class=\"danger\" name=\"do\" value=\"delete\">Delete {}</button></form></details></section>\n",
        kind,
        path,
        back(back_to),
        sentence,
        what
    )
}

/// Where the form comes back to.
pub fn back(path: &str) -> Html {
    html!("<input type=\"hidden\" name=\"back\" value=\"{}\">", path)
}

fn button(act: &str, text: &str) -> Html {
    html!("<button name=\"do\" value=\"{}\">{}</button>", act, text)
}
