//! `OBS_ALERT_COMMAND`: what it is told and when, what it gets to see, and what happens when it fails, hangs or is overrun.
mod common;
use common::*;
use obs::alerts::{self, Limits, Running, Settings};
use obs::event::Event;
use obs::store::{self, AlertPolicy, NewEvent, Store, Told};
use obs::web::State;
use obs::web::auth::Dashboard;
use obs::web::rate::Rate;
use serde_json::{Value, json};
use std::fs;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

/// Keeps each alert as a line.
const KEEP: &str = r#"cat >> "$ALERTS""#;

/// An obs that runs the command, which finds files in `$ALERTS`'s folder.
fn start(text: &str, env: &[(&str, &str)]) -> Obs {
    start_in(Arc::new(Folder::new()), text, env)
}

fn start_in(folder: Arc<Folder>, text: &str, env: &[(&str, &str)]) -> Obs {
    let path = folder.join("alerts");
    let mut all = vec![("OBS_API_KEY", KEY), ("OBS_ALERT_COMMAND", text), ("ALERTS", path.to_str().unwrap())];
    all.extend(env);
    Obs::in_folder(folder, &[], &all)
}

/// What the command has kept, whole lines only.
fn told(folder: &Folder) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("alerts")).unwrap_or_default();
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The first alerts, once there are so many.
fn first_told(folder: &Folder, count: usize) -> Vec<Value> {
    eventually("alerts", || Some(told(folder)).filter(|alerts| alerts.len() >= count))
}

/// A new issue, unlike all others: alerts come in order, so what comes before its own has been told.
fn new_issue(obs: &Obs, name: &str) {
    obs.add(json!({ "message": format!("issue of {name}") }).to_string());
}

fn waiting(obs: &Obs) -> i64 {
    obs.sqlite().query_row("SELECT count(*) FROM alerts", [], |row| row.get(0)).unwrap()
}

fn all_are_removed(obs: &Obs) {
    eventually("told alerts are removed", || (waiting(obs) == 0).then_some(()));
}

/// A line of the log.
fn logged(obs: &Obs, text: &str) -> String {
    let line = || obs.errors().lines().find(|line| line.contains(text)).map(String::from);
    eventually(text, line)
}

/// What is in a file, once a line is.
fn line_in(folder: &Folder, name: &str) -> String {
    let read = || fs::read_to_string(folder.join(name)).ok().filter(|text| text.ends_with('\n'));
    eventually(name, read).trim().into()
}

fn is_gone(process: &str) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { return true };
    stat.rsplit(')').next().unwrap().trim_start().starts_with('Z') // ended, and its parent has yet to see that
}

