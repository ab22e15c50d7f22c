//! A source map (ECMA-426) that is uploaded: checks it, and splits it into parts for the store.
use super::vlq::{Segment, Segments};
use crate::event::json;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::{self, Write};
use std::iter::once_with;
use uuid::Uuid;

/// Maximum bytes of a map.
pub const MAX_BYTES: usize = 32 << 20;
/// Why an empty map is refused.
pub const EMPTY: &str = "The source map maps nothing: its mappings are empty";
/// The map of a large application has a few thousand sources.
const MAX_SOURCES: usize = 100_000;
const MAX_NAMES: usize = 1_000_000;
const MAX_SECTIONS: usize = 10_000;
/// About how many bytes of mappings are a part.
const BLOCK: usize = 32 << 10;

/// A map that was uploaded, borrowed from its text.
pub struct SourceMap<'a> {
    pub debug_id: Option<String>,
    pub sources: usize,
    /// Number of sources whose text the map contains.
    pub with_content: usize,
    sections: Vec<Section<'a>>,
}

/// A map within the map, and where in the script it begins. All sections are part 0 of the map in the store, without their
/// mappings and the texts of their sources, which are the parts from `first_part` on.
#[derive(Serialize, Deserialize)]
pub struct Section<'a> {
    pub offset: Offset,
    #[serde(borrow)]
    pub map: Fields<'a>,
    #[serde(default)]
    pub blocks: Vec<Block>,
    #[serde(default)]
    pub first_part: usize,
}

#[derive(Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Offset {
    pub line: u32,
    pub column: u32,
}

/// A part with mappings: the byte at which it begins, and the segment before it.
#[derive(Default, Serialize, Deserialize)]
pub struct Block {
    at: usize,
    pub before: Segment,
}

/// The fields of a map, as JSON. `null` counts as absent.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Fields<'a> {
    version: Option<&'a RawValue>,
    sections: Option<&'a RawValue>,
    pub source_root: Option<&'a RawValue>,
    pub sources: Option<&'a RawValue>,
    pub names: Option<&'a RawValue>,
    pub ignore_list: Option<&'a RawValue>,
    #[serde(rename = "x_google_ignoreList")]
    pub old_ignore_list: Option<&'a RawValue>,
    #[serde(skip_serializing)]
    sources_content: Option<&'a RawValue>,
    #[serde(skip_serializing)]
    mappings: Option<&'a RawValue>,
    debug_id: Option<&'a RawValue>,
    #[serde(rename = "debug_id")]
    old_debug_id: Option<&'a RawValue>,
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
        let map: Fields = serde_json::from_str(text).map_err(|e| format!("The file is not a source map: {e}"))?;
        let debug_id = map.debug_id.or(map.old_debug_id).and_then(|id| debug_id(&json::string(id.get())?));
        let sections = match map.sections {
            None => vec![Section { offset: Offset::default(), map, blocks: Vec::new(), first_part: 0 }],
            Some(sections) => {
                count(Some(sections), "sections", MAX_SECTIONS)?;
                let invalid = |e| format!("The sections of the source map are invalid: {e}");
                serde_json::from_str(sections.get()).map_err(invalid)?
            }
        };
        let mut map = SourceMap { debug_id, sources: 0, with_content: 0, sections };
        let mut part = 1;
        for section in &mut map.sections {
            let sources = section.check()?;
            section.first_part = part;
            part += section.blocks.len() + sources;
            map.sources += sources;
            map.with_content += section.contents().count();
        }
        if map.sources > MAX_SOURCES {
            return Err(format!("A source map may have at most {MAX_SOURCES} sources"));
        }
        if !map.sections.is_sorted_by_key(|section| section.offset) {
            return Err("The sections of the source map are not in order".into());
        }
        match map.sections.iter().all(|section| section.blocks.is_empty()) {
            true => Err(EMPTY.into()),
            false => Ok(map),
        }
    }

    /// The parts for the store, deflated, each with its number.
    pub fn parts(&self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let index = || (0, deflate(|out| Ok(serde_json::to_writer(out, &self.sections)?)));
        once_with(index).chain(self.sections.iter().flat_map(Section::parts))
    }
}

