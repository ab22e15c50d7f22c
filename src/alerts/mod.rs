//! Runs the operator's command for each alert that waits in the store: one at a time, and so many a minute.
//! An alert is gone from the store once its command has ended, well or not, so a crash repeats one and loses none.
mod command;
mod message;
mod pace;

pub use command::Command;

use crate::log;
use crate::store::{Counts, Error, Reader, Told};
use crate::web::State;
use command::Outcome;
use message::Message;
use pace::{Pace, Turn};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long to leave a database alone that could not be read.
const REST: Duration = Duration::from_secs(5);

/// What to run, and how.
pub struct Settings {
    pub command: Command,
    /// What links begin with: a URL without a slash at its end.
    pub base: String,
    pub limits: Limits,
}

/// What one command may take, and all together.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a command may take.
    pub time: Duration,
    /// How long of that once obs is told to stop: less than the 5 seconds in which it has stopped.
    pub stop_time: Duration,
    /// How many commands may begin in any `period`.
    pub commands: usize,
    pub period: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            time: Duration::from_secs(10),
            stop_time: Duration::from_millis(4500),
            commands: 10,
            period: Duration::from_secs(60),
        }
    }
}

/// Begins with what an earlier obs has left. Once `stop` is set, no further command begins.
pub fn start(state: Arc<State>, settings: Settings, stop: Arc<AtomicBool>) -> io::Result<Running> {
    let runner = Runner { state: state.clone(), settings, stop: stop.clone(), told: Told::default() };
    let thread = thread::Builder::new().name("alerts".into()).spawn(move || runner.run())?;
    Ok(Running { state, stop, thread })
}

/// The thread that runs commands.
pub struct Running {
    state: Arc<State>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Waits for the command that runs, not for what else there is to tell.
    pub fn close(self) {
        self.stop.store(true, Relaxed);
        self.state.store.alerts().close();
        if self.thread.join().is_err() {
            log::line("the thread that runs OBS_ALERT_COMMAND ended in a panic");
        }
    }
}

/// Runs the command once, for an alert that says it is a test. How that went is a line for whoever asked.
pub fn test(settings: &Settings) -> Result<String, String> {
    let input = Message::test(&settings.base).and_then(|message| message.bytes()).map_err(|e| e.to_string())?;
    match settings.command.run(input, &settings.limits, &AtomicBool::new(false)) {
        Outcome::Delivered => Ok("OBS_ALERT_COMMAND: exit status 0\n".into()),
        Outcome::Failed(why) => Err(format!("OBS_ALERT_COMMAND: {why}")),
        Outcome::CutShort => Err("OBS_ALERT_COMMAND: stopped".into()),
    }
}

struct Runner {
    state: Arc<State>,
    settings: Settings,
    stop: Arc<AtomicBool>,
    /// What is not to be told again, whether the store has removed it yet or not.
    told: Told,
}

impl Runner {
    fn run(mut self) {
        let mut pace = Pace::new(self.settings.limits.commands, self.settings.limits.period);
        while !self.stop.load(Relaxed) {
            if let Err(error) = self.step(&mut pace) {
                log::line(&format!("alerts cannot be read: {error}"));
                self.state.store.alerts().pause(REST);
            }
        }
    }

    /// Tells one alert, or all that wait in a summary, or waits.
    fn step(&mut self, pace: &mut Pace) -> Result<(), Error> {
        let state = self.state.clone();
        let alerts = state.store.alerts();
        let look = |reader: &Reader| Ok::<_, Error>((reader.alert(self.told)?, reader.backlog(self.told)?));
        let (next, backlog) = state.store.read(look)?;
        let mut told = self.told;
        let done = match next {
            None if backlog.held_back == Counts::default() => {
                pace.caught_up();
                alerts.wait();
                return Ok(());
            }
            Some((seq, None)) => {
                told.seq = seq;
                true // its issue has gone
            }
            next => match (pace.turn(Instant::now()), next) {
                (Turn::Wait(time), _) => {
                    alerts.pause(time);
                    false
                }
                (Turn::One, Some((seq, Some(alert)))) => {
                    told.seq = seq;
                    self.tell(Message::of(&alert, &self.settings.base))
                }
                // Those that were left out may be all that there is to tell.
                (Turn::One | Turn::Summary, _) => {
                    told = backlog.told;
                    self.tell(Ok(Message::summary(&backlog, &self.settings.base)))
                }
            },
        };
        if done {
            self.told = told;
            alerts.told(told);
        }
        Ok(())
    }

    /// Whether that is done with: a command that fails is not tried again.
    fn tell(&self, message: serde_json::Result<Message>) -> bool {
        let told = message.and_then(|message| Ok((message.bytes()?, message)));
        let (input, message) = match told {
            Ok(told) => told,
            Err(error) => {
                log::line(&format!("an alert could not be written as JSON: {error}"));
                return true;
            }
        };
        match self.settings.command.run(input, &self.settings.limits, &self.stop) {
            Outcome::Delivered => true,
            Outcome::Failed(why) => {
                log::line(&format!("alert {} ({}, {}): {why}", message.alert_id, message.kind, message.link));
                true
            }
            Outcome::CutShort => {
                log::line(&format!("alert {} waits for the next start", message.alert_id));
                false
            }
        }
    }
}
