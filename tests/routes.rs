//! Every route and method, who may use it, and the headers of each kind of response.
mod common;
use common::*;
use obs::http::{App, Limits, Refusal};
use obs::store::{AlertPolicy, Retention, Store};
use obs::web::State;
use obs::web::auth::Dashboard;

const PASSWORD: (&str, &str) = ("OBS_DASHBOARD_PASSWORD", "sesame: öffne dich");
/// HTTP Basic with that password and an arbitrary user name.
const SIGNED_IN: &str = "Authorization: Basic YW55b25lOnNlc2FtZTogw7ZmZm5lIGRpY2g=";

fn with_one_event() -> (Obs, String) {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    (obs, id)
}

/// Every path, its status for GET, and its methods.
fn routes(id: &str) -> Vec<(String, u16, &'static str)> {
    vec![
        ("/".into(), 200, "GET, HEAD, POST"),
        ("/setup".into(), 200, "GET, HEAD"),
        ("/issues/1".into(), 200, "GET, HEAD, POST"),
        (format!("/events/{id}"), 200, "GET, HEAD, POST"),
        ("/api/issues".into(), 200, "GET, HEAD"),
        ("/api/issues/1".into(), 200, "DELETE, GET, HEAD, PATCH"),
        (format!("/api/events/{id}"), 200, "DELETE, GET, HEAD"),
        ("/api/stats".into(), 200, "GET, HEAD"),
        ("/api/issues/1/merge".into(), 405, "POST"),
        ("/style.css".into(), 200, "GET, HEAD"),
        ("/sdk.js".into(), 200, "GET, HEAD"),
        ("/health".into(), 200, "GET, HEAD"),
        ("/metrics".into(), 200, "GET, HEAD"),
        ("/api/events".into(), 405, "OPTIONS, POST"),
    ]
}

const RETENTION: Retention = Retention { events: 1000, bytes: i64::MAX, days: None, source_maps: i64::MAX };

#[test]
fn every_path_answers_its_methods_and_lists_them_for_others() {
    let (obs, id) = with_one_event();
    for (path, status, methods) in routes(&id) {
        let get = obs.get(&path);
        assert_eq!(get.status, status, "{path}");
        let head = obs.send(&format!("HEAD {path} HTTP/1.1"), b"");
        assert_eq!((head.status, head.body.len()), (status, 0), "{path}");
        if !path.starts_with("/api/events") || status == 200 {
            let same = head.header("content-length") == get.header("content-length")
                || path == "/"
                || path == "/metrics"
                || path.starts_with("/issues");
            assert!(same && head.header("content-length").is_some(), "{path}: {head:?}");
        }
        for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get"] {
            if methods.contains(method) {
                continue;
            }
            let answer = obs.send(&format!("{method} {path} HTTP/1.1"), b"");
            assert_eq!((answer.status, answer.header("allow")), (405, Some(methods)), "{method} {path}");
        }
    }
}

#[test]
fn an_unknown_path_is_404_as_json_under_api_and_as_a_page_elsewhere() {
    let (obs, id) = with_one_event();
    let unknown = [
        "/nothing".into(),
        "/issues".into(),
        "/issues/".into(),
        "/issues/2".into(),
        "/issues/x".into(),
        "/issues/+1".into(),
        "/issues/1/events".into(),
        "/issues/99999999999999999999".into(),
        "//".into(),
        "//evil.example/".into(),
        "/%2F/".into(),
        "/events/7".into(),
        "/events/00000000-0000-0000-0000-000000000000".into(),
        format!("/events/{id}/x"),
        "/style.css/x".into(),
        "/index.html".into(),
        "/%ff".into(),
    ];
    for path in &unknown {
        let answer = obs.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("404") && answer.header("content-security-policy").is_some(), "{path}");
    }
    for path in ["/api", "/api/", "/api/x", "/api/issues/2", "/api/issues/x", "/api/events/7", "/api/issues/1/2"] {
        let answer = obs.get(path);
        assert!(answer.status == 404 && answer.error().starts_with("No such page"), "{path}");
    }
}

