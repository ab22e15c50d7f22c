//! One run of the operator's command: in a process group of its own, with its input, within its time.
use super::Limits;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, Command as Process, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for what should be there at once: the end of what was killed, and the last of its standard error.
const SOON: Duration = Duration::from_millis(250);
/// How often to look whether it has ended.
const TICK: Duration = Duration::from_millis(10);
/// Bytes of its standard error that are told.
const HEAD: usize = 500;

/// A command has no use for these, and may show its environment to others.
const SECRETS: [&str; 2] = ["OBS_API_KEY", "OBS_DASHBOARD_PASSWORD"];

/// The command, as `sh -c` takes it.
pub struct Command {
    pub text: OsString,
    /// Variables that obs has set for itself.
    pub own_variables: Vec<&'static str>,
}

#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// It ended with status 0.
    Delivered,
    /// It ended in another way, or not in time. Says how, and what it wrote to standard error.
    Failed(String),
    /// obs stops, and could not wait as long as the command may take.
    CutShort,
}

impl Command {
    /// Runs the command. Returns when it has ended or was ended; `stop` brings that forward.
    pub fn run(&self, input: Vec<u8>, limits: &Limits, stop: &AtomicBool) -> Outcome {
        match self.spawn(input) {
            Ok((child, errors)) => wait(child, limits, stop).unwrap_or_else(|why| Outcome::Failed(errors.behind(why))),
            Err(e) => Outcome::Failed(format!("cannot run sh: {e}")),
        }
    }

    fn spawn(&self, input: Vec<u8>) -> io::Result<(Child, Errors)> {
        let mut process = Process::new("sh");
        process.arg("-c").arg(&self.text).process_group(0);
        process.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        for name in SECRETS.iter().chain(&self.own_variables) {
            process.env_remove(name);
        }
        let mut child = process.spawn()?;
        let attended = attend(&mut child, input);
        if attended.is_err() {
            end(&mut child);
        }
        Ok((child, attended?))
    }
}

/// Its input is written, and its standard error read, by threads: each may block for as long as the command lives.
fn attend(child: &mut Child, input: Vec<u8>) -> io::Result<Errors> {
    if let Some(mut pipe) = child.stdin.take() {
        // A command that has read enough may close its end.
        let write = move || drop(pipe.write_all(&input));
        thread::Builder::new().name("alert input".into()).spawn(write)?;
    }
    let (head, (end, ended)) = (Arc::<Mutex<Vec<u8>>>::default(), mpsc::channel());
    if let Some(pipe) = child.stderr.take() {
        let head = head.clone();
        let read = move || {
            keep_head(pipe, &head);
            drop(end);
        };
        thread::Builder::new().name("alert errors".into()).spawn(read)?;
    }
    Ok(Errors { head, ended })
}

/// Reads to the end, lest the command wait for a reader, and keeps the beginning.
fn keep_head(mut pipe: ChildStderr, head: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer) {
        let mut head = head.lock().unwrap_or_else(PoisonError::into_inner);
        let room = HEAD - head.len();
        head.extend(&buffer[..read.min(room)]);
    }
}

/// What the command writes to standard error.
struct Errors {
    head: Arc<Mutex<Vec<u8>>>,
    /// Nothing comes out of it; it is closed after the last byte. What the command leaves behind may keep that waiting.
    ended: mpsc::Receiver<()>,
}

impl Errors {
    fn behind(self, why: String) -> String {
        let _ = self.ended.recv_timeout(SOON);
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        match String::from_utf8_lossy(&head).trim() {
            "" => why,
            errors => format!("{why}: {errors}"),
        }
    }
}

/// Waits for the end, or brings it about. The error says how it ended, if not well.
fn wait(mut child: Child, limits: &Limits, stop: &AtomicBool) -> Result<Outcome, String> {
    let limit = Instant::now() + limits.time;
    let mut stopped = None;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(Outcome::Delivered),
            Ok(Some(status)) => return Err(words(status)),
            Ok(None) => {}
            Err(e) => return Err(format!("cannot wait for it: {e}")),
        }
        let now = Instant::now();
        if stop.load(Relaxed) {
            stopped.get_or_insert(now + limits.stop_time);
        }
        if now >= limit {
            end(&mut child);
            return Err(format!("not done after {} seconds, so it was ended", limits.time.as_secs()));
        }
        if stopped.is_some_and(|stopped| now >= stopped) {
            end(&mut child);
            return Ok(Outcome::CutShort);
        }
        thread::sleep(TICK);
    }
}

fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Ends the whole group. It has the child's number, which is nobody else's as long as the child was not waited for.
/// (std sends no signal to a group; the shell does, and is there.)
fn end(child: &mut Child) {
    let kill =
        Process::new("sh").args(["-c", "kill -s KILL -- -$0", &child.id().to_string()]).stderr(Stdio::null()).status();
    if !kill.is_ok_and(|status| status.success()) {
        let _ = child.kill();
    }
    let limit = Instant::now() + SOON;
    while Instant::now() < limit && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(TICK);
    }
}
