//! What a search asks for: the words of `q`, and the order of the list. Pure. Nothing that a user types is an error:
//! anything that is not a known filter is text.
use crate::domain::{Cursor, IssueState, Level};
use crate::event::parse_id;
use crate::text;
use std::fmt::{self, Display};

/// Maximum number of terms. The rest is ignored.
const MAX_TERMS: usize = 20;

/// Every term must match.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query(pub Vec<Term>);

#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Is(Is),
    /// The exact value of a field. An issue without a project has an empty one.
    Field(Field, String),
    /// The exact value of a tag, by the tag's name; text like any other if no event has that tag.
    Tag(String, String),
    /// A word or a phrase, without regard to case.
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Is {
    State(IssueState),
    /// In any state. A query that names no state asks for open issues.
    Any,
    /// First seen within a day.
    New,
    /// Reopened by an event.
    Reopened,
    /// Its newest event was caught by nobody.
    Unhandled,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field {
    Level,
    Environment,
    Platform,
    Release,
    Server,
    Project,
    Type,
    User,
}

/// The values of `is:`.
const IS: [(&str, Is); 7] = [
    ("open", Is::State(IssueState::Open)),
    ("resolved", Is::State(IssueState::Resolved)),
    ("ignored", Is::State(IssueState::Ignored)),
    ("any", Is::Any),
    ("new", Is::New),
    ("reopened", Is::Reopened),
    ("unhandled", Is::Unhandled),
];

/// The names of the filters.
const FIELDS: [(&str, Field); 8] = [
    ("level", Field::Level),
    ("env", Field::Environment),
    ("platform", Field::Platform),
    ("release", Field::Release),
    ("server", Field::Server),
    ("project", Field::Project),
    ("type", Field::Type),
    ("user", Field::User),
];

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, other)| other == value).map_or("", |(name, _)| name)
}

fn named<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
}

impl Query {
    pub fn parse(text: &str) -> Query {
        let mut terms = terms(text);
        terms.truncate(MAX_TERMS);
        Query(terms)
    }

    /// The states that match. An issue has only one, so a query that names two matches none.
    pub fn states(&self) -> Vec<IssueState> {
        let any = self.0.contains(&Term::Is(Is::Any));
        let state = |term: &Term| if let Term::Is(Is::State(state)) = term { Some(*state) } else { None };
        let named: Vec<IssueState> = self.0.iter().filter_map(state).collect();
        let named = if named.is_empty() && !any { vec![IssueState::Open] } else { named };
        IssueState::ALL.into_iter().filter(|state| named.iter().all(|name| name == state)).collect()
    }

    /// The same query with another state, or without one.
    pub fn with_state(&self, is: Option<Is>) -> Query {
        self.replace(is.map(Term::Is), |term| matches!(term, Term::Is(Is::State(_) | Is::Any)))
    }

    /// The same query with another value for a field, or without one.
    pub fn with_field(&self, field: Field, value: Option<&str>) -> Query {
        let term = value.map(|value| Term::Field(field, value.into()));
        self.replace(term, |term| matches!(term, Term::Field(other, _) if *other == field))
    }

    pub fn without(&self, term: &Term) -> Query {
        self.replace(None, |other| other == term)
    }

    pub fn with(&self, term: Term) -> Query {
        self.replace(Some(term.clone()), |other| *other == term)
    }

    fn replace(&self, new: Option<Term>, is_replaced: impl Fn(&Term) -> bool) -> Query {
        let others = self.0.iter().filter(|term| !is_replaced(term)).cloned();
        Query(others.chain(new).collect())
    }

    /// The id of an event, if the query is nothing else.
    pub fn event_id(&self) -> Option<String> {
        match self.0.as_slice() {
            [Term::Text(text)] => parse_id(text).map(|id| id.to_string()),
            _ => None,
        }
    }

    /// True if it asks for nothing but a state and a project, which are counted.
    pub fn is_counted(&self) -> bool {
        let is_project = |term: &&Term| matches!(term, Term::Field(Field::Project, _));
        let is_state = |term: &&Term| matches!(term, Term::Is(Is::State(_) | Is::Any));
        self.0.iter().all(|term| is_state(&term) || is_project(&term)) && self.0.iter().filter(is_project).count() < 2
    }

    /// The value that a field must have, if the query names one.
    pub fn value(&self, field: Field) -> Option<&str> {
        self.0.iter().find_map(|term| match term {
            Term::Field(other, value) if *other == field => Some(value.as_str()),
            _ => None,
        })
    }
}

/// As a user would type it.
impl Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let terms: Vec<String> = self.0.iter().map(Term::to_string).collect();
        f.write_str(&terms.join(" "))
    }
}

impl Term {
    fn new(name: Option<&str>, text: &str) -> Term {
        let Some(name) = name else { return Term::Text(text.into()) };
        let term = match named(&FIELDS, name) {
            None if name == "is" => named(&IS, &text.to_ascii_lowercase()).map(Term::Is),
            None => (!text.is_empty()).then(|| Term::Tag(name.into(), text.into())),
            Some(Field::Level) => Level::parse(text).map(|level| Term::Field(Field::Level, level.as_str().into())),
            Some(field) => (!text.is_empty() || field == Field::Project).then(|| Term::Field(field, text.into())),
        };
        term.unwrap_or_else(|| Term::Text(format!("{name}:{text}")))
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let value = |text: &str| if is_plain(text) { text.to_string() } else { quoted(text) };
        match self {
            Term::Is(is) => write!(f, "is:{}", name_of(&IS, is)),
            Term::Field(field, text) => write!(f, "{}:{}", name_of(&FIELDS, field), value(text)),
            Term::Tag(name, text) => write!(f, "{name}:{}", value(text)),
            Term::Text(text) if text.contains(':') => f.write_str(&quoted(text)),
            Term::Text(text) => f.write_str(&value(text)),
        }
    }
}

