//! Clients that note what was acknowledged, and whether a database holds it and agrees with itself.
use super::*;
use rusqlite::Connection as Sqlite;
use serde_json::json;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use uuid::Uuid;

/// A text for a number that no grouping takes for a number.
pub fn word(mut n: usize) -> String {
    let mut word = String::from("w");
    loop {
        word.push((b'a' + (n % 26) as u8) as char);
        n /= 26;
        if n == 0 {
            return word;
        }
    }
}

/// An event of the issue `group`, with something of all that is counted.
pub fn event(id: &str, group: &str, n: usize) -> String {
    let level = ["error", "warning", "info"][n % 3];
    let mut event = json!({
        "event_id": id, "message": format!("{group} failed"), "fingerprint": [group], "level": level,
        "release": format!("v{}", n % 4),
    });
    if n.is_multiple_of(2) {
        event["environment"] = json!("production");
    }
    if n.is_multiple_of(5) {
        event["suppressed"] = json!(n % 7);
    }
    event.to_string()
}

/// Clients that send one event after another until they are stopped or the server is gone.
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<String>>>,
    clients: Vec<JoinHandle<Option<String>>>,
}

impl Load {
    pub fn start(obs: &Obs, clients: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let client = |number: usize| {
            let (mut connection, stop, acknowledged) = (obs.connect(), stop.clone(), acknowledged.clone());
            thread::spawn(move || {
                let head = format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}");
                for n in number.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    let id = Uuid::now_v7().to_string();
                    match connection.try_send(&head, event(&id, &word(n % 5), n).as_bytes()) {
                        Some(answer) => assert_eq!(answer.status, 201, "{}", answer.text()),
                        None => return Some(id),
                    }
                    acknowledged.lock().unwrap().push(id);
                }
                None
            })
        };
        let clients = (0..clients).map(client).collect();
        Load { stop, acknowledged, clients }
    }

    pub fn acknowledged(&self) -> Vec<String> {
        self.acknowledged.lock().unwrap().clone()
    }

    pub fn reaches(&self, events: usize) {
        eventually("clients send", || (self.acknowledged.lock().unwrap().len() >= events).then_some(()));
    }

    /// What was acknowledged, and what was sent but never answered.
    pub fn end(self) -> (Vec<String>, Vec<String>) {
        self.stop.store(true, Relaxed);
        let unanswered = self.clients.into_iter().filter_map(|client| client.join().unwrap()).collect();
        (Arc::into_inner(self.acknowledged).unwrap().into_inner().unwrap(), unanswered)
    }
}

pub fn text(database: &Sqlite, sql: &str) -> String {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

pub fn ids(database: &Sqlite) -> HashSet<String> {
    let mut select = database.prepare("SELECT id FROM events").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

pub fn assert_holds(database: &Sqlite, acknowledged: &[String]) {
    let stored = ids(database);
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(*id)).collect();
    assert!(lost.is_empty(), "{} of {} lost, such as {}", lost.len(), acknowledged.len(), lost[0]);
}

/// The file is sound, and all that is counted is what the events say, as long as none has been removed.
pub fn assert_consistent(database: &Sqlite) {
    assert_eq!(text(database, "PRAGMA integrity_check"), "ok");
    assert!(!database.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap(), "a row without its issue");
    // Each finds what is wrong, and nothing where nothing is.
    let arrived = "sum(1 + ifnull(suppressed, 0))";
    let values: Vec<_> = ["environment", "release", "server_name"]
        .iter()
        .map(|kind| {
            format!("SELECT issue_id, '{kind}', {kind}, {arrived} FROM events WHERE {kind} IS NOT NULL GROUP BY issue_id, {kind}")
        })
        .collect();
    let values = values.join(" UNION ALL ");
    let checks = [
        (
            "stored",
            "SELECT id FROM issues WHERE stored <> (SELECT count(*) FROM events WHERE issue_id = issues.id)".into(),
        ),
        (
            "count",
            format!(
                "SELECT id FROM issues WHERE count IS NOT (SELECT {arrived} FROM events WHERE issue_id = issues.id)"
            ),
        ),
        (
            "last_seq",
            "SELECT id FROM issues WHERE last_seq IS NOT (SELECT max(seq) FROM events WHERE issue_id = issues.id)"
                .into(),
        ),
        (
            "last_seen",
            "SELECT issues.id FROM issues JOIN events ON seq = last_seq WHERE last_seen <> received_at".into(),
        ),
        (
            "issue_hours",
            "SELECT id FROM issues WHERE count IS NOT (SELECT sum(events) FROM issue_hours WHERE issue_id = issues.id)"
                .into(),
        ),
        ("hours of all issues", "SELECT hour FROM issue_hours GROUP BY hour HAVING sum(iif(issue_id = 0, events, -events)) <> 0 OR sum(iif(issue_id = 0, errors, -errors)) <> 0".into()),
        (
            "errors",
            format!(
                "SELECT 1 WHERE (SELECT total(errors) FROM issue_hours WHERE issue_id = 0) IS NOT (SELECT ifnull({arrived}, 0.0) FROM events WHERE level = 'error')"
            ),
        ),
        (
            "issue_values",
            format!("SELECT * FROM (SELECT * FROM issue_values EXCEPT {})", values.replace(" UNION ALL ", " EXCEPT ")),
        ),
        ("values of events", format!("SELECT * FROM ({values}) EXCEPT SELECT * FROM issue_values")),
        ("totals", "SELECT stored FROM totals WHERE stored <> (SELECT count(*) FROM events)".into()),
        (
            "states",
            "SELECT state FROM states WHERE issues <> (SELECT count(*) FROM issues WHERE issues.state = states.state)"
                .into(),
        ),
        ("issue_keys", "SELECT id FROM issues WHERE id NOT IN (SELECT issue_id FROM issue_keys)".into()),
    ];
    for (what, sql) in checks {
        assert!(!database.prepare(&sql).unwrap().exists([]).unwrap(), "{what} is not what the events say");
    }
}
