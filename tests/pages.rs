//! What the pages show of events, read over HTTP, and how lists are paged.
mod common;
use common::*;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// Text that would be markup wherever it stands, and breaks out of an attribute.
const HOSTILE: &str = "</title></pre><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;";

#[test]
fn hostile_text_in_every_field_is_escaped_on_every_page() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY)]);
    let frame = json!({"filename": HOSTILE, "function": HOSTILE, "lineno": 1, "context_line": HOSTILE,
                       "pre_context": [HOSTILE], "post_context": [HOSTILE], HOSTILE: HOSTILE});
    let event = json!({
        "message": HOSTILE, "type": HOSTILE, "level": HOSTILE, "platform": HOSTILE, "server_name": HOSTILE,
        "environment": HOSTILE, "release": HOSTILE, "fingerprint": [HOSTILE], "stacktrace": [frame, HOSTILE],
        "causes": [{"type": HOSTILE, "message": HOSTILE, "stacktrace": [frame]}, HOSTILE],
        "extra": {HOSTILE: HOSTILE, "deep": {HOSTILE: [HOSTILE]}}, HOSTILE: {HOSTILE: HOSTILE}, "timestamp": HOSTILE,
    });
    let id = obs.add(event.to_string());
    for path in ["/".to_string(), "/issues/1".into(), format!("/events/{id}")] {
        let page = obs.text(&path).to_lowercase();
        for markup in ["<script", "<img", "onerror=alert(1)>", "\"'>", "</title></pre>"] {
            assert!(!page.contains(markup), "{path} has {markup}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{path} shows the text");
    }
    let echoed = obs.send(&format!("GET / HTTP/1.1\r\nHost: {}", "localhost\"><script>"), b"");
    assert!(!echoed.text().contains("<script"), "a Host is not echoed as markup");
}

#[test]
fn the_list_shows_what_an_issue_last_said_and_where_it_broke() {
    let obs = Obs::start();
    obs.add(
        r#"{"message":"first words","fingerprint":["one"],
            "stacktrace":[{"filename":"/srv/vendor/x/y.php","function":"lib"},{"filename":"/srv/app/src/Cart.php","function":"Cart::total","lineno":7}]}"#,
    );
    obs.add(r#"{"message":"\n  last words\nand more","type":"OrderError","fingerprint":["one"],"platform":"php","environment":"production",
                "stacktrace":[{"filename":"/srv/vendor/x/y.php","function":"lib"},{"filename":"/srv/app/src/Cart.php","function":"Cart::total","lineno":7}]}"#);
    let list = obs.text("/");
    for shown in ["last words", "OrderError", "Cart::total", "Cart.php", "php", "production", "href=\"/issues/1\""] {
        assert!(list.contains(shown), "{shown}: {list}");
    }
    assert!(!list.contains("first words") && !list.contains("and more"), "{list}");
    let issue = obs.text("/issues/1");
    for shown in ["last words", "Cart::total", "OrderError", "href=\"/\""] {
        assert!(issue.contains(shown), "{shown}: {issue}");
    }
}

#[test]
fn an_event_leads_to_its_neighbours_and_its_issue() {
    let obs = Obs::start();
    let ids: Vec<String> =
        (0..3).map(|n| obs.add(json!({"message": "the same", "extra": {"number": n}}).to_string())).collect();
    obs.add(r#"{"message":"another"}"#);
    let page = obs.text(&format!("/events/{}", ids[1]));
    let links = [
        "/issues/1",
        &format!("/events/{}", ids[0]),
        &format!("/events/{}", ids[2]),
        &format!("/api/events/{}", ids[1]),
    ]
    .map(|path| format!("href=\"{path}\""));
    for link in links {
        assert!(page.contains(&link), "{link}: {page}");
    }
    assert!(page.contains("number"));
}

/// The ids on all pages of a list, as `next` leads from one to the other.
fn walk(obs: &Obs, path: &str, list: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = Value::Null;
    loop {
        let cursor = next.as_str().map_or(String::new(), |cursor| format!("?after={cursor}"));
        let page = obs.json(&format!("{path}{cursor}"));
        let rows = page[list].as_array().unwrap();
        assert!(rows.len() <= 50);
        ids.extend(rows.iter().map(|row| row["id"].to_string()));
        next = page["next"].clone();
        if next.is_null() {
            return ids;
        }
        assert_eq!(rows.len(), 50, "only the last page is short");
    }
}

#[test]
fn lists_of_any_length_are_paged_to_their_end() {
    for count in [0, 1, 49, 50, 51, 100, 101] {
        let obs = Obs::start();
        for n in 0..count {
            obs.add(json!({"message": "m", "fingerprint": [n.to_string()]}).to_string());
        }
        let expected: Vec<String> = (1..=count).rev().map(|id: i32| id.to_string()).collect();
        assert_eq!(walk(&obs, "/api/issues", "issues"), expected, "of {count}");
    }
}

/// Sets a flag when dropped, so that a test that fails ends its threads too.
struct Set<'a>(&'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn a_walk_through_a_list_shows_nothing_twice_while_events_arrive() {
    let obs = Obs::start();
    let before: Vec<String> =
        (0..220).map(|n| obs.add(json!({"message": "m", "fingerprint": [format!("old {n}")]}).to_string())).collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for sender in 0..2 {
            let (obs, stop) = (&obs, &stop);
            scope.spawn(move || {
                let mut connection = obs.connect();
                for n in 0.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    let name = if n % 2 == 0 { format!("new {sender} {n}") } else { format!("old {}", n % 20) };
                    assert_eq!(connection.post(json!({"message": "m", "fingerprint": [name]}).to_string()).status, 201);
                }
            });
        }
        let _end = Set(&stop);
        for _ in 0..5 {
            let seen = walk(&obs, "/api/issues", "issues");
            let distinct: HashSet<&String> = seen.iter().collect();
            assert_eq!(distinct.len(), seen.len(), "an issue shows twice");
            for untouched in 21..=220 {
                assert!(distinct.contains(&untouched.to_string()), "issue {untouched} is missing");
            }
        }
    });
    assert_eq!(obs.json(&format!("/api/events/{}", before[0].clone()))["issue_id"], 1);
}

#[test]
fn pages_link_to_older_and_newer_ones_without_gaps() {
    let obs = Obs::start();
    for n in 0..120 {
        obs.add(json!({"message": "m", "fingerprint": [n.to_string()]}).to_string());
        obs.add(json!({"message": "n", "fingerprint": ["one issue"]}).to_string());
    }
    let link = |page: &str, name: &str| {
        let link = page
            .split("href=\"")
            .find(|part| part.starts_with(&format!("?{name}=")) || part.contains(&format!("?{name}=")));
        link.and_then(|part| part.split('"').next())
            .map(|target| target.split('#').next().unwrap_or_default().to_string())
    };
    for start in ["/", "/issues/2"] {
        let target = |link: String| if link.starts_with('?') { format!("{start}{link}") } else { link };
        let first = obs.text(start);
        assert_eq!(link(&first, "before"), None);
        let second = obs.text(&target(link(&first, "after").unwrap()));
        let third = obs.text(&target(link(&second, "after").unwrap()));
        assert_eq!(link(&third, "after"), None);
        let back = obs.text(&target(link(&third, "before").unwrap()));
        let rows = |page: &str| page.matches("href=\"/issues/").count() + page.matches("href=\"/events/").count();
        assert_eq!(rows(&back), rows(&second), "{start}");
        assert!(link(&back, "before").is_some() && link(&back, "after").is_some());
    }
}
