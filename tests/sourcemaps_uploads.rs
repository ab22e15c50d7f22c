//! Uploads of source maps by Sentry's tools: their protocol, their bundles, and whom obs accepts them from.
mod common;
use common::bundle::*;
use common::database::value;
use common::*;
use serde_json::{Value, json};
use std::thread;

const ID: &str = "bf9a0a1c-4d50-4d1e-9c8a-0f1d2e3a4b5c";
const OTHER: &str = "0e1d2c3b-4a59-4687-9605-f4e3d2c1b0a9";

/// The options that obs offers an uploader.
fn options(obs: &Obs, path: &str, headers: &str) -> Value {
    let answer = obs.send(&format!("GET {path} HTTP/1.1\r\n{TOKEN}{headers}"), b"");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

const OPTIONS: &str = "/api/0/organizations/acme/chunk-upload/";

/// A bundle of one minified file and its map, as the Rust tools or the JavaScript ones write it.
fn app(rust: bool) -> Vec<u8> {
    let (folder, debug_id, reference) = match rust {
        true => ("files/_/_/assets", "debug-id", "sourcemap"),
        false => ("_/_/assets", "Debug-Id", "Sourcemap"),
    };
    let (js, js_map) = (format!("{folder}/x.js"), format!("{folder}/x.js.map"));
    let manifest = json!({ "org": "acme", "project": "shop", "release": "web@1", "files": {
        &js: { "type": "minified_source", "url": "~/assets/x.js", "headers": { debug_id: ID, reference: "x.js.map" } },
        &js_map: { "type": "source_map", "url": "~/assets/x.js.map", "headers": { debug_id: ID } },
        "files/_/_/notes": { "type": "other", "url": 7 },
    }});
    let minified = format!("!function(){{e._sentryDebugIds[n]=\"{OTHER}\"}}();\n//# sourceMappingURL=x.js.map");
    bundle(&manifest, &[(&js, minified.into()), (&js_map, map("app.ts").to_string().into())], rust)
}

#[test]
fn bundles_of_all_uploaders_are_understood() {
    for rust in [true, false] {
        let obs = Obs::start();
        assert_eq!(upload(&obs, &app(rust), None), json!({ "state": "ok", "missingChunks": [], "detail": null }));
        let [map] = &stored(&obs)[..] else { panic!() };
        assert_eq!((&map["path"], &map["release"]), (&json!("assets/x.js"), &json!("web@1")));
        let mut ids: Vec<&str> = map["debug_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, [OTHER, ID], "an id that another tool has left in the minified file counts too");
        assert_eq!((&map["sources"], &map["with_content"]), (&json!(1), &json!(1)));
    }
}

#[test]
fn the_release_of_the_request_counts_before_that_of_the_bundle_and_undefined_is_none() {
    let obs = Obs::start();
    for (version, release) in
        [(Some("web@2"), json!("web@2")), (Some("undefined"), Value::Null), (None, json!("web@1"))]
    {
        assert_eq!(upload(&obs, &app(false), version)["state"], "ok");
        assert_eq!(stored(&obs)[0]["release"], release);
    }
}

#[test]
fn the_options_have_every_field_that_an_uploader_needs() {
    let obs = Obs::start();
    let mut options = options(&obs, OPTIONS, "\r\nHost: localhost:1234");
    assert_eq!(options["url"].take(), json!(format!("http://localhost:1234{OPTIONS}")));
    let expected = json!({
        "url": null, "chunkSize": 524288, "chunksPerRequest": 1, "maxRequestSize": 1048576, "concurrency": 1,
        "hashAlgorithm": "sha1", "compression": ["gzip"],
        "accept": ["release_files", "artifact_bundles", "artifact_bundles_v2"],
    });
    assert_eq!(options, expected);
}

#[test]
fn the_url_for_chunks_is_the_one_that_the_client_used() {
    let with =
        |url: &str| Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "secret"), ("OBS_URL", url)]);
    let url = |obs: &Obs, path: &str, headers: &str| options(obs, path, headers)["url"].as_str().unwrap().to_string();
    let own = with("https://obs.example/obs");
    let below = format!("/obs{OPTIONS}");
    for path in [OPTIONS, &below, &below[..below.len() - 1]] {
        assert_eq!(url(&own, path, "\r\nHost: OBS.example:443"), format!("https://obs.example{below}"), "{path}");
    }
    assert_eq!(url(&own, OPTIONS, "\r\nHost: 127.0.0.1:8000"), format!("http://127.0.0.1:8000{OPTIONS}"));
    assert_eq!(url(&own, &below, "\r\nHost: 127.0.0.1:8000"), format!("http://127.0.0.1:8000{below}"));
    let proxied = "\r\nHost: b.example\r\nX-Forwarded-Proto: https";
    assert_eq!(url(&own, OPTIONS, proxied), format!("https://b.example{OPTIONS}"));
}

