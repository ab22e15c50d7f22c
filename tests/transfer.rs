//! `obs export` and `obs import`: events survive the round trip unchanged, in bounded memory, beside a running server.
mod common;
use common::*;
use obs::time::Time;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const KEYS: [(&str, &str); 1] = [("OBS_API_KEY", "test123,shop=shopkey,blog=blogkey")];

fn on(database: &Path, args: &[&str]) -> Command {
    let database = database.to_str().unwrap();
    command(&[args, &["--db", database]].concat(), &[])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The exported lines. Standard error must be empty.
fn export(database: &Path, args: &[&str]) -> String {
    let output = on(database, &[&["export"], args].concat()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    text(&output.stdout)
}

/// Imports lines from standard input.
fn import_into(database: &Path, lines: &str) -> Output {
    let mut import = on(database, &["import", "-"]);
    let mut child = import.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes()); // it may exit before it has read everything
    child.wait_with_output().unwrap()
}

/// Imports lines, which must succeed, and returns what it prints.
fn import(database: &Path, lines: &str) -> String {
    let output = import_into(database, lines);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()), "{}", text(&output.stderr));
    text(&output.stderr)
}

/// The one line on standard error of a command that must fail.
fn refused(output: Output) -> String {
    let line = text(&output.stderr);
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{line}");
    assert!(line.starts_with("obs: ") && line.ends_with('\n') && line.lines().count() == 1, "not a line: {line}");
    line
}

