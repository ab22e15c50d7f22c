//! Addresses of the list: what is looked for, in which order, and over which period its activity is shown.
use crate::domain::Cursor;
use crate::query::{Field, Listing, Query, Sort, Term};
use crate::time::Time;

/// Bytes of an address that a form can bring back: it takes them percent-encoded, three times as long at worst.
const LONGEST_BACK: usize = 4000;

/// How far back the list's activity goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    #[default]
    Day,
    Fortnight,
}

impl Period {
    pub const ALL: [Period; 2] = [Period::Day, Period::Fortnight];

    /// As it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Period::Day => "24h",
            Period::Fortnight => "14d",
        }
    }

    pub fn of(text: &str) -> Option<Period> {
        Period::ALL.into_iter().find(|period| period.as_str() == text)
    }

    /// How many hours it has, the one that runs included. Days are whole ones of UTC.
    pub fn hours(self, now: Time) -> usize {
        match self {
            Period::Day => 24,
            Period::Fortnight => 13 * 24 + (now.hour() % 24) as usize + 1,
        }
    }
}

/// A page of the list, as it was asked for, and its neighbours' addresses.
#[derive(Clone, Copy)]
pub struct ListRequest<'a> {
    pub listing: &'a Listing,
    pub period: Period,
}

impl ListRequest<'_> {
    /// Another query from its start.
    pub fn with_query(&self, query: &Query) -> String {
        address(&query.to_string(), self.listing.sort, self.period, Cursor::Newest)
    }

    pub fn with_sort(&self, sort: Sort) -> String {
        address(&self.listing.text, sort, self.period, Cursor::Newest)
    }

    /// The same page beside another period.
    pub fn with_period(&self, period: Period) -> String {
        address(&self.listing.text, self.listing.sort, period, self.listing.cursor)
    }

    pub fn at(&self, cursor: Cursor) -> String {
        address(&self.listing.text, self.listing.sort, self.period, cursor)
    }

    /// Where a form on the page comes back to.
    pub fn back(&self) -> String {
        let here = self.at(self.listing.cursor);
        if here.len() > LONGEST_BACK { "/".into() } else { here }
    }
}

/// The list of issues with a field's value; `None` if no query that one can type asks for it.
pub fn with_value(field: Field, value: &str) -> Option<String> {
    let query = Query(vec![Term::Field(field, value.into())]);
    can_be_typed(&query).then(|| address(&query.to_string(), Sort::default(), Period::default(), Cursor::Newest))
}

/// Whether it is read as what it is. A value with a quotation mark is not.
pub fn can_be_typed(query: &Query) -> bool {
    Query::parse(&query.to_string()) == *query
}

/// What is the default is left out.
fn address(q: &str, sort: Sort, period: Period, cursor: Cursor) -> String {
    let place = match cursor {
        Cursor::Newest => None,
        Cursor::After(place) => Some(("after", place.to_string())),
        Cursor::Before(place) => Some(("before", place.to_string())),
    };
    let parts = [
        Some(("q", encode(q.trim()))).filter(|(_, q)| !q.is_empty()),
        (sort != Sort::default()).then(|| ("sort", sort.as_str().into())),
        (period != Period::default()).then(|| ("period", period.as_str().into())),
        place,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    if parts.is_empty() { "/".into() } else { format!("/?{}", parts.join("&")) }
}

/// For a URL's query, as a form would, but `:` and `/` stay readable.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b':' | b'/' => {
                encoded.push(byte.into())
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Position;

    #[test]
    fn what_is_the_default_is_left_out() {
        let place = Position { key: 7, id: 3 };
        assert_eq!(address(" ", Sort::LastSeen, Period::Day, Cursor::Newest), "/");
        let all = address("is:new \"é&#\"", Sort::Count, Period::Fortnight, Cursor::After(place));
        assert_eq!(all, "/?q=is:new+%22%C3%A9%26%23%22&sort=count&period=14d&after=7-3");
    }

    #[test]
    fn what_cannot_be_typed_has_no_address() {
        assert_eq!(with_value(Field::Environment, "north europe").as_deref(), Some("/?q=env:%22north+europe%22"));
        assert_eq!(with_value(Field::Environment, "a\"b"), None);
    }

    #[test]
    fn a_fortnight_is_of_whole_days() {
        let hours = |time| Period::Fortnight.hours(Time::parse(time).unwrap_or(Time::EPOCH));
        assert_eq!((hours("2026-11-24T00:10Z"), hours("2026-11-24T23:59Z")), (13 * 24 + 1, 14 * 24));
    }
}
