//! The pages over HTTP: what they show, what their buttons do, and how lists are paged.
mod common;
use common::*;
use rouille::url::form_urlencoded;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// Text that would break out of an attribute and be markup anywhere.
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
fn the_list_shows_the_newest_message_and_the_culprit() {
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
fn an_event_links_to_its_neighbours_and_its_issue() {
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

/// The ids on all pages of a list, following `next`.
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
fn a_list_of_any_length_is_paged_to_its_end() {
    for count in [0, 1, 49, 50, 51, 100, 101] {
        let obs = Obs::start();
        for n in 0..count {
            obs.add(json!({"message": "m", "fingerprint": [n.to_string()]}).to_string());
        }
        let expected: Vec<String> = (1..=count).rev().map(|id: i32| id.to_string()).collect();
        assert_eq!(walk(&obs, "/api/issues", "issues"), expected, "of {count}");
    }
}

/// Sets a flag when dropped, so that the threads of a failed test end too.
struct Set<'a>(&'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn paging_shows_no_issue_twice_while_events_arrive() {
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
    let link = |page: &str, rel: &str| {
        let (_, rest) = page.split_once(&format!("rel=\"{rel}\" href=\""))?;
        rest.split(['"', '#']).next().map(str::to_string)
    };
    for start in ["/", "/issues/2"] {
        let first = obs.text(start);
        assert_eq!(link(&first, "prev"), None);
        let second = obs.text(&link(&first, "next").unwrap());
        let third = obs.text(&link(&second, "next").unwrap());
        assert_eq!(link(&third, "next"), None);
        let back = obs.text(&link(&third, "prev").unwrap());
        let rows = |page: &str| page.matches("href=\"/issues/").count() + page.matches("href=\"/events/").count();
        assert_eq!(rows(&back), rows(&second), "{start}");
        assert!(link(&back, "prev").is_some() && link(&back, "next").is_some());
    }
}

/// The value of an attribute, unescaped, of the first element that starts with `element`.
fn attribute(page: &str, element: &str, name: &str) -> String {
    let (_, rest) = page.split_once(element).unwrap_or_else(|| panic!("no {element} in {page}"));
    let (tag, _) = rest.split_once('>').unwrap();
    let (_, value) = tag.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {tag}"));
    value.split('"').next().unwrap().replace("&amp;", "&")
}

/// Presses a button of the form with this action and returns where it leads. `selected` are issues in the list.
fn press(obs: &Obs, page: &str, action: &str, act: &str, selected: &[i64]) -> String {
    let form = format!("method=\"post\" action=\"{action}\"");
    let forms = page.split("<form").filter(|rest| rest.contains(&form));
    let button = format!("<button name=\"do\" value=\"{act}\"");
    let form = forms.map(|rest| rest.split("</form>").next().unwrap());
    let form = form
        .map(|form| form.replace("<button class=\"do\" ", "<button ").replace("<button class=\"danger\" ", "<button "))
        .find(|form| form.contains(&button))
        .unwrap_or_else(|| panic!("{act} at {action} is not in {page}"));
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("back", &attribute(&form, "<input type=\"hidden\" name=\"back\"", "value"));
    for id in selected {
        let select = format!("<input type=\"checkbox\" name=\"id\" value=\"{id}\"");
        assert!(form.contains(&select), "{id} cannot be selected");
        body.append_pair("id", &id.to_string());
    }
    let body = body.append_pair("do", act).finish();
    let head = format!(
        "POST {action} HTTP/1.1\r\nOrigin: http://localhost\r\nContent-Type: application/x-www-form-urlencoded"
    );
    let answer = obs.send(&head, body.as_bytes());
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = answer.header("location").unwrap();
    let did = location.find("did=").unwrap_or_else(|| panic!("{location} does not say what was done"));
    location[..did - 1].to_string()
}

#[test]
fn the_buttons_of_the_list_change_issues_and_return_to_the_same_page() {
    let obs = Obs::start();
    for name in ["one", "two", "three"] {
        obs.add(json!({"message": format!("\"{name}\" & more"), "environment": "north europe"}).to_string());
    }
    let here = "/?q=env:%22north+europe%22+%26&sort=first_seen&period=14d";
    let page = obs.text(here);
    assert_eq!(page.matches("type=\"checkbox\"").count(), 3, "{page}");
    assert_eq!(press(&obs, &page, "/", "resolve", &[1, 2]), here);
    let page = obs.text(here);
    assert!(
        !page.contains("/issues/1?") && page.contains("/issues/3?list=q%3Denv") && page.contains("Resolved<"),
        "{page}"
    );
    assert!(obs.text("/").contains("Resolved 2<"));

    let resolved = obs.text("/?q=is:resolved");
    assert!(resolved.contains("/issues/1?list=q%3Dis:resolved\"") && !resolved.contains("value=\"ignore\""));
    assert_eq!(press(&obs, &resolved, "/", "reopen", &[1, 2]), "/?q=is:resolved");
    let empty = obs.text("/?q=is:resolved");
    assert!(empty.contains("<title>No resolved issues"), "{empty}");

    let all = obs.text("/");
    assert_eq!(press(&obs, &all, "/", "merge", &[3, 2]), "/");
    let all = obs.text("/");
    assert!(all.contains("/issues/2\"") && !all.contains("/issues/3\""), "into the oldest");
    assert!(obs.text("/issues/2").contains("merged with issue 3"));
}

#[test]
fn the_buttons_of_an_issue_and_an_event_return_to_a_page_that_still_exists() {
    let obs = Obs::start();
    let event = r#"{"message":"the same","release":"v 2","server_name":"web-1"}"#;
    let ids: Vec<String> = (0..3).map(|_| obs.add(event)).collect();
    let page = obs.text("/issues/1");
    assert_eq!(press(&obs, &page, "/issues/1", "resolve", &[]), "/issues/1");
    let page = obs.text("/issues/1");
    assert!(
        page.contains("<b>resolved</b>") && page.contains("<dd>resolved</dd>") && page.contains("<dd>created</dd>")
    );
    obs.add(event);
    let page = obs.text("/issues/1");
    assert!(
        page.contains("<em>reopened</em>")
            && page.contains(", resolved <time")
            && page.contains("reopened by an event")
    );
    assert!(obs.text("/").contains("<em>reopened</em>"));
    for value in ["release:%22v+2%22", "server:web-1"] {
        let events = format!("/issues/1?q={value}");
        assert!(page.contains(&format!("href=\"{events}#events\"")), "{value}: {page}");
        assert!(obs.text(&events).contains(&ids[0]), "{value}");
    }

    let address = format!("/events/{}", ids[1]);
    assert_eq!(press(&obs, &obs.text(&address), &address, "delete", &[]), "/issues/1");
    assert_eq!(obs.get(&address).status, 404);
    let page = obs.text("/issues/1");
    assert!(page.contains("Delete issue 1 and 3 events"), "{page}");
    assert_eq!(press(&obs, &page, "/issues/1", "delete", &[]), "/");
    assert_eq!(obs.get("/issues/1").status, 404);
    assert!(obs.text("/").contains("No events yet"));
}

#[test]
fn deleting_an_issues_only_event_returns_to_the_list() {
    let obs = Obs::start();
    let address = format!("/events/{}", obs.add(r#"{"message":"once"}"#));
    obs.add(r#"{"message":"another"}"#);
    assert_eq!(press(&obs, &obs.text(&address), &address, "delete", &[]), "/");
    assert_eq!(obs.get("/issues/1").status, 404);
}

#[test]
fn a_public_dashboard_has_buttons_only_for_this_machine() {
    let obs = Obs::with(&["--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    let id = obs.add(r#"{"message":"m"}"#);
    for path in ["/".to_string(), "/issues/1".into(), format!("/events/{id}")] {
        assert!(obs.text(&path).contains("method=\"post\""), "{path}");
        let page = obs.send(&format!("GET {path} HTTP/1.1\r\nHost: obs.example"), b"").text();
        assert!(page.contains("role=\"search\""), "{path}: {page}");
        assert!(!page.contains("method=\"post\"") && !page.contains("checkbox"), "{path}: {page}");
    }
}

#[test]
fn the_search_keeps_what_was_typed_and_shows_what_it_found() {
    let obs = Obs::start();
    assert!(!obs.text("/").contains("role=\"search\""), "nothing to search yet");
    obs.add(r#"{"message":"connection refused","environment":"staging"}"#);
    obs.add(r#"{"message":"card declined","level":"warning"}"#);
    let page = obs.text("/?q=+Refused++%22%3E%3Cb%3E&sort=count");
    assert!(page.contains(r#"value=" Refused  &quot;&gt;&lt;b&gt;""#), "{page}");
    assert!(page.contains(r#"name="sort" value="count""#) && page.contains("Nothing matches"));
    assert!(page.contains(r#"href="/?q=Refused&amp;sort=count">Drop <span>&gt;&lt;b&gt;</span>"#), "{page}");
    let page = obs.text("/?q=refused");
    assert!(page.contains("/issues/1?list=") && !page.contains("/issues/2?"));
    assert!(page.contains(r#"href="/?q=refused+env:staging">staging<"#) && page.contains("Open<"));
    assert!(page.contains("<p><b>1</b> issue matches</p><p><b>1</b> event in 24 h</p><p><b>1</b> error</p>"));
    let all = obs.text("/");
    assert!(all.contains("<p><b>2</b> open</p><p><b>2</b> events in 24 h</p><p><b>1</b> error</p>"));
    assert!(all.contains("Open 2<"));
}

#[test]
fn the_overview_covers_a_day_or_a_fortnight() {
    let obs = Obs::start();
    obs.add(r#"{"message":"m"}"#);
    assert!(obs.text("/").contains("Events an hour over the last 24 hours: 1 in all, 1 of them errors, most at "));
    assert!(
        obs.text("/?period=14d").contains("Events a day over the last 14 days: 1 in all, 1 of them errors, most on ")
    );
    assert!(
        obs.text("/issues/1").contains("Events an hour over the last 48 hours: 1 in all, 1 of them errors, most at ")
    );
    let refused = obs.get("/?period=1y");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("Invalid period: expected 24h or 14d"));
}

#[test]
fn with_more_than_one_project_the_list_filters_by_project() {
    let filters = |keys: &str| {
        let obs = Obs::with(&[], &[("OBS_API_KEY", keys)]);
        obs.add(r#"{"message":"m"}"#);
        obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: other", br#"{"message":"n"}"#);
        (obs.text("/"), obs.text("/?q=project:web"))
    };
    let (all, web) = filters("shop=test123,web=other,web=third,fourth");
    assert!(all.contains(r#"<span>Project</span><a href="/" aria-current="true">all</a>"#), "{all}");
    assert!(all.contains(r#"<a href="/?q=project:shop">shop</a><a href="/?q=project:web">web</a></div>"#));
    assert!(web.contains("/issues/2?") && !web.contains("/issues/1?"));
    assert!(!filters("shop=test123,other").0.contains("<span>Project</span>"));
}

#[test]
fn setup_shows_every_key_to_readers_who_may_know_them() {
    let obs = Obs::with(&["--public-dashboard"], &[("OBS_API_KEY", "test123,shop=s-1")]);
    for head in ["Accept: text/html", "User-Agent: curl/8"] {
        let page = obs.send(&format!("GET /setup HTTP/1.1\r\n{head}"), b"").text();
        let words: Vec<&str> = page.split([' ', '\n', '<', '>', '\'']).collect();
        for key in ["test123", "s-1"] {
            for shown in [format!("http://{key}@localhost"), format!("http://{key}@localhost/1"), key.into()] {
                assert!(words.contains(&&*shown), "{shown}: {page}");
            }
        }
        let sentence = ["key", "with", "a", "hyphen."];
        let text: Vec<&str> = page.split_whitespace().collect();
        assert!(text.windows(4).any(|words| words == sentence), "{page}");
        assert!(page.contains("shop") && page.contains("/docs/sentry.md") && page.contains("is:unhandled"), "{page}");
        if head.starts_with("Accept") {
            for snippet in ["dsn: 'http://s-1@localhost'", "sentry_sdk.init(\"http://s-1@localhost/1\")"] {
                assert!(page.contains(snippet), "{snippet}: {page}");
            }
        }
        let elsewhere = format!("GET /setup HTTP/1.1\r\nHost: obs.example\r\nVia: 1.1 p\r\n{head}");
        let page = obs.send(&elsewhere, b"").text();
        assert!(page.contains("http://KEY@obs.example/1") && page.contains("shop"), "{page}");
        assert!(!page.contains("test123") && !page.contains("s-1"), "{page}");
    }
    obs.add(r#"{"message":"m"}"#);
    assert!(obs.text("/").contains("href=\"/setup\""));
    assert_eq!(Obs::start().send("GET /setup HTTP/1.1\r\nHost: obs.example", b"").status, 403);
}

#[test]
fn every_page_has_the_icon_and_a_way_to_the_setup_and_says_first_what_it_shows() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"cart is undefined","type":"TypeError"}"#);
    let title = |path: &str| {
        let page = obs.text(path);
        assert!(page.contains("href=\"/favicon.svg\"") && page.contains("href=\"/setup\""), "{path}");
        page.split_once("<title>").and_then(|(_, rest)| rest.split_once(" · obs</title>")).unwrap().0.to_string()
    };
    assert_eq!(title("/?q=is:resolved"), "No resolved issues");
    assert_eq!(title("/issues/1"), "TypeError: cart is undefined");
    let clock = obs.json(&format!("/api/events/{id}"))["received_at"].as_str().unwrap()[11..19].to_string();
    assert_eq!(title(&format!("/events/{id}")), format!("{clock} TypeError: cart is undefined"));
    assert_eq!(title("/setup"), "Set up an application");

    let icon = obs.get("/favicon.svg");
    assert_eq!((icon.status, icon.header("content-type")), (200, Some("image/svg+xml")));
    assert!(icon.text().contains("prefers-color-scheme: dark"));
    assert!(obs.get("/").header("content-security-policy").unwrap().contains("img-src 'self'"));
}
