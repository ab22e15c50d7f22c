//! Writing: one thread takes what is queued, commits it together and answers everyone who waits.
pub mod batch;
pub mod incoming;
mod queue;
pub mod thread;
