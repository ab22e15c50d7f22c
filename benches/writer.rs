//! The store without HTTP: threads hand parsed events to its writer, as connections would.
use crate::events::{Ids, uniform};
use obs::event::Event;
use obs::store::{NewEvent, Store};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// Parses and groups an event as `web/ingest` does.
pub fn prepare(body: &str) -> NewEvent {
    let event = Event::parse(body.as_bytes()).expect("the bench's own event");
    NewEvent::new(event, String::new())
}

/// Events per second that `threads` threads store between them.
pub fn rate(store: &Store, threads: usize, ids: Ids, issues: usize, events: usize) -> f64 {
    let each = events / threads;
    let ready = Barrier::new(threads + 1);
    thread::scope(|scope| {
        for thread in 0..threads {
            let ready = &ready;
            scope.spawn(move || {
                let new: Vec<_> = (0..each).map(|n| prepare(&uniform(ids.next(), thread * each + n, issues))).collect();
                ready.wait();
                for event in new {
                    store.add(event).expect("stored");
                }
                ready.wait();
            });
        }
        ready.wait();
        let begin = Instant::now();
        ready.wait();
        (each * threads) as f64 / begin.elapsed().as_secs_f64()
    })
}

/// Stores the events numbered `from` to `to` as fast as possible.
pub fn fill(store: &Store, from: usize, to: usize, event: fn(usize) -> String) {
    const THREADS: usize = 256;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for n in (from + thread..to).step_by(THREADS) {
                    store.add(prepare(&event(n))).expect("stored");
                }
            });
        }
    });
}
