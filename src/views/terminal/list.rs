//! `GET /` in a terminal: the issues, newest activity first, one a line.
use super::screen::{Screen, curl};
use crate::domain::{Issue, Page};
use crate::time::Time;
use crate::views::layout::title;
use crate::views::list::short;
use crate::views::text::{first_line, shortened};
use crate::views::when;

/// `older` is the target of the page that comes after this one.
pub fn issues(issues: &Page<Issue>, older: Option<&str>, origin: &str, now: Time) -> Screen {
    let mut screen = Screen::default();
    if issues.rows.is_empty() {
        screen.put("", 2, "No issues here.");
    } else {
        let rows: Vec<_> = issues.rows.iter().map(|issue| row(issue, now)).collect();
        screen.table([" ID", "LEVEL", " EVENTS", " LAST SEEN", "", "ISSUE"], &rows);
    }
    screen.heading("Next");
    screen.command("an issue", &curl(origin, "/issues/ID"));
    if let Some(older) = older {
        screen.command("older ones", &curl(origin, older));
    }
    if issues.newer.is_some() || issues.rows.is_empty() {
        screen.command("the newest", &curl(origin, "/"));
    }
    screen.command("search", &curl(origin, "/?q=WORDS"));
    screen
}

fn row(issue: &Issue, now: Time) -> [String; 6] {
    [
        issue.id.to_string(),
        issue.level.as_str().to_string(),
        shortened(issue.count),
        when::since(issue.last_seen, now),
        word(issue, now).to_string(),
        title(issue.r#type.as_deref().map(short), first_line(&issue.message)),
    ]
}

/// What is to be noticed about an issue, in a word. It stands in a column of its own, where no event can write.
pub fn word(issue: &Issue, now: Time) -> &'static str {
    if when::is_new(issue.first_seen, now) { "new" } else { "" }
}
