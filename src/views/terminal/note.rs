//! Pages of a few sentences as text: how to send events, and errors.
use super::screen::{Screen, curl};
use crate::views::setup::{DOCS, HYPHEN, SEARCH, Setup};

/// `GET /` before the first event.
pub fn empty(setup: &Setup) -> Screen {
    instructions("No events yet. obs is running and waiting for its first event.", setup)
}

pub fn setup(setup: &Setup) -> Screen {
    let mut screen = instructions("Set up an application", setup);
    screen.heading("Search");
    for (example, meaning) in SEARCH {
        screen.put(&format!("  {example:<24}"), 26, meaning);
    }
    screen
}

fn instructions(title: &str, setup: &Setup) -> Screen {
    let mut screen = Screen::default();
    screen.put("", 2, title);
    for addresses in setup.all() {
        if !addresses.project.is_empty() {
            screen.heading(&format!("Project {}", addresses.project));
        }
        screen.heading("From a shell");
        screen.copy(&format!("{} \\", curl(setup.origin, "/api/events")));
        screen.copy(&format!("  -H 'X-OBS-Key: {}' \\", addresses.key));
        screen.copy(r#"  -d '{"message":"something broke","level":"error","platform":"curl"}'"#);
        screen.heading("From an application, with this DSN for obs's SDK");
        screen.copy(&addresses.dsn);
        screen.heading("From an application, with this DSN for any of Sentry's SDKs");
        screen.copy(&format!("{}/1", addresses.dsn));
    }
    screen.blank();
    screen.put("", 2, &format!("{} {HYPHEN}", setup.hint()));
    screen.heading("More");
    screen.copy(&format!("{DOCS}/sentry.md"));
    screen.copy(&format!("{DOCS}/api.md"));
    screen.copy(&curl(setup.origin, "/setup/sourcemaps"));
    screen
}

/// The status code, what happened, and what to do next.
pub fn error(status: u16, heading: &str, text: &str) -> Screen {
    let mut screen = Screen::default();
    screen.put("", 4, &format!("{status} {heading}: {text}"));
    screen
}