impl<'a> Section<'a> {
    /// Decodes the mappings and cuts them into blocks, unless they stand for no place in a source. Returns the number of sources.
    fn check(&mut self) -> Result<usize, String> {
        if self.map.sections.is_some() {
            return Err("A section of the source map has sections itself".into());
        }
        if self.map.version.is_some_and(|version| version.get() != "3") {
            return Err("obs reads source maps of version 3 only".into());
        }
        let sources = count(self.map.sources, "sources", MAX_SOURCES)?;
        let names = count(self.map.names, "names", MAX_NAMES)?;
        count(self.map.sources_content, "contents", MAX_SOURCES)?;
        count(self.map.ignore_list.or(self.map.old_ignore_list), "ignored sources", MAX_SOURCES)?;
        let mappings = self.mappings()?;
        let mut segments = Segments::new(mappings.as_bytes(), Segment::default());
        let (mut blocks, mut at, mut before) = (vec![Block::default()], 0, Segment::default());
        let (mut is_empty, mut is_sorted, mut is_first) = (true, true, true);
        while let Some(segment) = segments.next() {
            let segment = segment?;
            if segment.has_source() && segment.source as usize >= sources {
                return Err(format!("The mappings name source {}, and the map has {sources} sources", segment.source));
            }
            if segment.has_name() && segment.name as usize >= names {
                return Err(format!("The mappings name name {}, and the map has {names} names", segment.name));
            }
            is_empty &= !segment.has_source();
            let follows = segment.place() > before.place();
            // The segment before a block stands for all at its place, so it has to be the first of them.
            if is_first && follows && blocks.last().is_some_and(|block| at - block.at >= BLOCK) {
                blocks.push(Block { at, before });
            }
            is_sorted &= segment.place() >= before.place();
            (at, before, is_first) = (segments.at, segment, follows);
        }
        // On a line whose segments are out of order, the nearest one could be in any block.
        blocks.truncate(if is_sorted { blocks.len() } else { 1 });
        self.blocks = if is_empty { Vec::new() } else { blocks };
        Ok(sources)
    }

    fn mappings(&self) -> Result<Cow<'a, str>, String> {
        let raw = self.map.mappings.ok_or("The file is not a source map: it has no mappings")?.get();
        let text =
            raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).ok_or("The mappings are not a string")?;
        Ok(if text.contains('\\') { json::string(raw).unwrap_or_default().into() } else { text.into() })
    }

    /// The sources that have a text, each with its number.
    fn contents(&self) -> impl Iterator<Item = (usize, &'a RawValue)> + use<'a> {
        let contents = list(self.map.sources_content).into_iter().take(list(self.map.sources).len()).enumerate();
        contents.filter(|(_, content)| content.get().len() > 2 && content.get().starts_with('"'))
    }

    /// The parts from `first_part` on: the blocks, then the texts of the sources as JSON.
    fn parts(&self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let mappings = self.mappings().unwrap_or_default();
        let block = move |at: usize| {
            let end = self.blocks.get(at + 1).map_or(mappings.len(), |next| next.at);
            deflate(|out| out.write_all(&mappings.as_bytes()[self.blocks[at].at..end]))
        };
        let blocks = (0..self.blocks.len()).map(move |at| (self.first_part + at, block(at)));
        let first = self.first_part + self.blocks.len();
        let contents = self.contents();
        blocks.chain(contents.map(move |(at, text)| (first + at, deflate(|out| out.write_all(text.get().as_bytes())))))
    }
}

/// A debug id in lower case with hyphens, or `None` if it is not a UUID.
pub fn debug_id(text: &str) -> Option<String> {
    Uuid::parse_str(text.trim()).ok().map(|id| id.to_string())
}

pub fn list(raw: Option<&RawValue>) -> Vec<&RawValue> {
    raw.and_then(|raw| json::array(raw.get())).unwrap_or_default()
}

fn count(list: Option<&RawValue>, name: &str, max: usize) -> Result<usize, String> {
    let mut count = 0;
    json::each_element(list.map_or("[]", RawValue::get), |_| count += 1)
        .map_err(|_| format!("The source map's {name} are not a list"))?;
    if count > max { Err(format!("A source map may have at most {max} {name}")) } else { Ok(count) }
}

fn deflate(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = write(&mut encoder).and_then(|()| encoder.finish());
    written.unwrap_or_default() // memory takes every byte
}