#[test]
fn a_known_path_with_a_trailing_slash_redirects_to_the_path_without_it() {
    let (obs, id) = with_one_event();
    for (path, _, _) in routes(&id).into_iter().filter(|(path, _, _)| path != "/") {
        for query in ["", "?after=7&x=%2F"] {
            let answer = obs.get(&format!("{path}/{query}"));
            assert_eq!((answer.status, answer.header("location")), (308, Some(format!("{path}{query}").as_str())));
        }
    }
    assert_eq!(obs.send("POST /api/events/ HTTP/1.1\r\nX-OBS-Key: test123", b"{}").status, 308, "308 keeps the method");
    let twice = obs.get("/api/events//");
    assert_eq!((twice.status, twice.header("access-control-allow-origin")), (404, None));
    let injected = obs.get("/issues/%0d%0aX-Injected:%201/");
    assert!(injected.header("x-injected").is_none() && !injected.header("location").unwrap_or_default().contains('\r'));
}

#[test]
fn a_path_is_percent_decoded_once() {
    let (obs, _) = with_one_event();
    assert_eq!(obs.get("/%69ssues/%31").status, 200);
    assert_eq!(obs.send("POST /api/%65vents HTTP/1.1\r\nX-OBS-Key: test123", br#"{"message":"m"}"#).status, 201);
    assert_eq!(obs.get("/issues/%2531").status, 404);
    assert_eq!(obs.get("/issues%2F1").status, 404, "an encoded slash does not separate segments");
}

#[test]
fn an_unreadable_cursor_is_400() {
    let (obs, _) = with_one_event();
    for path in ["/", "/issues/1", "/api/issues", "/api/issues/1"] {
        for cursor in ["", "x", "-1", "1.5", "99999999999999999999", "1%00"] {
            assert_eq!(obs.get(&format!("{path}?after={cursor}")).status, 400, "{path}?after={cursor}");
        }
        assert_eq!(obs.get(&format!("{path}?after=1")).status, 200);
        assert_eq!(obs.get(&format!("{path}?before=0&other=x")).status, 200);
    }
    assert!(obs.get("/api/issues?after=x").error().contains("after"));
}

#[test]
fn pages_of_any_origin_may_send_events_and_read_the_responses() {
    let obs = Obs::start();
    let preflight = obs.send(
        "OPTIONS /api/events HTTP/1.1\r\nOrigin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: content-type,x-obs-key",
        b"",
    );
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("content-length"), None);
    assert_eq!(preflight.header("access-control-allow-headers"), Some("content-type,x-obs-key"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(preflight.header("access-control-max-age"), Some("86400"));
    let key = "\r\nX-OBS-Key: test123";
    let answers = [
        preflight,
        obs.post(r#"{"message":"m"}"#),
        obs.post("{}"),
        obs.send("POST /api/events HTTP/1.1", b"{}"),
        obs.get("/api/events"),
        obs.get("/api/events/"),
        obs.send(&format!("POST /api/events HTTP/1.1{key}\r\nContent-Length: 2000000"), b""),
        obs.send(&format!("POST /api/events HTTP/1.1{key}\r\nContent-Length: x"), b""),
        obs.send(&format!("POST /api/events HTTP/1.1{key}\r\nX-Long: {}", "x".repeat(20_000)), b""),
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [204, 201, 400, 401, 405, 308, 413, 400, 431]);
    for answer in answers {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
        assert_eq!(answer.header("access-control-expose-headers"), Some("Retry-After"), "{answer:?}");
        if answer.status >= 400 {
            assert!(!answer.error().is_empty());
        }
    }
    for path in ["/", "/api/issues", "/health", "/style.css", "/api/events/00000000-0000-0000-0000-000000000000", "/x"]
    {
        assert_eq!(obs.get(path).header("access-control-allow-origin"), None, "{path}");
    }
}

#[test]
fn a_refusal_by_http_looks_like_a_refusal_by_a_handler() {
    let folder = Folder::new();
    let state = State {
        store: Store::open(&folder.join("obs.sqlite"), RETENTION, AlertPolicy::Never).unwrap().into(),
        keys: Vec::new(),
        dashboard: Dashboard::Local,
        url: None,
        max_source_maps: i64::MAX,
        turns: Default::default(),
        rate: obs::web::rate::Rate::new(None),
        refused: Default::default(),
        verbose: false,
    };
    let refusals = || {
        let texts = [Refusal::BadRequest("why"), Refusal::Timeout, Refusal::BodyTooLarge(7), Refusal::HeadTooLarge];
        texts.into_iter().chain([Refusal::Panicked, Refusal::Busy("why")])
    };
    for (target, kind, cors) in [
        (Some("/api/events?x"), "application/json", true),
        (Some("/api/issues"), "application/json", false),
        (Some("/issues/1"), "text/html; charset=utf-8", false),
        (None, "text/html; charset=utf-8", false),
    ] {
        for refusal in refusals() {
            let status = refusal.status();
            let answer = state.refuse(refusal, target);
            let header =
                |name: &str| answer.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_ref());
            assert_eq!(answer.status_code, status, "{target:?}");
            assert_eq!(header("Content-Type"), Some(kind), "{status} for {target:?}");
            assert_eq!(header("Access-Control-Allow-Origin").is_some(), cors, "{status} for {target:?}");
            assert_eq!(header("Retry-After").is_some(), status == 503, "{status} for {target:?}");
        }
    }
}

#[test]
fn the_limits_of_http_are_as_documented() {
    let limits = Limits::default();
    let seconds = [limits.head_time, limits.body_time, limits.idle_time, limits.response_time, limits.grace]
        .map(|time| time.as_secs());
    assert_eq!((seconds, limits.memory), ([10, 30, 60, 30, 5], 32 << 20));
}

#[test]
fn pages_and_json_have_their_security_headers() {
    let (obs, id) = with_one_event();
    let pages = ["/".to_string(), "/issues/1".into(), format!("/events/{id}"), "/x".into(), "/?after=x".into()];
    for path in pages {
        let page = obs.get(&path);
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    }
    for path in ["/api/issues".to_string(), format!("/api/events/{id}"), "/health".into(), "/api/x".into()] {
        let answer = obs.get(&path);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        assert_eq!(
            (answer.header("x-content-type-options"), answer.header("cache-control")),
            (Some("nosniff"), Some("no-store"))
        );
    }
}

#[test]
fn a_dashboard_with_a_password_opens_only_with_that_password() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), PASSWORD]);
    let id = obs.add(r#"{"message":"m"}"#);
    let private = [
        "/".into(),
        "/issues/1".into(),
        format!("/events/{id}"),
        "/api/issues".into(),
        "/api/issues/1".into(),
        format!("/api/events/{id}"),
    ];
    for path in private {
        for wrong in [
            "X: 1",
            "Authorization: Basic YW55b25lOndyb25n",
            "Authorization: Bearer test123",
            "X-OBS-Key: test123",
            "Authorization: Basic dGVzdDEyMzp0ZXN0MTIz",
            "Authorization: Basic",
            "Authorization: Basic %%%",
        ] {
            let answer = obs.send(&format!("GET {path} HTTP/1.1\r\n{wrong}"), b"");
            assert_eq!(answer.status, 401, "{path} with {wrong}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="));
            assert!(!answer.text().contains(KEY));
        }
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: obs.example.com\r\nX-Forwarded-For: 203.0.113.7\r\n{SIGNED_IN}");
        assert_eq!(obs.send(&head, b"").status, 200, "{path}: the password is enough from anywhere");
        assert_eq!(
            obs.send(&head.replace("Basic", "basic"), b"").status,
            200,
            "the case of the scheme does not matter"
        );
    }
    for open in ["/health", "/style.css", "/sdk.js"] {
        assert_eq!(obs.get(open).status, 200);
    }
    assert_eq!(obs.get("/api/nothing").status, 404);
}

