//! The forms that change or delete issues and events, for readers who may make changes. They work without a script.
use super::html::{Html, html};
use super::text::counted;
use super::times;
use crate::domain::{Issue, IssueState, StoredEvent};

/// Under the list, for the selected issues. `shown` are the states that the list shows.
pub fn on_selected(shown: &[IssueState]) -> Html {
    let open = shown.contains(&IssueState::Open);
    let close = open.then(|| html!("{}{}", button("resolve", "Resolve selected"), button("ignore", "Ignore selected")));
    let reopen = (shown != [IssueState::Open]).then(|| button("reopen", "Reopen selected"));
    let merge = button("merge", "Merge selected into the oldest");
    html!("<p class=\"acts\">{}{}{}</p>\n", close, reopen, merge)
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
pub fn delete_event(event: &StoredEvent, is_last: bool) -> Html {
    let (issue, time) = (event.issue_id, times::exact(event.summary.received_at));
    let path = format!("/events/{}", event.summary.id);
    match is_last {
        true => {
            let note = html!("This is the only event of issue {}, so the issue is deleted too. ", issue);
            delete(&path, "/", "event", note, html!("issue {} and the event of {}", issue, time))
        }
        false => {
            let note = html!("The other events of issue {} are kept. ", issue);
            delete(&path, &format!("/issues/{issue}"), "event", note, html!("the event of {}", time))
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
