//! Sentry's routes under load and attack: memory, locks, crashes, and clients that go away.
mod common;
use common::coding::*;
use common::database::*;
use common::sentry::*;
use common::*;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The start of an envelope and 200 MiB of zeros in an attachment, as brotli.
const BROTLI_BOMB: &str = "cbffff3f00046a73664bbc6c7805193357b13959059b0735826927f77cd95dc2500b81661aefff98d27fd9259d1bfcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a07bffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a07bffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a07bffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf77fb102004002208c08c000";

fn statuses(clients: usize, send: impl Fn(usize) -> Option<Response> + Sync) -> Vec<u16> {
    let barrier = Barrier::new(clients);
    let client = |n| {
        barrier.wait();
        send(n).map_or(0, |answer| answer.status)
    };
    thread::scope(|scope| {
        let clients: Vec<_> =
            (0..clients).map(|n| (n, &client)).map(|(n, client)| scope.spawn(move || client(n))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

#[test]
fn bombs_in_every_encoding_take_bounded_memory() {
    let start = envelope(&[b"{\"type\":\"replay_video\",\"length\":9999999999}\n".to_vec()]);
    let deflate = bomb(&start, &[0; 1 << 20], 110);
    let event = bomb(&envelope(&[b"{\"type\":\"event\"}\n".to_vec()]), &[b'x'; 1 << 20], 110);
    let line = bomb(b"{\"", &[b'x'; 1 << 20], 110);
    let gzip = |deflate: &[u8]| [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3][..], deflate].concat();
    let zlib = |deflate: &[u8]| [&[0x78, 0x9C][..], deflate].concat();
    let brotli = [hex(BROTLI_BOMB), vec![0; 2 << 20]].concat();
    for (coding, bomb, route) in [
        ("gzip", gzip(&deflate), "envelope"),
        ("deflate", zlib(&event), "envelope"),
        ("deflate", line, "envelope"),
        ("br", brotli, "envelope"),
        ("gzip", gzip(&event), "store"),
        ("deflate", zlib(&event), "security"),
    ] {
        let obs = Obs::start();
        let head = format!("{}\r\nContent-Encoding: {coding}", head(route));
        let statuses = statuses(24, |_| obs.connect().try_send(&head, &bomb));
        let refused = |status: u16| statuses.iter().filter(|other| **other == status).count();
        println!("24 bombs of {coding}, {} bytes: {statuses:?}, peak {} kB", bomb.len(), obs.peak_memory());
        assert!(refused(400) + refused(413) > 0, "{coding}: {statuses:?}");
        assert_eq!(refused(400) + refused(413) + refused(503), 24, "{coding}: {statuses:?}");
        assert!(obs.peak_memory() < 100_000, "{coding}: {} kB", obs.peak_memory());
        assert_eq!(send(&obs, "envelope", envelope(&[common::sentry::event("still served")])).status, 200);
    }
}

#[test]
fn the_largest_events_take_bounded_memory() {
    let frames = format!("{{\"module\":\"{}\"}},", "m".repeat(4000)).repeat(250);
    let fill = |start: &str, part: &str, end: &str| {
        format!("{start}{}{end}", part.repeat((1_000_000 - start.len()) / part.len()))
    };
    for (what, event) in [
        ("exceptions", fill("{\"exception\":[", "{},", "{}]}")),
        ("numbers for exceptions", fill("{\"exception\":[", "7,", "7]}")),
        ("tags", fill("{\"message\":\"m\",\"tags\":{", "\"\":0,", "\"\":0}}")),
        ("pairs of tags", fill("{\"message\":\"m\",\"tags\":[", "[0,0],", "0]}")),
        ("threads", fill("{\"message\":\"m\",\"threads\":[", "{},", "{}]}")),
        ("headers", fill("{\"message\":\"m\",\"request\":{\"headers\":[", "0,", "0]}}")),
        ("contexts", fill("{\"message\":\"m\",\"contexts\":{", "\"\":0,", "\"\":0}}")),
        ("frames", fill("{\"message\":\"m\",\"stacktrace\":{\"frames\":[", "{},", "{}]}}")),
        (
            "Java",
            format!(
                "{{\"platform\":\"java\",\"exception\":[{{\"type\":\"E\",\"stacktrace\":{{\"frames\":[{frames}7]}}}}]}}"
            ),
        ),
    ] {
        assert!((900_000..1 << 20).contains(&event.len()), "{what}");
        let obs = Obs::start();
        let body = envelope(&[item("event", &event)]);
        let statuses = statuses(24, |_| obs.connect().try_send(&head("envelope"), &body));
        println!("24 times {what}: {statuses:?}, peak {} kB", obs.peak_memory());
        assert!(
            statuses.iter().all(|status| [200, 503].contains(status)) && statuses.contains(&200),
            "{what}: {statuses:?}"
        );
        assert!(obs.peak_memory() < 100_000, "{what}: {} kB", obs.peak_memory());
    }
    let obs = Obs::start();
    let reports = fill("[", "{\"type\":\"csp-violation\",\"body\":{}},", "7]");
    assert_eq!(send(&obs, "security", reports).status, 200);
    assert!(obs.peak_memory() < 60_000, "{} kB", obs.peak_memory());
}

#[test]
fn clients_that_send_together_are_all_answered_200() {
    let obs = Obs::start();
    let replay = item("replay_recording", vec![b'r'; 100_000]);
    let body = |n: usize| envelope(&[replay.clone(), event(&format!("client {n}"))]);
    assert_eq!(statuses(60, |n| obs.connect().try_send(&head("envelope"), &body(n))), [200; 60]);
    let coded = |n: usize| [("gzip", gzip(body(n))), ("br", brotli(body(n)))][n % 2].clone();
    let send = |n| Some(send_as(&obs, "envelope", coded(n).0, coded(n).1));
    assert_eq!(statuses(32, send), [200; 32]);
    assert_eq!(messages(&obs).len(), 92);
}

#[test]
fn a_replay_counts_little_however_slowly_it_arrives() {
    let obs = Obs::start();
    let body = envelope(&[item("replay_video", vec![7; 900_000]), event("slow")]);
    let start = format!("{}\r\nHost: x\r\nContent-Length: {}\r\n\r\n", head("envelope"), body.len());
    let mut slow: Vec<_> = (0..60).map(|_| obs.connect()).collect();
    for client in &mut slow {
        client.write(&[start.as_bytes(), &body[..800_000]].concat());
    }
    let large = format!(r#"{{"message":"large","extra":"{}"}}"#, "x".repeat(500_000));
    assert_eq!(stored(&obs, &send(&obs, "envelope", envelope(&[item("event", large)])))["message"], "large");
    for client in &mut slow {
        client.write(&body[800_000..]);
        assert_eq!(client.read(false).unwrap().status, 200);
    }
    assert!(obs.peak_memory() < 60_000, "peak: {} kB", obs.peak_memory());
}

#[test]
fn a_lock_on_the_database_delays_an_event_and_costs_it_only_after_two_seconds() {
    let obs = Obs::start();
    let other = obs.sqlite();
    let bodies = [
        ("envelope", envelope(&[event("a")])),
        ("store", b"{}".to_vec()),
        ("security", br#"{"csp-report":{}}"#.to_vec()),
    ];
    let during = |locked: Duration| {
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        thread::scope(|scope| {
            // At different moments of the server's own attempts.
            let clients: Vec<_> = (0..24)
                .map(|n| {
                    let (obs, (route, body)) = (&obs, bodies[n % 3].clone());
                    scope.spawn(move || {
                        thread::sleep(Duration::from_millis(150 * n as u64).min(locked / 2));
                        let start = Instant::now();
                        (send(obs, route, body), start.elapsed())
                    })
                })
                .collect();
            thread::sleep(locked);
            other.execute_batch("ROLLBACK").unwrap();
            clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
        })
    };
    assert!(during(Duration::from_secs(1)).iter().all(|(answer, _)| answer.status == 200));
    for (answer, took) in during(Duration::from_millis(6500)) {
        assert_eq!(answer.status, 503);
        assert_eq!(
            (answer.header("x-sentry-error"), answer.header("retry-after")),
            (Some("The database is locked"), Some("2"))
        );
        assert_readable(&answer);
        assert!((Duration::from_millis(1900)..Duration::from_secs(3)).contains(&took), "{took:?}");
    }
    wait_until("obs recovers", || obs.get("/health").status == 200);
    assert_eq!(send(&obs, "store", "{}").status, 200);
    assert_eq!(messages(&obs).len(), 25);
}

#[test]
fn kill_9_under_a_load_of_envelopes_loses_no_event_that_was_answered_200() {
    let mut obs = Obs::start();
    let mut all = Vec::new();
    for round in 0..3 {
        let acknowledged = std::sync::Mutex::new(Vec::new());
        thread::scope(|scope| {
            for client in 0..12 {
                let (mut connection, acknowledged) = (obs.connect(), &acknowledged);
                scope.spawn(move || {
                    let head = format!("{}\r\nContent-Encoding: gzip", head("envelope"));
                    loop {
                        let ids = [Uuid::now_v7(), Uuid::now_v7()];
                        let events = ids.map(|id| {
                            item(
                                "event",
                                format!(r#"{{"event_id":"{}","message":"m","tags":{{"c":{client}}}}}"#, id.simple()),
                            )
                        });
                        let Some(answer) = connection.try_send(&head, &gzip(envelope(&events))) else { return };
                        assert_eq!(answer.json()["id"], ids[0].simple().to_string());
                        acknowledged.lock().unwrap().extend(ids.map(|id| id.to_string()));
                    }
                });
            }
            wait_until("events are acknowledged", || acknowledged.lock().unwrap().len() > 200 + 77 * round);
            obs.kill();
        });
        all.extend(acknowledged.into_inner().unwrap());
        obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
        assert_holds(&obs.sqlite(), &all);
        assert_consistent(&obs.sqlite());
    }
}

#[test]
fn a_client_that_closes_in_the_middle_of_an_envelope_raises_no_alarm() {
    let obs = Obs::start();
    let body = envelope(&[event("before"), item("attachment", vec![7; 300_000]), event("after")]);
    let compressed = gzip(&body);
    let banner = obs.banner();
    for (header, body) in [("", &body), ("\r\nContent-Encoding: gzip", &compressed)] {
        for sent in [0, 1, 40, 70_000, 150_000].map(|sent| sent.min(body.len() - 1)) {
            let mut client = obs.connect();
            client.write(
                format!("{}{header}\r\nHost: x\r\nContent-Length: {}\r\n\r\n", head("envelope"), body.len()).as_bytes(),
            );
            client.write(&body[..sent]);
            client.end_writing();
            let refused = client.read(false).unwrap();
            assert_eq!((refused.status, refused.error().as_str()), (400, "Malformed request: the request ends early"));
            assert_readable(&refused);
            let mut client = obs.connect();
            client.write(
                format!("{}{header}\r\nHost: x\r\nContent-Length: {}\r\n\r\n", head("envelope"), body.len()).as_bytes(),
            );
            client.write(&body[..sent]);
        }
    }
    wait_until("the events in front are stored", || messages(&obs).len() == 4);
    assert_eq!(send(&obs, "store", "{}").status, 200);
    assert_eq!(obs.errors(), banner);
}

#[test]
fn a_refusal_by_http_itself_can_be_read_by_a_page() {
    let obs = Obs::start();
    for route in ["envelope", "store", "security"] {
        let head = head(route);
        let mut late = [obs.connect(), obs.connect()];
        late[0].write(format!("{head}\r\nHost: x\r\nX: ").as_bytes());
        let answers = [
            obs.send(&format!("{head}\r\nContent-Length: 99999999"), b""),
            obs.send(&format!("{head}\r\nContent-Length: x"), b""),
            obs.send(&format!("{head}\r\nX-Long: {}", "x".repeat(20_000)), b""),
            obs.send(&format!("{head}\r\nTransfer-Encoding: chunked\r\nConnection: close"), b"no chunk"),
            late[0].read(false).unwrap(),
        ];
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [413, 400, 431, 400, 408], "{route}");
        answers.iter().for_each(assert_readable);
    }
}

#[test]
fn a_refusal_for_lack_of_memory_can_be_read_by_a_page() {
    for route in ["store", "envelope"] {
        let obs = Obs::start();
        let start =
            format!("{}\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n{{}}\n{{\"type\":\"event\"}}\n", head(route));
        let mut stalled: Vec<_> = (0..24).map(|_| obs.connect()).collect();
        for client in &mut stalled {
            let _ = client.try_write(&[start.as_bytes(), &[b' '; 1_000_000]].concat());
        }
        let refused = eventually("one is refused", || {
            let client = stalled.iter_mut().position(|client| !client.has_received_nothing())?;
            stalled[client].read(false)
        });
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("2")));
        assert_readable(&refused);
    }
}
