//! The SQL function `contains`, which searches texts without regard to case in any script. SQLite's LIKE folds ASCII only.
use crate::text::fold;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

/// Adds `contains(needle, text, …)`: true if one of the texts contains the needle, which is folded already.
pub fn add_to(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("contains", -1, flags, |arguments| {
        let text = |at: usize| match arguments.get_raw(at) {
            ValueRef::Text(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        };
        let needle = text(0).unwrap_or_default();
        Ok((1..arguments.len()).filter_map(text).any(|text| fold(text).contains(needle)))
    })
}
