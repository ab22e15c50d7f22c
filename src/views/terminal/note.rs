//! Pages of a few sentences as text: the empty dashboard, and errors.
use super::screen::{Screen, curl};
use crate::views::empty::{dsn, hint};

/// `origin` is the URL at which the reader reached obs. `key` is set if the reader may see it.
pub fn empty(origin: &str, key: Option<&str>) -> Screen {
    let mut screen = Screen::default();
    screen.put("", 2, "No events yet. obs is running and waiting for its first event.");
    screen.heading("From a shell");
    screen.copy(&format!("{} \\", curl(origin, "/api/events")));
    screen.copy(&format!("  -H 'X-OBS-Key: {}' \\", key.unwrap_or("KEY")));
    screen.copy(r#"  -d '{"message":"something broke","level":"error","platform":"curl"}'"#);
    screen.heading("From an application, with this DSN");
    screen.copy(&dsn(origin, key));
    screen.blank();
    screen.put("", 2, hint(key));
    screen
}

/// The status code, what happened, and what to do next.
pub fn error(status: u16, heading: &str, text: &str) -> Screen {
    let mut screen = Screen::default();
    screen.put("", 4, &format!("{status} {heading}: {text}"));
    screen
}
