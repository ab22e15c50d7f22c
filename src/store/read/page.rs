//! Pages of a list, and columns whose text has a type of its own.
use crate::domain::{Cursor, Level, Page, Position};
use crate::time::Time;
use rusqlite::Row;

/// Rows of a page.
pub const PAGE: usize = 50;

/// Makes a page of the rows found on one side of a cursor: at most `PAGE`, and one more if the list goes on.
pub fn page<T>(cursor: Cursor, mut rows: Vec<T>, position: impl Fn(&T) -> Position) -> Page<T> {
    let goes_on = rows.len() > PAGE;
    rows.truncate(PAGE);
    if let Cursor::Before(_) = cursor {
        rows.reverse();
    }
    let first = rows.first().map(&position);
    let last = rows.last().map(position);
    let (newer, older) = match cursor {
        Cursor::Newest => (None, last.filter(|_| goes_on)),
        Cursor::After(_) => (first, last.filter(|_| goes_on)),
        Cursor::Before(_) => (first.filter(|_| goes_on), last),
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
