//! Pages of a list, and columns whose text has a type of its own.
use crate::domain::{Cursor, Level, Page, Position};
use crate::time::Time;
use rusqlite::Row;

/// Rows of a page.
pub const PAGE: usize = 50;

/// Which rows come next, as SQL: their side of a position, and the order in which to read them.
pub fn side(cursor: Cursor) -> (&'static str, Position, &'static str) {
    match cursor {
        Cursor::Newest => ("<=", Position { key: i64::MAX, id: i64::MAX }, "DESC"),
        Cursor::After(position) => ("<", position, "DESC"),
        Cursor::Before(position) => (">", position, "ASC"),
    }
}

/// Makes a page of what was found on one side of a cursor, from `first` to `last` in the order in which it was read.
pub fn page<T>(
    cursor: Cursor,
    mut rows: Vec<T>,
    first: Option<Position>,
    last: Option<Position>,
    goes_on: bool,
) -> Page<T> {
    let next = last.filter(|_| goes_on);
    let (newer, older) = match cursor {
        Cursor::Newest => (None, next),
        Cursor::After(_) => (first, next),
        Cursor::Before(_) => {
            rows.reverse();
            (next, first)
        }
    };
    Page { rows, newer, older }
}

/// Anyone can write to the file. A time that obs has not written reads as 1970 and does not hide its row.
pub fn time(row: &Row, column: usize) -> rusqlite::Result<Time> {
    Ok(time_or_null(row, column)?.unwrap_or(Time::EPOCH))
}

pub fn time_or_null(row: &Row, column: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.and_then(Time::parse))
}

pub fn level(row: &Row, column: usize) -> rusqlite::Result<Level> {
    Ok(Level::parse(row.get_ref(column)?.as_str()?).unwrap_or(Level::Error))
}
