//! What a reader looks for: the words of `q`, and the order. Pure. Nothing that is typed is an error: what is no known
//! token is text.
use crate::domain::{Cursor, IssueState, Level};
use crate::event::parse_id;
use std::fmt::{self, Display};

/// Terms that count. More are left out: nobody types them.
const MOST: usize = 20;

/// All of its terms must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query(pub Vec<Term>);

#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Is(Is),
    /// A field's value, exactly. An issue without a project has an empty one.
    Field(Field, String),
    /// Anywhere in the title or the culprit, ASCII case aside.
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Is {
    State(IssueState),
    /// In whatever state. Without a state, open ones are meant.
    Any,
    /// First seen within a day.
    New,
    /// Open again since an event came after it was resolved.
    Reopened,
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
}

impl Field {
    pub const ALL: [Field; 7] =
        [Field::Level, Field::Environment, Field::Platform, Field::Release, Field::Server, Field::Project, Field::Type];

    pub fn name(self) -> &'static str {
        match self {
            Field::Level => "level",
            Field::Environment => "env",
            Field::Platform => "platform",
            Field::Release => "release",
            Field::Server => "server",
            Field::Project => "project",
            Field::Type => "type",
        }
    }
}

impl Is {
    const ALL: [Is; 6] = [
        Is::State(IssueState::Open),
        Is::State(IssueState::Resolved),
        Is::State(IssueState::Ignored),
        Is::Any,
        Is::New,
        Is::Reopened,
    ];

    fn name(self) -> &'static str {
        match self {
            Is::State(state) => state.as_str(),
            Is::Any => "any",
            Is::New => "new",
            Is::Reopened => "reopened",
        }
    }
}

impl Query {
    pub fn parse(text: &str) -> Query {
        Query(words(text).into_iter().map(Term::of).take(MOST).collect())
    }

    /// The states that are asked for: all that are named must hold, so two of them match nothing.
    pub fn states(&self) -> Vec<IssueState> {
        let any = self.0.contains(&Term::Is(Is::Any));
        let named: Vec<IssueState> = self.0.iter().filter_map(Term::state).collect();
        let named = if named.is_empty() && !any { vec![IssueState::Open] } else { named };
        IssueState::ALL.into_iter().filter(|state| named.iter().all(|name| name == state)).collect()
    }

    /// The same with another state, or without one.
    pub fn with_state(&self, is: Option<Is>) -> Query {
        let state = |term: &Term| matches!(term, Term::Is(Is::State(_) | Is::Any));
        self.with(is.map(Term::Is), state)
    }

    /// The same with another value of a field, or without one.
    pub fn with_field(&self, field: Field, value: Option<&str>) -> Query {
        let same = |term: &Term| matches!(term, Term::Field(other, _) if *other == field);
        self.with(value.map(|value| Term::Field(field, value.into())), same)
    }

    pub fn without(&self, term: &Term) -> Query {
        self.with(None, |other| other == term)
    }

    fn with(&self, term: Option<Term>, in_place_of: impl Fn(&Term) -> bool) -> Query {
        let others = self.0.iter().filter(|term| !in_place_of(term)).cloned();
        Query(others.chain(term).collect())
    }

    /// The id of an event, if the query is nothing else.
    pub fn event_id(&self) -> Option<String> {
        match self.0.as_slice() {
            [Term::Text(text)] => parse_id(text).map(|id| id.to_string()),
            _ => None,
        }
    }

    /// The value that a field must have, where one is asked for.
    pub fn value(&self, field: Field) -> Option<&str> {
        self.0.iter().find_map(|term| match term {
            Term::Field(other, value) if *other == field => Some(value.as_str()),
            _ => None,
        })
    }
}

