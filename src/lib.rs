//! A minimal, self-hosted error tracker: one binary, one SQLite file.
//!
//! | module | its job |
//! |---|---|
//! | [`serve`] | runs the server from start to shutdown |
//! | [`banner`] | what obs prints once it is ready |
//! | [`config`] | the command line and the environment |
//! | [`alerts`] | runs the operator's command for each alert |
//! | [`web`] | obs as `http` sees it: routes, access, handlers, errors |
//! | [`transfer`] | `obs export` and `obs import` |
//! | [`views`] | the dashboard's pages, as HTML and as plain text |
//! | [`sourcemaps`] | which place of the source a place in a minified script stands for |
//! | [`store`] | the database: one SQLite file, one writer, several readers |
//! | [`query`] | what a search asks for |
//! | [`grouping`] | which events form one issue; its title and culprit |
//! | [`event`] | what a client sends, as an [`event::Event`] |
//! | [`domain`] | what the store returns: issues, events, pages of them |
//! | [`http`] | HTTP/1.1 over sockets; knows nothing of obs |
//! | [`text`], [`log`], [`time`] | small tools |
//! | [`malloc`] | settings of the memory allocator |
//!
//! Dependencies point down this table only, and no two files depend on each other. An event travels from `http` through
//! `web::ingest`, `event` and `grouping` to `store`, and back through `views`; `docs/tour.md` follows one.
//!
//! - Only `store` knows rusqlite.
//! - Only `views/html.rs` can build an `Html`, so unescaped text does not compile.
//! - Only `config` reads the environment (and `malloc`, for the allocator's own variables).
//! - Only `http` touches a socket (and `serve` names the addresses).
//! - `event`, `grouping` and `query` do no I/O.
//!
//! `tests/architecture.rs` enforces all of this.
#![forbid(unsafe_code)]

pub mod alerts;
pub mod banner;
pub mod config;
pub mod domain;
pub mod event;
pub mod grouping;
pub mod http;
pub mod log;
pub mod malloc;
pub mod query;
pub mod serve;
pub mod sourcemaps;
pub mod store;
pub mod text;
pub mod time;
pub mod transfer;
pub mod views;
pub mod web;
