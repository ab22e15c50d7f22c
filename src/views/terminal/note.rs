//! Pages of a few sentences in a terminal: before the first event, and when something went wrong.
use super::screen::{Screen, curl};

/// `origin` is where the reader found this page; `key` is there if the reader may know it.
pub fn empty(origin: &str, key: Option<&str>) -> Screen {
    let (scheme, host) = origin.split_once("://").unwrap_or(("http", origin));
    let shown = key.unwrap_or("KEY");
    let mut screen = Screen::default();
    screen.put("", 2, "No events yet. obs is running and waits for its first one.");
    screen.heading("Send one from a shell");
    screen.copy(&format!("{} \\", curl(origin, "/api/events")));
    screen.copy(&format!("  -H 'X-OBS-Key: {shown}' \\"));
    screen.copy(r#"  -d '{"message":"something broke","level":"error","platform":"curl"}'"#);
    screen.heading("From an app: paste this DSN");
    screen.copy(&format!("{scheme}://{shown}@{host}"));
    screen.blank();
    screen.put(
        "",
        2,
        match key {
            Some(_) => "The key can send events but cannot read them.",
            None => "For KEY, put one of the server's ingest keys.",
        },
    );
    screen
}

/// The number, what it means, and what to do next.
pub fn error(status: u16, heading: &str, text: &str) -> Screen {
    let mut screen = Screen::default();
    screen.put("", 4, &format!("{status} {heading}: {text}"));
    screen
}
