//! Few issues among which all are that a query asks for, where an index tells that soon.
use super::Error;
use crate::query::{Field, Is, Query, Term};
use rusqlite::{Connection, Params, params};
use std::time::{Duration, Instant};

/// More than these are not sorted.
const FEW: usize = 10_000;
/// How long the index of texts is looked through, and how many ids of issues at a time.
const TIME: Duration = Duration::from_millis(25);
const STRIDE: i64 = 1 << 17;
/// Three letters in a row: what that index is made of. More of them find less, and each takes its time.
const LETTERS: usize = 3;
const TRIGRAMS: usize = 6;

const HAD: &str = "SELECT issue_id FROM issue_values INDEXED BY issue_values_by_value WHERE kind = ? AND value = ?";
/// By that index: else all issues are read.
const REOPENED: &str = "SELECT id FROM issues INDEXED BY issues_reopened WHERE reopened_at IS NOT NULL";
const NOT_INDEXED: &str = "SELECT id FROM issues WHERE id > ?";
const INDEXED: &str = "SELECT rowid FROM issue_text WHERE issue_text MATCH ? AND rowid > ? AND rowid <= ?";

/// The issues that the first term that leaves few of them leaves, as a JSON array of ids.
pub fn narrow(connection: &Connection, query: &Query) -> Result<Option<String>, Error> {
    for term in &query.0 {
        let ids = match term {
            Term::Field(field, value) => match kind(*field) {
                Some(kind) => ids(connection, HAD, params![kind, value])?,
                None => continue,
            },
            Term::Is(Is::Reopened) => ids(connection, REOPENED, [])?,
            Term::Is(_) | Term::Text(_) => continue,
        };
        if ids.len() <= FEW {
            return Ok(Some(json_array(&ids)));
        }
    }
    let texts = query.0.iter().filter_map(|term| if let Term::Text(text) = term { Some(text.as_str()) } else { None });
    let words = trigrams(&texts.collect::<Vec<_>>());
    if words.is_empty() {
        return Ok(None);
    }
    Ok(by_text(connection, &words)?.map(|ids| json_array(&ids)))
}

/// The fields of which all values that ever came are kept.
pub fn kind(field: Field) -> Option<&'static str> {
    match field {
        Field::Environment => Some("environment"),
        Field::Release => Some("release"),
        Field::Server => Some("server_name"),
        _ => None,
    }
}

/// At most one more than are few.
fn ids(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<i64>, Error> {
    let mut statement = connection.prepare_cached(&format!("{sql} LIMIT {}", FEW + 1))?;
    let ids = statement.query_map(values, |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn json_array(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("[{}]", ids.join(","))
}

/// Issues with all trigrams, wherever, and those that are not indexed yet. None: they are many, or it takes long to tell.
fn by_text(connection: &Connection, words: &str) -> Result<Option<Vec<i64>>, Error> {
    let begin = Instant::now();
    let newest = "SELECT searchable FROM totals";
    let newest: i64 = connection.prepare_cached(newest)?.query_row([], |row| row.get(0))?;
    let mut found = ids(connection, NOT_INDEXED, [newest])?;
    let mut from = 0;
    while from <= newest && found.len() <= FEW && begin.elapsed() < TIME {
        found.extend(ids(connection, INDEXED, params![words, from, from + STRIDE])?);
        from += STRIDE;
    }
    Ok((from > newest && found.len() <= FEW).then_some(found))
}

/// Some of each text, from all over it, in the language of the index (which ends at a NUL, and has a quote for its
/// quotes, which no query has). Texts of one or two letters have none.
fn trigrams(texts: &[&str]) -> String {
    let all = |text: &&str| {
        let letters: Vec<char> = text.to_ascii_lowercase().chars().collect();
        let all = letters.windows(LETTERS).filter(|three| !three.contains(&'\0'));
        all.map(|three| format!("\"{}\"", three.iter().collect::<String>())).collect::<Vec<_>>()
    };
    let texts: Vec<_> = texts.iter().map(all).filter(|all| !all.is_empty()).take(TRIGRAMS).collect();
    let share = TRIGRAMS / texts.len().max(1);
    let some = texts.iter().flat_map(|all| all.iter().step_by(all.len().div_ceil(share)).map(String::as_str));
    some.collect::<Vec<_>>().join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::trigrams;

    #[test]
    fn texts_that_are_too_short_leave_their_share_to_the_others() {
        assert_eq!(trigrams(&["a", "be", "c", "d", "e", "f", "g", "Rarely"]), r#""rar" AND "are" AND "rel" AND "ely""#);
        assert_eq!(trigrams(&["a", "be", ""]), "");
        assert_eq!(trigrams(&["abcd", "x", "fghij"]), r#""abc" AND "bcd" AND "fgh" AND "ghi" AND "hij""#);
    }
}
