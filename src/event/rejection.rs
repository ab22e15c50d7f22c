//! Why a body is not an event, in words for the client that sent it.
use std::fmt;

#[derive(Debug, PartialEq)]
pub enum Rejection {
    /// Not JSON, not UTF-8 or nested too deeply; says where.
    Json(String),
    /// JSON, but not an object.
    Shape,
    /// Neither a message nor a type.
    Empty,
    /// A field that cannot be ignored has the wrong type.
    Field { name: &'static str, expected: &'static str },
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Rejection::Json(what) => write!(f, "Invalid JSON: {what}"),
            Rejection::Shape => f.write_str("Invalid event: expected a JSON object"),
            Rejection::Empty => f.write_str("Missing required field: message"),
            Rejection::Field { name, expected } => write!(f, "Invalid field {name}: expected {expected}"),
        }
    }
}
