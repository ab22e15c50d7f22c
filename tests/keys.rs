//! Ingest keys: the rate limit and the project of each.
mod common;
use common::database::value;
use common::*;

fn post(obs: &Obs, key: &str, event: &str) -> Response {
    obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), event.as_bytes())
}

#[test]
fn each_key_has_its_own_limit_of_events_per_minute() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "a,shop=b"), ("OBS_RATE_LIMIT", "2")]);
    let post = |key: &str| post(&obs, key, r#"{"message":"m"}"#);
    assert_eq!([post("a").status, post("a").status], [201, 201]);
    let refusal = post("a");
    assert_eq!(refusal.status, 429);
    let seconds: u64 = refusal.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refusal.error().contains("Too many events"), "{}", refusal.error());
    assert_eq!(refusal.header("access-control-allow-origin"), Some("*"));
    assert_eq!(post("wrong").status, 401);
    assert_eq!(post("b").status, 201);
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events"), 3);
}

#[test]
fn only_stored_events_count_towards_the_limit() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "a"), ("OBS_RATE_LIMIT", "3")]);
    let head = "POST /api/events HTTP/1.1\r\nX-OBS-Key: a";
    let event = r#"{"message":"m","event_id":"0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91"}"#;
    assert_eq!(post(&obs, "a", event).status, 201);
    for _ in 0..5 {
        assert_eq!(post(&obs, "a", event).status, 200, "stored already");
        assert_eq!(post(&obs, "a", "{}").status, 400);
        assert_eq!(obs.send(head, &vec![b' '; (1 << 20) + 1]).status, 413);
        assert_eq!(obs.send(&format!("{head}\r\nContent-Encoding: zstd"), b"{}").status, 415);
        assert_eq!(obs.send(&format!("{head}\r\nContent-Encoding: gzip"), b"x").status, 400);
        obs.connect().write(format!("{head}\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{").as_bytes());
    }
    let mut stalled: Vec<_> = (0..5).map(|_| obs.connect()).collect();
    for client in &mut stalled {
        client.write(format!("{head}\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{").as_bytes());
    }
    let sqlite = obs.sqlite();
    sqlite.execute_batch("CREATE TRIGGER poison BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    assert!((0..5).all(|_| post(&obs, "a", r#"{"message":"m"}"#).status == 503));
    sqlite.execute_batch("DROP TRIGGER poison").unwrap();
    assert_eq!([(); 3].map(|()| post(&obs, "a", r#"{"message":"m"}"#).status), [201, 201, 429]);
}

#[test]
fn events_that_arrive_together_do_not_exceed_the_limit() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "a"), ("OBS_RATE_LIMIT", "20")]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = || (0..5).map(|_| post(&obs, "a", r#"{"message":"m"}"#).status).collect::<Vec<_>>();
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(send)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let answered = |status: u16| statuses.iter().filter(|other| **other == status).count();
    assert_eq!((answered(201), answered(429)), (20, 80));
    assert_eq!(value::<i64>(&obs.sqlite(), "SELECT count(*) FROM events"), 20);
}
