//! Parses a request head.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| obs::http::fuzz_head(bytes));