#[test]
fn a_new_issue_alerts_once_with_what_the_api_says() {
    let obs = start(KEEP, &[]);
    let id = obs.add(r#"{"message":"customer 7 has no address","extra":{"z":1.0000000000000000000001,"a":[]}}"#);
    let first = first_told(obs.folder(), 1).remove(0);
    assert_eq!(first["kind"], "new");
    assert_eq!(first["alert_id"].as_str().unwrap().len(), 36);
    assert_eq!(first["issue"], obs.json("/api/issues")["issues"][0]);
    assert_eq!(first["event"], obs.json(&format!("/api/events/{id}")));
    assert_eq!(first["link"], format!("http://127.0.0.1:{}/issues/1", obs.port));
    assert_eq!((first.get("held_back"), first.get("events_last_hour")), (None, None));
    let text = fs::read_to_string(obs.folder().join("alerts")).unwrap();
    assert!(text.contains(r#""extra":{"z":1.0000000000000000000001,"a":[]}"#), "not as it came: {text}");

    obs.add(r#"{"message":"customer 8 has no address"}"#);
    new_issue(&obs, "another kind");
    let issues: Vec<_> = first_told(obs.folder(), 2).iter().map(|alert| alert["issue"]["id"].clone()).collect();
    assert_eq!(issues, [1, 2], "only an issue's first event alerts");
    all_are_removed(&obs);
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
        let alert = first_told(obs.folder(), count).remove(count - 1);
        assert_eq!((&alert["kind"], &alert["issue"]["state"]), (&json!("reopened"), &json!("open")));
    }
    all_are_removed(&obs);
}

#[test]
fn hostile_text_arrives_as_it_is() {
    let obs = start(KEEP, &[]);
    let hostile = "'; touch \"$ALERTS.owned\"; $(touch $ALERTS.owned) `touch $ALERTS.owned` \0\u{1b}[31m\\\n%s <b> 😀\u{2028}\u{202e}";
    let event =
        json!({ "type": "<T>'\"`$(x)", "message": hostile, "release": "$ALERTS", "extra": { hostile: hostile } });
    let id = obs.add(event.to_string());
    let alert = first_told(obs.folder(), 1).remove(0);
    for field in ["type", "message", "release", "extra"] {
        assert_eq!(alert["event"][field], event[field], "{field}");
    }
    assert_eq!(alert["issue"]["message"], hostile);
    assert_eq!(alert["event"]["id"], id);
    assert!(!obs.folder().join("alerts.owned").exists());
}

#[test]
fn the_command_sees_the_environment_without_obs_s_secrets_and_settings() {
    let keep_environment = r#"env > "$ALERTS.env"; cat >> "$ALERTS""#;
    let secrets = [("OBS_DASHBOARD_PASSWORD", "hunter2"), ("WEBHOOK_URL", "https://example.com/hook")];
    let obs = start(keep_environment, &secrets);
    new_issue(&obs, "environment");
    first_told(obs.folder(), 1);
    let environment = fs::read_to_string(obs.folder().join("alerts.env")).unwrap();
    assert!(environment.contains("WEBHOOK_URL=https://example.com/hook\n"), "{environment}");
    for hidden in [KEY, "hunter2", "OBS_API_KEY", "OBS_DASHBOARD_PASSWORD", "MALLOC_"] {
        assert!(!environment.contains(hidden), "{hidden} is in {environment}");
    }

    let obs = start(keep_environment, &[("MALLOC_ARENA_MAX", "2")]);
    new_issue(&obs, "environment");
    first_told(obs.folder(), 1);
    let environment = fs::read_to_string(obs.folder().join("alerts.env")).unwrap();
    assert!(environment.contains("MALLOC_ARENA_MAX=2\n"), "the operator's own choice stays: {environment}");
}

#[test]
fn a_command_that_hangs_is_ended_with_its_children_and_holds_up_no_event() {
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
    assert!(!obs.errors().contains("not done"), "events waited for the command");
    let line = logged(&obs, "not done");
    assert!(line.contains("(new, http://127.0.0.1") && line.ends_with("10 seconds, so it was ended: stuck"), "{line}");
    for pid in pids.split(' ') {
        eventually("the whole group ends", || is_gone(pid).then_some(()));
    }
    let issues: Vec<_> = first_told(obs.folder(), 5).iter().map(|alert| alert["issue"]["id"].clone()).collect();
    assert_eq!(issues, [2, 3, 4, 5, 6], "the first is not tried again");
}

#[test]
fn a_command_that_fails_is_logged_in_one_line_and_not_tried_again() {
    let cases = [
        (r#"cat >> "$ALERTS"; printf 'no luck\n\033[31m' >&2; exit 3"#, r"exit status 3: no luck\n\u{1b}[31m"),
        (r#"cat >> "$ALERTS"; kill -9 $$"#, "ended by signal 9"),
        (r#"cat >> "$ALERTS"; /no/such/command"#, "exit status 127: sh: "),
    ];
    for (text, why) in cases {
        let obs = start(text, &[]);
        new_issue(&obs, "one");
        new_issue(&obs, "two");
        logged(&obs, "issues/1): ");
        let line = logged(&obs, "issues/2): ");
        assert!(line.contains(why), "{line}");
        all_are_removed(&obs);
        let ids: Vec<_> = told(obs.folder()).iter().map(|alert| alert["alert_id"].clone()).collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        assert!(line.contains(ids[1].as_str().unwrap()), "{line}");
        assert_eq!(obs.errors().matches("): e").count(), 2, "{}", obs.errors());
    }
}

#[test]
fn of_a_flood_of_errors_only_the_beginning_is_logged() {
    let obs = start("yes | head -c 1000000 >&2; exit 1", &[]);
    new_issue(&obs, "flood");
    let line = logged(&obs, "exit status 1");
    assert!(line.len() < 1500, "{} characters", line.len());
}

#[test]
fn a_command_need_not_read_what_it_is_told() {
    let obs = start("exec <&-; exit 0", &[]);
    obs.add(json!({ "message": "large", "extra": "x".repeat(900_000) }).to_string());
    all_are_removed(&obs);
    assert!(!obs.errors().contains("alert "), "{}", obs.errors());
}

#[test]
fn an_alert_survives_kill_9() {
    // Until the test's folder goes.
    let hang = r#"cat >> "$ALERTS"; while [ -e "$ALERTS" ]; do sleep 0.1; done"#;
    let mut obs = start(hang, &[]);
    new_issue(&obs, "first");
    new_issue(&obs, "second");
    first_told(obs.folder(), 1);
    obs.kill();
    let folder = obs.folder().clone();
    drop(obs);
    let obs = start_in(folder, KEEP, &[]);
    let alerts = first_told(obs.folder(), 3);
    let ids: Vec<_> = alerts.iter().map(|alert| &alert["alert_id"]).collect();
    assert_eq!(ids[0], ids[1], "the one that ran is told again, and can be known by its id");
    assert_ne!(ids[1], ids[2]);
    assert_eq!(alerts[2]["issue"]["id"], 2);
    all_are_removed(&obs);
}

#[test]
fn a_server_that_stops_lets_the_command_finish() {
    let text = r#"cat >> "$ALERTS"; until [ -e "$ALERTS.go" ]; do sleep 0.05; done; echo done > "$ALERTS.done""#;
    let mut obs = start(text, &[]);
    new_issue(&obs, "first");
    new_issue(&obs, "second");
    first_told(obs.folder(), 1);
    obs.signal("TERM");
    eventually("obs does not listen", || std::net::TcpStream::connect(("127.0.0.1", obs.port)).is_err().then_some(()));
    fs::write(obs.folder().join("alerts.go"), "").unwrap();
    assert!(obs.wait().success());
    assert_eq!(line_in(obs.folder(), "alerts.done"), "done");
    assert_eq!(waiting(&obs), 1, "the second waits for the next start, the first has been told");
}

#[test]
fn a_server_that_stops_ends_a_command_that_does_not_and_keeps_its_alert() {
    let mut obs = start(r#"cat >> "$ALERTS"; sleep 600 & echo $$ $! > "$ALERTS.pids"; wait"#, &[]);
    new_issue(&obs, "first");
    let pids = line_in(obs.folder(), "alerts.pids");
    obs.signal("TERM");
    assert!(obs.wait().success());
    assert!(pids.split(' ').all(is_gone));
    assert!(obs.errors().contains("waits for the next start"), "{}", obs.errors());
    assert_eq!(waiting(&obs), 1);
}

#[test]
fn many_events_in_an_hour_alert_once() {
    let obs = start(KEEP, &[("OBS_ALERT_RATE", "5")]);
    let add = |suppressed: u32| obs.add(json!({ "message": "again and again", "suppressed": suppressed }).to_string());
    add(4);
    let sixth = add(0);
    add(0);
    add(100);
    new_issue(&obs, "another kind");
    let alerts = first_told(obs.folder(), 3);
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
    let issues: Vec<_> = first_told(obs.folder(), 2).iter().map(|alert| alert["issue"]["id"].clone()).collect();
    assert_eq!(issues, [1, 2]);
}

#[test]
fn links_begin_with_obs_url() {
    let obs = start(KEEP, &[("OBS_URL", "https://obs.example.com/errors")]);
    new_issue(&obs, "link");
    assert_eq!(first_told(obs.folder(), 1)[0]["link"], "https://obs.example.com/errors/issues/1");
}

#[test]
fn without_a_command_nothing_is_written() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_ALERT_RATE", "1")]);
    new_issue(&obs, "one");
    obs.add(r#"{"message":"many","suppressed":100}"#);
    assert_eq!(waiting(&obs), 0);
}

fn outcome(args: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(args, env).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn test_alert_runs_the_command_once_and_says_how_it_ended() {
    let folder = Folder::new();
    let path = folder.join("alerts");
    let test = |text: &str, more: &[(&str, &str)]| {
        let mut env = vec![("OBS_ALERT_COMMAND", text), ("ALERTS", path.to_str().unwrap())];
        env.extend(more);
        outcome(&["test-alert"], &env)
    };
    assert_eq!(test(KEEP, &[]), (0, "OBS_ALERT_COMMAND: exit status 0\n".into(), String::new()));
    test(KEEP, &[("OBS_URL", "https://obs.example.com")]);
    let alerts = told(&folder);
    assert_eq!(alerts.len(), 2);
    assert_eq!((&alerts[0]["kind"], &alerts[0]["link"]), (&json!("test"), &json!("http://localhost:8000")));
    assert_eq!(alerts[1]["link"], "https://obs.example.com");
    let failed = test("echo no luck >&2; exit 4", &[]);
    assert_eq!(failed, (1, String::new(), "obs: OBS_ALERT_COMMAND: exit status 4: no luck\n".into()));
}

#[test]
fn a_test_alert_has_the_fields_of_a_true_one() {
    let obs = start(KEEP, &[]);
    new_issue(&obs, "true");
    let path = obs.folder().join("alerts");
    first_told(obs.folder(), 1);
    outcome(&["test-alert"], &[("OBS_ALERT_COMMAND", KEEP), ("ALERTS", path.to_str().unwrap())]);
    let alerts = told(obs.folder());
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&alerts[0]), fields(&alerts[1]));
    assert_eq!(fields(&alerts[0]["event"]), fields(&alerts[1]["event"]));
    let made_up = fields(&alerts[1]["issue"]);
    assert!(fields(&alerts[0]["issue"]).iter().all(|field| made_up.contains(field)));
}

#[test]
fn a_bad_setting_is_one_line_and_exit_status_2() {
    let (status, _, errors) = outcome(&["test-alert"], &[]);
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
            let (status, _, errors) = outcome(args, &[("OBS_ALERT_COMMAND", "true"), (name, value)]);
            assert_eq!((status, errors.lines().count()), (2, 1), "{name}={value}: {errors}");
            assert!(errors.starts_with(&format!("obs: invalid {name} '{value}': expected ")), "{errors}");
        }
    }
}

/// The server's insides with a command, in a minute of their own. Events come before it starts.
struct Inside {
    folder: Folder,
    state: Arc<State>,
}

impl Inside {
    fn new() -> Inside {
        let folder = Folder::new();
        let occasions = AlertPolicy::Issues { rate: None };
        let state = State {
            store: Store::open(&folder.join("obs.sqlite"), Default::default(), occasions).unwrap(),
            keys: Vec::new(),
            dashboard: Dashboard::Local,
            rate: Rate::new(None),
            verbose: false,
        };
        Inside { folder, state: Arc::new(state) }
    }

    fn add(&self, message: &str) {
        let text = json!({ "message": message }).to_string();
        let event = Event::parse(text.as_bytes()).unwrap();
        self.state.store.add(NewEvent::new(event, String::new())).unwrap();
    }

    fn run(&self, limits: Limits) -> Running {
        let text = format!("cat >> '{}'", self.folder.join("alerts").display()).into();
        let command = alerts::Command { text, own_variables: Vec::new() };
        let settings = Settings { command, base: "http://obs".into(), limits };
        alerts::start(self.state.clone(), settings, Default::default()).unwrap()
    }

    fn sqlite(&self) -> rusqlite::Connection {
        open(&self.folder.join("obs.sqlite"))
    }
}

/// A name that is not taken for a number or an id.
fn name(number: u32) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'g')).collect()
}

#[test]
fn of_a_flood_ten_are_told_and_then_how_many_were_held_back() {
    let inside = Inside::new();
    for number in 0..1050 {
        inside.add(&format!("kind {}", name(number)));
    }
    let kept: (i64, i64) = inside
        .sqlite()
        .query_row("SELECT count(*), (SELECT alerts - told FROM alerts_left_out) FROM alerts", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kept, (1000, 50), "what waits is bounded, what was left out is counted");

    let backlog =
        |told| inside.state.store.read(|reader| reader.backlog(told)).unwrap_or_else(|e: store::Error| panic!("{e}"));
    let all = backlog(Told::default());
    assert_eq!((all.held_back.new, backlog(all.told).held_back.new), (1050, 0), "told once, removed or not");

    let running = inside.run(Limits { period: Duration::from_secs(6), ..Limits::default() });
    let alerts = first_told(&inside.folder, 11);
    let kinds: Vec<_> = alerts.iter().map(|alert| alert["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, [["new"; 10].as_slice(), &["summary"]].concat());
    let summary = &alerts[10];
    assert_eq!(summary["held_back"], json!({ "new": 1040, "reopened": 0, "rate": 0 }));
    assert_eq!(
        (&summary["issue"], &summary["event"], &summary["link"]),
        (&Value::Null, &Value::Null, &json!("http://obs"))
    );

    inside.add("a quiet day");
    let next = first_told(&inside.folder, 12).remove(11);
    // Alone, or as the one that a further summary holds back.
    assert!(next["kind"] == "new" || next["held_back"]["new"] == 1, "told twice: {next}");
    running.close();
    inside.state.store.close();
    let left: i64 = inside
        .sqlite()
        .query_row("SELECT count(*) + (SELECT sum(alerts - told) FROM alerts_left_out) FROM alerts", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(left, 0);
}

/// So it is where they were left out after the last one was told, and before it was removed.
#[test]
fn those_that_were_left_out_are_told_of_though_none_waits() {
    let inside = Inside::new();
    inside.sqlite().execute("INSERT INTO alerts_left_out (kind, alerts, told) VALUES ('reopened', 5, 3)", []).unwrap();
    let running = inside.run(Limits::default());
    let alert = first_told(&inside.folder, 1).remove(0);
    assert_eq!(
        (&alert["kind"], &alert["held_back"]),
        (&json!("summary"), &json!({ "new": 0, "reopened": 2, "rate": 0 }))
    );
    inside.add("a quiet day");
    assert_eq!(first_told(&inside.folder, 2)[1]["kind"], "new", "told once");
    running.close();
}

#[test]
fn what_has_gone_before_its_alert_is_told_is_left_out() {
    let inside = Inside::new();
    for message in ["a has two events", "a has two events", "b is deleted", "c stays"] {
        inside.add(message);
    }
    inside
        .sqlite()
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM events WHERE seq = 1; DELETE FROM issues WHERE id = 2")
        .unwrap();
    let running = inside.run(Limits::default());
    let alerts = first_told(&inside.folder, 2);
    assert_eq!((&alerts[0]["issue"]["id"], &alerts[0]["event"]), (&json!(1), &Value::Null));
    assert_eq!(alerts[1]["issue"]["id"], 3, "an issue that is gone does not alert");
    running.close();
}

#[test]
fn what_was_merged_before_its_alert_is_told_is_told_of_the_other_issue() {
    let inside = Inside::new();
    ["a", "b"].into_iter().for_each(|message| inside.add(message));
    assert!(inside.state.store.merge(1, 2).is_ok());
    let running = inside.run(Limits::default());
    let alerts = first_told(&inside.folder, 2);
    assert_eq!((&alerts[0]["issue"]["id"], &alerts[0]["event"]["message"]), (&json!(2), &json!("a")));
    running.close();
}
