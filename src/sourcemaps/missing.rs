//! What keeps a stack trace unreadable, in words, with the command that helps.
use crate::text::{cut, cut_front};

/// Releases that a note names.
const RELEASES: usize = 3;
/// Maximum characters of a path and of a release in a note.
const NAME: usize = 200;

/// A sentence for the reader of a page, and a command that helps.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub text: String,
    pub command: Option<String>,
}

/// No map belongs to a script. `others` are releases that have one.
pub fn map(path: &str, debug_id: Option<&str>, release: Option<&str>, others: &[String], origin: &str) -> Note {
    let mut text = format!("No source map for {}", cut_front(path, NAME));
    text.extend(debug_id.map(|id| format!(", debug id {id}")));
    text += &match release {
        Some(release) => format!(", release {}.", cut(release, NAME)),
        None => ", and the event names no release.".into(),
    };
    if !others.is_empty() {
        let more = if others.len() > RELEASES { ", …" } else { "" };
        let others: Vec<_> = others.iter().take(RELEASES).map(|other| cut(other, NAME)).collect();
        text += &format!(" There is one for {}{more}: the releases disagree.", others.join(", "));
    }
    Note { text: text + " Upload it from its folder:", command: Some(upload(origin, path, release)) }
}

/// A map says nothing about the places of the script that the event names.
pub fn places(path: &str, uploaded: &str, release: Option<&str>, origin: &str) -> Note {
    let path_shown = cut_front(path, NAME);
    let text = format!(
        "The source map for {path_shown}, uploaded {uploaded}, says nothing about these places: it belongs to another \
         build. Upload the one of this build from its folder:"
    );
    Note { text, command: Some(upload(origin, path, release)) }
}

/// A map does not contain the text of any source.
pub fn sources(path: &str) -> Note {
    let path = cut_front(path, NAME);
    let text = format!(
        "The source map for {path} contains no sources, so no lines are shown. Have the bundler write sourcesContent, and \
         upload the map again."
    );
    Note { text, command: None }
}

/// Another request works on a map for longer than a page waits.
pub fn turn() -> Note {
    Note { text: "Another request is working on a source map. Reload the page in a moment.".into(), command: None }
}

/// A command that uploads the map of a script. Nothing in it can end the quotes.
fn upload(origin: &str, path: &str, release: Option<&str>) -> String {
    let path = encoded(path);
    let file = path.rsplit('/').next().unwrap_or_default();
    let release = release.map(|release| format!("?release={}", encoded(release))).unwrap_or_default();
    let origin = origin.replace('\'', "%27");
    format!("curl -u :PASSWORD -T '{file}.map' '{origin}/api/sourcemaps/{path}.map{release}'")
}

/// The text percent-encoded, except for letters, digits and signs that neither a URL nor a shell interprets.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._~@/".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
