//! The HTTP server, tested with raw bytes over a socket.
#[path = "http/answers.rs"]
mod answers;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/connections.rs"]
mod connections;
#[path = "http/heads.rs"]
mod heads;
#[path = "http/lifetime.rs"]
mod lifetime;
#[path = "http/server.rs"]
mod server;
