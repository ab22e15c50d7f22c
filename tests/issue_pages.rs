//! Finding one's way among an issue's events: filters, neighbours, the newest, and back to the list.
mod common;
use common::triage::{issue as read_issue, submit_form};
use common::*;
use rouille::url::form_urlencoded::byte_serialize;
use serde_json::json;

/// Event `n` of one issue.
fn event(n: usize) -> String {
    let (environment, plan, user) = (["production", "staging"][n % 2], ["free", "pro"][n / 2 % 2], n % 3);
    json!({"message": "the same", "environment": environment, "release": format!("1.{}", n / 10), "server_name": "web-1",
           "tags": {"plan": plan}, "user": {"id": user}})
    .to_string()
}

/// The events that the issue's page lists, newest first.
fn listed(obs: &Obs, query: &str) -> Vec<String> {
    let page = obs.text(&format!("/issues/1?{query}"));
    let (_, list) = page.split_once("id=\"events\"").unwrap();
    list.split("href=\"/events/").skip(1).map(|rest| rest[..36].to_string()).collect()
}

#[test]
fn an_issues_events_are_filtered_by_each_value_that_is_counted() {
    let obs = Obs::start();
    let ids: Vec<String> = (0..24).map(|n| obs.add(event(n))).collect();
    let that = |is_wanted: fn(usize) -> bool| -> Vec<String> {
        (0..24).rev().filter(|n| is_wanted(*n)).map(|n| ids[n].clone()).collect()
    };
    assert_eq!(listed(&obs, ""), that(|_| true));
    assert_eq!(listed(&obs, "q=env:staging"), that(|n| n % 2 == 1));
    assert_eq!(listed(&obs, "q=release:1.1+env:staging"), that(|n| n / 10 == 1 && n % 2 == 1));
    assert_eq!(listed(&obs, "q=server:web-1+plan:pro"), that(|n| n / 2 % 2 == 1));
    assert_eq!(listed(&obs, "q=user:2"), that(|n| n % 3 == 2));
    assert_eq!(listed(&obs, "q=user:9"), that(|_| false));
    let page = obs.text("/issues/1?q=env:staging");
    assert!(
        page.contains("Only events with <b>env:staging</b> · <a href=\"/issues/1#events\">all events</a>"),
        "{page}"
    );
    assert!(page.contains("<th scope=\"col\">Environment</th>"));
}

#[test]
fn filtered_events_are_paged_without_gaps() {
    let obs = Obs::start();
    let ids: Vec<String> = (0..230).map(|n| obs.add(event(n))).collect();
    let mut expected: Vec<String> = (0..230).rev().filter(|n| n % 2 == 1).map(|n| ids[n].clone()).collect();
    let (mut next, mut seen) = (Some("/issues/1?q=env:staging".to_string()), Vec::new());
    while let Some(path) = next {
        seen.extend(listed(&obs, path.split_once('?').unwrap().1));
        let page = obs.text(&path);
        let link = page.split_once("rel=\"next\" href=\"").map(|(_, rest)| rest.split_once('#').unwrap().0);
        next = link.map(|link| link.replace("&amp;", "&"));
        assert!(seen.len() <= expected.len(), "{seen:?}");
    }
    assert_eq!(seen.len(), 115);
    expected.truncate(seen.len());
    assert_eq!(seen, expected);
}

#[test]
fn an_event_says_which_one_it_is_and_leads_to_the_others() {
    let obs = Obs::start();
    let ids: Vec<String> = (0..5).map(|n| obs.add(event(n))).collect();
    let pager = |n: usize| {
        let page = obs.text(&format!("/events/{}", ids[n]));
        let (_, rest) = page.split_once("aria-label=\"Events of this issue\">").unwrap();
        rest.split_once("</nav>").unwrap().0.to_string()
    };
    let names = |html: &str| -> Vec<String> {
        html.split('<').filter_map(|tag| Some(tag.split_once('>')?.1.to_string())).filter(|t| !t.is_empty()).collect()
    };
    assert_eq!(names(&pager(2)), ["First", "← Previous", "event 3 of 5", "Next →", "Last"]);
    assert_eq!(names(&pager(0)), ["event 1 of 5", "Next →", "Last"]);
    assert_eq!(names(&pager(4)), ["First", "← Previous", "event 5 of 5"]);
    let middle = pager(2);
    let targets: Vec<&str> = middle.split("href=\"/events/").skip(1).map(|rest| &rest[..36]).collect();
    assert_eq!(targets, [&ids[0], &ids[1], &ids[3], &ids[4]]);
    let terminal = obs.send(&format!("GET /events/{} HTTP/1.1\r\nUser-Agent: curl/8", ids[2]), b"").text();
    assert!(terminal.contains("issue 1, event 3 of 5 events"), "{terminal}");
}

