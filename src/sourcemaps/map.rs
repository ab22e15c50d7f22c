//! A source map (ECMA-426): reads and checks it without copying it, splits it for the store, and looks places up.
use super::pieces::{deflate, texts};
use super::vlq::{Original, Segment, Segments};
use crate::event::json;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::Write;
use std::str;
use uuid::Uuid;

/// Maximum bytes of a map.
pub const MAX_BYTES: usize = 32 << 20;
/// Why an empty map is refused.
pub const EMPTY: &str = "The source map maps nothing: its mappings are empty";
/// Maximum numbers of sources and of sections. The map of a large application has a few thousand sources.
const MAX_SOURCES: usize = 100_000;
const MAX_SECTIONS: usize = 10_000;
/// The part of the store with the first source.
const FIRST_SOURCE: usize = 2;

/// A map, as one section or several.
pub struct SourceMap<'a> {
    debug_id: Option<String>,
    sections: Vec<Section<'a>>,
    with_content: usize,
}

/// A part of a map, and where in the script it begins.
struct Section<'a> {
    line: u32,
    column: u32,
    fields: Fields<'a>,
    mappings: Cow<'a, str>,
    /// Number of its sources, and of those in the sections before it.
    sources: usize,
    before: usize,
}

/// The fields of a map, as JSON. `null` counts as absent.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    version: Option<&'a str>,
    sections: Option<&'a str>,
    source_root: Option<&'a str>,
    sources: Option<&'a str>,
    contents: Option<&'a str>,
    names: Option<&'a str>,
    mappings: Option<&'a str>,
    ignored: Option<&'a str>,
    debug_id: Option<&'a str>,
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

impl<'a> SourceMap<'a> {
    /// Reads and checks a map that was uploaded. The error is a sentence.
    pub fn parse(json: &'a [u8]) -> Result<SourceMap<'a>, String> {
        if json.len() > MAX_BYTES {
            return Err(format!("A source map may have at most {} MiB", MAX_BYTES >> 20));
        }
        let text = str::from_utf8(json).map_err(|_| "The source map is not UTF-8")?.trim_start_matches('\u{FEFF}');
        // Servers prefix JSON with this so that no browser runs it as a script.
        let text = match text.starts_with(")]}'") {
            true => text.split_once('\n').map_or("", |(_, rest)| rest),
            false => text,
        };
        if json::too_deep(text, json::MAX_DEPTH).is_some() {
            return Err("The source map is nested too deeply".into());
        }
        let map = SourceMap::read(text, None)?;
        let mut is_empty = true;
        for section in &map.sections {
            is_empty &= section.check()? == 0;
        }
        match is_empty {
            true => Err(EMPTY.into()),
            false => Ok(map),
        }
    }

    /// Reads the parts that the store keeps of a map.
    pub fn stored(index: &'a str, mappings: &'a str) -> Result<SourceMap<'a>, String> {
        SourceMap::read(index, Some(mappings))
    }

