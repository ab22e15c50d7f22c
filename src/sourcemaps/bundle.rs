//! Reads an artifact bundle, in which Sentry's uploaders send source maps: a zip with a manifest.
use super::map::{MAX_BYTES, debug_id};
use crate::store::Chunks;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind, Read};

/// Maximum size in bytes of a bundle's directory, of its manifest, and of all its files together.
const MAX_DIRECTORY: usize = 4 << 20;
const MAX_MANIFEST: usize = 2 << 20;
const MAX_TOTAL: usize = 1 << 30;
const MAX_FILES: usize = 10_000;
/// Maximum number of debug ids found in a minified file. Two tools that each add one make two.
const MAX_ALIASES: usize = 16;

pub struct Bundle<'a> {
    zip: Chunks<'a>,
    files: HashMap<String, Entry>,
}

/// Where a file is in the zip.
struct Entry {
    is_deflated: bool,
    crc: usize,
    packed: usize,
    size: usize,
    header_at: usize,
}

/// What the manifest says about a source map.
#[derive(Debug, Default)]
pub struct MapFile {
    /// Its name in the zip, and that of the minified file it belongs to.
    pub name: String,
    pub minified: Option<String>,
    /// The path of the minified file, such as `~/assets/x.js`.
    pub path: String,
    pub debug_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest<'a> {
    #[serde(borrow, default)]
    files: BTreeMap<String, &'a RawValue>,
    release: Option<String>,
}

/// A file in the manifest.
#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "type")]
    kind: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
}

impl<'a> Bundle<'a> {
    /// Reads the directory at the end of the zip. Its offsets count from the start of the zip or of the bundle, which has
    /// 8 bytes before it, so they are corrected by where the directory really is.
    pub fn open(mut zip: Chunks<'a>) -> Result<Bundle<'a>, String> {
        const LIES: &str = "The bundle is damaged: its directory is not where it says";
        let start = zip.length.saturating_sub(22 + 0xFFFF);
        let tail = read_at(&mut zip, start, usize::MAX)?;
        let at = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or("The bundle is not a zip file")?;
        let [count, size, offset] = numbers(&tail, [(at + 10, 2), (at + 12, 4), (at + 16, 4)])?;
        if count > MAX_FILES || size > MAX_DIRECTORY {
            return Err(format!("The bundle has more than {MAX_FILES} files. Upload them in several bundles"));
        }
        let directory_at = (start + at).checked_sub(size).ok_or(LIES)?;
        let shift = directory_at.checked_sub(offset).ok_or(LIES)?;
        let directory = read_at(&mut zip, directory_at, size)?;
        let (mut files, mut at, mut total) = (HashMap::new(), 0, 0);
        for _ in 0..count {
            if directory.get(at..at + 4) != Some(b"PK\x01\x02") {
                return Err(LIES.into());
            }
            let fields = [(10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)];
            let fields = fields.map(|(offset, length)| (at + offset, length));
            let [method, crc, packed, size, name, extra, comment, header_at] = numbers(&directory, fields)?;
            if method != 0 && method != 8 {
                return Err(format!("The bundle uses compression method {method}. Use deflate or none"));
            }
            let file = String::from_utf8_lossy(directory.get(at + 46..at + 46 + name).ok_or(LIES)?).into_owned();
            if file.split(['/', '\\']).any(|part| part == "..") || file.starts_with(['/', '\\']) {
                return Err(format!("The bundle has a file outside its folder: {file}"));
            }
            at += 46 + name + extra + comment;
            total += size;
            let entry = Entry { is_deflated: method == 8, crc, packed, size, header_at: shift + header_at };
            if files.insert(file, entry).is_some() {
                return Err("The bundle has two files of one name".into());
            }
        }
        match total <= MAX_TOTAL {
            true => Ok(Bundle { zip, files }),
            false => Err("The files of the bundle are over 1 GiB. Upload them in several bundles".into()),
        }
    }

    /// The source maps that the manifest lists, and the release that it names.
    pub fn maps(&mut self) -> Result<(Vec<MapFile>, Option<String>), String> {
        let manifest = self.read("manifest.json", MAX_MANIFEST)?;
        let invalid = |error| format!("The bundle's manifest.json is invalid: {error}");
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(invalid)?;
        if manifest.files.len() > MAX_FILES {
            return Err(format!("The bundle's manifest.json lists more than {MAX_FILES} files"));
        }
        let (mut maps, mut minified) = (Vec::new(), HashMap::new());
        for (name, listed) in manifest.files {
            // Other types of file may look different.
            let Ok(Listed { kind, url, headers }) = serde_json::from_str(listed.get()) else { continue };
            // The case of a header's name varies between uploaders.
            let header = |name| headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?.1.as_str();
            let debug_id = header("debug-id").and_then(debug_id);
            match kind.as_str() {
                "source_map" => maps.push((name, url, debug_id)),
                "minified_source" => {
                    let named = header("sourcemap").map(|map| beside(&url, map));
                    for key in [named, Some(format!("{url}.map")), debug_id.clone()].into_iter().flatten() {
                        minified.entry(key).or_insert((name.clone(), url.clone(), debug_id.clone()));
                    }
                }
                _ => {}
            }
        }
        let maps = maps.into_iter().map(|(name, url, debug_id)| {
            let of: Option<&(String, String, _)> = minified.get(&url).or_else(|| minified.get(debug_id.as_ref()?));
            MapFile {
                name,
                minified: of.map(|(name, ..)| name.clone()),
                path: of.map_or(&url, |(_, url, _)| url).clone(),
                debug_ids: debug_id.into_iter().chain(of.and_then(|(.., id)| id.clone())).collect(),
            }
        });
        Ok((maps.collect(), manifest.release))
    }

    /// Reads a source map or a minified file.
    pub fn file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        self.read(name, MAX_BYTES)
    }

