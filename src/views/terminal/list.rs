//! `GET /` as text: the issues, one per line.
use super::screen::{Screen, curl};
use crate::domain::{Cursor, Issue, IssueState};
use crate::time::Time;
use crate::views::layout::title;
use crate::views::list::{ListPage, short, status};
use crate::views::text::{counted, first_line, shortened};
use crate::views::times;

/// Maximum characters of a project's name.
const PROJECT: usize = 16;

pub fn issues(list: &ListPage, origin: &str) -> Screen {
    let issues = &list.found.page;
    let mut screen = Screen::default();
    if issues.rows.is_empty() {
        let only_open = list.asked.listing.query.states() == [IssueState::Open];
        screen.put(
            "",
            2,
            if only_open { "No open issues here. To search all states, add is:any." } else { "No issues here." },
        );
    } else {
        let has_projects = !list.projects.is_empty();
        let rows: Vec<_> = issues.rows.iter().map(|issue| row(issue, has_projects, list.now)).collect();
        let project = if has_projects { "PROJECT" } else { "" };
        screen.table([" ID", "LEVEL", " EVENTS", " LAST SEEN", "", project, "ISSUE"], &rows);
    }
    if let Some(scanned) = list.found.scanned {
        screen.blank();
        let scanned = counted(scanned as i64, "issue");
        screen.put("", 2, &format!("Searched {scanned} before time ran out. There may be more matches."));
    }
    screen.heading("Next");
    screen.command("an issue", &curl(origin, "/issues/ID"));
    if let Some(at) = issues.older {
        screen.command("next page", &curl(origin, &list.asked.at(Cursor::After(at))));
    }
    if issues.newer.is_some() || issues.rows.is_empty() {
        screen.command("first page", &curl(origin, &list.asked.at(Cursor::Newest)));
    }
    screen.command("search", &curl(origin, "/?q=WORDS"));
    screen.command("set up", &curl(origin, "/setup"));
    screen
}

/// The status has a column of its own, where no event can write.
fn row(issue: &Issue, with_project: bool, now: Time) -> [String; 7] {
    let marks: Vec<&str> = status(issue, now).into_iter().chain(issue.unhandled.then_some("unhandled")).collect();
    [
        issue.id.to_string(),
        issue.level.as_str().to_string(),
        shortened(issue.count),
        times::since(issue.last_seen, now),
        marks.join(" "),
        issue.project.chars().take(if with_project { PROJECT } else { 0 }).collect(),
        title(issue.r#type.as_deref().map(short), first_line(&issue.message)),
    ]
}
