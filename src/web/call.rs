//! An admitted request as a handler sees it: the parameters of its path and query, and who sent it.
use super::auth::Sender;
use super::error::Error;
use crate::domain::{Cursor, Position};
use crate::query::{Listing, Query, Sort};
use crate::views::{Done, Period};
use rouille::Request;
use std::ops::RangeInclusive;

/// Maximum length of a parameter such as `?q=` in characters. The rest is ignored.
pub const MAX_QUERY: usize = 1000;
/// How often the list may reload, in seconds.
const REFRESH: RangeInclusive<u32> = 10..=3600;

pub struct Call<'a> {
    pub request: &'a Request,
    pub path: PathParams,
    pub sender: Sender,
}

/// The values of a route's path parameters. A parameter that the route does not have keeps its default.
#[derive(Default)]
pub struct PathParams {
    /// `:issue`, an issue's id.
    pub issue: i64,
    /// `:event`, an event's id in its stored form.
    pub event: String,
    /// `:map`, a source map's id.
    pub map: i64,
    /// `*`, the rest of the path.
    pub rest: String,
}

impl Call<'_> {
    /// `?q=`, `?sort=` and the cursor: which page of the list of issues.
    pub fn listing(&self) -> Result<Listing, Error> {
        let text = self.text("q");
        let query = Query::parse(&text);
        let sort = self.request.get_param("sort").map_or(Some(Sort::default()), |sort| Sort::parse(&sort));
        let sort =
            sort.ok_or_else(|| Error::Bad("Invalid sort: expected last_seen, first_seen, count or day".into()))?;
        Ok(Listing { query, text, sort, cursor: self.cursor()? })
    }

    /// A parameter of the query; empty if it is absent.
    pub fn text(&self, name: &str) -> String {
        let text = self.request.get_param(name).unwrap_or_default();
        crate::text::head(&text, MAX_QUERY).to_string()
    }

    /// Where a page of a list begins: `?after=`, which the contract promises, or `?before=`, which only pages use.
    pub fn cursor(&self) -> Result<Cursor, Error> {
        let position = |name| {
            let position = self.request.get_param(name).map(|text| text.parse::<Position>()).transpose();
            position.map_err(|()| Error::Bad(format!("Invalid cursor: {name}")))
        };
        match (position("after")?, position("before")?) {
            (None, None) => Ok(Cursor::Newest),
            (Some(after), None) => Ok(Cursor::After(after)),
            (None, Some(before)) => Ok(Cursor::Before(before)),
            (Some(_), Some(_)) => Err(Error::Bad("Invalid cursor: either after or before".into())),
        }
    }

    /// `?did=…`: what a form did before it returned to the page.
    pub fn done(&self) -> Option<Done> {
        Done::parse(|name| self.request.get_param(name))
    }

    /// `?refresh=`, in seconds.
    pub fn refresh(&self) -> Result<Option<u32>, Error> {
        let Some(text) = self.request.get_param("refresh") else { return Ok(None) };
        let seconds = text.parse().ok().filter(|seconds| REFRESH.contains(seconds));
        seconds.map(Some).ok_or_else(|| Error::Bad("Invalid refresh: expected 10 to 3600 seconds".into()))
    }

    /// `?period=24h` or `14d`.
    pub fn period(&self) -> Result<Period, Error> {
        let period = self.request.get_param("period").map_or(Some(Period::default()), |period| Period::parse(&period));
        period.ok_or_else(|| Error::Bad("Invalid period: expected 24h or 14d".into()))
    }
}