#[test]
fn a_dashboard_without_a_password_answers_only_local_requests() {
    let (obs, id) = with_one_event();
    let get = |path: &str, headers: &str| obs.send(&format!("GET {path} HTTP/1.1\r\n{headers}"), b"").status;
    let private = [
        "/".into(),
        "/issues/1".into(),
        format!("/events/{id}"),
        "/api/issues".into(),
        "/api/issues/1".into(),
        format!("/api/events/{id}"),
    ];
    for path in &private {
        for here in ["localhost", "localhost:8000", "LOCALHOST", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:8000"] {
            assert_eq!(get(path, &format!("Host: {here}")), 200, "{path} for {here}");
        }
        for elsewhere in [
            "obs.example.com",
            "localhost.evil.example",
            "evil.example:8000",
            "127.0.0.2",
            "127.0.0.1.evil.example",
            "[::2]",
            "localhost:x",
            "0.0.0.0",
            "",
        ] {
            assert_eq!(get(path, &format!("Host: {elsewhere}")), 403, "{path} for {elsewhere}");
        }
        for trace in [
            "Forwarded: for=1.2.3.4",
            "Via: 1.1 proxy",
            "X-Real-IP: 1.2.3.4",
            "X-Forwarded-For: 1.2.3.4",
            "x-forwarded-proto: https",
            "X-Forwarded-Host: localhost",
        ] {
            assert_eq!(get(path, &format!("Host: localhost\r\n{trace}")), 403, "{path} with {trace}");
        }
        assert_eq!(obs.send(&format!("GET {path} HTTP/1.0\r\nHost: localhost"), b"").status, 403, "{path} in HTTP/1.0");
    }
    let page = obs.send("GET / HTTP/1.1\r\nHost: evil.example", b"").text();
    assert!(page.contains("OBS_DASHBOARD_PASSWORD") && page.contains("403"), "{page}");
    assert_eq!(
        obs.send("POST /api/events HTTP/1.1\r\nHost: evil.example\r\nX-OBS-Key: test123", br#"{"message":"m"}"#).status,
        201
    );
}

#[test]
fn a_public_dashboard_is_open_to_everyone_but_shows_a_key_only_locally() {
    let obs = Obs::with(&["--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    let elsewhere = obs.send("GET / HTTP/1.1\r\nHost: obs.example.com\r\nX-Forwarded-For: 203.0.113.7", b"");
    assert_eq!(elsewhere.status, 200);
    assert!(!elsewhere.text().contains(KEY));
    assert!(obs.text("/").contains(KEY), "a reader on this machine may know the key");
}

#[test]
fn the_empty_dashboard_shows_how_to_send_an_event_with_the_key() {
    let obs = Obs::start();
    let page = obs.send("GET / HTTP/1.1\r\nHost: localhost:8000", b"").text();
    assert!(page.contains(&format!("http://{KEY}@localhost:8000")) && page.contains("curl"), "{page}");
    let guarded = Obs::with(&[], &[("OBS_API_KEY", KEY), PASSWORD]);
    let head = format!("GET / HTTP/1.1\r\nHost: obs.example.com\r\nX-Forwarded-Proto: https\r\n{SIGNED_IN}");
    let page = guarded.send(&head, b"").text();
    assert!(page.contains(&format!("https://{KEY}@obs.example.com")), "{page}");
}

#[test]
fn a_small_body_that_no_route_needs_is_ignored_except_with_get_head_and_options() {
    let (obs, id) = with_one_event();
    for request in ["GET /", "HEAD /", "OPTIONS /api/events"] {
        assert_eq!(obs.send(&format!("{request} HTTP/1.1"), b"x").status, 413, "{request}");
    }
    let delete = format!("DELETE /api/events/{id} HTTP/1.1");
    assert_eq!(obs.send(&delete, &[b'x'; 16_385]).status, 413);
    assert_eq!(obs.send(&delete, &[b'x'; 16_384]).status, 204);
}
