//! Looks places of a script up in the parts of its map, and reads only those that this takes.
use super::map::{Block, Offset, Section, list};
use super::vlq::{Segment, Segments};
use crate::event::json;
use serde_json::value::RawValue;

/// A place in a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The part with the text of the source.
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

/// The tokens at places of a script, given by line and column, which count from 1. `load` reads a part of its map.
pub fn lookup<E>(
    places: &[(u64, u64)],
    mut load: impl FnMut(usize) -> Result<String, E>,
) -> Result<Vec<Option<Token>>, E> {
    let mut tokens = vec![None; places.len()];
    let from_0 = |number: u64| u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
    let place = |&(line, column): &(u64, u64)| Offset { line: from_0(line), column: from_0(column) };
    let mut places: Vec<_> = places.iter().enumerate().map(|(index, at)| (place(at), index)).collect();
    places.sort_unstable_by_key(|(place, _)| (place.line, place.column));
    let index = load(0)?;
    let sections: Vec<Section> = serde_json::from_str(&index).unwrap_or_default();
    for (at, section) in sections.iter().enumerate() {
        let until = |section: &Section| places.partition_point(|(place, _)| *place < section.offset);
        let end = sections.get(at + 1).map_or(places.len(), until);
        section.lookup(&places[until(section)..end], &mut tokens, &mut load)?;
    }
    Ok(tokens)
}

impl Section<'_> {
    /// Finds the tokens at these places, in order, each with its index. `load` reads a part.
    fn lookup<E>(
        &self,
        places: &[(Offset, usize)],
        tokens: &mut [Option<Token>],
        load: &mut impl FnMut(usize) -> Result<String, E>,
    ) -> Result<(), E> {
        let local = |place: &Offset| {
            let shift = if place.line == self.offset.line { self.offset.column } else { 0 };
            (place.line - self.offset.line, place.column - shift)
        };
        let places: Vec<_> = places.iter().map(|(place, index)| (local(place), *index)).collect();
        let mut found = Vec::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let until = |block: &Block| places.partition_point(|(place, _)| *place <= block.before.place());
            let from = if at == 0 { 0 } else { until(block) };
            let here = &places[from..self.blocks.get(at + 1).map_or(places.len(), until)];
            if !here.is_empty() {
                nearest(load(self.first_part + at)?.as_bytes(), block.before, here, &mut found);
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let text = |list: &[&RawValue], index: u32| json::string(list.get(index as usize)?.get());
        let (sources, names) = (list(self.map.sources), list(self.map.names));
        let ignored = list(self.map.ignore_list.or(self.map.old_ignore_list));
        let root = self.map.source_root.and_then(|root| json::string(root.get())).filter(|root| !root.is_empty());
        let root = root.map(|root| root.trim_end_matches('/').to_string() + "/").unwrap_or_default();
        for (index, segment) in found {
            let source = root.clone() + &text(&sources, segment.source).unwrap_or_default();
            tokens[index] = Some(Token {
                part: self.first_part + self.blocks.len() + segment.source as usize,
                source: readable(&source).to_string(),
                line: u64::from(segment.source_line) + 1,
                column: u64::from(segment.source_column) + 1,
                name: if segment.has_name() { text(&names, segment.name) } else { None },
                is_library: ignored.iter().any(|ignored| ignored.get().parse() == Ok(segment.source)),
            });
        }
        Ok(())
    }
}

/// Adds to `found` the segment for each place, in one pass: the nearest before it on its line, and the first of several at
/// one place. `before` is the segment before the mappings, which an upload was checked for.
fn nearest(mappings: &[u8], before: Segment, places: &[((u32, u32), usize)], found: &mut Vec<(usize, Segment)>) {
    // For each place, the nearest segment behind the place before it.
    let mut nearest: Vec<Option<Segment>> = vec![None; places.len()];
    let (mut at, end) = (0, places.len() - 1);
    let first = (before.numbers > 0).then_some(before);
    for segment in first.into_iter().chain(Segments::new(mappings, before).map_while(Result::ok)) {
        let place = segment.place();
        if segment.line > places[end].0.0 {
            break;
        }
        if places[at].0 < place || at > 0 && places[at - 1].0 >= place {
            at = places.partition_point(|(asked, _)| *asked < place).min(end);
        }
        let is_behind = places[at].0.0 == segment.line && places[at].0 >= place;
        if is_behind && nearest[at].is_none_or(|nearest| nearest.column < segment.column) {
            nearest[at] = Some(segment);
        }
    }
    let mut last: Option<Segment> = None;
    for (((line, _), index), nearest) in places.iter().zip(nearest) {
        last = nearest.or(last.filter(|last| last.line == *line));
        found.extend(last.filter(Segment::has_source).map(|segment| (*index, segment)));
    }
}

/// A source's path without the parts that bundlers put in front: `webpack://shop/./src/cart.ts` and `../../src/cart.ts`
/// become `src/cart.ts`.
fn readable(source: &str) -> &str {
    let mut path = source.rsplit_once("/./").map_or(source, |(_, path)| path);
    while let Some(rest) = path.strip_prefix("../").or(path.strip_prefix("./")) {
        path = rest;
    }
    path
}
