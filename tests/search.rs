//! Searching for issues: filters, words and phrases.
mod common;
use common::rng::Rng;
use common::triage::ids_of;
use common::*;
use serde_json::json;

fn percent_encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The ids that a search finds. It must scan the whole list.
fn search(obs: &Obs, query: &str) -> Vec<i64> {
    let page = obs.json(&format!("/api/issues?q={}", percent_encode(query)));
    assert!(page["scanned"].is_null(), "{query}: incomplete");
    ids_of(&page)
}

/// A server with five issues that differ in every field that a filter looks at.
fn with_five_issues() -> Obs {
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
fn each_filter_and_word_narrows_the_list() {
    let obs = with_five_issues();
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
        assert_eq!(search(&obs, query), ids, "{query}");
    }
}

#[test]
fn every_query_is_valid_but_unknown_orders_and_cursors_are_refused() {
    let obs = with_five_issues();
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
            let response = obs.get(&format!("{path}?q={}", percent_encode(query)));
            assert_eq!(response.status, 200, "{path} {query}");
        }
    }
    assert_eq!(obs.get("/api/issues?q=%ff%fe").status, 200);
    assert_eq!(obs.get("/api/issues?sort=name").status, 400);
    assert_eq!(obs.get("/api/issues?sort=count&after=x").status, 400);
}

#[test]
fn an_environment_matches_any_event_of_an_issue_not_only_the_newest() {
    let obs = Obs::start();
    for environment in ["a", "b"] {
        obs.add(json!({ "message": "m", "environment": environment, "level": environment }).to_string());
    }
    assert_eq!((search(&obs, "env:a"), search(&obs, "env:b"), search(&obs, "env:c")), (vec![1], vec![1], vec![]));
}

#[test]
fn a_search_finds_exactly_the_issues_that_contain_every_word() {
    let obs = Obs::start();
    let mut rng = Rng(9);
    let titles: Vec<String> = (0..200).map(|_| (0..40).map(|_| rng.pick(&["a", "b", "Ä", "日"])).collect()).collect();
    for title in &titles {
        obs.add(json!({ "message": title }).to_string());
    }
    for _ in 0..300 {
        let words: Vec<String> = (0..1 + rng.below(9))
            .map(|_| titles[rng.below(200)].chars().skip(rng.below(30)).take(1 + rng.below(12)).collect())
            .collect();
        let has_all = |id: &i64| words.iter().all(|word| titles[*id as usize - 1].contains(word));
        let expected: Vec<i64> = (1..=200).rev().filter(has_all).take(50).collect();
        for query in [words.join(" "), words.join(" ").to_uppercase(), words.join(" ").to_lowercase()] {
            assert_eq!(search(&obs, &query), expected, "{words:?}");
        }
    }
}

#[test]
fn the_title_and_the_newest_events_message_are_both_searched() {
    let obs = Obs::start();
    obs.add(r#"{"message":"customer 7 has no address"}"#);
    obs.add(r#"{"message":"customer 8 has no address","type":"RuntimeException"}"#);
    assert_eq!((search(&obs, "\"customer <*>\""), search(&obs, "\"customer 8 has\"")), (vec![1], vec![1]));
    assert_eq!(search(&obs, "\"customer 7\""), [0; 0], "only an older event says so");
    assert_eq!(search(&obs, "runtimeexception"), [1], "the title leaves out a type that says nothing");
    assert_eq!(search(&obs, "\"RuntimeException customer\""), [0; 0], "a phrase does not span two texts");
}

#[test]
fn searching_for_an_event_id_redirects_to_that_event() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    for typed in [id.clone(), id.to_uppercase(), id.replace('-', ""), format!("%20{id}")] {
        let response = obs.get(&format!("/?q={typed}"));
        assert_eq!((response.status, response.header("location")), (303, Some(format!("/events/{id}").as_str())));
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
        assert_eq!(search(&obs, query), [id], "{query}");
    }
}