/// The ids of exported lines. Not read with a JSON parser, because some lines contain numbers that are too large for one.
fn ids(lines: &str) -> Vec<String> {
    lines.lines().map(|line| line[r#"{"event_id":""#.len()..][..36].to_string()).collect()
}

/// A UUID that does not sort in order of arrival.
fn id(n: usize) -> String {
    format!("{:08x}-0000-4000-8000-{n:012x}", (n as u32).wrapping_mul(0x9e37_79b9))
}

/// All rows of a query, as SQL literals.
fn rows(database: &Path, columns: &str, rest: &str) -> Vec<String> {
    let quoted = columns.split(' ').map(|column| format!("quote({column})")).collect::<Vec<_>>().join(" || ' ' || ");
    let connection = open(database);
    let mut select = connection.prepare(&format!("SELECT {quoted} FROM {rest}")).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Every column of every event, and everything that obs counts or derives.
fn contents(database: &Path) -> Vec<String> {
    let events = "id issue_id level timestamp received_at platform environment server_name release suppressed type \
                  message fingerprint stacktrace causes extra more";
    let issues = "id project title culprit grouped_by count stored first_seen first_release last_seen";
    let mut all = rows(database, events, "events ORDER BY seq");
    all.extend(rows(database, issues, "issues ORDER BY id"));
    all.extend(rows(database, "id", "issues ORDER BY last_seq"));
    all.extend(rows(database, "project version hash issue_id", "issue_keys ORDER BY project, hash"));
    all.extend(rows(database, "issue_id hour events errors", "issue_hours"));
    all.extend(rows(database, "project hour events errors", "project_hours"));
    all.extend(rows(database, "kind value issues first_seq", "filter_values"));
    all.extend(rows(database, "issue_id kind value events", "issue_values"));
    all.extend(rows(database, "stored", "totals"));
    all
}

/// Events that are hard to pass through JSON unchanged, each on one line.
fn hostile() -> Vec<String> {
    let deep = "[".repeat(125) + &"]".repeat(125);
    let mut events = vec![
        format!(
            r#"{{"event_id":"{}","level":"warn","type":"DbError","message":"no\u0000connection \u2028 \"\\\u001b[31m","stacktrace":[{{"z":1,"function":"f","filename":"a.go","lineno":1e3,"in_app":true}},7],"causes":[{{"type":"E","message":"m"}},null],"platform":"go","timestamp":"2001-02-03 04:05:06.789+02","server_name":"web 1","environment":"production","release":"1.0","fingerprint":["a","{{{{ default }}}}"],"suppressed":4e1,"extra":{{"b":1,"a":1.000000000000000000000001,"b":[123456789012345678901234567890,-0,1E400]}}}}"#,
            id(1)
        ),
        r#"{"message":"unknown fields","zebra":1,"apple":{"z":1,"a":2,"z":3},"\u006duch":0.10,"":null}"#.into(),
        r#"{"message":"names of an exported event","project":"other","received_at":"1999-01-01T00:00:00Z","more":{"more":{"more":1},"project":2}}"#.into(),
        r#"{"message":"a more that is no object","more":[1,2]}"#.into(),
        r#"{"message":"wrong types","level":5,"type":{"a":1},"stacktrace":"none","causes":7,"platform":[],"timestamp":"soon","server_name":1,"environment":false,"release":{},"fingerprint":[],"suppressed":-1}"#.into(),
        r#"{"message":"lone \ud83d \udc00\ud83d surrogates","extra":"\ud83d","\ud83d":"\udc00"}"#.into(),
        r#"{"message":"ünïcödé 😀 \ud83d\ude00","extra":["\u00e9","é","\/","/"],"environment":"日本"}"#.into(),
        r#"{"type":"OnlyAType","extra":0,"suppressed":0}"#.into(),
        r#"{"message":"null","extra":null,"level":null,"fingerprint":null}"#.into(),
        r#"{"message":"cut","release":"RELEASE","type":"TYPE"}"#.replace("RELEASE", &"é".repeat(300)).replace("TYPE", &"x".repeat(300)),
        format!(r#"{{"message":"{}"}}"#, "\\n".repeat(9000) + "end"),
        format!(r#"{{"message":"many frames","stacktrace":[{{}}{}]}}"#, ",{}".repeat(300)),
        format!(r#"{{"message":"deep","extra":[{deep}],"unknown":[{deep}]}}"#),
        r#"{"message":"m","message":"the last of two","extra":1,"extra":{"last":1}}"#.into(),
    ];
    let large = r#"{"message":"as large as allowed","extra":""}"#;
    let filler = "\\u0001".repeat(((1 << 20) - large.len()) / 6);
    let large = large.replace(r#""""#, &format!(r#""{filler}""#));
    events.push(large.clone() + &" ".repeat((1 << 20) - large.len()));
    events
}

#[test]
fn an_export_of_an_import_has_the_same_bytes() {
    let obs = Obs::with(&[], &KEYS);
    let mut sent = 0;
    for (n, event) in hostile().iter().enumerate() {
        for key in ["test123", "shopkey", "blogkey"].iter().take(1 + n % 3) {
            // Only the first has an id, and it belongs to a single project.
            let answer = obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), event.as_bytes());
            assert_eq!(answer.status, 201, "{}: {}", answer.text(), &event[..event.len().min(100)]);
            sent += 1;
        }
    }
    for n in [9, 2, 7, 4] {
        obs.add(format!(r#"{{"event_id":"{}","message":"ids in no order"}}"#, id(n)));
        sent += 1;
    }
    let folder = Folder::new();
    let lines = export(&obs.database, &[]);
    assert_eq!(lines.lines().count(), sent);
    let copy = folder.join("copy");
    assert_eq!(import(&copy, &lines), format!("{sent} events imported, 0 already stored\n"));
    assert_eq!(export(&copy, &[]), lines);
    assert_eq!(contents(&copy), contents(&obs.database));
    assert_eq!(ids(&lines).split_off(sent - 4), [id(9), id(2), id(7), id(4)]);
}

#[test]
fn a_line_has_every_field_of_the_event_and_its_project_arrival_and_more() {
    let obs = Obs::with(&[], &KEYS);
    let sent = &hostile()[0]
        .replacen('{', r#"{"level":"odd","level":5,"project":[1.50],"#, 1)
        .replace("\"level\":\"warn\",", "");
    let answer = obs.send("POST /api/events HTTP/1.1\r\nX-OBS-Key: shopkey", sent.as_bytes());
    assert_eq!(answer.status, 201);
    let received_at = rows(&obs.database, "received_at", "events")[0].replace('\'', "");
    let expected = format!(
        r#"{{"event_id":"{}","level":"error","type":"DbError","message":"no\u0000connection {} \"\\\u001b[31m","timestamp":"2001-02-03T02:05:06.789Z","received_at":"{received_at}","environment":"production","server_name":"web 1","release":"1.0","project":"shop","platform":"go","suppressed":40,"fingerprint":["a","{{{{ default }}}}"],"stacktrace":[{{"z":1,"function":"f","filename":"a.go","lineno":1e3,"in_app":true}},7],"causes":[{{"type":"E","message":"m"}},null],"extra":{{"b":1,"a":1.000000000000000000000001,"b":[123456789012345678901234567890,-0,1E400]}},"more":{{"level":5,"project":[1.50]}}}}"#,
        id(1),
        '\u{2028}'
    );
    assert_eq!(export(&obs.database, &[]), expected + "\n");
}

#[test]
fn an_event_sent_on_many_lines_is_exported_on_one() {
    let obs = Obs::start();
    obs.add("{\"message\":\"m\",\r\n  \"extra\": {\n    \"a\": [1,\n2],\r\"b\": \"\\n\"\n  },\n  \"odd\": {\n}\n}");
    let lines = export(&obs.database, &[]);
    assert_eq!(lines.matches(['\n', '\r']).count(), 1, "{lines}");
    assert!(lines.contains(r#""extra":{     "a": [1, 2], "b": "\n"   },"more":{"odd":{ }}}"#), "{lines}");
    let folder = Folder::new();
    import(&folder.join("copy"), &lines);
    assert_eq!(export(&folder.join("copy"), &[]), lines);
}

/// Lines of events that arrived one per minute, starting at midnight.
fn minutes(from: usize, to: usize) -> String {
    let line = |n: usize| {
        let (project, level) = (["", "shop"][n % 2], ["error", "info"][n % 3 / 2]);
        let time = format!("2026-01-01T{:02}:{:02}:00.000Z", n / 60, n % 60);
        format!(
            r#"{{"event_id":"{}","level":"{level}","message":"kind {}","timestamp":"2020-01-01T00:00:00.000Z","received_at":"{time}","environment":"{level}","release":"r{n}","project":"{project}"}}"#,
            id(n),
            ["a", "b", "c"][n % 3]
        ) + "\n"
    };
    (from..to).map(line).collect()
}

#[test]
fn an_import_counts_events_in_the_hours_they_arrived_in() {
    let folder = Folder::new();
    let database = folder.join("obs.sqlite");
    let yesterday = Time::from_millis(Time::now().millis() - 86_400_000).unwrap();
    let day = &yesterday.to_string()[..10];
    let suppressed = minutes(0, 360).replacen("\"environment\"", "\"suppressed\":1000,\"environment\"", 1);
    import(&database, &suppressed.replace("2026-01-01", day));
    let issues =
        rows(&database, "project title count stored first_seen last_seen last_seq first_release", "issues ORDER BY id");
    assert_eq!(issues.len(), 6);
    // Each issue has one event every six minutes. The first event stands for a thousand more.
    assert_eq!(issues[0], format!("'' 'kind a' 1060 60 '{day}T00:00:00.000Z' '{day}T05:54:00.000Z' 355 'r0'"));
    assert_eq!(issues[5], format!("'shop' 'kind c' 60 60 '{day}T00:05:00.000Z' '{day}T05:59:00.000Z' 360 'r5'"));
    let first = yesterday.hour() / 24 * 24;
    let hours: Vec<_> = (0..6)
        .map(|hour| {
            format!("{} {} {}", first + hour, if hour == 0 { 1060 } else { 60 }, if hour == 0 { 1040 } else { 40 })
        })
        .collect();
    assert_eq!(rows(&database, "hour sum(events) sum(errors)", "project_hours GROUP BY hour"), hours);
    let of_one = rows(&database, "hour events", "issue_hours WHERE issue_id = 6");
    assert_eq!(of_one, (0..6).map(|hour| format!("{} 10", first + hour)).collect::<Vec<_>>());
    assert_eq!(
        rows(&database, "value events", "issue_values WHERE issue_id = 6 AND kind = 'environment'"),
        ["'info' 60"]
    );
    assert_eq!(rows(&database, "stored", "totals"), ["360"]);
}

#[test]
fn imported_events_follow_stored_ones_and_join_their_issues() {
    let mut obs = Obs::with(&[], &KEYS);
    let there = obs.add(r#"{"message":"kind a"}"#);
    obs.signal("TERM");
    obs.wait();
    assert_eq!(import(&obs.database, &minutes(0, 9)), "9 events imported, 0 already stored\n");
    assert_eq!(import(&obs.database, &minutes(3, 12)), "3 events imported, 6 already stored\n");
    let obs = obs.restart(&[], &KEYS);
    let mut expected = vec![there];
    expected.extend((0..12).map(id));
    assert_eq!(ids(&export(&obs.database, &[])), expected);
    let issues = obs.json("/api/issues")["issues"].clone();
    assert_eq!(issues.as_array().unwrap().len(), 6);
    let joined = issues.as_array().unwrap().iter().find(|issue| issue["id"] == 1).unwrap();
    assert_eq!((&joined["count"], &joined["stored"]), (&3.into(), &3.into()));
    assert_eq!(joined["first_seen"], "2026-01-01T00:00:00.000Z");
    obs.add(r#"{"message":"the server still works"}"#);
}

#[test]
fn project_and_since_select_events() {
    let folder = Folder::new();
    let database = folder.join("obs.sqlite");
    import(&database, &minutes(0, 1300));
    let exported = |args: &[&str]| ids(&export(&database, args));
    let of = |selected: &dyn Fn(usize) -> bool| (0..1300).filter(|n| selected(*n)).map(id).collect::<Vec<_>>();
    assert_eq!(exported(&[]), of(&|_| true));
    assert_eq!(exported(&["--project", "shop"]), of(&|n| n % 2 == 1));
    assert_eq!(exported(&["--project", ""]), of(&|n| n % 2 == 0));
    assert_eq!(exported(&["--project=nobody"]), [""; 0]);
    assert_eq!(exported(&["--since", "2026-01-01T20:00"]), of(&|n| n >= 1200));
    assert_eq!(exported(&["--since=2026-01-01 22:00:00+02:00", "--project=shop"]), of(&|n| n >= 1200 && n % 2 == 1));
    assert_eq!(exported(&["--since", "2026-01-01T20:00:00.001Z"]), of(&|n| n >= 1201));
    assert_eq!(exported(&["--since", "2026-01-02"]), of(&|n| n >= 1440));
    // An event that arrived while the clock was wrong is selected by the time the clock showed.
    import(&database, r#"{"message":"m","received_at":"2025-01-01T00:00:00Z"}"#);
    assert_eq!(exported(&["--since", "2026-01-01T20:00"]), of(&|n| n >= 1200));
}

#[test]
fn an_import_accepts_events_in_the_form_that_clients_send() {
    let folder = Folder::new();
    let database = folder.join("obs.sqlite");
    let lines = "\n{\"message\":\"a\",\"odd\":1,\"level\":9}\r\n \t \n{\"type\":\"B\",\"more\":{\"x\":1},\"project\":null,\"odd\":2}\n\
                 {\"message\":\"c\",\"more\":{ },\"received_at\":1767225600.5}";
    let before = Time::now();
    assert_eq!(import(&database, lines), "3 events imported, 0 already stored\n");
    let lines = export(&database, &[]);
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let received_at = Time::parse(events[0]["received_at"].as_str().unwrap()).unwrap();
    assert!(received_at >= before && received_at <= Time::now());
    assert_eq!(events[0]["timestamp"], events[0]["received_at"]);
    assert!(
        lines.contains(r#""more":{"odd":1,"level":9}}"#) && lines.contains(r#""more":{"x":1,"odd":2}}"#),
        "{lines}"
    );
    assert_eq!(events[2]["received_at"], "2026-01-01T00:00:00.500Z");
    assert_eq!((&events[2]["more"], &events[2]["project"]), (&Value::Null, &"".into()));
    assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.join("obs.sqlite-wal").exists());
}

#[test]
fn a_bad_line_is_named_and_the_events_before_it_are_stored() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let long = format!(r#"{{"message":"m","extra":"{}"}}"#, "x".repeat(4 << 20));
    let cases = [
        ("{\"message\":", "Invalid JSON: EOF while parsing a value at column 11"),
        ("[1]", "Invalid event: expected a JSON object"),
        (r#"{"level":"info"}"#, "Missing required field: message"),
        (r#"{"message":"m","event_id":"x"}"#, "Invalid field event_id: expected a UUID"),
        (r#"{"message":"m","project":"a b"}"#, "Invalid field project: expected at most 200 characters"),
        (r#"{"message":"m","project":5}"#, "Invalid field project: expected a string"),
        (r#"{"message":"m","received_at":"2026-02-30T00:00Z"}"#, "Invalid field received_at: expected a time"),
        (&format!(r#"{{"message":"m","extra":{}}}"#, deep(127)), "nested more than 127 deep at byte 150"),
        (&format!(r#"{{"message":"m","more":{{"a":{}}}}}"#, deep(127)), "nested more than 127 deep at byte 154"),
        (&long, "longer than 4 MiB (4194304 bytes)"),
    ];
    for (line, why) in cases {
        let folder = Folder::new();
        let database = folder.join("obs.sqlite");
        import(&database, &minutes(0, 1));
        let lines = format!("{}\n{line}\n{}", minutes(0, 3), minutes(3, 6));
        let said = refused(import_into(&database, &lines));
        let counted = "; 2 events imported, 1 already stored\n";
        assert!(said.starts_with("obs: standard input: line 5: ") && said.ends_with(counted), "{said}");
        assert!(said.contains(why), "{said}");
        assert_eq!(ids(&export(&database, &[])), [id(0), id(1), id(2)]);
    }
}

#[test]
fn a_file_that_cannot_be_read_creates_no_database() {
    let folder = Folder::new();
    let database = folder.join("obs.sqlite");
    for name in ["missing", ""] {
        let file = folder.join(name);
        let said = refused(on(&database, &["import", file.to_str().unwrap()]).output().unwrap());
        assert!(said.contains(&format!("cannot read {}: ", file.display())), "{said}");
        assert!(!database.exists());
    }
    let file = folder.join("lines");
    fs::write(&file, minutes(0, 2) + "oops").unwrap();
    let said = refused(on(&database, &["import", file.to_str().unwrap()]).output().unwrap());
    assert!(said.contains(&format!("{}: line 3: Invalid JSON: ", file.display())), "{said}");
    assert_eq!(export(&database, &[]), minutes(0, 2));
}

#[test]
fn an_import_is_refused_while_a_server_runs() {
    let obs = Obs::start();
    let said = refused(import_into(&obs.database, &minutes(0, 1)));
    assert!(said.contains("another obs has it open"), "{said}");
    assert_eq!(export(&obs.database, &[]), "");
}

#[test]
fn an_export_of_a_missing_or_foreign_file_is_refused() {
    let folder = Folder::new();
    fs::write(folder.join("garbage"), "garbage ".repeat(1000)).unwrap();
    for (name, why) in [("missing", "there is no such file"), ("garbage", "it is not a database")] {
        let said = refused(on(&folder.join(name), &["export"]).output().unwrap());
        assert!(said.contains(name) && said.contains(why), "{said}");
    }
    assert!(!folder.join("missing").exists());
}

#[test]
fn bad_arguments_are_one_line_and_exit_status_2() {
    let folder = Folder::new();
    let cases: [(&[&str], &str); 8] = [
        (&["export", "--since", "yesterday"], "--since 'yesterday'"),
        (&["export", "--since="], "--since ''"),
        (&["export", "--project", "a b"], "--project 'a b'"),
        (&["export", "--verbose"], "--verbose"),
        (&["export", "file"], "file"),
        (&["import"], "FILE"),
        (&["import", "--since", "x"], "--since"),
        (&["import", "a", "b"], "'b'"),
    ];
    for (args, name) in cases {
        let output = command(args, &[]).current_dir(folder.join("")).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(name), "{args:?}: {}", text(&output.stderr));
    }
    assert_eq!(fs::read_dir(folder.join("")).unwrap().count(), 0, "a refused command creates no file");
    let help = text(&command(&["--help"], &[]).output().unwrap().stdout);
    for name in ["obs export [--project P] [--since TIME] [--db PATH]", "obs import FILE|- [--db PATH]"] {
        assert!(help.contains(name), "{name}");
    }
}

/// A database of events of 1 MiB each.
fn large(folder: &Folder, events: usize) -> std::path::PathBuf {
    let database = folder.join("obs.sqlite");
    let filler = "x".repeat(1 << 20);
    let mut child = on(&database, &["import", "-"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    (0..events).for_each(|n| writeln!(input, r#"{{"message":"m {n}","extra":"{filler}"}}"#).unwrap());
    drop(input);
    assert!(child.wait().unwrap().success());
    database
}

#[test]
fn an_export_that_nobody_reads_blocks_no_checkpoint_and_ends_with_the_events_there_at_its_start() {
    let obs = Obs::start();
    let filler = "x".repeat(1_000_000);
    (0..5).for_each(|_| drop(obs.add(format!(r#"{{"message":"m","extra":"{filler}"}}"#))));
    let mut child = on(&obs.database, &["export"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0]).unwrap();
    obs.add(r#"{"message":"later"}"#);
    let other = obs.sqlite();
    other.busy_timeout(Duration::from_millis(10)).unwrap();
    eventually("the WAL has no reader", || {
        let busy: i64 = other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
        (busy == 0).then_some(())
    });
    assert_eq!(child.try_wait().unwrap(), None, "the export has not finished yet");
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count(), 5);
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_export_into_a_closed_pipe_ends_without_an_error() {
    let folder = Folder::new();
    let database = large(&folder, 3);
    let mut child = on(&database, &["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_exact(&mut [0; 100]).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let said = refused(on(&database, &["export"]).stdout(full).output().unwrap());
    assert!(said.contains("cannot write to standard output: "), "{said}");
}

#[test]
fn memory_does_not_grow_with_the_number_of_events() {
    let folder = Folder::new();
    let database = large(&folder, 100);
    let limited = |script: &str| {
        let script = format!("ulimit -v 90000; {script}"); // KiB of address space: less than all the events take
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_obs"), database.to_str().unwrap()]);
        shell.current_dir(folder.join("")).output().unwrap()
    };
    let exported = limited(r#""$1" export --db "$2" > lines"#);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert_eq!(fs::metadata(folder.join("lines")).unwrap().len() >> 20, 100);
    let imported = limited(r#""$1" import lines --db copy"#);
    assert_eq!(text(&imported.stderr), "100 events imported, 0 already stored\n");
    let endless = refused(limited(r#"tr '\n' ' ' < lines | "$1" import - --db copy"#));
    assert!(endless.contains("line 1: longer than 4 MiB"), "{endless}");
}

#[test]
fn progress_is_shown_on_a_terminal() {
    let folder = Folder::new();
    let database = folder.join("obs.sqlite");
    fs::write(folder.join("lines"), minutes(0, 5)).unwrap();
    let on_a_terminal = |script: &str| {
        let script = format!("{} {script} --db {}", env!("CARGO_BIN_EXE_obs"), database.display());
        let mut terminal = Command::new("script");
        let output = terminal.args(["-qec", &script, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{script}");
        text(&output.stdout)
    };
    let said = on_a_terminal(&format!("import {}", folder.join("lines").display()));
    assert!(said.contains("1 lines read"), "{said:?}");
    assert!(said.contains("\r\u{1b}[K5 events imported, 0 already stored"), "{said:?}");
    let said = on_a_terminal("export > /dev/null");
    assert!(said.contains("\r\u{1b}[K5 events exported\r\n"), "{said:?}");
}
