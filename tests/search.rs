//! Finding issues: every token of a query, the orders, paging through what was found, and trends.
mod common;
use common::*;
use common::{dice::Dice, ledger};
use serde_json::{Value, json};

/// Percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn found(obs: &Obs, query: &str) -> Vec<i64> {
    let answer = obs.json(&format!("/api/issues?q={}", encoded(query)));
    assert!(answer["scanned"].is_null());
    numbers(&answer)
}

fn numbers(answer: &Value) -> Vec<i64> {
    answer["issues"].as_array().unwrap().iter().map(|issue| issue["id"].as_i64().unwrap()).collect()
}

/// Five issues, each unlike the others in some way.
fn five() -> Obs {
    let obs = Obs::with(&[], &[("OBS_API_KEY", "test123,shop=shop123")]);
    obs.add(r#"{"message":"Time out in payment","level":"error","platform":"go","environment":"production","release":"1.0"}"#);
    obs.add(r#"{"message":"Undefined array key vat_id","type":"ErrorException","level":"warning","platform":"php","environment":"staging",
        "stacktrace":[{"filename":"/srv/app/Totals.php","function":"App\\Totals::tax","lineno":9,"in_app":true}]}"#);
    obs.add(r#"{"message":"deploy done","level":"info","server_name":"web 1"}"#);
    obs.send(
        "POST /api/events HTTP/1.1\r\nX-OBS-Key: shop123",
        br#"{"message":"Cannot read total","type":"TypeError"}"#,
    );
    obs.add(r#"{"message":"日本語のエラー ÄRGER"}"#);
    obs
}

#[test]
fn each_token_narrows_the_list() {
    let obs = five();
    for (query, ids) in [
        ("", vec![5, 4, 3, 2, 1]),
        ("level:error", vec![5, 4, 1]),
        ("level:WARNING", vec![2]),
        ("level:warn", vec![2]),
        ("env:production", vec![1]),
        ("platform:php", vec![2]),
        ("release:1.0", vec![1]),
        (r#"server:"web 1""#, vec![3]),
        ("project:shop", vec![4]),
        ("project:", vec![5, 3, 2, 1]),
        ("type:TypeError", vec![4]),
        ("is:new", vec![5, 4, 3, 2, 1]),
        ("is:resolved", vec![]),
        ("is:any level:info", vec![3]),
        ("TIME", vec![1]),
        ("payment out", vec![1]),
        (r#""out in""#, vec![1]),
        (r#""out payment""#, vec![]),
        ("totals::TAX", vec![2]),
        ("errorexception", vec![2]),
        ("vat_", vec![2]),
        ("本語", vec![5]),
        ("日本語の", vec![5]),
        ("ÄRGER", vec![5]),
        ("ot", vec![4, 2]),
        ("level:error platform:php", vec![]),
        ("time level:error env:production platform:go release:1.0", vec![1]),
        ("env:staging env:production", vec![]),
        ("no such words", vec![]),
    ] {
        assert_eq!(found(&obs, query), ids, "{query}");
    }
}

#[test]
fn no_query_is_an_error() {
    let obs = five();
    let long = "x ".repeat(1500);
    for query in [
        "\"",
        "\"\"",
        "level:",
        "level:loud",
        "is:",
        "is:gone",
        ":",
        "a:b:c",
        "%",
        "_",
        "*",
        "'",
        "\\",
        "AND",
        "OR NOT",
        "NEAR(a b)",
        "(",
        "\"a\" AND",
        "title:a",
        "-x",
        "\0",
        "abc\0def",
        "\u{202e}",
        "' OR 1=1 --",
        "<script>",
        "env:\"",
        "env:\"a b",
        &long,
    ] {
        for path in ["/api/issues", "/"] {
            let answer = obs.get(&format!("{path}?q={}", encoded(query)));
            assert_eq!(answer.status, 200, "{path} {query}");
        }
    }
    assert_eq!(obs.get("/api/issues?q=%ff%fe").status, 200);
    assert_eq!(obs.get("/api/issues?sort=name").status, 400);
    assert_eq!(obs.get("/api/issues?sort=count&after=x").status, 400);
}

#[test]
fn a_value_counts_from_any_event_not_only_the_newest() {
    let obs = Obs::start();
    for environment in ["a", "b"] {
        obs.add(json!({ "message": "m", "environment": environment, "level": environment }).to_string());
    }
    assert_eq!((found(&obs, "env:a"), found(&obs, "env:b"), found(&obs, "env:c")), (vec![1], vec![1], vec![]));
}

/// Words are looked up in each text separately, in any script and without regard to case.
#[test]
fn a_search_finds_exactly_the_issues_whose_texts_contain_every_word() {
    let obs = Obs::start();
    let mut dice = Dice(9);
    let titles: Vec<String> = (0..200).map(|_| (0..40).map(|_| dice.one(&["a", "b", "Ä", "日"])).collect()).collect();
    for title in &titles {
        obs.add(json!({ "message": title }).to_string());
    }
    for _ in 0..300 {
        let texts: Vec<String> = (0..1 + dice.roll(9))
            .map(|_| titles[dice.roll(200)].chars().skip(dice.roll(30)).take(1 + dice.roll(12)).collect())
            .collect();
        let has_all = |id: &i64| texts.iter().all(|text| titles[*id as usize - 1].contains(text));
        let expected: Vec<i64> = (1..=200).rev().filter(has_all).take(50).collect();
        for query in [texts.join(" "), texts.join(" ").to_uppercase(), texts.join(" ").to_lowercase()] {
            assert_eq!(found(&obs, &query), expected, "{texts:?}");
        }
    }
}

#[test]
fn the_newest_event_is_searched_beside_the_title() {
    let obs = Obs::start();
    obs.add(r#"{"message":"customer 7 has no address"}"#);
    obs.add(r#"{"message":"customer 8 has no address","type":"RuntimeException"}"#);
    assert_eq!((found(&obs, "\"customer <*>\""), found(&obs, "\"customer 8 has\"")), (vec![1], vec![1]));
    assert_eq!(found(&obs, "\"customer 7\""), [0; 0], "the newest event no longer says so");
    assert_eq!(found(&obs, "runtimeexception"), [1], "the title leaves out a type that says nothing");
    assert_eq!(found(&obs, "\"RuntimeException customer\""), [0; 0], "a phrase does not span two texts");
}

#[test]
fn the_id_of_an_event_leads_to_that_event() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    for typed in [id.clone(), id.to_uppercase(), id.replace('-', ""), format!("%20{id}")] {
        let answer = obs.get(&format!("/?q={typed}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some(format!("/events/{id}").as_str())));
    }
    let unknown = id.replace(&id[..4], "ffff");
    assert!(obs.text(&format!("/?q={unknown}")).contains("Nothing matches"));
}

#[test]
fn case_is_ignored_in_every_script() {
    let obs = Obs::start();
    for message in ["Straße gesperrt", "ПРОВЕРКА связи", "ΟΔΟΣ κλειστή", "Ďábel ÇALIŞMA"] {
        obs.add(json!({ "message": message }).to_string());
    }
    for (query, id) in
        [("STRASSE", 1), ("straße", 1), ("проверка СВЯЗИ", 2), ("οδος", 3), ("ΚΛΕΙΣΤΉ", 3), ("ďÁBEL çalişma", 4)]
    {
        assert_eq!(found(&obs, query), [id], "{query}");
    }
}

/// Ids page by page, forwards.
fn pages(obs: &Obs, query: &str) -> Vec<i64> {
    let mut ids = Vec::new();
    let mut after = String::new();
    loop {
        let answer = obs.json(&format!("/api/issues?{query}{after}"));
        let page = numbers(&answer);
        assert!(page.len() <= 50);
        ids.extend(page);
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return ids,
        }
    }
}

#[test]
fn every_order_pages_to_the_end_with_each_issue_once() {
    let obs = Obs::start();
    // Issue n has n % 7 + 1 events; the last seen is not the last made.
    for round in 0..7 {
        for n in 0..120 {
            if n % 7 >= round {
                obs.add(
                    json!({ "message": ledger::word(n), "level": if n % 3 == 0 { "info" } else { "error" } })
                        .to_string(),
                );
            }
        }
    }
    let mut made: Vec<i64> = (1..=120).rev().collect();
    assert_eq!(pages(&obs, "sort=first_seen"), made);
    let seen = pages(&obs, "");
    assert_eq!(pages(&obs, "sort=last_seen"), seen);
    made.sort_by_key(|id| (-((id - 1) % 7), -id));
    assert_eq!(pages(&obs, "sort=count"), made);
    let infos: Vec<i64> = made.iter().copied().filter(|id| (id - 1) % 3 == 0).collect();
    assert_eq!(pages(&obs, "sort=count&q=level%3Ainfo"), infos);
    assert_eq!(pages(&obs, "sort=count&q=is%3Aany%20level%3Ainfo"), infos);

    for id in [3, 50, 100] {
        let head = format!("PATCH /api/issues/{id} HTTP/1.1\r\nContent-Type: application/json");
        obs.send(&head, br#"{"state":"ignored"}"#);
    }
    assert_eq!(pages(&obs, "q=is%3Aany"), seen, "states in one order");
    assert_eq!(pages(&obs, "sort=count&q=is%3Aany"), made);
    assert_eq!(pages(&obs, "q=is%3Aignored&sort=first_seen"), [100, 50, 3]);
}

#[test]
fn counts_by_hour_and_state_are_numbers_too() {
    let obs = Obs::start();
    obs.add(r#"{"message":"a","suppressed":4}"#);
    obs.add(r#"{"message":"b","level":"info"}"#);
    obs.send("PATCH /api/issues/2 HTTP/1.1\r\nContent-Type: application/json", br#"{"state":"ignored"}"#);
    for (period, hours) in [("24h", 24), ("14d", 336)] {
        let stats = obs.json(&format!("/api/stats?period={period}"));
        assert_eq!((stats["events"].as_i64(), stats["errors"].as_i64()), (Some(6), Some(5)));
        let each = stats["hours"].as_array().unwrap();
        assert_eq!(each.len(), hours);
        assert_eq!(each.iter().map(|hour| hour["events"].as_i64().unwrap()).sum::<i64>(), 6);
        assert!(each[0]["hour"].as_str().unwrap().ends_with(":00:00.000Z"));
        assert_eq!(stats["issues"], json!({ "open": 1, "resolved": 0, "ignored": 1 }));
    }
    assert_eq!(obs.get("/api/stats?period=1y").status, 400);
    let of_issue = obs.json("/api/issues/1")["issue"]["hours"].clone();
    assert_eq!(of_issue.as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).sum::<i64>(), 5);
}

#[test]
fn an_issue_whose_newest_event_someone_else_removed_hides_none_behind_it() {
    let obs = Obs::start();
    for n in 0..120 {
        obs.add(format!(r#"{{"message":"m","fingerprint":["{n}"]}}"#));
    }
    obs.sqlite().execute("DELETE FROM events WHERE seq IN (20, 70, 110)", []).unwrap();
    for sort in ["last_seen", "first_seen", "count"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = obs.json(&format!("/api/issues?sort={sort}{after}"));
            seen.extend(numbers(&page));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let there: Vec<i64> = (1..=120).rev().filter(|id| ![20, 70, 110].contains(id)).collect();
        assert_eq!(seen, there, "{sort}");
    }
}

#[test]
fn a_page_on_which_nothing_was_found_has_a_way_back() {
    let obs = Obs::start();
    for n in 0..130 {
        let level = if n % 2 == 0 { "info" } else { "error" };
        obs.add(json!({ "message": "m", "fingerprint": [n.to_string()], "level": level }).to_string());
    }
    for sort in ["last_seen", "first_seen", "count"] {
        let path = format!("/?q=level%3Ainfo&sort={sort}");
        let last = obs.json(&format!("/api{}", path.replace('/', "/issues")));
        let after = last["next"].as_str().unwrap();
        obs.sqlite().execute("UPDATE events SET level = 'error' WHERE issue_id <= 31", []).unwrap();
        let page = obs.text(&format!("{path}&after={after}"));
        obs.sqlite().execute("UPDATE events SET level = 'info' WHERE issue_id % 2 = 1", []).unwrap();
        let (_, back) = page.split_once("before=").unwrap_or_else(|| panic!("no way back: {page}"));
        let before = back.split(['"', '&']).next().unwrap();
        assert!(obs.text(&format!("{path}&before={before}")).contains("/issues/31\""), "{sort}");
    }
}
