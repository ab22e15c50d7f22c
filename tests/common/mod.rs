//! Shared by the tests: starts the real binary on a free port with its own database, and a small HTTP client.
#![allow(dead_code)] // each test file is its own crate and uses only some of this
pub mod alerts;
pub mod bundle;
pub mod coding;
pub mod database;
pub mod load;
pub mod minified;
pub mod process;
pub mod rng;
pub mod sentry;
pub mod triage;

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub const KEY: &str = "test123";
/// How long a test waits for anything. Generous, so that tests pass on a machine under load.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A temporary folder, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("obs-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path); // left behind by a process of the same number that was killed
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The obs command, without any of the tester's own environment variables.
pub fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_obs"));
    command.args(args).env_clear().envs(env.iter().copied());
    command
}

/// A running server. Killed when dropped.
pub struct Obs {
    pub port: u16,
    pub database: PathBuf,
    child: Child,
    errors: Arc<Mutex<String>>,
    folder: Arc<Folder>,
}

impl Obs {
    /// Starts a server with the key [`KEY`] and an open dashboard.
    pub fn start() -> Obs {
        Obs::with(&[], &[("OBS_API_KEY", KEY)])
    }

    pub fn with(args: &[&str], env: &[(&str, &str)]) -> Obs {
        Obs::in_folder(Arc::new(Folder::new()), args, env)
    }

    pub fn in_folder(folder: Arc<Folder>, args: &[&str], env: &[(&str, &str)]) -> Obs {
        let database = folder.join("obs.sqlite");
        let mut all = vec!["--db", database.to_str().unwrap()];
        if !args.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(args);
        Obs::launch(folder, command(&all, env))
    }

    /// Starts a server with any command. `database` is correct only if the command uses `obs.sqlite` in that folder.
    pub fn launch(folder: Arc<Folder>, mut command: Command) -> Obs {
        let database = folder.join("obs.sqlite");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let port = first.split("listening on http://").nth(1).and_then(|rest| {
            let address = rest.split_whitespace().next()?;
            address.rsplit(':').next()?.parse().ok()
        });
        let errors = Arc::new(Mutex::new(first.clone()));
        let sink = errors.clone();
        thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|n| n > 0) {
                sink.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let Some(port) = port else {
            let _ = child.kill();
            panic!("obs did not start: {first}");
        };
        Obs { port, database, child, errors, folder }
    }

    /// Kills the server, as a crash would, and starts another on the same database.
    pub fn restart(mut self, args: &[&str], env: &[(&str, &str)]) -> Obs {
        self.kill();
        Obs::in_folder(self.folder.clone(), args, env)
    }

    pub fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The peak of resident memory in kB.
    pub fn peak_memory(&self) -> u32 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Everything written to standard error so far.
    pub fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// What the server prints once it is ready.
    pub fn banner(&self) -> String {
        eventually("the banner is complete", || Some(self.errors()).filter(|text| text.contains("\n  retention ")))
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        eventually("obs exits", || self.child.try_wait().unwrap())
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.port)
    }

    /// Sends one request on a new connection. `head` is the request line and the headers, without `Host` and `Content-Length`.
    pub fn send(&self, head: &str, body: &[u8]) -> Response {
        self.connect().send(head, body)
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(&format!("GET {path} HTTP/1.1"), b"")
    }

    /// The body of a response, which must be a 200.
    pub fn text(&self, path: &str) -> String {
        let response = self.get(path);
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.text()
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path)).unwrap()
    }

    pub fn post(&self, body: impl AsRef<[u8]>) -> Response {
        self.connect().post(body)
    }

    /// Sends an event, which must be accepted, and returns its id.
    pub fn add(&self, body: impl AsRef<[u8]>) -> String {
        let response = self.post(body);
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()["id"].as_str().unwrap().to_string()
    }

    /// Sends an event, which must be accepted, and reads it back.
    pub fn add_and_read(&self, body: impl AsRef<[u8]>) -> Value {
        let id = self.add(body);
        self.json(&format!("/api/events/{id}"))
    }

    /// The server's database, for checks that the API does not allow.
    pub fn sqlite(&self) -> rusqlite::Connection {
        open(&self.database)
    }
}

impl Drop for Obs {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn open(database: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

/// A connection that stays open from request to request.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(port: u16) -> Connection {
        Connection::to(("127.0.0.1", port))
    }

    pub fn to(address: impl ToSocketAddrs) -> Connection {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection(BufReader::new(stream))
    }

    pub fn send(&mut self, head: &str, body: &[u8]) -> Response {
        self.try_send(head, body).unwrap()
    }

    /// Returns `None` if the connection ends without a response.
    pub fn try_send(&mut self, head: &str, body: &[u8]) -> Option<Response> {
        let host = if head.to_ascii_lowercase().contains("\nhost:") { "" } else { "\r\nHost: localhost" };
        let length = if body.is_empty() { String::new() } else { format!("\r\nContent-Length: {}", body.len()) };
        let mut bytes = format!("{head}{host}{length}\r\n\r\n").into_bytes();
        bytes.extend(body);
        self.0.get_mut().write_all(&bytes).ok()?;
        self.read(head.starts_with("HEAD"))
    }

    pub fn post(&mut self, body: impl AsRef<[u8]>) -> Response {
        self.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}"), body.as_ref())
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).unwrap();
    }

    pub fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Waits until a response begins.
    pub fn first_byte(&mut self) {
        assert!(!self.0.fill_buf().unwrap().is_empty());
    }

    pub fn has_received_nothing(&mut self) -> bool {
        self.0.get_ref().set_nonblocking(true).unwrap();
        let nothing = self.0.get_ref().peek(&mut [0]).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
        self.0.get_ref().set_nonblocking(false).unwrap();
        nothing
    }

    pub fn end_writing(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).unwrap();
    }

    /// Reads the next response. Returns `None` if the connection ends first.
    pub fn read(&mut self, head_only: bool) -> Option<Response> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers =
            lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_ascii_lowercase(), v.to_string()));
        let mut response = Response { status, headers: headers.collect(), body: Vec::new() };
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        if !head_only && status != 304 {
            response.body.resize(length, 0);
            self.0.read_exact(&mut response.body).ok()?;
        }
        Some(response)
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The `error` field of a refusal.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_string()
    }
}

/// Polls until there is a value. Fails the test after [`PATIENCE`].
pub fn eventually<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = poll() {
            return value;
        }
        assert!(Instant::now() < deadline, "timed out: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Polls until the condition holds. Fails the test after [`PATIENCE`].
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    eventually(what, || condition().then_some(()));
}
