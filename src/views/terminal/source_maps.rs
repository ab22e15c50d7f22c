//! `GET /setup/sourcemaps` as text.
use super::screen::{Screen, curl, dotted};
use crate::views::setup::DOCS;
use crate::views::source_maps::{SourceMapsPage, facts};

pub fn source_maps(list: &SourceMapsPage, origin: &str) -> Screen {
    let mut screen = Screen::default();
    screen.put("", 2, &list.usage());
    for map in list.maps {
        screen.blank();
        screen.line(&format!("  {}  ", map.id), &map.path);
        screen.field("release", map.release.as_deref().unwrap_or("any"));
        screen.field("debug ids", &map.debug_ids.join(" "));
        screen.field("contains", &dotted(facts(map).iter().map(String::as_str)));
    }
    screen.heading("More");
    if let Some(next) = list.next {
        screen.command("older", &curl(origin, &format!("/setup/sourcemaps?after={next}")));
    }
    if list.may_act {
        screen.command("delete one", &format!("{}ID -X DELETE -u :PASSWORD", curl(origin, "/api/sourcemaps/")));
    }
    screen.command("upload", &format!("{DOCS}/sourcemaps.md"));
    screen
}
