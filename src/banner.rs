//! What obs prints once it is ready: what the operator needs to continue. Besides the pages for setting up a client, this is
//! the only place that shows a key.
use crate::config::Config;
use crate::domain::Key;
use crate::log;
use crate::store::{Retention, Usage};
use crate::text::size;
use crate::web::State;
use crate::web::auth::Dashboard;
use std::fmt::Display;
use std::io::{self, IsTerminal};

pub struct Banner<'a> {
    pub config: &'a Config,
    pub state: &'a State,
    /// The URLs at which obs listens.
    pub listening: &'a str,
    /// The URL for clients.
    pub url: &'a str,
    /// obs has just generated its key.
    pub is_first_start: bool,
}

/// One line for each item: in columns, or for journald as `item: text`.
pub fn print(banner: &Banner) {
    let Banner { config, state, listening, url, .. } = banner;
    let item = |name: &str, text: &dyn Display| match config.logs_to_journal {
        true => log::plain(&format!("{name}: {text}")),
        false => log::plain(&format!("  {name:<10} {text}")),
    };
    log::plain(&format!("obs {} listening on {listening}", env!("CARGO_PKG_VERSION")));
    let access = match state.dashboard {
        Dashboard::Password(_) => "password required",
        Dashboard::Local => "no password, this machine only",
        Dashboard::Public => "no password, open to everyone",
    };
    item("dashboard", &format!("{url} ({access})"));
    for Key { project, key } in &state.keys {
        let project = if project.is_empty() { String::new() } else { format!(" (project {project})") };
        item("DSN", &format!("{}{project}", dsn(url, key)));
    }
    item(if config.logs_to_journal { "DSN" } else { "" }, &"Sentry's SDKs append /1 to the DSN");
    item("database", &state.store.path().display());
    if let Ok(Usage { events, bytes }) = state.store.read(|reader| reader.usage()) {
        item("stored", &format!("{events} events, {}", size(bytes)));
    }
    if config.alert_command.is_some() {
        item("alerts", &format!("run OBS_ALERT_COMMAND, with links to {url}"));
    }
    let Retention { events, bytes, days, .. } = config.retention;
    let age = match days {
        Some(1) => ", each for up to 1 day".into(),
        Some(days) => format!(", each for up to {days} days"),
        None => String::new(),
    };
    item("retention", &format!("up to {events} events and {}{age}", size(bytes)));
    if banner.is_first_start && io::stderr().is_terminal() {
        print_next_steps(banner);
    }
}

/// What to type next, for someone who has never used obs.
fn print_next_steps(Banner { config, state, url, .. }: &Banner) {
    let Some(Key { key, .. }) = state.keys.first() else { return };
    log::plain("");
    log::plain("Send an event, then open the dashboard:");
    log::plain(&format!("  curl {url}/api/events -H 'X-OBS-Key: {key}' -d '{{\"message\":\"hello\"}}'"));
    log::plain("Connect an application, here in JavaScript; the dashboard's /setup has other languages:");
    log::plain(&format!("  obs.init({{ dsn: '{}' }})", dsn(url, key)));
    if let Dashboard::Local = state.dashboard {
        log::plain("Open the dashboard to others:");
        log::plain(&format!("  OBS_DASHBOARD_PASSWORD=… obs --listen 0.0.0.0:{}", config.listen.port));
    }
}

fn dsn(url: &str, key: &str) -> String {
    url.replacen("://", &format!("://{key}@"), 1)
}
