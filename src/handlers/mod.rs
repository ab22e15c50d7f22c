//! Requests that were admitted, each into its answer.
pub mod acts;
pub mod api;
pub mod assets;
pub mod ingest;
pub mod pages;
