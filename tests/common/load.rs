//! Clients that send events and record which ones the server acknowledged.
use super::*;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use uuid::Uuid;

/// A distinct word for each number. It has no digits, so grouping does not replace it with `<*>`.
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

/// An event of the issue `group`. Its level, release, environment and `suppressed` vary with `n`.
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

/// Clients that send one event after another until they are stopped or lose their connection.
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
                        Some(response) => assert_eq!(response.status, 201, "{}", response.text()),
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

    /// Waits until this many events have been acknowledged.
    pub fn wait_for(&self, events: usize) {
        wait_until("events are acknowledged", || self.acknowledged.lock().unwrap().len() >= events);
    }

    /// Stops the clients. Returns the ids that were acknowledged, and those that were sent but got no response.
    pub fn stop(self) -> (Vec<String>, Vec<String>) {
        self.stop.store(true, Relaxed);
        let unanswered = self.clients.into_iter().filter_map(|client| client.join().unwrap()).collect();
        (Arc::into_inner(self.acknowledged).unwrap().into_inner().unwrap(), unanswered)
    }
}