/// True for text that needs no quotes.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c == '"')
}

/// Splits a query into terms: each perhaps a name and a colon, then a text, which may be quoted.
fn terms(query: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = query.trim_start();
    while !rest.is_empty() {
        let name = rest.split_once(':').map(|(name, _)| name).filter(|name| !name.is_empty() && is_plain(name));
        let after = name.map_or(rest, |name| &rest[name.len() + 1..]);
        let (text, tail) = unquote(after).unwrap_or_else(|| {
            let (word, tail) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
            (word.to_string(), tail)
        });
        let text = text::trim(&text);
        if name.is_some() || !text.is_empty() {
            terms.push(Term::new(name, text));
        }
        rest = tail.trim_start();
    }
    terms
}

/// Reads a quoted text, in which a quote is doubled, and returns it with what follows. The last quote may be missing.
fn unquote(rest: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = rest.strip_prefix('"')?;
    loop {
        let (part, tail) = rest.split_once('"').unwrap_or((rest, ""));
        text.push_str(part);
        let Some(tail) = tail.strip_prefix('"') else { return Some((text, tail)) };
        text.push('"');
        rest = tail;
    }
}

/// The order of a list, largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    LastSeen,
    FirstSeen,
    Count,
    /// Events of the last 24 hours.
    Day,
}

/// The values of `sort=`.
const SORTS: [(&str, Sort); 4] =
    [("last_seen", Sort::LastSeen), ("first_seen", Sort::FirstSeen), ("count", Sort::Count), ("day", Sort::Day)];

impl Sort {
    pub fn as_str(self) -> &'static str {
        name_of(&SORTS, &self)
    }

    pub fn parse(text: &str) -> Option<Sort> {
        named(&SORTS, text)
    }
}

/// A page of the issue list, as a request asks for it.
#[derive(Clone, Debug)]
pub struct Listing {
    pub query: Query,
    /// The query as the user typed it.
    pub text: String,
    pub sort: Sort,
    pub cursor: Cursor,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        Query::parse(text).0.iter().map(|term| format!("{term:?}")).collect()
    }

    #[test]
    fn anything_that_is_not_a_known_filter_is_text() {
        for text in ["level:loud", "is:gone", "env:", "colour:red", "http://x", ":", "\"", "is:", "Level:error", "::"] {
            let terms = Query::parse(text).0;
            assert!(terms.iter().all(|term| matches!(term, Term::Text(_) | Term::Tag(..))), "{text}: {terms:?}");
        }
        assert_eq!(Query::parse("os.name:\"Plan 9\"").0, [Term::Tag("os.name".into(), "Plan 9".into())]);
        assert_eq!(read("  "), [""; 0]);
    }

    #[test]
    fn filters_words_and_phrases_are_told_apart() {
        let query =
            Query::parse(r#"is:resolved level:ERROR env:"north europe" time "dead lock" release:1.0 type:*os.Path"#);
        assert_eq!(
            query.0,
            [
                Term::Is(Is::State(IssueState::Resolved)),
                Term::Field(Field::Level, "error".into()),
                Term::Field(Field::Environment, "north europe".into()),
                Term::Text("time".into()),
                Term::Text("dead lock".into()),
                Term::Field(Field::Release, "1.0".into()),
                Term::Field(Field::Type, "*os.Path".into()),
            ]
        );
        assert_eq!(Query::parse(&query.to_string()), query, "as a user would type it");
        let odd = ["a\tb", "level:error", "say \"hi\"", "\""].map(|text| Term::Text(text.into()));
        let values = ["\"prod\"", "eu \"1\" x", "a\"b"].map(|value| Term::Field(Field::Environment, value.into()));
        let odd = Query(odd.into_iter().chain(values).collect());
        assert_eq!(Query::parse(&odd.to_string()), odd, "{odd}");
        assert_eq!(read(r#"env:" prod " "open end"#), read("env:prod \"open end\""));
    }

    #[test]
    fn a_query_without_a_state_asks_for_open_issues() {
        let states = |text| Query::parse(text).states();
        assert_eq!(states(""), [IssueState::Open]);
        assert_eq!(states("is:new x"), [IssueState::Open]);
        assert_eq!(states("is:ignored"), [IssueState::Ignored]);
        assert_eq!(states("is:any"), IssueState::ALL);
        assert_eq!(states("is:any is:open"), [IssueState::Open]);
        assert_eq!(states("is:open is:resolved"), []);
    }

    #[test]
    fn a_term_replaces_another_of_its_kind() {
        let query = Query::parse("a level:error env:x");
        assert_eq!(query.with_field(Field::Level, Some("info")).to_string(), "a env:x level:info");
        assert_eq!(query.with_field(Field::Environment, None).to_string(), "a level:error");
        assert_eq!(query.with_state(Some(Is::Any)).to_string(), "a level:error env:x is:any");
        assert_eq!(query.without(&query.0[0]).to_string(), "level:error env:x");
    }
}