    fn read(&mut self, name: &str, max: usize) -> Result<Vec<u8>, String> {
        let entry = self.files.get(name).ok_or_else(|| format!("The bundle has no {name}"))?;
        if entry.size > max {
            return Err(format!("{name} is over the limit of {} MiB", max >> 20));
        }
        let header = read_at(&mut self.zip, entry.header_at, 30)?;
        let [name_length, extra] = numbers(&header, [(26, 2), (28, 2)])?;
        self.zip.position = entry.header_at + 30 + name_length + extra;
        let packed = (&mut self.zip).take(entry.packed as u64);
        let unpacked: Box<dyn Read> =
            if entry.is_deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
        let mut bytes = Vec::with_capacity(entry.size + 1);
        // One byte more tells a file that is longer than declared, without reading all of it.
        unpacked.take(entry.size as u64 + 1).read_to_end(&mut bytes).map_err(damaged)?;
        let mut crc = Crc::new();
        crc.update(&bytes);
        match bytes.len() == entry.size && crc.sum() as usize == entry.crc {
            true => Ok(bytes),
            false => Err(format!("The bundle is damaged: {name} is not what the directory says")),
        }
    }
}

/// The debug ids that a minified file registers: `_sentryDebugIds[stack]="UUID"`. A page reports one of these, which is not
/// the manifest's if two tools have each added one.
pub fn aliases(minified: &[u8]) -> impl Iterator<Item = String> {
    let places = minified.windows(8).enumerate().filter(|(_, bytes)| bytes == b"ebugIds[").map(|(at, _)| at + 8);
    let ids = places.filter_map(|at| {
        let rest = &minified[at..minified.len().min(at + 100)];
        let value = &rest[rest.iter().position(|byte| *byte == b']')?..];
        let quote = value.iter().position(|byte| b"\"'`".contains(byte))?;
        debug_id(str::from_utf8(value.get(quote + 1..quote + 37)?).ok()?)
    });
    ids.take(MAX_ALIASES)
}

/// A URL beside another, as a minified file names its map.
fn beside(url: &str, reference: &str) -> String {
    match url.rfind('/') {
        Some(end) if !reference.contains("://") && !reference.starts_with(['/', '~']) => {
            format!("{}/{}", &url[..end], reference.trim_start_matches("./"))
        }
        _ => reference.into(),
    }
}

fn read_at(zip: &mut Chunks, at: usize, length: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    zip.position = at;
    zip.take(length as u64).read_to_end(&mut bytes).map_err(damaged)?;
    Ok(bytes)
}

/// Numbers at these places, each of a few bytes, the lowest first.
fn numbers<const N: usize>(bytes: &[u8], places: [(usize, usize); N]) -> Result<[usize; N], String> {
    if places.iter().any(|(at, length)| at + length > bytes.len()) {
        return Err("The bundle is damaged: it ends too early".into());
    }
    Ok(places.map(|(at, length)| {
        bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }))
}

/// `Other` is an error of the reader below, in its words.
fn damaged(error: io::Error) -> String {
    match error.kind() {
        ErrorKind::Other => error.to_string(),
        _ => "The bundle is damaged: a file cannot be decompressed".into(),
    }
}
