//! The store without HTTP: events parsed beforehand and handed to the one writer by as many threads as would be connections.
use crate::events::{Ids, json};
use obs::event::Event;
use obs::store::{NewEvent, Store};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// An event as `handlers/ingest` makes it.
pub fn prepare(body: &str) -> NewEvent {
    let event = Event::parse(body.as_bytes()).expect("the bench's own event");
    NewEvent::new(event, String::new())
}

/// Events a second that `threads` can store between them.
pub fn rate(store: &Store, threads: usize, ids: Ids, events: usize) -> f64 {
    let each = events / threads;
    let ready = Barrier::new(threads + 1);
    thread::scope(|scope| {
        for thread in 0..threads {
            let ready = &ready;
            scope.spawn(move || {
                let new: Vec<_> = (0..each).map(|n| prepare(&json(ids.next(), thread * each + n, 100))).collect();
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

/// Stores the events from `from` to `to`, of `issues` kinds, as fast as can be.
pub fn fill(store: &Store, from: usize, to: usize, issues: usize) {
    const THREADS: usize = 256;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for n in (from + thread..to).step_by(THREADS) {
                    store.add(prepare(&json(Ids::Ordered.next(), n, issues))).expect("stored");
                }
            });
        }
    });
}