#[test]
fn chunks_are_asked_for_until_all_are_there_and_a_bundle_is_assembled_from_several() {
    let obs = Obs::start();
    let mut noise = common::rng::Rng(7);
    let mut big = map("app.ts");
    big["x_noise"] = (0..300_000).map(|_| noise.below(1 << 30)).collect();
    let manifest = json!({ "files": { "_/x.js.map": { "type": "source_map", "url": "~/x.js.map" } } });
    let bundle = bundle(&manifest, &[("_/x.js.map", big.to_string().into())], false);
    let chunks: Vec<&[u8]> = bundle.chunks(CHUNK).collect();
    assert!(chunks.len() > 4);
    let names: Vec<String> = chunks.iter().map(|chunk| name(chunk)).collect();
    let answer = |missing: &[String]| json!({ "state": "not_found", "missingChunks": missing, "detail": null });
    for sent in 0..chunks.len() {
        assert_eq!(assemble(&obs, &names, None), answer(&names[sent..]));
        let response = send_chunk(&obs, &names[sent], chunks[sent], sent % 2 == 0);
        assert_eq!((response.status, response.body.len()), (200, 0));
    }
    assert_eq!(assemble(&obs, &names, None)["state"], "ok");
    assert_eq!(stored(&obs)[0]["path"], "x.js", "a map without its minified file has the path of that file");
}

#[test]
fn an_upload_needs_a_token_and_the_password_if_there_is_one() {
    let paths = [("GET", OPTIONS), ("POST", OPTIONS), ("PUT", "/api/sourcemaps/x.js.map")];
    let open = Obs::start();
    let closed = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "secret")]);
    let status = |obs: &Obs, (method, path): (&str, &str), headers: &str| {
        obs.send(&format!("{method} {path} HTTP/1.1{headers}"), b"").status
    };
    for path in paths {
        for (headers, without, with) in [
            ("", 401, 401),
            ("\r\nAuthorization: Bearer", 401, 401),
            ("\r\nAuthorization: Bearer test123", 0, 401),
            ("\r\nAuthorization: bearer secret", 0, 0),
            ("\r\nAuthorization: Basic OnNlY3JldA==", 0, 0),
            ("\r\nAuthorization: Bearer secret\r\nHost: obs.example", 403, 0),
        ] {
            for (obs, refusal) in [(&open, without), (&closed, with)] {
                let status = status(obs, path, headers);
                let is_refused = matches!(status, 401 | 403);
                assert!(status == refusal || refusal == 0 && !is_refused, "{path:?} with {headers}: {status}");
            }
        }
    }
    let public = Obs::with(&["--listen", "127.0.0.1:0", "--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    assert_eq!(
        status(&public, ("PUT", "/api/sourcemaps/x.js"), "\r\nAuthorization: Bearer x\r\nHost: obs.example"),
        403
    );
    assert!(open.send(&format!("PUT {} HTTP/1.1", paths[2].1), b"{}").error().contains("any will do"));
}

