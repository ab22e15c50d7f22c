//! `GET /` in a terminal: the issues, one a line.
use super::screen::{Screen, curl};
use crate::domain::{Found, Issue, State};
use crate::time::Time;
use crate::views::layout::title;
use crate::views::list::short;
use crate::views::text::{counted_text, first_line, shortened};
use crate::views::when;

/// `older` is the target of the page that comes after this one.
pub fn issues(found: &Found, older: Option<&str>, origin: &str, now: Time) -> Screen {
    let issues = &found.page;
    let mut screen = Screen::default();
    if issues.rows.is_empty() {
        screen.put("", 2, "No issues here.");
    } else {
        let rows: Vec<_> = issues.rows.iter().map(|issue| row(issue, now)).collect();
        screen.table([" ID", "LEVEL", " EVENTS", " LAST SEEN", "", "ISSUE"], &rows);
    }
    if let Some(looked) = found.looked {
        screen.blank();
        screen.put(
            "",
            2,
            &format!("Looked through {} so far; there may be more.", counted_text(looked as i64, "issue")),
        );
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
    match issue.state {
        State::Open if issue.reopened_at.is_some() => "reopened",
        State::Open if when::is_new(issue.first_seen, now) => "new",
        State::Open => "",
        State::Resolved | State::Ignored => issue.state.as_str(),
    }
}
