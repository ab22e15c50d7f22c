//! A minimal, self-hosted error tracker: one binary, one SQLite file.
//!
//! An event's way, from socket to SQLite and back to a page:
//!
//! | module | its one job |
//! |---|---|
//! | [`malloc`] | what memory goes back to the system |
//! | [`start`] | from a `Config` to a server that runs, and back down in order |
//! | [`transfer`] | events out of a database as JSON Lines, and back into one |
//! | [`config`] | flags and environment into a `Config`; the help text |
//! | [`alerts`] | the operator's command, run for each alert at a pace |
//! | [`server`] | obs as `http` sees it |
//! | [`routes`] | one `match` on method and path, decided before the body is read |
//! | [`handlers`] | an admitted request into its answer |
//! | [`state`] | what all requests share |
//! | [`auth`] | ingest keys, the dashboard's password, what counts as this machine |
//! | [`rate`] | how many events a key may send |
//! | [`error`] | all that can go wrong with a request, and its one rendering |
//! | [`response`] | answers of each kind, with their headers; page or text |
//! | [`views`], [`html`] | domain values into pages which cannot hold unescaped text |
//! | [`store`] | one SQLite file: the writer, readers, migrations, backup; export and import |
//! | [`query`] | what a reader looks for; pure |
//! | [`grouping`] | an event's key, title and culprit; pure |
//! | [`event`] | what was sent into an event: parsing and limits; pure |
//! | [`frame`] | an event's stack trace |
//! | [`domain`] | what the store gives back |
//! | [`http`] | HTTP/1.1 from sockets to rouille's `Request` and back; knows nothing of obs |
//! | [`json`], [`time`], [`log`] | small tools |
//!
//! Dependencies point down this list only. Only `store` knows rusqlite, only `html` builds `Html`, only `config` reads
//! the environment (and `malloc`, for the allocator), only `http` and `start` touch a socket; `event` and `grouping` do no
//! I/O. `tests/architecture.rs` holds all that.
#![forbid(unsafe_code)]

pub mod alerts;
pub mod config;
pub mod domain;
pub mod event;
pub mod grouping;
pub mod http;
pub mod log;
pub mod malloc;
pub mod query;
pub mod serve;
pub mod store;
pub mod text;
pub mod time;
pub mod transfer;
pub mod views;
pub mod web;