#[test]
fn latest_leads_to_the_newest_event() {
    let obs = Obs::start();
    let latest = || obs.get("/issues/1/latest").header("location").map(str::to_string);
    let first = obs.add(event(0));
    assert_eq!(latest(), Some(format!("/events/{first}")));
    let second = obs.add(event(1));
    assert_eq!(latest(), Some(format!("/events/{second}")));
    assert_eq!(obs.get("/issues/2/latest").status, 404);
    obs.add(r#"{"message":"another"}"#);
    let merge = "POST /api/issues/2/merge HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(obs.send(merge, br#"{"into":1}"#).status, 200);
    let moved = obs.get("/issues/2/latest");
    assert_eq!((moved.status, moved.header("location")), (308, Some("/issues/1/latest")));
    let second = obs.json("/api/issues/1")["issue"]["last_event_id"].as_str().unwrap().to_string();
    assert!(obs.text("/issues/1").contains(&format!("<a href=\"/events/{second}\">Open this event</a>")));
}

#[test]
fn the_way_back_leads_to_the_list_as_it_was_filtered() {
    let obs = Obs::start();
    let id = obs.add(event(0));
    let list = "/?q=env:production&amp;sort=count";
    let href = |page: &str, text: &str| {
        let (before, _) = page.split_once(text).unwrap_or_else(|| panic!("{text} in {page}"));
        before.rsplit_once("href=\"").unwrap().1.split_once('"').unwrap().0.replace("&amp;", "&")
    };
    let page = obs.text(&list.replace("&amp;", "&"));
    let issue = href(&page, "<span dir=\"auto\">the same");
    assert_eq!(issue, "/issues/1?list=q%3Denv:production%26sort%3Dcount");
    let page = obs.text(&issue);
    assert!(page.contains(&format!("<a href=\"{list}\">← Issues</a>")), "{page}");
    assert!(page.contains(&format!("name=\"back\" value=\"{issue}\"")), "after Resolve, too");
    let event = href(&page, "Open this event");
    assert_eq!(event, format!("/events/{id}?list=q%3Denv:production%26sort%3Dcount"));
    let page = obs.text(&event);
    assert!(page.contains(&format!("<a href=\"{list}\">Issues</a> / <a href=\"{issue}\">")), "{page}");
    assert!(page.contains("value=\"resolve\">Resolve</button>") && page.contains(&format!("value=\"{event}\"")));
    assert!(obs.text("/issues/1").contains("<a href=\"/\">← Issues</a>"));
    assert!(obs.text("/issues/1?list=%22%3E%3Cb%3E").contains("<a href=\"/?&quot;&gt;&lt;b&gt;\">← Issues</a>"));
}

#[test]
fn the_pages_of_issues_and_events_say_what_a_form_did_and_keep_the_way_back() {
    let obs = Obs::start();
    let [first, second] = [0, 1].map(|n| obs.add(event(n)));
    let list = "list=q%3Denv:production";
    let submit = |path: &str, fields: &str, back: &str| {
        let back: String = byte_serialize(back.as_bytes()).collect();
        let response = submit_form(&obs, path, &format!("{fields}&back={back}"));
        response.header("location").unwrap().to_string()
    };
    for here in [format!("/issues/1?{list}"), format!("/events/{first}?{list}")] {
        let there = submit("/issues/1", "do=resolve", &here);
        assert_eq!(there, format!("{here}&did=resolve&n=1&ids=1"));
        let page = obs.text(&there);
        let done = format!("<p>Resolved <a href=\"/issues/1?{list}\">issue 1</a>.</p>");
        assert!(page.contains(&done) && page.contains("value=\"undo\">Undo</button>"), "{page}");
        assert!(page.contains("<a href=\"/?q=env:production\">"), "the way back: {page}");
        assert!(page.contains(&format!("name=\"back\" value=\"{here}\"")), "what was done is said once: {page}");
        let undone = obs.text(&submit("/", "do=undo&did=resolve&ids=1", &here));
        assert!(undone.contains(&done.replace("Resolved", "Reopened")), "{undone}");
        assert_eq!(read_issue(&obs, 1)["state"], "open");
    }
    let page = obs.text(&format!("/events/{second}?{list}"));
    assert!(page.contains(&format!("name=\"back\" value=\"/issues/1?{list}\"")), "after Delete: {page}");
    let page = obs.text(&submit(&format!("/events/{second}"), "do=delete", &format!("/issues/1?{list}")));
    assert!(page.contains("<p>Deleted an event.</p>") && page.contains("<a href=\"/?q=env:production\">"), "{page}");
    let page = obs.text(&format!("/events/{first}?{list}"));
    assert!(page.contains("name=\"back\" value=\"/?q=env:production\""), "the issue goes with its last event: {page}");
}
