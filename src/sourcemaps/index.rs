//! A source map as the store keeps it: finds the tokens at places of the script, and decodes only what that takes.
use super::vlq::{Segment, Segments, State};
use crate::event::json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The part that a page reads first: everything but the mappings and the texts of the sources.
#[derive(Default, Serialize, Deserialize)]
pub struct Index<'a> {
    #[serde(borrow)]
    pub sections: Vec<IndexSection<'a>>,
}

/// A section and where in the script it begins, with its fields as they were sent.
#[derive(Serialize, Deserialize)]
pub struct IndexSection<'a> {
    pub line: u32,
    pub column: u32,
    #[serde(borrow)]
    pub root: Option<&'a RawValue>,
    #[serde(borrow)]
    pub sources: Option<&'a RawValue>,
    #[serde(borrow)]
    pub names: Option<&'a RawValue>,
    #[serde(borrow)]
    pub ignored: Option<&'a RawValue>,
    pub blocks: Vec<Block>,
    /// The part with the text of its first source.
    pub first_source: usize,
}

/// A part with mappings: the place of its first segment, and the state there.
#[derive(Serialize, Deserialize)]
pub struct Block {
    pub place: (u32, u32),
    pub state: State,
    pub part: usize,
}

/// A place in a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Token {
    /// The number of the source, and so of the part with its text.
    pub part: usize,
    pub source: String,
    /// Counts from 1, as frames do.
    pub line: u64,
    pub column: u64,
    /// What is at this place, if it has another name in the script.
    pub name: Option<String>,
    /// The map says that the source belongs to a library.
    pub is_library: bool,
}

/// A place to look up, and the last segment before it on its line.
struct Query {
    place: (u32, u32),
    index: usize,
    found: Option<Segment>,
}

impl<'a> Index<'a> {
    pub fn read(text: &'a str) -> Result<Index<'a>, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    /// The tokens at these places of the script, given by line and column, which count from 1. `load` reads a part.
    pub fn lookup<E>(
        &self,
        places: &[(u64, u64)],
        mut load: impl FnMut(usize) -> Result<String, E>,
    ) -> Result<Vec<Option<Token>>, E> {
        let mut tokens = vec![None; places.len()];
        let from_0 = |number: u64| u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
        let places: Vec<(u32, u32)> = places.iter().map(|(line, column)| (from_0(*line), from_0(*column))).collect();
        for (at, section) in self.sections.iter().enumerate() {
            let next = self.sections.get(at + 1).map(|next| (next.line, next.column));
            let start = (section.line, section.column);
            let mut queries: Vec<Query> = Vec::new();
            for (index, place) in places.iter().enumerate() {
                if *place >= start && next.is_none_or(|next| *place < next) {
                    let shift = if place.0 == start.0 { start.1 } else { 0 };
                    queries.push(Query { place: (place.0 - start.0, place.1 - shift), index, found: None });
                }
            }
            section.find(&mut queries, &mut load)?;
            section.name(&queries, &mut tokens);
        }
        Ok(tokens)
    }
}

impl<'a> IndexSection<'a> {
    /// Finds the segment for each query, which is in the last block that begins before it.
    fn find<E>(&self, queries: &mut [Query], load: &mut impl FnMut(usize) -> Result<String, E>) -> Result<(), E> {
        queries.sort_unstable_by_key(|query| query.place);
        let mut from = 0;
        for (at, block) in self.blocks.iter().enumerate() {
            let next = self.blocks.get(at + 1);
            let to = next.map_or(queries.len(), |next| queries.partition_point(|query| query.place < next.place));
            if from < to {
                decode(&load(block.part)?, block.state, &mut queries[from..to]);
            }
            from = to;
        }
        Ok(())
    }

    /// Turns what was found into tokens.
    fn name(&self, queries: &[Query], tokens: &mut [Option<Token>]) {
        let found = || queries.iter().filter_map(|query| Some((query.index, query.found?.original?)));
        if found().next().is_none() {
            return;
        }
        let list = |raw: Option<&'a RawValue>| raw.and_then(|raw| json::array(raw.get())).unwrap_or_default();
        let (sources, ignored) = (list(self.sources), list(self.ignored));
        let ignored: Vec<u32> = ignored.iter().filter_map(|index| index.get().parse().ok()).collect();
        let root = self.root.and_then(|root| json::string(root.get())).filter(|root| !root.is_empty());
        let root = root.map(|root| root.trim_end_matches('/').to_string() + "/").unwrap_or_default();
        let mut names: Vec<(u32, usize)> = Vec::new();
        for (index, original) in found() {
            let source = sources.get(original.source as usize).and_then(|source| json::string(source.get()));
            tokens[index] = Some(Token {
                part: self.first_source + original.source as usize,
                source: readable(&(root.clone() + &source.unwrap_or_default())),
                line: u64::from(original.line) + 1,
                column: u64::from(original.column) + 1,
                name: None,
                is_library: ignored.contains(&original.source),
            });
            names.extend(original.name.map(|name| (name, index)));
        }
        names.sort_unstable();
        let (mut at, mut next) = (0, names.iter().peekable());
        let all = self.names.map_or("[]", |names| names.get());
        let _ = json::each_element(all, |name| {
            while let Some((_, index)) = next.next_if(|(number, _)| *number == at) {
                if let Some(token) = &mut tokens[*index] {
                    token.name = json::string(name.get());
                }
            }
            at += 1;
        });
    }
}

/// Finds the segment for each query, in one pass. Those of a line may be in any order; of several at one place, the first
/// counts. What cannot be decoded, which an upload was checked for, has no more segments.
fn decode(mappings: &str, state: State, queries: &mut [Query]) {
    let end = queries.last().map_or(0, |query| query.place.0);
    // The last segment, and the first query at or behind it: until a segment passes that, nothing is found.
    let mut last: Option<Segment> = None;
    let mut limit = 0;
    for segment in Segments::new(mappings, state).map_while(Result::ok) {
        if let Some(last) = &mut last {
            if (last.line, last.column) == (segment.line, segment.column) {
                continue;
            }
            if last.line == segment.line && (last.column..=limit).contains(&segment.column) {
                *last = segment;
                continue;
            }
            offer(queries, last);
        }
        if segment.line > end {
            return;
        }
        let behind = queries.partition_point(|query| query.place < (segment.line, segment.column));
        limit =
            queries.get(behind).filter(|query| query.place.0 == segment.line).map_or(u32::MAX, |query| query.place.1);
        last = Some(segment);
    }
    if let Some(last) = &last {
        offer(queries, last);
    }
}

/// Gives a segment to the queries behind it on its line that have none nearer.
fn offer(queries: &mut [Query], segment: &Segment) {
    let from = queries.partition_point(|query| query.place < (segment.line, segment.column));
    for query in queries[from..].iter_mut().take_while(|query| query.place.0 == segment.line) {
        if query.found.is_none_or(|found| found.column < segment.column) {
            query.found = Some(*segment);
        }
    }
}

/// A source's path without the parts that bundlers put in front: `webpack://shop/./src/cart.ts` and `../../src/cart.ts`
/// become `src/cart.ts`.
fn readable(source: &str) -> String {
    let source = source.rsplit_once("/./").map_or(source, |(_, path)| path);
    let mut path = source;
    while let Some(rest) = path.strip_prefix("../").or(path.strip_prefix("./")) {
        path = rest;
    }
    path.to_string()
}
