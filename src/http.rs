//! stub
use rouille::{Request, Response};
use std::{
    io,
    net::*,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}
pub enum Refusal {
    BadRequest(&'static str),
    Timeout,
    BodyTooLarge,
    HeadTooLarge,
    Busy(&'static str),
    Panicked,
}
pub struct Admission<P> {
    pub pass: P,
    pub max_body: usize,
}
pub trait App: Send + Sync + 'static {
    type Pass;
    fn admit(&self, request: &Request, version: Version) -> Result<Admission<Self::Pass>, Response>;
    fn handle(&self, pass: Self::Pass, request: &Request, body: Vec<u8>) -> Response;
    fn refuse(&self, refusal: Refusal, target: Option<&str>) -> Response;
    fn answered(&self, _request: &Request, _status: u16, _took: Duration) {}
    fn trouble(&self, _what: &str) {}
}
#[derive(Default)]
pub struct Limits {}
pub fn listen(a: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(a)
}
pub fn serve<A: App>(_l: Vec<TcpListener>, _app: Arc<A>, _limits: Limits, _stop: Arc<AtomicBool>) -> io::Result<()> {
    Ok(())
}
