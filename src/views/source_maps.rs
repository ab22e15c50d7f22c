//! `GET /setup/sourcemaps`: the stored source maps, each with a button that deletes it.
use super::html::{Html, html};
use super::layout::{dotted, page, pager};
use super::setup::DOCS;
use super::text::{counted, cut, cut_front};
use crate::store::SourceMapInfo;
use crate::text::size;

/// Maximum characters of a path or a release.
const NAME: usize = 200;

pub struct SourceMapsPage<'a> {
    /// One page of them, the last upload first.
    pub maps: &'a [SourceMapInfo],
    /// The id after which the next page begins.
    pub next: Option<i64>,
    /// What all of them take, and may take, in bytes.
    pub bytes: i64,
    pub max_bytes: i64,
    pub may_act: bool,
}

impl SourceMapsPage<'_> {
    pub fn usage(&self) -> String {
        format!(
            "Source maps take {} of {}. Beyond that, the least recently used ones are removed.",
            size(self.bytes),
            size(self.max_bytes)
        )
    }
}

pub fn source_maps(list: &SourceMapsPage) -> Html {
    let rows: Html = list.maps.iter().map(|map| row(map, list.may_act)).collect();
    let table = html!(
        "<form method=\"post\" action=\"/setup/sourcemaps\">\n<table class=\"events\">\n{}</table></form>\n",
        rows
    );
    let next = list.next.map(|id| (format!("/setup/sourcemaps?after={id}"), html!("Older")));
    let main = html!(
        "<h1>Source maps</h1>\n<p>{}</p>\n<p><a href=\"{}/sourcemaps.md\">How to upload them</a></p>\n{}{}",
        list.usage(),
        DOCS,
        (!list.maps.is_empty()).then_some(table),
        pager("Source maps", None, next)
    );
    page("Source maps", "content", None, main)
}

fn row(map: &SourceMapInfo, may_act: bool) -> Html {
    let delete = html!("<button class=\"danger\" name=\"delete\" value=\"{}\">Delete {}</button>", map.id, map.id);
    html!(
        "<tr><td><code>{}</code></td><td><span>{}</span></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        cut_front(&map.path, NAME),
        cut(map.release.as_deref().unwrap_or("any release"), NAME),
        Html::join(map.debug_ids.iter().take(2).map(|id| html!("<code>{}</code>", id)), &html!(" ")),
        dotted(facts(map).map(|fact| html!("{}", fact))),
        may_act.then_some(delete)
    )
}

/// What a map has and takes, and when it was uploaded and used.
pub fn facts(map: &SourceMapInfo) -> [String; 4] {
    let sources = match map.with_content == map.sources {
        true => counted(map.sources, "source"),
        false => format!("{}, {} with content", counted(map.sources, "source"), map.with_content),
    };
    let day = |time: &str| cut(time, 11).replace("T…", "").replace('…', "");
    [sources, size(map.bytes), format!("uploaded {}", day(&map.uploaded_at)), format!("used {}", day(&map.used_at))]
}
