//! `GET /` in a terminal: the issues, one a line.
use super::screen::{Screen, curl};
use crate::domain::{Issue, IssueState};
use crate::time::Time;
use crate::views::layout::title;
use crate::views::list::{ListPage, short};
use crate::views::text::{counted_text, first_line, shortened};
use crate::views::when;

/// Characters of a project's name.
const PROJECT: usize = 16;

/// `newest` is the target of the first page, `older` that of the one that comes after this one.
pub fn issues(list: &ListPage, newest: &str, older: Option<&str>, origin: &str) -> Screen {
    let (found, projects, now) = (list.found, list.projects, list.now);
    let issues = &found.page;
    let mut screen = Screen::default();
    if issues.rows.is_empty() {
        let only_open = list.asked.listing.query.states() == [IssueState::Open];
        screen.put("", 2, if only_open { "No open issues here; is:any finds all." } else { "No issues here." });
    } else {
        let rows: Vec<_> = issues.rows.iter().map(|issue| row(issue, !projects.is_empty(), now)).collect();
        let project = if projects.is_empty() { "" } else { "PROJECT" };
        screen.table([" ID", "LEVEL", " EVENTS", " LAST SEEN", "", project, "ISSUE"], &rows);
    }
    if let Some(scanned) = found.scanned {
        screen.blank();
        screen.put(
            "",
            2,
            &format!("Looked through {} so far; there may be more.", counted_text(scanned as i64, "issue")),
        );
    }
    screen.heading("Next");
    screen.command("an issue", &curl(origin, "/issues/ID"));
    if let Some(older) = older {
        screen.command("next page", &curl(origin, older));
    }
    if issues.newer.is_some() || issues.rows.is_empty() {
        screen.command("first page", &curl(origin, newest));
    }
    screen.command("search", &curl(origin, "/?q=WORDS"));
    screen
}

fn row(issue: &Issue, with_project: bool, now: Time) -> [String; 7] {
    [
        issue.id.to_string(),
        issue.level.as_str().to_string(),
        shortened(issue.count),
        when::since(issue.last_seen, now),
        word(issue, now).to_string(),
        issue.project.chars().take(if with_project { PROJECT } else { 0 }).collect(),
        title(issue.r#type.as_deref().map(short), first_line(&issue.message)),
    ]
}

/// What is to be noticed about an issue, in a word. It stands in a column of its own, where no event can write.
pub fn word(issue: &Issue, now: Time) -> &'static str {
    match issue.state {
        IssueState::Open if issue.reopened_at.is_some() => "reopened",
        IssueState::Open if when::is_new(issue.first_seen, now) => "new",
        IssueState::Open => "",
        IssueState::Resolved | IssueState::Ignored => issue.state.as_str(),
    }
}
