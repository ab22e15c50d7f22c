//! A small application behind the real server, and a client that sends raw bytes.
use obs::http::{self, Admission, App, Body, Denial, Limits, Refusal, Version};
use rouille::{Request, Response, ResponseBody};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Longer than anything here takes. A test that waits this long has failed.
pub const DEADLINE: Duration = Duration::from_secs(20);
pub const MAX_BODY: usize = 100_000;

#[derive(Default)]
pub struct Demo {
    pub working: AtomicUsize,
    pub guesses: AtomicUsize,
    pub log: Mutex<Vec<String>>,
    gate: Mutex<bool>,
    opened: Condvar,
}

impl Demo {
    /// Lets every request to `/wait` continue, now and later.
    pub fn open_gate(&self) {
        *self.gate.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub fn logged(&self, what: &str) -> bool {
        self.log.lock().unwrap().iter().any(|line| line.contains(what))
    }
}

impl App for Demo {
    type Pass = Version;

    fn admit(&self, request: &Request, version: Version) -> Result<Admission<Version>, Denial> {
        match request.header("X-Key") {
            Some(key @ ("wrong" | "guess")) => {
                let is_guess = key == "guess";
                self.guesses.fetch_add(is_guess.into(), SeqCst);
                Err(Denial { response: Response::text("wrong key").with_status_code(401), is_guess })
            }
            Some("panic") => panic!("requested by the test"),
            _ => Ok(Admission { pass: version, max_body: MAX_BODY, read_first: MAX_BODY }),
        }
    }

    fn handle(&self, version: Version, request: &Request, body: Body) -> Response {
        let body = body.parse(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap();
        let number = request.get_param("n").and_then(|n| n.parse().ok()).unwrap_or(0);
        match request.url().as_str() {
            "/panic" => panic!("requested by the test"),
            "/wait" => {
                self.working.fetch_add(1, SeqCst);
                let gate = self.gate.lock().unwrap();
                let _ = self.opened.wait_timeout_while(gate, DEADLINE, |open| !*open).unwrap();
                self.working.fetch_sub(1, SeqCst);
                Response::text("waited")
            }
            "/large" => Response::from_data("text/plain", vec![b'x'; number]),
            "/stream" => {
                let data = ResponseBody::from_reader(io::repeat(b'x').take(number as u64));
                Response { data, ..Response::text("") }
            }
            "/status" => Response::text("body").with_status_code(number as u16),
            "/headers" => Response::text("ok")
                .with_additional_header("X-Good", "good")
                .with_additional_header("X-Split", "a\r\nX-Injected: b")
                .with_additional_header("X Bad", "name")
                .with_additional_header("Content-Length", "999"),
            _ => {
                let (method, target) = (request.method().to_string(), request.raw_url());
                Response::text(format!("{version:?} {method} {target} {body}"))
            }
        }
    }

    fn refuse(&self, refusal: Refusal, target: Option<&str>) -> Response {
        let text = format!("{refusal:?} {}", target.unwrap_or("unknown"));
        let response = Response::text(text).with_status_code(refusal.status());
        match refusal {
            Refusal::Busy(_) => response.with_additional_header("Retry-After", "1"),
            _ => response,
        }
    }

    fn answered(&self, request: &Request, status: u16, _took: Duration) {
        self.log.lock().unwrap().push(format!("{} {status}", request.raw_url()));
    }

    fn trouble(&self, what: &str) {
        self.log.lock().unwrap().push(what.to_string());
    }
}

pub struct Server {
    pub addr: SocketAddr,
    pub app: Arc<Demo>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    pub fn start() -> Server {
        Server::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Server {
        let listener = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        Server::on(vec![listener], limits)
    }

    pub fn on(listeners: Vec<TcpListener>, limits: Limits) -> Server {
        let addr = listeners[0].local_addr().unwrap();
        let (app, stop) = (Arc::new(Demo::default()), Arc::new(AtomicBool::new(false)));
        let (its_app, its_stop) = (app.clone(), stop.clone());
        let thread = thread::spawn(move || http::serve(listeners, its_app, limits, its_stop));
        Server { addr, app, stop, thread: Some(thread) }
    }

    pub fn client(&self) -> Client {
        Client::to(self.addr)
    }

    /// Sends one request on a connection of its own.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.client().ask(request)
    }

    /// Returns true if a request on a new connection gets a 200. Reads only the status.
    pub fn serves(&self, request: &str) -> bool {
        let (mut socket, mut start) = (self.client().socket, [0; 12]);
        let exchanged = socket.write_all(request.as_bytes()).and_then(|()| socket.read_exact(&mut start));
        exchanged.is_ok() && &start == b"HTTP/1.1 200"
    }

    pub fn stop(&self) {
        self.stop.store(true, SeqCst);
    }

    /// Returns what `serve` returned.
    pub fn join(&mut self) -> io::Result<()> {
        let thread = self.thread.take().unwrap();
        until("serve returns", || thread.is_finished());
        thread.join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.app.open_gate();
    }
}

pub struct Client {
    pub socket: TcpStream,
    input: BufReader<TcpStream>,
}

#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn closes(&self) -> bool {
        self.header("Connection") == Some("close")
    }
}

impl Client {
    pub fn to(addr: SocketAddr) -> Client {
        let socket = TcpStream::connect(addr).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        let input = BufReader::new(socket.try_clone().unwrap());
        Client { socket, input }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Closes the sending side.
    pub fn half_close(&mut self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    pub fn answer(&mut self) -> Answer {
        let mut answer = self.answer_to_head();
        let mut body = Vec::new();
        match answer.header("Content-Length").map(|length| length.parse().unwrap()) {
            Some(length) => {
                body.resize(length, 0);
                self.input.read_exact(&mut body).unwrap();
            }
            None if matches!(answer.status, 100 | 204 | 304) => {}
            None => drop(self.input.read_to_end(&mut body).unwrap()),
        }
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    /// Reads only the head of an answer.
    pub fn answer_to_head(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.input.read_line(&mut head).unwrap() > 0, "the connection ended within a head: {head:?}");
        }
        let status = head.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        Answer { status, head, body: String::new() }
    }

    /// Reads everything up to the end of the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.input.read_to_end(&mut rest).unwrap();
        rest
    }

    /// Waits until the server has closed the connection without sending anything more.
    pub fn assert_closed(&mut self) {
        match self.input.read(&mut [0; 1]) {
            Ok(0) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            other => panic!("the connection is still open: {other:?}"),
        }
    }
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "timed out waiting until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

pub fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub fn chunked(body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}
