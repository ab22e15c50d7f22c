//! Parses an event and its frames, and checks that grouping is deterministic.
#![no_main]
use obs::event::frame::Frame;
use obs::event::{Event, MAX_MESSAGE};
use obs::grouping::{Input, group};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = Event::parse(bytes) else { return };
    assert!(event.message.chars().count() <= MAX_MESSAGE);
    let frames = event.stacktrace.as_deref().map(Frame::parse).unwrap_or_default();
    let group = || {
        group(&Input {
            message: &event.message,
            r#type: event.r#type.as_deref(),
            fingerprint: event.fingerprint.as_ref().map(|fingerprint| fingerprint.entries.as_slice()),
            frames: &frames,
        })
    };
    let (first, second) = (group(), group());
    assert_eq!((first.hash, first.title), (second.hash, second.title));
});
