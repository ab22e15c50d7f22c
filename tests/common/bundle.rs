//! Artifact bundles as Sentry's uploaders build them, and the requests that send them.
use super::coding::{deflate, gzip};
use super::*;
use serde_json::json;

pub const TOKEN: &str = "Authorization: Bearer secret";
pub const CHUNK: usize = 512 << 10;
const BOUNDARY: &str = "------------------------5a1";

/// A small source map, whose first token is at line 1, column 0 of its source.
pub fn map(source: &str) -> Value {
    json!({ "version": 3, "sources": [source], "sourcesContent": [format!("// {source}\nthrow 1\n")], "names": [], "mappings": "AAAA" })
}

/// One file of a zip: its name, its bytes, and what the directory says about it.
#[derive(Clone)]
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
    pub is_deflated: bool,
    /// What the directory says instead of the size and the CRC.
    pub size: Option<u32>,
    pub crc: Option<u32>,
}

impl File {
    pub fn new(name: &str, bytes: impl AsRef<[u8]>) -> File {
        File { name: name.into(), bytes: bytes.as_ref().into(), is_deflated: false, size: None, crc: None }
    }
}

/// A zip whose offsets count from `base` bytes before its start.
pub fn zip(files: &[File], base: u32) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let offset = zip.len() as u32 + base;
        let packed = if file.is_deflated { deflate(&file.bytes) } else { file.bytes.clone() };
        let mut crc = flate2::Crc::new();
        crc.update(&file.bytes);
        let mut fields = vec![20, 0, 0, 0];
        fields.extend(if file.is_deflated { [8, 0] } else { [0, 0] });
        fields.extend([0; 4]);
        fields.extend(file.crc.unwrap_or(crc.sum()).to_le_bytes());
        fields.extend((packed.len() as u32).to_le_bytes());
        fields.extend(file.size.unwrap_or(file.bytes.len() as u32).to_le_bytes());
        fields.extend((file.name.len() as u16).to_le_bytes());
        // The extra field of the local header is longer than that of the directory, as some tools write it.
        zip.extend([b"PK\x03\x04", &fields[..], &[4, 0], file.name.as_bytes(), &[1, 0, 0, 0], &packed].concat());
        directory
            .extend([b"PK\x01\x02\x14\0", &fields[..], &[0; 12], &offset.to_le_bytes(), file.name.as_bytes()].concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let (size, offset) = ((directory.len() as u32).to_le_bytes(), (zip.len() as u32 + base).to_le_bytes());
    [zip, directory, [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &offset, &[0, 0]].concat()].concat()
}

/// A bundle of these files, with the 8 bytes before the zip. `rust`: compressed, the manifest last, offsets from the start
/// of the bundle, as Sentry's command-line tool writes it. Otherwise as its JavaScript tools do.
pub fn bundle(manifest: &Value, files: &[(&str, Vec<u8>)], rust: bool) -> Vec<u8> {
    let mut all: Vec<File> = files.iter().map(|(name, bytes)| File::new(name, bytes)).collect();
    all.insert(if rust { all.len() } else { 0 }, File::new("manifest.json", manifest.to_string()));
    all.iter_mut().for_each(|file| file.is_deflated = rust);
    [b"SYSB\x02\0\0\0".to_vec(), zip(&all, if rust { 8 } else { 0 })].concat()
}

/// The name of a chunk. obs never computes it, so it need not be a real SHA-1.
pub fn name(chunk: &[u8]) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(chunk);
    format!("{:032x}{:08x}", chunk.len(), crc.sum())
}

/// A request to a route of Sentry's.
pub fn head(method: &str, path: &str) -> String {
    format!("{method} /api/0/organizations/acme/{path}/ HTTP/1.1\r\n{TOKEN}")
}

pub fn send_chunk(obs: &Obs, name: &str, chunk: &[u8], compress: bool) -> Response {
    let (field, data) = if compress { ("file_gzip", gzip(chunk)) } else { ("file", chunk.to_vec()) };
    let part = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let body = [part.as_bytes(), &data, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    let head = head("POST", "chunk-upload");
    obs.send(&format!("{head}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}"), &body)
}

pub fn assemble(obs: &Obs, chunks: &[String], version: Option<&str>) -> Value {
    let body = json!({ "checksum": "0".repeat(40), "chunks": chunks, "projects": ["shop"], "version": version });
    let answer = obs.send(&head("POST", "artifactbundle/assemble"), body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Uploads a bundle as an uploader does. Returns the last answer.
pub fn upload(obs: &Obs, bundle: &[u8], version: Option<&str>) -> Value {
    let chunks: Vec<&[u8]> = bundle.chunks(CHUNK).collect();
    let names: Vec<String> = chunks.iter().map(|chunk| name(chunk)).collect();
    let first = assemble(obs, &names, version);
    for missing in first["missingChunks"].as_array().unwrap() {
        let at = names.iter().position(|name| name == missing.as_str().unwrap()).unwrap();
        assert_eq!(send_chunk(obs, &names[at], chunks[at], true).status, 200);
    }
    assemble(obs, &names, version)
}

/// Uploads one map with `curl`'s request.
pub fn put(obs: &Obs, path: &str, map: impl AsRef<[u8]>) -> Response {
    obs.send(&format!("PUT /api/sourcemaps/{path} HTTP/1.1\r\n{TOKEN}"), map.as_ref())
}

/// What is stored, the newest first.
pub fn stored(obs: &Obs) -> Vec<Value> {
    obs.json("/api/sourcemaps")["sourcemaps"].as_array().unwrap().clone()
}
