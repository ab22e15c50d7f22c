//! What the page of an event costs with the source maps of real libraries. `tests/deps` installs them.
use crate::database::Folder;
use crate::load::{Client, KEY, percentile};
use crate::pages::time_gets;
use crate::process::Server;
use obs::sourcemaps::vlq::{Segment, Segments};
use serde_json::{Value, json};
use std::fs;
use std::io;

/// Frames of the stack trace, spread over the whole script.
const FRAMES: usize = 20;
const MAPS: [(&str, &str); 2] =
    [("maplibre-gl", "maplibre-gl/dist/maplibre-gl.mjs.map"), ("mermaid", "mermaid/dist/mermaid.min.js.map")];

pub fn table(folder: &Folder) -> io::Result<()> {
    println!("\nThe page of an event with {FRAMES} frames, with and without its source map\n");
    println!(
        "| map | MB | upload (ms) | without (ms), median | with (ms), median, 99th percentile | memory before (MB) | peak (MB) |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, file) in MAPS {
        let path = format!("{}/tests/sourcemaps-npm/node_modules/{file}", env!("CARGO_MANIFEST_DIR"));
        let map = fs::read(&path).map_err(|e| io::Error::other(format!("{path}: {e}. Run tests/deps")))?;
        let database = folder.path();
        let server = Server::obs(&database, &[])?;
        let mut client = Client::open(server.address)?;
        let [plain, mapped] = ["other", name].map(|script| event(&mut client, &map, script));
        let (plain, mapped) = (plain?, mapped?);
        let begin = std::time::Instant::now();
        let head = format!("PUT /api/sourcemaps/{name}.js.map HTTP/1.1\r\nAuthorization: Bearer any");
        client.send(&head, &map)?;
        let upload = begin.elapsed().as_millis();
        drop(server);
        // A server that has not uploaded the map.
        let server = Server::obs(&database, &[])?;
        let without = time_gets(server.address, &plain)?;
        let before = server.memory();
        let with = time_gets(server.address, &mapped)?;
        let page = String::from_utf8_lossy(&Client::open(server.address)?.get(&mapped)?).into_owned();
        if !page.contains(".ts</b>") {
            return Err(io::Error::other(format!("the map of {name} was not used")));
        }
        let mb = |bytes: usize| bytes as f64 / 1e6;
        println!(
            "| {name} | {:.1} | {upload} | {:.1} | {:.1}, {:.1} | {:.1} | {:.1} |",
            mb(map.len()),
            percentile(&without, 50.0),
            percentile(&with, 50.0),
            percentile(&with, 99.0),
            mb(before),
            mb(server.peak_memory())
        );
    }
    Ok(())
}

/// Sends an event whose frames are spread over the map. Returns the path of its page.
fn event(client: &mut Client, map: &[u8], script: &str) -> io::Result<String> {
    let map: Value = serde_json::from_slice(map)?;
    let segments = Segments::new(map["mappings"].as_str().unwrap_or_default().as_bytes(), Segment::default()).flatten();
    let all: Vec<_> =
        segments.filter(Segment::has_source).map(|segment| (segment.line + 1, segment.column + 1)).collect();
    let frame = |(line, column): &(u32, u32)| json!({ "filename": format!("https://x.example/{script}.js"), "function": "a", "lineno": line, "colno": column });
    let frames: Vec<Value> = all.iter().step_by(all.len() / FRAMES + 1).map(frame).collect();
    let event = json!({ "message": script, "platform": "javascript", "stacktrace": frames });
    let head = format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}");
    let answer: Value = serde_json::from_slice(&client.send(&head, event.to_string().as_bytes())?)?;
    Ok(format!("/events/{}", answer["id"].as_str().unwrap_or_default()))
}
