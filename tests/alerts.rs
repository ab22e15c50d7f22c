//! `OBS_ALERT_COMMAND`: when it runs, what it receives, and what happens when it fails, hangs or cannot keep up.
mod common;
use common::alerts::*;
use common::process::outcome;
use common::*;
use serde_json::{Value, json};
use std::fs;

fn wait_until_none_is_pending(obs: &Obs) {
    eventually("sent alerts are removed", || (pending(obs) == 0).then_some(()));
}

/// Waits until a file contains a line, and returns it.
fn line_in(folder: &Folder, name: &str) -> String {
    let read = || fs::read_to_string(folder.join(name)).ok().filter(|text| text.ends_with('\n'));
    eventually(name, read).trim().into()
}

fn is_gone(process: &str) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { return true };
    stat.rsplit(')').next().unwrap().trim_start().starts_with('Z') // ended, but its parent has not waited for it yet
}

#[test]
fn a_new_issue_alerts_once_with_issue_and_event_as_in_the_api() {
    let obs = start(KEEP, &[]);
    let id = obs.add(r#"{"message":"customer 7 has no address","extra":{"z":1.0000000000000000000001,"a":[]}}"#);
    let first = wait_for(obs.folder(), 1).remove(0);
    assert_eq!(first["kind"], "new");
    assert_eq!(first["alert_id"].as_str().unwrap().len(), 36);
    assert_eq!(first["issue"], obs.json("/api/issues")["issues"][0]);
    assert_eq!(first["event"], obs.json(&format!("/api/events/{id}")));
    assert_eq!(first["link"], format!("http://127.0.0.1:{}/issues/1", obs.port));
    assert_eq!((first.get("held_back"), first.get("events_last_hour")), (None, None));
    let text = fs::read_to_string(obs.folder().join("alerts")).unwrap();
    assert!(text.contains(r#""extra":{"z":1.0000000000000000000001,"a":[]}"#), "not as sent: {text}");

    obs.add(r#"{"message":"customer 8 has no address"}"#);
    new_issue(&obs, "another kind");
    let issues: Vec<_> = wait_for(obs.folder(), 2).iter().map(|alert| alert["issue"]["id"].clone()).collect();
    assert_eq!(issues, [1, 2], "only the first event of an issue alerts");
    wait_until_none_is_pending(&obs);
}

#[test]
fn an_issue_alerts_each_time_that_an_event_reopens_it() {
    let obs = start(KEEP, &[]);
    new_issue(&obs, "first");
    for count in [2, 3] {
        let resolve = "PATCH /api/issues/1 HTTP/1.1\r\nContent-Type: application/json";
        assert_eq!(obs.send(resolve, br#"{"state":"resolved"}"#).status, 200);
        new_issue(&obs, "first");
        new_issue(&obs, "first");
        let alert = wait_for(obs.folder(), count).remove(count - 1);
        assert_eq!((&alert["kind"], &alert["issue"]["state"]), (&json!("reopened"), &json!("open")));
    }
    wait_until_none_is_pending(&obs);
}

#[test]
fn hostile_text_reaches_the_command_unchanged() {
    let obs = start(KEEP, &[]);
    let hostile = "'; touch \"$ALERTS.owned\"; $(touch $ALERTS.owned) `touch $ALERTS.owned` \0\u{1b}[31m\\\n%s <b> 😀\u{2028}\u{202e}";
    let event =
        json!({ "type": "<T>'\"`$(x)", "message": hostile, "release": "$ALERTS", "extra": { hostile: hostile } });
    let id = obs.add(event.to_string());
    let alert = wait_for(obs.folder(), 1).remove(0);
    for field in ["type", "message", "release", "extra"] {
        assert_eq!(alert["event"][field], event[field], "{field}");
    }
    assert_eq!(alert["issue"]["message"], hostile);
    assert_eq!(alert["event"]["id"], id);
    assert!(!obs.folder().join("alerts.owned").exists());
}

#[test]
fn the_command_gets_the_environment_without_secrets_and_malloc_settings() {
    let keep_environment = r#"env > "$ALERTS.env"; cat >> "$ALERTS""#;
    let secrets = [("OBS_DASHBOARD_PASSWORD", "hunter2"), ("WEBHOOK_URL", "https://example.com/hook")];
    let obs = start(keep_environment, &secrets);
    new_issue(&obs, "environment");
    wait_for(obs.folder(), 1);
    let environment = fs::read_to_string(obs.folder().join("alerts.env")).unwrap();
    assert!(environment.contains("WEBHOOK_URL=https://example.com/hook\n"), "{environment}");
    for hidden in [KEY, "hunter2", "OBS_API_KEY", "OBS_DASHBOARD_PASSWORD", "MALLOC_"] {
        assert!(!environment.contains(hidden), "{hidden} is in {environment}");
    }
}

#[test]
fn a_command_that_hangs_is_killed_with_its_children_and_delays_no_event() {
    let text = r#"if mkdir "$ALERTS.once" 2> /dev/null; then
        echo stuck >&2; sleep 600 & echo $$ $! > "$ALERTS.pids"; wait
    else cat >> "$ALERTS"; fi"#;
    let obs = start(text, &[]);
    new_issue(&obs, "hanging");
    let pids = line_in(obs.folder(), "alerts.pids");
    for name in ["a", "b", "c", "d", "e"] {
        new_issue(&obs, name);
        assert_eq!(obs.get("/").status, 200);
    }
    assert!(!obs.errors().contains("timed out"), "events waited for the command");
    let line = logged(&obs, "timed out");
    assert!(
        line.contains("(new, http://127.0.0.1")
            && line.ends_with("), tried again in 1 min: timed out after 10 seconds: stuck"),
        "{line}"
    );
    for pid in pids.split(' ') {
        eventually("the whole group has ended", || is_gone(pid).then_some(()));
    }
    let issues: Vec<_> = wait_for(obs.folder(), 5).iter().map(|alert| alert["issue"]["id"].clone()).collect();
    assert_eq!(issues, [2, 3, 4, 5, 6], "the first waits for its next try");
    eventually("only the first is pending", || (pending(&obs) == 1).then_some(()));
}

#[test]
fn a_command_that_fails_is_logged_in_one_line() {
    let cases = [
        (r#"cat >> "$ALERTS"; printf 'no luck\n\033[31m' >&2; exit 3"#, r"exit status 3: no luck\n\u{1b}[31m"),
        (r#"cat >> "$ALERTS"; kill -9 $$"#, "killed by signal 9"),
        (r#"cat >> "$ALERTS"; /no/such/command"#, "exit status 127: sh: "),
    ];
    for (text, why) in cases {
        let obs = start(text, &[]);
        new_issue(&obs, "one");
        new_issue(&obs, "two");
        logged(&obs, "issues/1), tried again in 1 min: ");
        let line = logged(&obs, "issues/2), tried again in 1 min: ");
        assert!(line.contains(why), "{line}");
        let ids: Vec<_> = sent(obs.folder()).iter().map(|alert| alert["alert_id"].clone()).collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        assert!(line.contains(ids[1].as_str().unwrap()), "{line}");
        assert_eq!(obs.errors().matches("/issues/").count(), 2, "{}", obs.errors());
    }
}

#[test]
fn only_the_start_of_a_long_output_is_logged() {
    let obs = start("yes | head -c 1000000 >&2; exit 1", &[]);
    new_issue(&obs, "flood");
    let line = logged(&obs, "exit status 1");
    assert!(line.len() < 1500, "{} characters", line.len());
}

#[test]
fn a_command_may_ignore_its_input() {
    let obs = start("exec <&-; exit 0", &[]);
    obs.add(json!({ "message": "large", "extra": "x".repeat(900_000) }).to_string());
    wait_until_none_is_pending(&obs);
    assert!(!obs.errors().contains("alert "), "{}", obs.errors());
}

#[test]
fn an_alert_survives_kill_9() {
    // Ends when the test removes its folder.
    let hang = r#"cat >> "$ALERTS"; while [ -e "$ALERTS" ]; do sleep 0.1; done"#;
    let mut obs = start(hang, &[]);
    new_issue(&obs, "first");
    new_issue(&obs, "second");
    wait_for(obs.folder(), 1);
    obs.kill();
    let folder = obs.folder().clone();
    drop(obs);
    let obs = start_in(folder, KEEP, &[]);
    let alerts = wait_for(obs.folder(), 3);
    let ids: Vec<_> = alerts.iter().map(|alert| &alert["alert_id"]).collect();
    assert_eq!(ids[0], ids[1], "the alert whose command was running is sent again with the same id");
    assert_ne!(ids[1], ids[2]);
    assert_eq!(alerts[2]["issue"]["id"], 2);
    wait_until_none_is_pending(&obs);
}

#[test]
fn shutdown_waits_for_the_running_command() {
    let text = r#"cat >> "$ALERTS"; until [ -e "$ALERTS.go" ]; do sleep 0.05; done; echo done > "$ALERTS.done""#;
    let mut obs = start(text, &[]);
    new_issue(&obs, "first");
    new_issue(&obs, "second");
    wait_for(obs.folder(), 1);
    obs.signal("TERM");
    eventually("obs stops listening", || std::net::TcpStream::connect(("127.0.0.1", obs.port)).is_err().then_some(()));
    fs::write(obs.folder().join("alerts.go"), "").unwrap();
    assert!(obs.wait().success());
    assert_eq!(line_in(obs.folder(), "alerts.done"), "done");
    assert_eq!(pending(&obs), 1, "the first has been sent, the second is kept for the next start");
}

#[test]
fn shutdown_kills_a_command_that_takes_too_long_and_keeps_its_alert() {
    let mut obs = start(r#"cat >> "$ALERTS"; sleep 600 & echo $$ $! > "$ALERTS.pids"; wait"#, &[]);
    new_issue(&obs, "first");
    let pids = line_in(obs.folder(), "alerts.pids");
    obs.signal("TERM");
    assert!(obs.wait().success());
    assert!(pids.split(' ').all(is_gone));
    assert!(obs.errors().contains("will be sent again after the next start"), "{}", obs.errors());
    assert_eq!(pending(&obs), 1);
}

#[test]
fn an_issue_above_the_hourly_rate_alerts_once() {
    let obs = start(KEEP, &[("OBS_ALERT_RATE", "5")]);
    let add = |suppressed: u32| obs.add(json!({ "message": "repeated", "suppressed": suppressed }).to_string());
    add(4);
    let sixth = add(0);
    add(0);
    add(100);
    new_issue(&obs, "another kind");
    let alerts = wait_for(obs.folder(), 3);
    let kinds: Vec<_> = alerts.iter().map(|alert| alert["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["new", "rate", "new"]);
    assert_eq!((&alerts[1]["events_last_hour"], &alerts[1]["event"]["id"]), (&json!(6), &json!(sixth)));
    assert_eq!(alerts[1]["issue"]["id"], 1);
}

#[test]
fn an_ignored_issue_does_not_alert() {
    let obs = start(KEEP, &[("OBS_ALERT_RATE", "5")]);
    new_issue(&obs, "one kind");
    let ignore = "PATCH /api/issues/1 HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(obs.send(ignore, br#"{"state":"ignored"}"#).status, 200);
    (0..9).for_each(|_| new_issue(&obs, "one kind"));
    new_issue(&obs, "another kind");
    let issues: Vec<_> = wait_for(obs.folder(), 2).iter().map(|alert| alert["issue"]["id"].clone()).collect();
    assert_eq!(issues, [1, 2]);
}

#[test]
fn links_start_with_obs_url() {
    let obs = start(KEEP, &[("OBS_URL", "https://obs.example.com/errors")]);
    new_issue(&obs, "link");
    assert_eq!(wait_for(obs.folder(), 1)[0]["link"], "https://obs.example.com/errors/issues/1");
}

#[test]
fn without_a_command_no_alert_is_stored() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_ALERT_RATE", "1")]);
    new_issue(&obs, "one");
    obs.add(r#"{"message":"many","suppressed":100}"#);
    assert_eq!(pending(&obs), 0);
}

#[test]
fn test_alert_runs_the_command_once_and_prints_how_it_exited_and_what_it_printed() {
    let folder = Folder::new();
    let path = folder.join("alerts");
    let test = |text: &str, more: &[(&str, &str)]| {
        let mut env = vec![("OBS_ALERT_COMMAND", text), ("ALERTS", path.to_str().unwrap())];
        env.extend(more);
        outcome(&mut command(&["test-alert"], &env))
    };
    assert_eq!(test(KEEP, &[]), (0, "OBS_ALERT_COMMAND: exit status 0\n".into(), String::new()));
    let printed = test("echo sent to ops; echo slowly >&2", &[]);
    assert_eq!(printed, (0, "OBS_ALERT_COMMAND: exit status 0\nsent to ops\nslowly\n".into(), String::new()));
    let hostile = test(r"printf 'a\033[2Jb\r\nc\000'", &[]).1;
    assert_eq!(hostile, "OBS_ALERT_COMMAND: exit status 0\na\\u{1b}[2Jb\nc\\u{0}\n");
    test(KEEP, &[("OBS_URL", "https://obs.example.com")]);
    let alerts = sent(&folder);
    assert_eq!(alerts.len(), 2);
    assert_eq!((&alerts[0]["kind"], &alerts[0]["link"]), (&json!("test"), &json!("http://localhost:8000")));
    assert_eq!(alerts[1]["link"], "https://obs.example.com");
    let failed = test("echo tried; echo no luck >&2; exit 4", &[]);
    assert_eq!(failed, (1, String::new(), "obs: OBS_ALERT_COMMAND: exit status 4: tried\\nno luck\n".into()));
}

#[test]
fn a_test_alert_has_the_fields_of_a_real_one() {
    let obs = start(KEEP, &[]);
    new_issue(&obs, "real");
    let path = obs.folder().join("alerts");
    wait_for(obs.folder(), 1);
    outcome(&mut command(&["test-alert"], &[("OBS_ALERT_COMMAND", KEEP), ("ALERTS", path.to_str().unwrap())]));
    let alerts = sent(obs.folder());
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&alerts[0]), fields(&alerts[1]));
    assert_eq!(fields(&alerts[0]["event"]), fields(&alerts[1]["event"]));
    let made_up = fields(&alerts[1]["issue"]);
    assert!(fields(&alerts[0]["issue"]).iter().all(|field| made_up.contains(field)));
}

#[test]
fn a_bad_setting_is_one_line_and_exit_status_2() {
    let (status, _, errors) = outcome(&mut command(&["test-alert"], &[]));
    assert_eq!((status, errors.as_str()), (2, "obs: test-alert needs OBS_ALERT_COMMAND\n"));
    let urls = [
        "obs.example.com",
        "ftp://a",
        "https://",
        "https:///x",
        "https://a/",
        "https://a b",
        "https://a?b",
        "http://ä",
    ];
    let cases = urls.map(|url| ("OBS_URL", url)).into_iter();
    for (name, value) in cases.chain([("OBS_ALERT_RATE", "0"), ("OBS_ALERT_RATE", "-1"), ("OBS_ALERT_RATE", "many")]) {
        for args in [&["test-alert"] as &[_], &[]] {
            let (status, _, errors) = outcome(&mut command(args, &[("OBS_ALERT_COMMAND", "true"), (name, value)]));
            assert_eq!((status, errors.lines().count()), (2, 1), "{name}={value}: {errors}");
            assert!(errors.starts_with(&format!("obs: invalid {name} '{value}': expected ")), "{errors}");
        }
    }
}

#[test]
fn a_flood_is_ten_alerts_and_then_a_summary_that_counts_the_rest() {
    let inside = Inside::new();
    for number in 0..1050 {
        inside.add(&format!("kind {}", in_letters(number)));
    }
    assert_eq!(inside.pending(), 1050);

    let thread = inside.start();
    let alerts = wait_for(&inside.folder, 11);
    let kinds: Vec<_> = alerts.iter().map(|alert| alert["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, [["new"; 10].as_slice(), &["summary"]].concat());
    let summary = &alerts[10];
    assert_eq!(summary["held_back"], json!({ "new": 1040, "reopened": 0, "rate": 0 }));
    assert_eq!(
        (&summary["issue"], &summary["event"], &summary["link"]),
        (&Value::Null, &Value::Null, &json!("http://obs"))
    );

    inside.add("a new issue on a quiet day");
    let next = wait_for(&inside.folder, 12).remove(11);
    assert_eq!((&next["kind"], &next["issue"]["id"]), (&json!("new"), &json!(1051)));
    thread.close();
    inside.store.close();
    assert_eq!(inside.pending(), 0);
}

#[test]
fn a_backlog_larger_than_one_removal_step_is_removed_in_the_background() {
    let inside = Inside::new();
    inside.add("m");
    let many = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12000)
                INSERT INTO alerts (id, kind, issue_id, event_seq) SELECT n, 'reopened', 1, 1 FROM n";
    inside.sqlite().execute(many, []).unwrap();
    let thread = inside.start();
    let summary = wait_for(&inside.folder, 11).remove(10);
    assert_eq!(summary["held_back"], json!({ "new": 0, "reopened": 11991, "rate": 0 }));
    eventually("all are removed", || (inside.pending() == 0).then_some(()));
    thread.close();
}

#[test]
fn an_alert_may_lack_its_event_and_is_dropped_with_its_issue() {
    let inside = Inside::new();
    for message in ["a has two events", "a has two events", "b is deleted", "c stays"] {
        inside.add(message);
    }
    inside
        .sqlite()
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM events WHERE seq = 1; DELETE FROM issues WHERE id = 2")
        .unwrap();
    let thread = inside.start();
    let alerts = wait_for(&inside.folder, 2);
    assert_eq!((&alerts[0]["issue"]["id"], &alerts[0]["event"]), (&json!(1), &Value::Null));
    assert_eq!(alerts[1]["issue"]["id"], 3, "a deleted issue does not alert");
    thread.close();
}

#[test]
fn an_alert_of_a_merged_issue_shows_the_issue_it_was_merged_into() {
    let inside = Inside::new();
    ["a", "b"].into_iter().for_each(|message| inside.add(message));
    assert!(inside.store.merge(1, 2).is_ok());
    let thread = inside.start();
    let alerts = wait_for(&inside.folder, 2);
    assert_eq!((&alerts[0]["issue"]["id"], &alerts[0]["event"]["message"]), (&json!(2), &json!("a")));
    thread.close();
}
