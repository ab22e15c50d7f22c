//! `GET /` as text: the issues, one per line.
use super::screen::{Screen, curl};
use crate::domain::{Cursor, Hour, Issue, IssueState};
use crate::views::layout::title;
use crate::views::list::{ListPage, short, status};
use crate::views::overview::whole_issues;
use crate::views::text::{counted, first_line, shortened};
use crate::views::times;

/// Maximum characters of a project's name.
const PROJECT: usize = 16;

pub fn issues(list: &ListPage, origin: &str) -> Screen {
    let issues = &list.found.page;
    let mut screen = Screen::default();
    figures(&mut screen, list);
    if issues.rows.is_empty() {
        let only_open = list.asked.listing.query.states() == [IssueState::Open];
        screen.put(
            "",
            2,
            if only_open { "No open issues here. To search all states, add is:any." } else { "No issues here." },
        );
    } else {
        let has_projects = !list.projects.is_empty();
        let rows: Vec<_> = issues.rows.iter().map(|issue| row(list, issue, has_projects)).collect();
        let project = if has_projects { "PROJECT" } else { "" };
        screen.table([" ID", "LEVEL", " 24 H", " EVENTS", " LAST SEEN", "", project, "ISSUE"], &rows);
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

/// What a search matches, in a line. Without one, the rows say enough.
fn figures(screen: &mut Screen, list: &ListPage) {
    let (query, figures) = (&list.asked.listing.query, list.figures);
    if query.0.is_empty() {
        return;
    }
    let at_least = if figures.is_complete { "" } else { "at least " };
    let sums = figures.hours.as_deref().map(|hours| {
        let sum = |part: fn(&Hour) -> i64| hours.iter().map(part).sum::<i64>();
        let (events, errors) = (sum(|hour| hour.events), sum(|hour| hour.errors));
        format!(": {} in {}, {}", counted(events, "event"), list.asked.period.as_str(), counted(errors, "error"))
    });
    screen.put("", 2, &format!("{at_least}{}{}", counted(figures.issues, "issue"), sums.unwrap_or_default()));
    if let Some(whole) = whole_issues(query) {
        screen.put("", 2, &whole);
    }
    screen.blank();
}

/// The status has a column of its own, where no event can write.
fn row(list: &ListPage, issue: &Issue, with_project: bool) -> [String; 8] {
    let now = list.now;
    let hours = list.issue_hours.get(&issue.id).map_or(&[][..], Vec::as_slice);
    let marks: Vec<&str> = status(issue, now).into_iter().chain(issue.unhandled.then_some("unhandled")).collect();
    [
        issue.id.to_string(),
        issue.level.as_str().to_string(),
        shortened(hours.iter().map(|hour| hour.events.max(0)).sum()),
        shortened(issue.count),
        times::since(issue.last_seen, now),
        marks.join(" "),
        issue.project.chars().take(if with_project { PROJECT } else { 0 }).collect(),
        title(issue.r#type.as_deref().map(short), first_line(&issue.message)),
    ]
}
