//! What anyone may fetch: the style sheet, and the JavaScript SDK.
mod common;
use common::*;
use flate2::read::MultiGzDecoder;
use std::io::Read;

#[test]
fn pages_link_to_the_style_sheet_under_a_url_that_may_be_cached() {
    let obs = Obs::start();
    let page = obs.text("/");
    let url = page
        .split("href=\"")
        .find(|part| part.starts_with("/style.css"))
        .and_then(|part| part.split('"').next())
        .unwrap();
    let sheet = obs.get(url);
    assert_eq!((sheet.status, sheet.header("content-type")), (200, Some("text/css; charset=utf-8")));
    assert!(sheet.header("cache-control").unwrap().contains("max-age=31536000"));
    assert!(!obs.get("/style.css?v=old").header("cache-control").unwrap().contains("max-age"));
}

#[test]
fn pages_of_any_origin_may_load_the_javascript_sdk() {
    let obs = Obs::start();
    let module = obs.get("/sdk.js");
    assert_eq!((module.status, module.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(module.header("access-control-allow-origin"), Some("*"));
    assert_eq!(module.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(module.text(), include_str!("../sdk/js/obs.js"));
}

#[test]
fn the_javascript_sdk_is_compressed_for_those_who_accept_gzip() {
    let obs = Obs::start();
    for (accepted, is_compressed) in [
        ("gzip, deflate, br, zstd", true),
        ("br;q=1.0, GZIP;q=0.5", true),
        ("identity", false),
        ("gzip;q=0", false),
        ("gzip; q=0.0", false),
        ("gzipped", false),
    ] {
        let answer = obs.send(&format!("GET /sdk.js HTTP/1.1\r\nAccept-Encoding: {accepted}"), b"");
        assert_eq!(answer.header("content-encoding"), is_compressed.then_some("gzip"), "{accepted}");
        assert_eq!((answer.status, answer.header("vary")), (200, Some("Accept-Encoding")), "{accepted}");
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()), "{accepted}");
        let mut text = String::new();
        match is_compressed {
            true => MultiGzDecoder::new(answer.body.as_slice()).read_to_string(&mut text).map(|_| ()).unwrap(),
            false => text = answer.text(),
        }
        assert_eq!(text, include_str!("../sdk/js/obs.js"), "{accepted}");
    }
}
