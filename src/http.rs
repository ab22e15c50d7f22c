//! HTTP/1.1 from sockets to rouille's `Request` and back.
