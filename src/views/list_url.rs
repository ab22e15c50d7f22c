//! URLs of the list: which issues it shows, in which order, and the period of its chart.
use crate::domain::Cursor;
use crate::query::{Listing, Query, Sort, Term};
use crate::time::Time;

/// Maximum bytes of a URL that a form can return to. In the form's body it is percent-encoded, which can triple it.
const MAX_BACK: usize = 4000;

/// How far back the list's chart goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    #[default]
    Day,
    Fortnight,
}

impl Period {
    pub const ALL: [Period; 2] = [Period::Day, Period::Fortnight];

    /// As written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Period::Day => "24h",
            Period::Fortnight => "14d",
        }
    }

    pub fn parse(text: &str) -> Option<Period> {
        Period::ALL.into_iter().find(|period| period.as_str() == text)
    }

    /// The number of hours, including the current one. Days are whole days in UTC.
    pub fn hours(self, now: Time) -> usize {
        match self {
            Period::Day => 24,
            Period::Fortnight => 13 * 24 + (now.hour() % 24) as usize + 1,
        }
    }
}

/// The page of the list that was requested.
#[derive(Clone, Copy)]
pub struct ListRequest<'a> {
    pub listing: &'a Listing,
    pub period: Period,
    /// After how many seconds the page loads again.
    pub refresh: Option<u32>,
}

impl ListRequest<'_> {
    /// The first page of another query.
    pub fn with_query(&self, query: &Query) -> String {
        self.url(&query.to_string(), self.listing.sort, self.period, Cursor::Newest)
    }

    /// The first page in another order.
    pub fn with_sort(&self, sort: Sort) -> String {
        self.url(&self.listing.text, sort, self.period, Cursor::Newest)
    }

    /// The same page with another period.
    pub fn with_period(&self, period: Period) -> String {
        self.url(&self.listing.text, self.listing.sort, period, self.listing.cursor)
    }

    /// Another page of the same list.
    pub fn at(&self, cursor: Cursor) -> String {
        self.url(&self.listing.text, self.listing.sort, self.period, cursor)
    }

    /// The same page, loaded again after so many seconds.
    pub fn with_refresh(&self, refresh: Option<u32>) -> String {
        ListRequest { refresh, ..*self }.at(self.listing.cursor)
    }

    fn url(&self, q: &str, sort: Sort, period: Period, cursor: Cursor) -> String {
        url(q, kept(sort, period, self.refresh), cursor)
    }

    /// Where a form on the page returns to.
    pub fn back(&self) -> String {
        let here = self.at(self.listing.cursor);
        if here.len() > MAX_BACK { "/".into() } else { here }
    }

    /// This list, for the pages that it links to.
    pub fn carried(&self) -> CameFrom {
        CameFrom(self.back().strip_prefix("/?").unwrap_or_default().to_string())
    }

    /// The parameters that a new search keeps.
    pub fn kept(&self) -> impl Iterator<Item = (&'static str, String)> {
        kept(self.listing.sort, self.period, self.refresh)
    }
}

/// The list from which a reader came, by its parameters. The pages of issues and events carry it along as `?list=`.
#[derive(Clone, Debug, Default)]
pub struct CameFrom(pub String);

impl CameFrom {
    /// The list as it was filtered.
    pub fn list(&self) -> String {
        if self.0.is_empty() { "/".into() } else { format!("/?{}", self.0) }
    }

    /// The address of an issue or an event that leads back to the list.
    pub fn along(&self, path: &str) -> String {
        let separator = if path.contains('?') { '&' } else { '?' };
        if self.0.is_empty() { path.into() } else { format!("{path}{separator}list={}", encode(&self.0)) }
    }
}

/// Some of an issue's events.
pub fn events_of(issue: i64, query: &Query, cursor: Cursor) -> String {
    format!("/issues/{issue}{}", &url(&query.to_string(), std::iter::empty(), cursor)[1..])
}

/// The list of issues that match a term.
pub fn matching(term: Term) -> String {
    let query = Query(vec![term]);
    url(&query.to_string(), std::iter::empty(), Cursor::Newest)
}

/// As parameters, unless they are the defaults.
fn kept(sort: Sort, period: Period, refresh: Option<u32>) -> impl Iterator<Item = (&'static str, String)> {
    let sort = (sort != Sort::default()).then(|| ("sort", sort.as_str().into()));
    let period = (period != Period::default()).then(|| ("period", period.as_str().into()));
    sort.into_iter().chain(period).chain(refresh.map(|seconds| ("refresh", seconds.to_string())))
}

fn url(q: &str, kept: impl Iterator<Item = (&'static str, String)>, cursor: Cursor) -> String {
    let q = Some(q.trim()).filter(|q| !q.is_empty()).map(|q| format!("q={}", encode(q)));
    let position = match cursor {
        Cursor::Newest => None,
        Cursor::After(position) => Some(format!("after={position}")),
        Cursor::Before(position) => Some(format!("before={position}")),
    };
    let kept = kept.map(|(name, value)| format!("{name}={value}"));
    let parameters: Vec<String> = q.into_iter().chain(kept).chain(position).collect();
    if parameters.is_empty() { "/".into() } else { format!("/?{}", parameters.join("&")) }
}

/// Encodes a value as a form does, except that `:` and `/` stay readable.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-._*:/".contains(&byte) => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Position;
    use crate::query::Field;

    #[test]
    fn defaults_are_left_out() {
        let place = Position { key: 7, id: 3 };
        assert_eq!(url(" ", kept(Sort::LastSeen, Period::Day, None), Cursor::Newest), "/");
        let all = url("is:new \"é&#\"", kept(Sort::Count, Period::Fortnight, Some(30)), Cursor::After(place));
        assert_eq!(all, "/?q=is:new+%22%C3%A9%26%23%22&sort=count&period=14d&refresh=30&after=7-3");
    }

    #[test]
    fn every_value_has_a_url() {
        let url = |value: &str| matching(Term::Field(Field::Environment, value.into()));
        assert_eq!(url("north europe"), "/?q=env:%22north+europe%22");
        assert_eq!(url("a\"b"), "/?q=env:%22a%22%22b%22");
    }

    #[test]
    fn a_fortnight_consists_of_whole_days() {
        let hours = |time| Period::Fortnight.hours(Time::parse(time).unwrap_or(Time::EPOCH));
        assert_eq!((hours("2026-11-24T00:10Z"), hours("2026-11-24T23:59Z")), (13 * 24 + 1, 14 * 24));
    }
}