#[test]
fn releases_are_answered_and_not_kept() {
    let obs = Obs::start();
    for (method, path, status) in [
        ("POST", "organizations/acme/releases/", 201),
        ("POST", "projects/acme/shop/releases", 201),
        ("PUT", "organizations/acme/releases/web@1/", 200),
        ("PUT", "projects/acme/shop/releases/web@1/", 200),
    ] {
        let body = if method == "POST" { r#"{"version":"web@1","projects":["shop"]}"# } else { "{}" };
        let answer = obs.send(&format!("{method} /api/0/{path} HTTP/1.1\r\n{TOKEN}"), body.as_bytes());
        assert_eq!((answer.status, &answer.json()["version"]), (status, &json!("web@1")), "{method} {path}");
        assert!(answer.json()["dateCreated"].is_string() && answer.json()["projects"][0]["slug"].is_string());
    }
    let unknown = obs.send(&format!("GET /api/0/organizations/acme/ HTTP/1.1\r\n{TOKEN}"), b"");
    assert_eq!(unknown.status, 404);
}

#[test]
fn a_bundle_that_lies_is_refused_with_a_sentence_and_nothing_else_is_lost() {
    let manifest = |name: &str| json!({ "files": { name: { "type": "source_map", "url": "~/x.js.map" } } }).to_string();
    let file = |name: &str| File { is_deflated: true, ..File::new(name, map("app.ts").to_string()) };
    let files = |map: File| vec![File::new("manifest.json", manifest(&map.name)), map];
    let good = zip(&files(file("x.js.map")), 0);
    let cut = |bytes: &[u8], at: usize| [&bytes[..at], &bytes[at + 40..]].concat();
    let empty = json!({ "version": 3, "sources": [], "names": [], "mappings": ";;" }).to_string();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "is not a zip file"),
        (b"no zip".repeat(100_000), "is not a zip file"),
        (zip(&files(File { size: Some(10), ..file("x.js.map") }), 0), "is not what the directory says"),
        (zip(&files(File { size: Some(u32::MAX), ..file("x.js.map") }), 0), "over 1 GiB"),
        (zip(&files(File { size: Some(33 << 20), ..file("x.js.map") }), 0), "over the limit of 32 MiB"),
        (zip(&files(File { size: Some(20_000), ..file("x.js.map") }), 0), "is not what the directory says"),
        (zip(&files(File { crc: Some(1), ..file("x.js.map") }), 0), "is not what the directory says"),
        (zip(&files(file("../x.js.map")), 0), "outside its folder: ../x.js.map"),
        (zip(&files(file("a/../../x.js.map")), 0), "outside its folder"),
        (zip(&files(file("/etc/x.js.map")), 0), "outside its folder"),
        (zip(&files(file("..\\x.js.map")), 0), "outside its folder"),
        (zip(&[file("x"), file("x")], 0), "two files of one name"),
        (cut(&good, good.len() - 100), "is damaged"),
        (zip(&files(file("x.js.map")), 1 << 30), "its directory is not where it says"),
        (zip(&[file("x.js.map")], 0), "has no manifest.json"),
        (zip(&[File::new("manifest.json", "{\"files\":7}")], 0), "manifest.json is invalid"),
        (zip(&[File::new("manifest.json", manifest("y.js.map")), file("x.js.map")], 0), "has no y.js.map"),
        (zip(&[File::new("manifest.json", "{\"files\":{}}")], 0), "has no source maps"),
        (zip(&files(File::new("x.js.map", "console.log(1)")), 0), "1 of 1 source maps were refused. x.js.map:"),
        (zip(&files(File::new("x.js.map", empty)), 0), "maps nothing"),
    ];
    let obs = Obs::start();
    assert_eq!(upload(&obs, &app(true), None)["state"], "ok");
    for (bundle, sentence) in cases {
        let answer = upload(&obs, &bundle, None);
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(answer["state"] == "error" && detail.contains(sentence), "{sentence}: {answer}");
        assert_eq!(stored(&obs).len(), 1, "{sentence}");
    }
    assert_eq!(upload(&obs, &zip(&files(file("x.js.map")), 0), None)["state"], "ok", "a zip without 8 bytes before it");
}

