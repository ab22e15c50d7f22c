//! Runs the operator's command once, in its own process group, with a timeout.
use crate::malloc;
use std::ffi::OsStr;
use std::io::{self, PipeReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a command may run.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a running command may still take once obs is told to stop. obs stops within 5 seconds.
const STOP_TIMEOUT: Duration = Duration::from_millis(4500);
/// How long to wait for a killed command to exit, and for the rest of its output.
const GRACE: Duration = Duration::from_millis(250);
/// How often to check whether the command has exited.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Maximum number of bytes of what the command prints that are logged.
const MAX_OUTPUT: usize = 500;

/// Variables that the command does not get: it does not need them, and it may show its environment to others.
const SECRETS: [&str; 2] = ["OBS_API_KEY", "OBS_DASHBOARD_PASSWORD"];

pub enum Outcome {
    /// The command exited with status 0. The start of what it printed.
    Delivered(String),
    /// obs is stopping and killed the command.
    Interrupted,
}

/// Runs `sh -c COMMAND` with `input` on its standard input, until it exits or is killed. Setting `stop` shortens its
/// timeout. The error is any other exit or a timeout, followed by what the command printed.
pub fn run(command: &OsStr, input: String, stop: &AtomicBool) -> Result<Outcome, String> {
    let (child, output) = spawn(command, input).map_err(|e| format!("cannot run sh: {e}"))?;
    match wait(child, stop) {
        Ok(true) => Ok(Outcome::Delivered(collect(&output))),
        Ok(false) => Ok(Outcome::Interrupted),
        Err(why) => Err(match collect(&output).trim() {
            "" => why,
            printed => format!("{why}: {printed}"),
        }),
    }
}

fn spawn(command: &OsStr, input: String) -> io::Result<(Child, mpsc::Receiver<Vec<u8>>)> {
    let (read_end, write_end) = io::pipe()?;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).process_group(0);
    shell.stdin(Stdio::piped()).stdout(write_end.try_clone()?).stderr(write_end);
    for name in SECRETS.into_iter().chain(malloc::SETTINGS.map(|(name, _)| name)) {
        shell.env_remove(name);
    }
    let mut child = shell.spawn()?;
    drop(shell); // it holds the end of the pipe that the command writes to
    match attach(&mut child, input, read_end) {
        Ok(output) => Ok((child, output)),
        Err(e) => {
            kill(&mut child);
            Err(e)
        }
    }
}

/// Writes standard input and reads the output in two threads, because each may block for as long as the
/// command runs.
fn attach(child: &mut Child, input: String, output: PipeReader) -> io::Result<mpsc::Receiver<Vec<u8>>> {
    if let Some(mut pipe) = child.stdin.take() {
        // An error means that the command closed its end, which it may.
        let write = move || drop(pipe.write_all(input.as_bytes()));
        thread::Builder::new().name("alert input".into()).spawn(write)?;
    }
    let (sender, parts) = mpsc::sync_channel(MAX_OUTPUT);
    thread::Builder::new().name("alert output".into()).spawn(move || read_output(output, sender))?;
    Ok(parts)
}

/// Passes on as many parts as fit, and reads to the end, so that the command never blocks on a full pipe.
fn read_output(mut pipe: PipeReader, parts: mpsc::SyncSender<Vec<u8>>) {
    let mut buffer = [0; MAX_OUTPUT];
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        let _ = parts.try_send(buffer[..length].to_vec());
    }
}

/// Returns the start of the output. A background process that the command left behind can keep the pipe open, so
/// this waits only for `GRACE`.
fn collect(parts: &mpsc::Receiver<Vec<u8>>) -> String {
    let deadline = Instant::now() + GRACE;
    let mut bytes = Vec::new();
    while bytes.len() < MAX_OUTPUT
        && let Ok(more) = parts.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    {
        bytes.extend(more);
    }
    bytes.truncate(MAX_OUTPUT);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the command to exit and kills it when its time is up. Returns false if obs is stopping and killed it.
fn wait(mut child: Child, stop: &AtomicBool) -> Result<bool, String> {
    let (mut deadline, mut is_stopping) = (Instant::now() + TIMEOUT, false);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(true),
            Ok(Some(status)) => return Err(describe(status)),
            Ok(None) => {}
            Err(e) => return Err(format!("cannot wait for the command: {e}")),
        }
        if !is_stopping && stop.load(Relaxed) {
            (is_stopping, deadline) = (true, deadline.min(Instant::now() + STOP_TIMEOUT));
        }
        if Instant::now() >= deadline {
            kill(&mut child);
            let timed_out = Err(format!("timed out after {} seconds", TIMEOUT.as_secs()));
            return if is_stopping { Ok(false) } else { timed_out };
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => format!("killed by signal {}", status.signal().unwrap_or_default()),
    }
}

/// Kills the whole process group. Its number is the child's, which cannot be reused before the child is waited
/// for. (std cannot signal a group; `kill` in the shell can.)
fn kill(child: &mut Child) {
    let mut group = Command::new("sh");
    group.args(["-c", "kill -s KILL -- -$0", &child.id().to_string()]).stderr(Stdio::null());
    if !group.status().is_ok_and(|status| status.success()) {
        let _ = child.kill();
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(POLL_INTERVAL);
    }
}
