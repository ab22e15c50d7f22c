//! Runs the operator's command for each pending alert, one at a time and a few per minute. An alert stays in
//! the store until its command has delivered it or failed four times, so a crash may repeat an alert but never loses one.
mod command;
mod message;
mod pace;

use crate::log;
use crate::store::{Alert, Attempt, Error, Failure, Store};
use crate::time::Time;
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
/// How many periods after a failure an alert is tried again: after the first, the second and the third.
const RETRIES: [i64; 3] = [1, 5, 15];
/// How long to wait before reading the database again after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// What to run, and how.
pub struct AlertSettings {
    /// Run by `sh -c`.
    pub command: OsString,
    /// The start of every link, without a slash at its end.
    pub base_url: String,
    /// Over how long commands are counted, and the unit of [`RETRIES`]. A minute, except in tests.
    pub period: Duration,
}

/// Starts sending alerts, beginning with those that an earlier run left pending. Once `stop` is set, no further
/// command starts.
pub fn start(store: Arc<Store>, settings: AlertSettings, stop: Arc<AtomicBool>) -> io::Result<AlertThread> {
    let runner = Runner { store, settings, stop: stop.clone(), unrecorded: None };
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

/// Runs the command once with a test message. Returns how it exited and what it printed, as the error if it failed.
pub fn test(settings: &AlertSettings) -> Result<String, String> {
    match command::run(&settings.command, message::test(&settings.base_url), &AtomicBool::new(false)) {
        Ok(Outcome::Delivered(printed)) => {
            let printed: String = printed.lines().map(log::escaped).collect();
            Ok(format!("OBS_ALERT_COMMAND: exit status 0\n{printed}"))
        }
        Ok(Outcome::Interrupted) => Ok(String::new()),
        Err(why) => Err(format!("OBS_ALERT_COMMAND: {why}")),
    }
}

struct Runner {
    store: Arc<Store>,
    settings: AlertSettings,
    stop: Arc<AtomicBool>,
    /// What the store could not record, because the disk is full or the file locked. Nothing is sent before it has been
    /// recorded, or obs would send the same alert again and again.
    unrecorded: Option<Attempt>,
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

    /// Sends one alert or a summary, if something is due. Returns how long to wait before the next step.
    fn step(&mut self, pace: &mut Pace) -> Result<Duration, Error> {
        self.record()?;
        let due_by = Time::now().millis();
        let delivered = |first, last| Attempt { first, last, due_by, failure: None };
        match self.store.read(|reader| reader.next_alert(due_by))? {
            None => {
                pace.caught_up();
                return Ok(POLL);
            }
            Some((seq, Alert { issue: None, .. })) => self.unrecorded = Some(delivered(seq, seq)),
            Some((seq, alert)) => match pace.turn(Instant::now()) {
                Turn::Wait(time) => return Ok(time),
                Turn::One => self.send(Message::new(alert, &self.settings.base_url), delivered(seq, seq)),
                Turn::Summary => {
                    let (counts, last) = self.store.read(|reader| reader.count_alerts(due_by))?;
                    self.send(Message::summary(counts, &self.settings.base_url), delivered(0, last));
                }
            },
        }
        self.record()?;
        Ok(Duration::ZERO)
    }

    /// Runs the command for a message about the alerts of `attempt`.
    fn send(&mut self, message: Message, attempt: Attempt) {
        let Message { alert: Alert { alert_id, kind, failures, .. }, link, .. } = &message;
        let input = message.to_line().map_err(|e| format!("cannot write it as JSON: {e}"));
        let failure = match input.and_then(|input| command::run(&self.settings.command, input, &self.stop)) {
            Ok(Outcome::Delivered(_)) => None,
            Ok(Outcome::Interrupted) => {
                return log::line(&format!("alert {alert_id} will be sent again after the next start"));
            }
            Err(why) => {
                let next = RETRIES.get(*failures).map(|periods| format!("tried again in {periods} min"));
                let next = next.unwrap_or("not tried again".into());
                log::line(&format!("alert {alert_id} ({kind}, {link}), {next}: {why}"));
                let (now, period) = (Time::now().millis(), self.settings.period.as_millis() as i64);
                Some(Failure { why, retry_at: RETRIES.map(|periods| now + periods * period) })
            }
        };
        self.unrecorded = Some(Attempt { failure, ..attempt });
    }

    fn record(&mut self) -> Result<(), Error> {
        if let Some(attempt) = &self.unrecorded {
            self.store.settle_alerts(attempt)?;
        }
        self.unrecorded = None;
        Ok(())
    }
}
