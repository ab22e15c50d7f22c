//! Whole pages, built from values.
#[path = "views/carried.rs"]
mod carried;
#[path = "views/every_page.rs"]
mod every_page;
#[path = "views/issue_and_event.rs"]
mod issue_and_event;
#[path = "views/list.rs"]
mod list;
#[path = "views/samples.rs"]
mod samples;