/// As one would type it.
impl Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (n, term) in self.0.iter().enumerate() {
            write!(f, "{}{term}", if n > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl Term {
    fn of(word: Word) -> Term {
        let Some((name, value)) = word.name.as_deref().zip(Some(&word.text)) else { return Term::Text(word.text) };
        let is = Is::ALL.into_iter().find(|is| name == "is" && is.name().eq_ignore_ascii_case(value));
        let field = Field::ALL.into_iter().find(|field| field.name() == name);
        match (is, field) {
            (Some(is), _) => Term::Is(is),
            (_, Some(Field::Level)) => match Level::parse(value) {
                Some(level) => Term::Field(Field::Level, level.as_str().into()),
                None => Term::Text(format!("{name}:{value}")),
            },
            (_, Some(field)) if !value.is_empty() || field == Field::Project => Term::Field(field, word.text),
            _ => Term::Text(format!("{name}:{value}")),
        }
    }

    fn state(&self) -> Option<IssueState> {
        match self {
            Term::Is(Is::State(state)) => Some(*state),
            _ => None,
        }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Term::Is(is) => write!(f, "is:{}", is.name()),
            Term::Field(field, value) if value.contains(char::is_whitespace) => {
                write!(f, "{}:\"{value}\"", field.name())
            }
            Term::Field(field, value) => write!(f, "{}:{value}", field.name()),
            Term::Text(text) if text.contains(|c: char| c.is_whitespace() || c == ':') => write!(f, "\"{text}\""),
            Term::Text(text) => f.write_str(text),
        }
    }
}

/// What stands between blanks: perhaps a name and a colon, then a text, which may be quoted.
struct Word {
    name: Option<String>,
    text: String,
}

fn words(query: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = query.trim_start();
    while !rest.is_empty() {
        let name = rest.find(':').filter(|end| *end > 0 && rest[..*end].bytes().all(|b| b.is_ascii_lowercase()));
        let after = name.map_or(rest, |end| &rest[end + 1..]);
        let quoted = after.strip_prefix('"').map(|text| text.split_once('"').unwrap_or((text, "")));
        let (text, tail) =
            quoted.unwrap_or_else(|| after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())));
        let name = name.map(|end| rest[..end].to_string());
        if name.is_some() || !text.trim().is_empty() {
            words.push(Word { name, text: text.replace('"', " ").trim().into() });
        }
        rest = tail.trim_start();
    }
    words
}

/// The order of a list, the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    LastSeen,
    FirstSeen,
    Count,
}

impl Sort {
    pub const ALL: [Sort; 3] = [Sort::LastSeen, Sort::FirstSeen, Sort::Count];

    /// As it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Sort::LastSeen => "last_seen",
            Sort::FirstSeen => "first_seen",
            Sort::Count => "count",
        }
    }

    pub fn of(text: &str) -> Option<Sort> {
        Sort::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// A page of a list, as it is asked for.
#[derive(Clone, Debug)]
pub struct Listing {
    pub query: Query,
    /// The query as it was typed.
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
    fn what_is_no_known_token_is_text() {
        for text in ["level:loud", "is:gone", "env:", "colour:red", "http://x", ":", "\"", "is:", "Level:error", "::"] {
            let terms = Query::parse(text).0;
            assert!(terms.iter().all(|term| matches!(term, Term::Text(_))), "{text}: {terms:?}");
        }
        assert_eq!(read("  "), [""; 0]);
    }

    #[test]
    fn tokens_words_and_phrases() {
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
        assert_eq!(Query::parse(&query.to_string()), query, "as one would type it");
        let odd = Query(vec![Term::Text("a\tb".into()), Term::Text("level:error".into())]);
        assert_eq!(Query::parse(&odd.to_string()), odd);
    }

    #[test]
    fn without_a_state_open_ones_are_meant() {
        let states = |text| Query::parse(text).states();
        assert_eq!(states(""), [IssueState::Open]);
        assert_eq!(states("is:new x"), [IssueState::Open]);
        assert_eq!(states("is:ignored"), [IssueState::Ignored]);
        assert_eq!(states("is:any"), IssueState::ALL);
        assert_eq!(states("is:any is:open"), [IssueState::Open]);
        assert_eq!(states("is:open is:resolved"), []);
    }

    #[test]
    fn a_term_takes_the_place_of_another() {
        let query = Query::parse("a level:error env:x");
        assert_eq!(query.with_field(Field::Level, Some("info")).to_string(), "a env:x level:info");
        assert_eq!(query.with_field(Field::Environment, None).to_string(), "a level:error");
        assert_eq!(query.with_state(Some(Is::Any)).to_string(), "a level:error env:x is:any");
        assert_eq!(query.without(&query.0[0]).to_string(), "level:error env:x");
    }
}