    /// Reads a map without checking its mappings. If these are kept apart, the map has their lengths.
    fn read(text: &'a str, mut mappings: Option<&'a str>) -> Result<SourceMap<'a>, String> {
        let fields = Fields::read(text)?;
        let debug_id = fields.debug_id.and_then(json::string).and_then(|id| debug_id(&id));
        let mut map = SourceMap { debug_id, sections: Vec::new(), with_content: 0 };
        let Some(sections) = fields.sections else {
            map.add(0, 0, fields, &mut mappings)?;
            return Ok(map);
        };
        for section in list(sections, MAX_SECTIONS, "sections")? {
            let (mut offset, mut inner) = (None, None);
            let read = json::each_entry(section.get(), |key, value| match key.get() {
                r#""offset""# => offset = Some(value.get()),
                r#""map""# => inner = Some(value.get()),
                _ => {}
            });
            read.map_err(|_| "A section of the source map is not an object")?;
            let number = |name: &str| json::field(offset?, name)?.parse::<u32>().ok();
            let (Some(line), Some(column)) = (number("line"), number("column")) else {
                return Err("A section of the source map has no offset".into());
            };
            let fields = Fields::read(inner.ok_or("A section of the source map has no map")?)?;
            if fields.sections.is_some() {
                return Err("A section of the source map has sections itself".into());
            }
            map.add(line, column, fields, &mut mappings)?;
        }
        let is_sorted = map.sections.is_sorted_by_key(|section| (section.line, section.column));
        if is_sorted { Ok(map) } else { Err("The sections of the source map are not in order".into()) }
    }

    fn add(&mut self, line: u32, column: u32, fields: Fields<'a>, apart: &mut Option<&'a str>) -> Result<(), String> {
        if fields.version.is_some_and(|version| version != "3") {
            return Err("obs reads source maps of version 3 only".into());
        }
        let raw = fields.mappings.ok_or("The file is not a source map: it has no mappings")?;
        let mappings = match apart {
            None => unquoted(raw).ok_or("The mappings are not a string")?,
            Some(all) => {
                let length = raw.parse().ok();
                let (own, rest) =
                    length.and_then(|length| all.split_at_checked(length)).ok_or("Mappings are missing")?;
                *all = rest;
                own.into()
            }
        };
        let (before, sources) = (self.sources(), fields.sources.map_or(Ok(0), |list| count(list, "sources"))?);
        if before + sources > MAX_SOURCES {
            return Err(format!("A source map may have at most {MAX_SOURCES} sources"));
        }
        let contents = fields.contents.and_then(|contents| json::first(contents, sources)).unwrap_or_default();
        self.with_content += contents.into_iter().filter(|content| has_text(content)).count();
        self.sections.push(Section { line, column, fields, mappings, sources, before });
        Ok(())
    }

    /// The debug id in the map itself.
    pub fn debug_id(&self) -> Option<&str> {
        self.debug_id.as_deref()
    }

    pub fn sources(&self) -> usize {
        self.sections.last().map_or(0, |section| section.before + section.sources)
    }

    /// Number of sources whose text the map contains.
    pub fn with_content(&self) -> usize {
        self.with_content
    }

    /// Writes the parts for the store, deflated and in pieces, each with the number of its part: the map without its mappings
    /// and sources, so that a page need not parse these; the mappings; then the text of each source that the map contains.
    pub fn write_parts<E>(&self, mut store: impl FnMut(usize, Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        deflate(0, &mut store, |out| self.write(out))?;
        deflate(1, &mut store, |out| {
            self.sections.iter().try_for_each(|section| out.write_all(section.mappings.as_bytes()))
        })?;
        for section in &self.sections {
            let contents = section.fields.contents.and_then(|contents| json::first(contents, section.sources));
            for (at, content) in contents.unwrap_or_default().into_iter().enumerate().filter(|(_, text)| has_text(text))
            {
                let number = FIRST_SOURCE + section.before + at;
                deflate(number, &mut store, |out| {
                    texts(content.get()).try_for_each(|text| out.write_all(text.as_bytes()))
                })?;
            }
        }
        Ok(())
    }

    /// The map as one of sections, with the lengths of the mappings in place of these.
    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        write!(out, "{{\"sections\":[")?;
        for (at, Section { line, column, fields, mappings, .. }) in self.sections.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(out, "{comma}{{\"offset\":{{\"line\":{line},\"column\":{column}}},\"map\":{{\"version\":3")?;
            let kept = [
                ("sourceRoot", fields.source_root),
                ("sources", fields.sources),
                ("names", fields.names),
                ("ignoreList", fields.ignored),
            ];
            for (name, value) in kept {
                value.map_or(Ok(()), |value| write!(out, ",\"{name}\":{value}"))?;
            }
            write!(out, ",\"mappings\":{}}}}}", mappings.len())?;
        }
        write!(out, "]}}")
    }

    /// The tokens at these places of the script, given by line and column, which count from 1. One pass over the mappings
    /// finds them all.
    pub fn lookup(&self, places: &[(u64, u64)]) -> Result<Vec<Option<Token>>, String> {
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
                    queries.push(Query { line: place.0 - start.0, column: place.1 - shift, index, found: None });
                }
            }
            section.lookup(&mut queries)?;
            section.name(&queries, &mut tokens)?;
        }
        Ok(tokens)
    }
}

/// A place to look up, and the last segment before it on its line.
struct Query {
    line: u32,
    column: u32,
    index: usize,
    found: Option<Segment>,
}

