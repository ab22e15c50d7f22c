//! Runs the operator's command for each pending alert, one at a time and a few per minute. An alert stays in
//! the store until its command has exited, so a crash may repeat an alert but never loses one.
mod command;
mod message;
mod pace;

use crate::log;
use crate::store::{Alert, Error, Store};
use command::Outcome;
use message::Message;
use pace::{Pace, Turn};
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Maximum number of commands that start in any `AlertSettings::period`.
const MAX_COMMANDS: usize = 10;
/// How often to look for new alerts.
const POLL: Duration = Duration::from_millis(500);
/// How long to wait before reading the database again after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// What to run, and how.
pub struct AlertSettings {
    /// Run by `sh -c`.
    pub command: OsString,
    /// The start of every link, without a slash at its end.
    pub base_url: String,
    /// Over how long commands are counted. A minute, except in tests.
    pub period: Duration,
}

/// Starts sending alerts, beginning with those that an earlier run left pending. Once `stop` is set, no further
/// command starts.
pub fn start(store: Arc<Store>, settings: AlertSettings, stop: Arc<AtomicBool>) -> io::Result<AlertThread> {
    let runner = Runner { store, settings, stop: stop.clone(), sent: 0, removed: 0 };
    let thread = thread::Builder::new().name("alerts".into()).spawn(move || runner.run())?;
    Ok(AlertThread { stop, thread })
}

/// The thread that runs the commands.
pub struct AlertThread {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl AlertThread {
    /// Waits for the running command. Alerts that are still pending stay in the store.
    pub fn close(self) {
        self.stop.store(true, Relaxed);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            log::line("the alert thread panicked");
        }
    }
}

/// Runs the command once with a test message, and returns how it exited as a line of text.
pub fn test(settings: &AlertSettings) -> Result<String, String> {
    let outcome = command::run(&settings.command, message::test(&settings.base_url), &AtomicBool::new(false));
    outcome.map(|_| "OBS_ALERT_COMMAND: exit status 0\n".into()).map_err(|why| format!("OBS_ALERT_COMMAND: {why}"))
}

struct Runner {
    store: Arc<Store>,
    settings: AlertSettings,
    stop: Arc<AtomicBool>,
    /// Delivery watermark; monotonic. Alerts up to this `seq` are not sent again.
    sent: i64,
    /// Alerts up to this `seq` have been removed from the store.
    removed: i64,
}

impl Runner {
    fn run(mut self) {
        let mut pace = Pace::new(MAX_COMMANDS, self.settings.period);
        while !self.stop.load(Relaxed) {
            let pause = self.step(&mut pace).unwrap_or_else(|error| {
                log::line(&format!("cannot send alerts: {error}"));
                RETRY
            });
            if !pause.is_zero() {
                thread::park_timeout(pause);
            }
        }
    }

    /// Sends one alert or a summary, if there is something to send. Returns how long to wait before the next step.
    fn step(&mut self, pace: &mut Pace) -> Result<Duration, Error> {
        let mut pause = Duration::ZERO;
        match self.store.read(|reader| reader.next_alert(self.sent))? {
            None => {
                pace.caught_up();
                pause = POLL;
            }
            Some((seq, Alert { issue: None, .. })) => self.sent = seq,
            Some((seq, alert)) => match pace.turn(Instant::now()) {
                Turn::Wait(time) => pause = time,
                Turn::One => self.send(Message::new(alert, &self.settings.base_url), seq),
                Turn::Summary => {
                    let (counts, last_seq) = self.store.read(|reader| reader.count_alerts(self.sent))?;
                    self.send(Message::summary(counts, &self.settings.base_url), last_seq);
                }
            },
        }
        if self.removed < self.sent {
            self.store.remove_alerts(self.sent)?;
            self.removed = self.sent;
        }
        Ok(pause)
    }

    /// Runs the command for a message about all alerts up to `seq`. A failure is logged and not repeated.
    fn send(&mut self, message: Message, seq: i64) {
        let Message { alert: Alert { alert_id, kind, .. }, link, .. } = &message;
        let input = message.to_line().map_err(|e| format!("cannot write it as JSON: {e}"));
        match input.and_then(|input| command::run(&self.settings.command, input, &self.stop)) {
            Ok(Outcome::Delivered) => {}
            Ok(Outcome::Interrupted) => {
                return log::line(&format!("alert {alert_id} will be sent again after the next start"));
            }
            Err(why) => log::line(&format!("alert {alert_id} ({kind}, {link}): {why}")),
        }
        self.sent = seq;
    }
}
