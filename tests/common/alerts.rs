//! An obs that runs an alert command, or only the thread that runs it; and what the command receives.
use super::*;
use obs::alerts::{self, AlertSettings, AlertThread};
use obs::event::Event;
use obs::store::{AlertPolicy, NewEvent, Retention, Store};
use serde_json::{Value, json};

/// Appends each alert to a file, as a line.
pub const KEEP: &str = r#"cat >> "$ALERTS""#;

/// Starts an obs that runs the command. `$ALERTS` is the path of a file in its folder.
pub fn start(command: &str, env: &[(&str, &str)]) -> Obs {
    start_in(Arc::new(Folder::new()), command, env)
}

pub fn start_in(folder: Arc<Folder>, command: &str, env: &[(&str, &str)]) -> Obs {
    let path = folder.join("alerts");
    let mut all = vec![("OBS_API_KEY", KEY), ("OBS_ALERT_COMMAND", command), ("ALERTS", path.to_str().unwrap())];
    all.extend(env);
    Obs::in_folder(folder, &[], &all)
}

/// The alerts that `KEEP` has written. Ignores a line that is not complete yet.
pub fn sent(folder: &Folder) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("alerts")).unwrap_or_default();
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits for this many alerts and returns all that have been sent.
pub fn wait_for(folder: &Folder, count: usize) -> Vec<Value> {
    eventually("alerts", || Some(sent(folder)).filter(|alerts| alerts.len() >= count))
}

/// Sends an event of an issue of its own. Alerts are sent in order, so once its alert has been sent, all earlier ones have.
pub fn new_issue(obs: &Obs, name: &str) {
    obs.add(json!({ "message": format!("issue of {name}") }).to_string());
}

pub fn pending(obs: &Obs) -> i64 {
    obs.sqlite().query_row("SELECT count(*) FROM alerts", [], |row| row.get(0)).unwrap()
}

/// Waits for a line of the log.
pub fn logged(obs: &Obs, text: &str) -> String {
    let line = || obs.errors().lines().find(|line| line.contains(text)).map(String::from);
    eventually(text, line)
}

/// A store, and on demand the thread that sends its alerts, with a shorter period than a minute.
pub struct Inside {
    pub folder: Folder,
    pub store: Arc<Store>,
}

impl Inside {
    pub fn new() -> Inside {
        let folder = Folder::new();
        let policy = AlertPolicy::Issues { rate: None };
        let store = Store::open(
            &folder.join("obs.sqlite"),
            Retention { events: 1_000_000, bytes: i64::MAX, days: None, source_maps: i64::MAX },
            policy,
        )
        .unwrap();
        Inside { folder, store: Arc::new(store) }
    }

    pub fn add(&self, message: &str) {
        let text = json!({ "message": message }).to_string();
        let event = Event::parse(text.as_bytes()).unwrap();
        self.store.add(NewEvent::new(event, String::new())).unwrap();
    }

    pub fn start(&self) -> AlertThread {
        self.start_with("", Duration::from_secs(6))
    }

    /// Starts a thread that appends each alert to a file and then runs `text`, in which `$ALERTS` is that file.
    pub fn start_with(&self, text: &str, period: Duration) -> AlertThread {
        let command = format!("ALERTS='{}'; cat >> \"$ALERTS\"; {text}", self.folder.join("alerts").display()).into();
        let settings = AlertSettings { command, base_url: "http://obs".into(), period };
        alerts::start(self.store.clone(), settings, Default::default()).unwrap()
    }

    /// Why the alert of the first issue failed, and whether it is tried again.
    pub fn failure(&self) -> Option<(String, bool)> {
        let failed = self.store.read(|reader| reader.failed_alert(1)).unwrap();
        failed.map(|failed| (failed.why, failed.retry_at.is_some()))
    }

    pub fn pending(&self) -> i64 {
        self.sqlite().query_row("SELECT count(*) FROM alerts", [], |row| row.get(0)).unwrap()
    }

    pub fn sqlite(&self) -> rusqlite::Connection {
        open(&self.folder.join("obs.sqlite"))
    }
}

/// The number in letters, because grouping replaces digits.
pub fn in_letters(number: u32) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'g')).collect()
}