impl Section<'_> {
    /// Decodes the whole section. Returns the number of segments that stand for a place in a source.
    fn check(&self) -> Result<usize, String> {
        let names = self.fields.names.map_or(Ok(0), |names| count(names, "names"))?;
        let mut mapped = 0;
        for segment in Segments::new(&self.mappings) {
            let Some(Original { source, name, .. }) = segment?.original else { continue };
            if source as usize >= self.sources {
                return Err(format!("The mappings name source {source}, and the map has {} sources", self.sources));
            }
            if let Some(name) = name.filter(|name| *name as usize >= names) {
                return Err(format!("The mappings name name {name}, and the map has {names} names"));
            }
            mapped += 1;
        }
        Ok(mapped)
    }

    /// Finds the segment for each query. Those of a line may be in any order; of several at one place, the first counts.
    fn lookup(&self, queries: &mut [Query]) -> Result<(), String> {
        queries.sort_unstable_by_key(|query| (query.line, query.column));
        let Some(end) = queries.last().map(|query| query.line) else { return Ok(()) };
        // The last segment, and the first query at or behind it: until a segment passes that, nothing is found.
        let mut last: Option<Segment> = None;
        let mut limit = 0;
        for segment in Segments::new(&self.mappings) {
            let segment = segment?;
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
                return Ok(());
            }
            let behind = queries.partition_point(|query| (query.line, query.column) < (segment.line, segment.column));
            limit =
                queries.get(behind).filter(|query| query.line == segment.line).map_or(u32::MAX, |query| query.column);
            last = Some(segment);
        }
        if let Some(last) = &last {
            offer(queries, last);
        }
        Ok(())
    }

    /// Turns what was found into tokens.
    fn name(&self, queries: &[Query], tokens: &mut [Option<Token>]) -> Result<(), String> {
        let found = || queries.iter().filter_map(|query| Some((query.index, query.found?.original?)));
        if found().next().is_none() {
            return Ok(());
        }
        let sources = list(self.fields.sources.unwrap_or("[]"), MAX_SOURCES, "sources")?;
        let ignored = self.fields.ignored.and_then(|ignored| json::first(ignored, MAX_SOURCES)).unwrap_or_default();
        let ignored: Vec<u32> = ignored.iter().filter_map(|index| index.get().parse().ok()).collect();
        let root = self.fields.source_root.and_then(json::string).filter(|root| !root.is_empty());
        let root = root.map(|root| root.trim_end_matches('/').to_string() + "/").unwrap_or_default();
        let mut names: Vec<(u32, usize)> = Vec::new();
        for (index, original) in found() {
            let source = sources.get(original.source as usize).and_then(|source| json::string(source.get()));
            tokens[index] = Some(Token {
                part: FIRST_SOURCE + self.before + original.source as usize,
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
        let named = json::each_element(self.fields.names.unwrap_or("[]"), |name| {
            while let Some((_, index)) = next.next_if(|(number, _)| *number == at) {
                if let Some(token) = &mut tokens[*index] {
                    token.name = json::string(name.get());
                }
            }
            at += 1;
        });
        named.map_err(|e| e.to_string())
    }
}

/// Gives a segment to the queries behind it on its line that have none nearer.
fn offer(queries: &mut [Query], segment: &Segment) {
    let from = queries.partition_point(|query| (query.line, query.column) < (segment.line, segment.column));
    for query in queries[from..].iter_mut().take_while(|query| query.line == segment.line) {
        if query.found.is_none_or(|found| found.column < segment.column) {
            query.found = Some(*segment);
        }
    }
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Fields<'a>, String> {
        let mut fields = Fields::default();
        let read = json::each_entry(text, |key, value| {
            let field = match key.get().trim_matches('"') {
                "version" => &mut fields.version,
                "sections" => &mut fields.sections,
                "sourceRoot" => &mut fields.source_root,
                "sources" => &mut fields.sources,
                "sourcesContent" => &mut fields.contents,
                "names" => &mut fields.names,
                "mappings" => &mut fields.mappings,
                "ignoreList" | "x_google_ignoreList" => &mut fields.ignored,
                "debugId" | "debug_id" => &mut fields.debug_id,
                _ => return,
            };
            *field = Some(value.get()).filter(|value| *value != "null").or(*field);
        });
        read.map_err(|e| format!("The file is not a source map: {e}"))?;
        Ok(fields)
    }
}

/// The characters of a JSON string.
fn unquoted(raw: &str) -> Option<Cow<'_, str>> {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Some(text.into()),
        _ => json::string(raw).map(Cow::from),
    }
}

/// A debug id in lower case with hyphens, or `None` if it is not a UUID.
pub fn debug_id(text: &str) -> Option<String> {
    Uuid::parse_str(text.trim()).ok().map(|id| id.to_string())
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

fn has_text(content: &RawValue) -> bool {
    content.get().len() > 2 && content.get().starts_with('"')
}

fn list<'a>(text: &'a str, max: usize, name: &str) -> Result<Vec<&'a RawValue>, String> {
    match count(text, name)? {
        many if many > max => Err(format!("The source map has {many} {name}; at most {max} are possible")),
        _ => Ok(json::array(text).unwrap_or_default()),
    }
}

fn count(text: &str, name: &str) -> Result<usize, String> {
    let mut count = 0;
    json::each_element(text, |_| count += 1).map_err(|_| format!("The source map's {name} are not a list"))?;
    Ok(count)
}
