//! A server in a process of its own, and the memory and CPU time that Linux reports for it.
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Time from the start of the process to the line that says the server is listening.
    pub ready_after: Duration,
}

impl Server {
    /// Starts obs on a database, with further arguments.
    pub fn obs(database: &Path, args: &[&str]) -> io::Result<Server> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_obs"));
        command.args(args).args(["--listen", "127.0.0.1:0", "--db"]).arg(database);
        Server::start(command.env("OBS_API_KEY", crate::load::KEY))
    }

    /// Starts this program as the no-op server.
    pub fn noop() -> io::Result<Server> {
        Server::start(Command::new(std::env::current_exe()?).arg("noop"))
    }

    fn start(command: &mut Command) -> io::Result<Server> {
        let begin = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let mut errors = BufReader::new(child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?);
        errors.read_line(&mut line)?;
        let ready_after = begin.elapsed();
        let address =
            line.split("listening on http://").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        // Drains the log so that the pipe never fills.
        std::thread::spawn(move || io::copy(&mut errors, &mut io::sink()));
        let address = address.ok_or_else(|| io::Error::other(format!("the server did not start: {line}")))?;
        Ok(Server { child, address, ready_after })
    }

    /// Peak resident memory in bytes.
    pub fn peak_memory(&self) -> usize {
        memory(self.child.id(), "VmHWM:")
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> usize {
        memory(self.child.id(), "VmRSS:")
    }

    pub fn cpu(&self) -> Duration {
        cpu(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn memory(id: u32, field: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) << 10
}

/// CPU time that a process has used so far. Linux counts it in hundredths of a second.
pub fn cpu(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
