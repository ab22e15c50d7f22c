//! Reads an artifact bundle, in which Sentry's uploaders send source maps: a zip with a manifest.
use super::map::{MAX_BYTES, debug_id};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

/// Maximum size in bytes of a bundle's directory, of its manifest, and of all its files together.
const MAX_DIRECTORY: u64 = 4 << 20;
const MAX_MANIFEST: usize = 2 << 20;
const MAX_TOTAL: u64 = 1 << 30;
const MAX_FILES: usize = 10_000;
/// Maximum number of debug ids found in a minified file. Two tools that each add one make two.
const MAX_ALIASES: usize = 16;

pub struct Bundle<R> {
    zip: R,
    files: HashMap<String, Entry>,
}

/// Where a file is in the zip.
struct Entry {
    is_deflated: bool,
    crc: u32,
    packed: u64,
    size: u64,
    header_at: u64,
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
    r#type: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
}

impl<R: Read + Seek> Bundle<R> {
    /// Reads the directory at the end of the zip. Its offsets count from the start of the zip or of the bundle, which has
    /// 8 bytes before it, so they are corrected by where the directory really is.
    pub fn open(mut zip: R) -> Result<Bundle<R>, String> {
        let length = zip.seek(SeekFrom::End(0)).map_err(damaged)?;
        let start = length.saturating_sub(22 + 0xFFFF);
        let tail = read_at(&mut zip, start, length - start)?;
        let at = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or("The bundle is not a zip file")?;
        let (count, size, offset) =
            (number(&tail, at + 10, 2)?, number(&tail, at + 12, 4)?, number(&tail, at + 16, 4)?);
        if count as usize > MAX_FILES || size > MAX_DIRECTORY {
            return Err(format!("The bundle has more than {MAX_FILES} files. Upload them in several bundles"));
        }
        let lies = "The bundle is damaged: its directory is not where it says";
        let directory_at = (start + at as u64).checked_sub(size).ok_or(lies)?;
        let shift = directory_at.checked_sub(offset).ok_or(lies)?;
        let directory = read_at(&mut zip, directory_at, size)?;
        let (mut files, mut at, mut total) = (HashMap::new(), 0, 0);
        for _ in 0..count {
            if directory.get(at..at + 4) != Some(b"PK\x01\x02") {
                return Err(lies.into());
            }
            let field = |offset, length| number(&directory, at + offset, length);
            let [name, extra, comment] = [field(28, 2)?, field(30, 2)?, field(32, 2)?].map(|length| length as usize);
            let entry = Entry {
                is_deflated: match field(10, 2)? {
                    0 => false,
                    8 => true,
                    other => return Err(format!("The bundle uses compression method {other}. Use deflate or none")),
                },
                crc: field(16, 4)? as u32,
                packed: field(20, 4)?,
                size: field(24, 4)?,
                header_at: shift + field(42, 4)?,
            };
            let name = String::from_utf8_lossy(directory.get(at + 46..at + 46 + name).ok_or(lies)?).into_owned();
            if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with(['/', '\\']) {
                return Err(format!("The bundle has a file outside its folder: {name}"));
            }
            at += 46 + name.len() + extra + comment;
            total += entry.size;
            if let Some(twice) = files.insert(name, entry).map(|_| "The bundle has two files of one name") {
                return Err(twice.into());
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
            let Ok(listed) = serde_json::from_str::<Listed>(listed.get()) else { continue };
            let debug_id = listed.header("debug-id").and_then(debug_id);
            match listed.r#type.as_str() {
                "source_map" => maps.push((name, listed.url, debug_id)),
                "minified_source" => {
                    let named = listed.header("sourcemap").map(|map| beside(&listed.url, map));
                    let usual = Some(format!("{}.map", listed.url));
                    let file = (name, listed.url, debug_id.clone());
                    for key in [named, usual, debug_id].into_iter().flatten() {
                        minified.entry(key).or_insert(file.clone());
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
        if entry.size > max as u64 {
            return Err(format!("{name} is over the limit of {} MiB", max >> 20));
        }
        let header = read_at(&mut self.zip, entry.header_at, 30)?;
        let (name_length, extra) = (number(&header, 26, 2)?, number(&header, 28, 2)?);
        self.zip.seek(SeekFrom::Start(entry.header_at + 30 + name_length + extra)).map_err(damaged)?;
        let packed = (&mut self.zip).take(entry.packed);
        let mut bytes = Vec::with_capacity(entry.size as usize);
        let mut unpacked: Box<dyn Read> =
            if entry.is_deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
        // One byte more tells a file that is longer than declared, without reading all of it.
        unpacked.by_ref().take(entry.size).read_to_end(&mut bytes).map_err(damaged)?;
        let has_more = unpacked.read(&mut [0]).map_err(damaged)? > 0;
        let mut crc = Crc::new();
        crc.update(&bytes);
        match bytes.len() as u64 == entry.size && !has_more && crc.sum() == entry.crc {
            true => Ok(bytes),
            false => Err(format!("The bundle is damaged: {name} is not what the directory says")),
        }
    }
}

impl Listed {
    /// The case of a header's name varies between uploaders.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?.1.as_str()
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

fn read_at(from: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Vec<u8>, String> {
    from.seek(SeekFrom::Start(at)).map_err(damaged)?;
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes).map_err(damaged)?;
    Ok(bytes)
}

/// A number of a few bytes, the lowest first.
fn number(bytes: &[u8], at: usize, length: usize) -> Result<u64, String> {
    let digits = bytes.get(at..at + length).ok_or("The bundle is damaged: it ends too early")?;
    Ok(digits.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// `Other` is an error of the reader below, in its words.
fn damaged(error: io::Error) -> String {
    match error.kind() {
        ErrorKind::Other => error.to_string(),
        _ => "The bundle is damaged: a file cannot be decompressed".into(),
    }
}
