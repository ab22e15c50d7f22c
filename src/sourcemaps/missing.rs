//! What keeps a stack trace unreadable, in words, with the command that helps.
use crate::text::{cut, cut_front};

/// Releases that a note names.
const RELEASES: usize = 3;
/// Maximum characters of a path, a release and a debug id in a note.
const NAME: usize = 200;

pub enum Missing {
    /// No map belongs to a script. `others` are the releases that have one.
    Map { path: String, debug_id: Option<String>, release: Option<String>, others: Vec<String> },
    /// A map says nothing about the places of the script that the event names.
    Places { path: String, uploaded: String, release: Option<String> },
    /// A map does not contain the text of any source.
    Sources { path: String },
    /// Another request works on a map for longer than a page waits.
    Turn,
}

/// A sentence for the reader of a page, and a command that helps.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub text: String,
    pub command: Option<String>,
}

impl Missing {
    pub fn note(&self, origin: &str) -> Note {
        let name = |path: &str| cut_front(path, NAME).into_owned();
        match self {
            Missing::Map { path, debug_id, release, others } => {
                let mut text = format!("No source map for {}", name(path));
                if let Some(id) = debug_id {
                    text += &format!(", debug id {id}");
                }
                text += &match release {
                    Some(release) => format!(", release {}.", cut(release, NAME)),
                    None => ", and the event names no release.".into(),
                };
                if !others.is_empty() {
                    let more = if others.len() > RELEASES { ", …" } else { "" };
                    let others: Vec<_> = others.iter().take(RELEASES).map(|other| cut(other, NAME)).collect();
                    text += &format!(" There is one for {}{more}: the releases disagree.", others.join(", "));
                }
                Note { text: text + " Upload it:", command: Some(upload(origin, path, release.as_deref())) }
            }
            Missing::Places { path, uploaded, release } => {
                let text = format!(
                    "The source map for {}, uploaded {uploaded}, says nothing about these places: it belongs to another \
                     build. Upload the one of this build:",
                    name(path)
                );
                Note { text, command: Some(upload(origin, path, release.as_deref())) }
            }
            Missing::Sources { path } => {
                let text = format!(
                    "The source map for {} contains no sources, so no lines are shown. Have the bundler write \
                     sourcesContent, and upload the map again.",
                    name(path)
                );
                Note { text, command: None }
            }
            Missing::Turn => {
                let text = "Another request is working on a source map. Reload the page in a moment.".into();
                Note { text, command: None }
            }
        }
    }
}

/// A command that uploads the map of a script. Nothing in it can end the quotes.
fn upload(origin: &str, path: &str, release: Option<&str>) -> String {
    let path = encoded(path, b"/");
    let file = path.rsplit('/').next().unwrap_or_default();
    let release = release.map(|release| format!("?release={}", encoded(release, b""))).unwrap_or_default();
    let origin = origin.replace('\'', "%27");
    format!("curl -u :PASSWORD -T '{file}.map' '{origin}/api/sourcemaps/{path}.map{release}'")
}

/// The text percent-encoded, except for letters, digits and a few signs that neither a URL nor a shell interprets.
fn encoded(text: &str, also: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            _ if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) || also.contains(&byte) => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}