#[test]
fn one_map_that_is_refused_does_not_cost_the_others_and_empty_ones_are_left_out() {
    let entry = |name: &str| json!({ "type": "source_map", "url": format!("~/{name}") });
    let empty = json!({ "version": 3, "sources": [], "names": [], "mappings": "" }).to_string();
    let good = map("app.ts").to_string();
    let send = |files: &[(&str, &str)]| {
        let obs = Obs::start();
        let manifest = json!({ "files": files.iter().map(|(name, _)| (name.to_string(), entry(name))).collect::<serde_json::Map<_, _>>() });
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect();
        (upload(&obs, &bundle(&manifest, &files, true), None), stored(&obs).len())
    };
    let (answer, count) = send(&[("a.js.map", &good), ("b.js.map", "{}"), ("c.js.map", &good)]);
    assert_eq!((answer["state"].as_str(), count), (Some("error"), 2));
    assert!(answer["detail"].as_str().unwrap().starts_with("1 of 3 source maps were refused. b.js.map:"), "{answer}");
    let (answer, count) = send(&[("a.js.map", &good), ("b.js.map", &empty)]);
    assert_eq!((answer["state"].as_str(), count), (Some("ok"), 1));
}

#[test]
fn a_chunk_that_is_too_large_or_no_form_is_refused() {
    let obs = Obs::start();
    let sha1 = "0".repeat(40);
    for compress in [true, false] {
        assert_eq!(send_chunk(&obs, &sha1, &vec![7; CHUNK + 1], compress).status, 413);
        assert_eq!(send_chunk(&obs, "../../etc/passwd", b"x", compress).status, 400);
    }
    let form = format!("{}\r\nContent-Type: multipart/form-data; boundary=", head("POST", "chunk-upload"));
    for (boundary, body) in
        [("x", "--x--"), ("x", ""), ("", "\r\n\r\n\r\n----"), ("x", "--x\r\nfilename=\"0\"\r\n\r\n\r\n--x--")]
    {
        let answer = obs.send(&format!("{form}{boundary}"), body.as_bytes());
        assert!(answer.status == 400 && answer.error().contains("expected a form"), "{boundary} {body}");
    }
    let many: Vec<String> = (0..513).map(|n| format!("{n:040x}")).collect();
    assert_eq!(assemble(&obs, &many, None)["detail"], "The bundle is over 256 MiB. Upload it in several");
    let answer = obs.send(&head("POST", "artifactbundle/assemble"), b"{}");
    assert!(answer.status == 400 && answer.error().contains("chunks"), "{}", answer.text());
}

#[test]
fn chunks_are_removed_after_an_hour_and_the_oldest_when_there_are_too_many() {
    let obs = Obs::start();
    let count = || value::<i64>(&obs.sqlite(), "SELECT count(*) FROM upload_chunks");
    thread::scope(|scope| {
        for thread in 0..4 {
            let obs = &obs;
            scope.spawn(move || {
                (0..140).for_each(|n| drop(send_chunk(obs, &format!("{:040x}", thread * 1000 + n), b"x", false)))
            });
        }
    });
    assert_eq!(count(), 512);
    obs.sqlite().execute("UPDATE upload_chunks SET at = '2020-01-01T00:00:00.000Z' WHERE rowid % 2", []).unwrap();
    send_chunk(&obs, &"f".repeat(40), b"new", false);
    obs.sqlite()
        .execute("UPDATE upload_chunks SET at = '2020-01-01T00:00:00.000Z' WHERE sha1 <> ?1", ["f".repeat(40)])
        .unwrap();
    wait_until("old chunks are removed", || count() == 1);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT source_map_bytes FROM totals"), 3 + 512);
}
