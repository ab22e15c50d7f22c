#![forbid(unsafe_code)]
pub mod domain;
pub mod frame;
pub mod grouping;
pub mod html;
pub mod http;
pub mod json;
pub mod time;
pub mod views;
