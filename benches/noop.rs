//! The ceiling of ingest: a server with the same HTTP and the same parsing that stores nothing.
use obs::event::Event;
use obs::http::{Admission, App, Body, Denial, Limits, Refusal, Version, listen, serve};
use rouille::{Request, Response};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use uuid::Uuid;

struct Noop;

impl App for Noop {
    type Pass = ();

    fn admit(&self, _: &Request, _: Version) -> Result<Admission<()>, Denial> {
        Ok(Admission { pass: (), max_body: obs::event::MAX_EVENT, read_first: obs::event::MAX_EVENT })
    }

    fn handle(&self, (): (), _: &Request, body: Body) -> Response {
        match body.parse(Event::parse) {
            Ok(Ok(event)) => {
                let id = event.id.unwrap_or_else(Uuid::now_v7);
                obs::web::response::json(&serde_json::json!({ "id": id.to_string() })).with_status_code(201)
            }
            Ok(Err(rejection)) => Response::text(rejection.to_string()).with_status_code(400),
            Err(refusal) => self.refuse(refusal, None),
        }
    }

    fn refuse(&self, refusal: Refusal, _: Option<&str>) -> Response {
        Response::text("refused").with_status_code(refusal.status())
    }
}

/// Serves until it is killed.
pub fn run() -> io::Result<()> {
    let listener = listen(([127, 0, 0, 1], 0).into())?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    serve(vec![listener], Arc::new(Noop), Limits::default(), Arc::new(AtomicBool::new(false)))
}
