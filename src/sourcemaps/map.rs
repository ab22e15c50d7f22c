//! A source map (ECMA-426) that is uploaded: reads and checks it without copying it, and splits it for the store.
use super::index::{Block, Index, IndexSection};
use super::pieces::{deflate, texts};
use super::vlq::{Original, Segment, Segments, State};
use crate::event::json;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::str;
use uuid::Uuid;

/// Maximum bytes of a map.
pub const MAX_BYTES: usize = 32 << 20;
/// Why an empty map is refused.
pub const EMPTY: &str = "The source map maps nothing: its mappings are empty";
/// Maximum numbers of sources and of sections. The map of a large application has a few thousand sources.
const MAX_SOURCES: usize = 100_000;
const MAX_SECTIONS: usize = 10_000;
/// About how many bytes of mappings a page decodes at once.
const BLOCK: usize = 32 << 10;

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
    blocks: Vec<Start>,
    /// Number of its sources, and of those in the sections before it.
    sources: usize,
    before: usize,
}

/// Where a block of mappings begins: its first segment, the byte in the text, and the state there.
#[derive(Clone, Copy, Default)]
struct Start {
    place: (u32, u32),
    at: usize,
    state: State,
}

/// The fields of a map, as JSON. `null` counts as absent.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    version: Option<&'a RawValue>,
    sections: Option<&'a RawValue>,
    source_root: Option<&'a RawValue>,
    sources: Option<&'a RawValue>,
    contents: Option<&'a RawValue>,
    names: Option<&'a RawValue>,
    mappings: Option<&'a RawValue>,
    ignored: Option<&'a RawValue>,
    debug_id: Option<&'a RawValue>,
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
        let map = SourceMap::read(text)?;
        match map.sections.iter().all(|section| section.blocks.is_empty()) {
            true => Err(EMPTY.into()),
            false => Ok(map),
        }
    }

    fn read(text: &'a str) -> Result<SourceMap<'a>, String> {
        let fields = Fields::read(text)?;
        let debug_id = fields.debug_id.and_then(|id| debug_id(&json::string(id.get())?));
        let mut map = SourceMap { debug_id, sections: Vec::new(), with_content: 0 };
        let Some(sections) = fields.sections else {
            map.add(0, 0, fields)?;
            return Ok(map);
        };
        if count(sections, "sections")? > MAX_SECTIONS {
            return Err(format!("A source map may have at most {MAX_SECTIONS} sections"));
        }
        for section in json::array(sections.get()).unwrap_or_default() {
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
            map.add(line, column, fields)?;
        }
        let is_sorted = map.sections.is_sorted_by_key(|section| (section.line, section.column));
        if is_sorted { Ok(map) } else { Err("The sections of the source map are not in order".into()) }
    }

    fn add(&mut self, line: u32, column: u32, fields: Fields<'a>) -> Result<(), String> {
        if fields.version.is_some_and(|version| version.get() != "3") {
            return Err("obs reads source maps of version 3 only".into());
        }
        let raw = fields.mappings.ok_or("The file is not a source map: it has no mappings")?;
        let mappings = unquoted(raw.get()).ok_or("The mappings are not a string")?;
        let (before, sources) = (self.sources(), fields.sources.map_or(Ok(0), |list| count(list, "sources"))?);
        if before + sources > MAX_SOURCES {
            return Err(format!("A source map may have at most {MAX_SOURCES} sources"));
        }
        let contents = fields.contents.and_then(|contents| json::first(contents.get(), sources)).unwrap_or_default();
        self.with_content += contents.into_iter().filter(|content| has_text(content)).count();
        let mut section = Section { line, column, fields, mappings, blocks: Vec::new(), sources, before };
        section.check()?;
        self.sections.push(section);
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

    /// Passes the parts for the store on, deflated and in pieces, each with the number of its part: the index; blocks of
    /// mappings; then the text of each source that the map contains.
    pub fn write_parts<E>(&self, mut store: impl FnMut(usize, Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let (mut index, mut part) = (Index::default(), 1);
        for section in &self.sections {
            let Section { line, column, fields, .. } = section;
            let block = |start: &Start| {
                part += 1;
                Block { place: start.place, state: start.state, part: part - 1 }
            };
            index.sections.push(IndexSection {
                line: *line,
                column: *column,
                root: fields.source_root,
                sources: fields.sources,
                names: fields.names,
                ignored: fields.ignored,
                blocks: section.blocks.iter().map(block).collect(),
                first_source: 0,
            });
        }
        for (indexed, section) in index.sections.iter_mut().zip(&self.sections) {
            indexed.first_source = part + section.before;
        }
        deflate(0, &mut store, |out| serde_json::to_writer(out, &index).map_err(std::io::Error::from))?;
        let mut number = 0;
        for section in &self.sections {
            let ends = section.blocks.iter().skip(1).map(|block| block.at).chain([section.mappings.len()]);
            for (block, end) in section.blocks.iter().zip(ends) {
                number += 1;
                deflate(number, &mut store, |out| out.write_all(section.mappings[block.at..end].as_bytes()))?;
            }
        }
        for section in &self.sections {
            let contents = section.fields.contents.and_then(|contents| json::first(contents.get(), section.sources));
            let contents = contents.unwrap_or_default().into_iter().enumerate();
            for (at, content) in contents.filter(|(_, content)| has_text(content)) {
                deflate(part + section.before + at, &mut store, |out| {
                    texts(content.get()).try_for_each(|text| out.write_all(text.as_bytes()))
                })?;
            }
        }
        Ok(())
    }
}

impl Section<'_> {
    /// Decodes the section and cuts it into blocks, unless it stands for no place in a source. A line whose segments are
    /// out of order keeps it whole, because the nearest one could be in any block.
    fn check(&mut self) -> Result<(), String> {
        let names = self.fields.names.map_or(Ok(0), |names| count(names, "names"))?;
        let (mut blocks, mut last) = (vec![Start::default()], (0, 0));
        let (mut is_sorted, mut is_empty) = (true, true);
        let mut segments = Segments::new(&self.mappings, State::default());
        loop {
            let (at, state) = (segments.at, segments.state);
            let Some(segment) = segments.next() else { break };
            let Segment { line, column, original } = segment?;
            let place = (line, column);
            is_sorted &= place >= last;
            if place > last && blocks.last().is_some_and(|block| at - block.at >= BLOCK) {
                blocks.push(Start { place, at, state });
            }
            last = place;
            let Some(Original { source, name, .. }) = original else { continue };
            if source as usize >= self.sources {
                return Err(format!("The mappings name source {source}, and the map has {} sources", self.sources));
            }
            if let Some(name) = name.filter(|name| *name as usize >= names) {
                return Err(format!("The mappings name name {name}, and the map has {names} names"));
            }
            is_empty = false;
        }
        blocks.truncate(if is_empty {
            0
        } else if is_sorted {
            blocks.len()
        } else {
            1
        });
        self.blocks = blocks;
        Ok(())
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
            *field = Some(value).filter(|value| value.get() != "null").or(*field);
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

fn has_text(content: &RawValue) -> bool {
    content.get().len() > 2 && content.get().starts_with('"')
}

fn count(list: &RawValue, name: &str) -> Result<usize, String> {
    let mut count = 0;
    json::each_element(list.get(), |_| count += 1).map_err(|_| format!("The source map's {name} are not a list"))?;
    Ok(count)
}
