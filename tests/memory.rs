//! Memory stays below 100 MB under attack.
mod common;
use common::bundle::{File, TOKEN, upload, zip};
use common::*;
use std::thread;

fn assert_below_100_mb(obs: &Obs) {
    assert!(obs.peak_memory() < 100_000, "peak: {} kB", obs.peak_memory());
}

#[test]
fn large_bodies_made_of_tiny_fields_take_bounded_memory() {
    let obs = Obs::start();
    let name = |n: u32| (0..4).map(|at| char::from(b'a' + (n / 26_u32.pow(at) % 26) as u8)).collect::<String>();
    let fields: Vec<String> = (0..110_000).map(|n| format!("\"{}\":1", name(n))).collect();
    let body = format!(r#"{{"message":"m",{}}}"#, fields.join(","));
    assert!((900_000..1 << 20).contains(&body.len()));
    thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                for _ in 0..4 {
                    let status = obs.post(&body).status;
                    assert!([201, 503].contains(&status), "{status}"); // 503: too many bodies in flight
                }
            });
        }
    });
    wait_until("a retry succeeds", || obs.post(&body).status == 201);
    assert_below_100_mb(&obs);
}

#[test]
fn compressed_bodies_take_bounded_memory_whatever_they_decode_to() {
    let letters = [b'x'; 1 << 20];
    let mut block = flate2::Compress::new(flate2::Compression::best(), false);
    let mut deflate = Vec::with_capacity(1 << 16);
    block.compress_vec(&letters, &mut deflate, flate2::FlushCompress::Full).unwrap();
    let gibibyte = deflate.repeat(1000);
    let gzip = [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3][..], &gibibyte].concat();
    let zlib = [&[0x78, 0x9C][..], &gibibyte].concat();
    // A window of 16 MiB, and a block of 16 MiB of one letter.
    let brotli =
        b"\xcf\xff\xff\x7f\x00\xa4\x45\x74\xc2\xf6\x56\x25\xa7\x15\x32\xb9\x6e\xbd\xff\x97\xe1\xff\xff\x3f\x00\x12\x00"
            .to_vec();
    for (coding, bomb, name) in
        [("gzip", gzip, "gzip"), ("deflate", zlib, "zlib"), ("deflate", gibibyte, "deflate"), ("br", brotli, "brotli")]
    {
        let obs = Obs::start();
        let statuses: Vec<u16> = thread::scope(|scope| {
            let send = || {
                let head = format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {KEY}\r\nContent-Encoding: {coding}");
                (0..3)
                    .map(|_| obs.connect().try_send(&head, &bomb).map_or(0, |answer| answer.status))
                    .collect::<Vec<_>>()
            };
            let clients: Vec<_> = (0..400).map(|_| scope.spawn(send)).collect();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        let answered = |status: u16| statuses.iter().filter(|other| **other == status).count();
        println!(
            "1,200 bombs of {name}, {} bytes each: {} got 413, {} got 503, peak memory {} MB",
            bomb.len(),
            answered(413),
            answered(503),
            obs.peak_memory() / 1000
        );
        assert_eq!(answered(413) + answered(503), 1200, "{statuses:?}");
        assert_below_100_mb(&obs);
        assert_eq!(obs.post(r#"{"message":"still served"}"#).status, 201);
    }
}

#[test]
fn large_responses_that_no_client_reads_take_bounded_memory() {
    let obs = Obs::start();
    let id = obs.add(format!(r#"{{"message":"m","extra":{{"text":"{}"}}}}"#, "<&".repeat(500_000)));
    for path in [format!("/events/{id}"), format!("/api/events/{id}")] {
        let mut clients: Vec<Connection> = (0..200).map(|_| obs.connect()).collect();
        for client in &mut clients {
            client.write(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        }
        for client in &mut clients {
            client.first_byte(); // and leaves the rest unread
        }
        assert_below_100_mb(&obs);
        assert_eq!(obs.post(r#"{"message":"still served"}"#).status, 201);
    }
}

#[test]
fn source_maps_take_bounded_memory_whatever_is_uploaded() {
    let obs = Obs::start();
    let mut rng = common::rng::Rng(11);
    let mut noise = || (0..31 << 20).map(|_| char::from(b' ' + 2 + rng.below(58) as u8)).collect::<String>();
    let with = |content: &str| {
        format!(r#"{{"version":3,"sources":["a"],"sourcesContent":["{content}"],"names":[],"mappings":"AAAA"}}"#)
    };
    let many = |unit: &str, bytes: usize| unit.repeat(bytes / unit.len());
    let maps = [
        with(&noise()),
        with(&many("\\u20ac", 31 << 20)),
        format!(r#"{{"version":3,"sources":["a"],"names":[],"mappings":"{}A"}}"#, many("AAAA,", 31 << 20)),
        format!(r#"{{"version":3,"sources":[{}""],"names":[],"mappings":"AAAA"}}"#, many("\"\",", 299_000)),
        format!(r#"{{"version":3,"sources":["a"],"names":[{}""],"mappings":"AAAA"}}"#, many("\"\",", 31 << 20)),
        many(r#"{"sections":["#, 31 << 20),
        format!("{{{}\"\":0}}", many("\"\":0,", 31 << 20)),
        many(" ", 32 << 20),
    ];
    let files = |name: &str, map: &str| {
        let manifest = format!(r#"{{"files":{{"{name}":{{"type":"source_map","url":"~/x.js.map"}}}}}}"#);
        [File::new("manifest.json", manifest), File { is_deflated: true, ..File::new(name, map) }]
    };
    let huge_manifest =
        format!("{{\"files\":{{{}\"\":0}}}}", (0..190_000).map(|n| format!("\"{n:x}\":0,")).collect::<String>());
    let mut bundles: Vec<Vec<u8>> = maps[1..].iter().map(|map| zip(&files("x.js.map", map), 0)).collect();
    bundles.push(zip(&[File { is_deflated: true, ..File::new("manifest.json", huge_manifest) }], 0));
    bundles.push(zip(&(0..10_000).map(|n| File::new(&format!("{n:0300}"), "")).collect::<Vec<_>>(), 0));
    let refused_event = format!(r#"{{"message":7,"extra":[{}0]}}"#, many("0,", 1 << 19));
    let frame = r#"{"filename":"https://a.example/x.js","function":"a","lineno":1,"colno":1}"#;
    let id = obs.add(format!(r#"{{"message":"minified","stacktrace":[{frame}]}}"#));
    let put = |map: &String| {
        let head = format!("PUT /api/sourcemaps/x.js.map HTTP/1.1\r\n{TOKEN}");
        obs.connect().try_send(&head, map.as_bytes()).map_or(0, |answer| answer.status)
    };
    thread::scope(|scope| {
        let uploads = scope.spawn(|| {
            for map in &maps {
                let status = put(map);
                assert!([0, 201, 400, 503].contains(&status), "{status}"); // 0, 503: too much at once
                obs.get(&format!("/events/{id}")); // whose frame is mapped, unless others work on a map for long
            }
        });
        scope.spawn(|| maps.iter().rev().for_each(|map| assert_ne!(put(map), 500)));
        while !uploads.is_finished() {
            obs.post(&refused_event);
        }
    });
    bundles.iter().for_each(|bundle| drop(upload(&obs, bundle, None)));
    println!("peak memory {} MB", obs.peak_memory() / 1000);
    assert_below_100_mb(&obs);
    assert_eq!(obs.post(r#"{"message":"still served"}"#).status, 201);
}
