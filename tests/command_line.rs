//! Flags and variables, the banner and the log.
mod common;
use common::process::*;
use common::*;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::sync::Arc;

type Env<'a> = &'a [(&'a str, &'a str)];

/// Starts an obs in this folder, with only these arguments and variables.
fn start(folder: &Arc<Folder>, args: &[&str], env: &[(&str, &str)]) -> Obs {
    let mut command = command(args, env);
    command.current_dir(folder.join(""));
    Obs::launch(folder.clone(), command)
}

/// The key of the DSN in the banner.
fn key_in_banner(obs: &Obs) -> String {
    let banner = obs.banner();
    let dsn = banner.split("http://").find_map(|text| text.split_once('@'));
    dsn.unwrap_or_else(|| panic!("no DSN: {banner}")).0.to_string()
}

fn post_with(obs: &Obs, key: &str) -> u16 {
    obs.send(&format!("POST /api/events HTTP/1.1\r\nX-OBS-Key: {key}"), br#"{"message":"m"}"#).status
}

#[test]
fn help_names_every_flag_and_variable() {
    let (status, help, errors) = outcome(&mut command(&["--help"], &[]));
    assert_eq!((status, errors.as_str()), (0, ""));
    let names = "--listen OBS_LISTEN localhost:8000 --db OBS_DB_PATH obs.sqlite OBS_API_KEY OBS_API_KEY_FILE OBS_DASHBOARD_PASSWORD OBS_DASHBOARD_PASSWORD_FILE \
                 --max-events OBS_MAX_EVENTS 1000000 --max-size OBS_MAX_SIZE 10GB --max-sourcemaps OBS_MAX_SOURCEMAPS 512MB --retention-days OBS_RETENTION_DAYS OBS_RATE_LIMIT \
                 OBS_ALERT_COMMAND OBS_ALERT_RATE OBS_URL test-alert \
                 --public-dashboard OBS_PUBLIC_DASHBOARD --verbose --help --version backup DEST health";
    for name in names.split(' ') {
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn help_is_a_command_too() {
    let help = outcome(&mut command(&["--help"], &[]));
    for args in [&["help"] as &[_], &["help", "backup"], &["-h"], &["backup", "--help"]] {
        assert_eq!(outcome(&mut command(args, &[])), help, "{args:?}");
    }
}

#[test]
fn a_typo_is_answered_with_the_nearest_name() {
    let cases: [(&[&str], &str); 13] = [
        (&["--lisen", "localhost:0"], "unknown argument '--lisen': did you mean --listen?"),
        (&["-listen", "localhost:0"], "unknown argument '-listen': did you mean --listen?"),
        (&["--max-event=7"], "unknown argument '--max-event': did you mean --max-events?"),
        (&["--public-dashbord"], "unknown argument '--public-dashbord': did you mean --public-dashboard?"),
        (&["backup", "dest", "--dbb", "x"], "unknown argument '--dbb': did you mean --db?"),
        (&["exprot"], "unknown command 'exprot': did you mean export?"),
        (&["testalert"], "unknown command 'testalert': did you mean test-alert?"),
        (&["helth"], "unknown command 'helth': did you mean health?"),
        (&["hlep"], "unknown command 'hlep': did you mean help?"),
        (&["backup", "dest", "--verbose"], "'--verbose' does not go with this command"),
        (&["serve"], "unknown command 'serve': obs --help lists what there is"),
        (&["--frobnicate"], "unknown argument '--frobnicate': obs --help lists what there is"),
        (&["--listen"], "--listen needs a value"),
    ];
    for (args, answer) in cases {
        assert_eq!(refused(&mut command(args, &[]), 2), format!("obs: {answer}\n"), "{args:?}");
    }
}

#[test]
fn version_is_that_of_the_crate() {
    let (status, version, errors) = outcome(&mut command(&["--version"], &[]));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(version, format!("obs {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_flag_overrides_the_environment_which_overrides_the_default() {
    let listen = ("OBS_LISTEN", "127.0.0.1:0");
    let cases: [(&[&str], Env, &str); 5] = [
        (&["--db", "flag"], &[listen, ("OBS_DB_PATH", "variable")], "flag"),
        (&["--db=flag"], &[listen, ("OBS_DB_PATH", "variable")], "flag"),
        (&[], &[listen, ("OBS_DB_PATH", "variable")], "variable"),
        (&[], &[listen], "obs.sqlite"),
        (&[], &[listen, ("OBS_DB_PATH", ""), ("OBS_API_KEY", ""), ("OBS_DASHBOARD_PASSWORD", "")], "obs.sqlite"),
    ];
    for (args, env, database) in cases {
        let folder = Arc::new(Folder::new());
        let mut obs = start(&folder, args, env);
        assert!(obs.banner().contains(&format!("/{database}\n")), "{}", obs.banner());
        obs.signal("TERM");
        obs.wait();
        assert_eq!(names(&folder), [database.to_string(), format!("{database}.lock")], "{args:?} {env:?}");
    }
}

#[test]
fn a_flag_takes_its_value_after_a_space_or_an_equals_sign() {
    for flag in [&["--listen", "127.0.0.2:0"] as &[_], &["--listen=127.0.0.2:0"]] {
        let obs = start(&Arc::new(Folder::new()), flag, &[("OBS_LISTEN", "127.0.0.1:0")]);
        assert!(obs.banner().contains("listening on http://127.0.0.2:"), "{}", obs.banner());
    }
    let obs = start(&Arc::new(Folder::new()), &[], &[("OBS_LISTEN", "127.0.0.1:0")]);
    assert!(obs.banner().contains("listening on http://127.0.0.1:"), "{}", obs.banner());
}

#[test]
fn the_default_address_is_localhost_8000() {
    let folder = Folder::new();
    for empty in [&[] as &[_], &[("OBS_LISTEN", "")]] {
        let mut command = command(&[], empty);
        let mut child = Running(command.current_dir(folder.join("")).stderr(Stdio::piped()).spawn().unwrap());
        let mut first = String::new();
        BufReader::new(child.0.stderr.take().unwrap()).read_line(&mut first).unwrap();
        // Another obs may be running on this machine.
        let taken = "obs: cannot listen on localhost:8000: ";
        assert!(first.contains("listening on http://127.0.0.1:8000") || first.starts_with(taken), "{first}");
    }
}

#[test]
fn a_bad_argument_is_named_in_one_line_with_exit_status_2() {
    let folder = Folder::new();
    let cases: [(&[&str], &str); 29] = [
        (&["--frobnicate"], "--frobnicate"),
        (&["--frobnicate=1"], "--frobnicate"),
        (&["-x"], "-x"),
        (&["frobnicate"], "frobnicate"),
        (&["--verbose", "frobnicate"], "frobnicate"),
        (&["--verbose=1"], "1"),
        (&["--max-events", "0"], "--max-events '0'"),
        (&["--max-events=many"], "--max-events 'many'"),
        (&["--max-size", "0"], "--max-size '0'"),
        (&["--max-size=100kB"], "--max-size '100kB'"),
        (&["--max-size", "-5MB"], "--max-size '-5MB'"),
        (&["--max-size=lots"], "--max-size 'lots'"),
        (&["--max-size=9999999999GB"], "--max-size '9999999999GB'"),
        (&["--max-sourcemaps", "0"], "--max-sourcemaps '0'"),
        (&["--max-sourcemaps=512"], "--max-sourcemaps '512'"),
        (&["--retention-days", "-5"], "--retention-days '-5'"),
        (&["--retention-days=4294967296"], "--retention-days '4294967296'"),
        (&["--listen"], "--listen"),
        (&["--listen="], "--listen"),
        (&["--listen", "nowhere"], "'nowhere'"),
        (&["--listen", "::1:8000"], "'::1:8000'"),
        (&["--listen=localhost:65536"], "'localhost:65536'"),
        (&["--db"], "--db"),
        (&["--db", ""], "--db"),
        (&["backup"], "DEST"),
        (&["backup", ""], "DEST"),
        (&["backup", "--verbose", "dest"], "--verbose"),
        (&["backup", "dest", "--listen", "localhost:0"], "--listen"),
        (&["backup", "dest", "other"], "other"),
    ];
    for (args, name) in cases {
        let line = refused(command(args, &[]).current_dir(folder.join("")), 2);
        assert!(line.contains(name), "{args:?}: {line}");
    }
    assert_eq!(names(&folder), [""; 0], "a refused command creates no file");
}

#[test]
fn a_bad_variable_is_named_without_its_secret() {
    let folder = Folder::new();
    let long = "secret".repeat(40);
    let cases = [
        ("OBS_LISTEN", "nowhere", "'nowhere'"),
        ("OBS_PUBLIC_DASHBOARD", "yes", "OBS_PUBLIC_DASHBOARD 'yes'"),
        ("OBS_API_KEY", "good,very secret", "OBS_API_KEY: the key of entry 2"),
        ("OBS_API_KEY", "sh op=secret", "OBS_API_KEY: the project of entry 1"),
        ("OBS_API_KEY", "shop=secret=", "OBS_API_KEY"),
        ("OBS_API_KEY", "=secret", "OBS_API_KEY"),
        ("OBS_API_KEY", &long, "OBS_API_KEY"),
        ("OBS_API_KEY", " , ", "OBS_API_KEY"),
    ];
    for (variable, value, name) in cases {
        let line = refused(command(&[], &[(variable, value)]).current_dir(folder.join("")), 2);
        assert!(line.contains(name), "{variable}={value}: {line}");
        assert!(!line.contains("secret"), "{variable}={value}: {line}");
    }
    for variable in ["OBS_API_KEY", "OBS_DASHBOARD_PASSWORD", "OBS_PUBLIC_DASHBOARD"] {
        let mut command = command(&[], &[]);
        let line = refused(command.env(variable, OsStr::from_bytes(b"secret\xff")).current_dir(folder.join("")), 2);
        assert!(line.contains(variable) && !line.contains("secret"), "{line}");
    }
    assert_eq!(names(&folder), [""; 0], "a refused start creates no file");
}

#[test]
fn a_password_that_nobody_can_type_is_refused() {
    let folder = Folder::new();
    for password in
        ["secret\n", "secret\r", "secret\r\n", "se\tcret", "\u{7f}secret", "secret\u{85}", "\n", "\u{1b}[31m"]
    {
        let variables = [("OBS_DASHBOARD_PASSWORD", password)];
        let line = refused(command(&[], &variables).current_dir(folder.join("")), 2);
        assert!(line.contains("OBS_DASHBOARD_PASSWORD") && !line.contains("secret"), "{password:?}: {line}");
    }
    assert_eq!(names(&folder), [""; 0], "a refused start creates no file");
    // ` p:ä `, with a blank at each end.
    let obs = Obs::with(&[], &[("OBS_DASHBOARD_PASSWORD", " p:ä ")]);
    assert_eq!(obs.send("GET /api/issues HTTP/1.1\r\nAuthorization: Basic OiBwOsOkIA==", b"").status, 200);
}

/// Writes a file for a variable that ends in `_FILE`, and returns its path.
fn secret_file(folder: &Folder, content: impl AsRef<[u8]>) -> String {
    let path = folder.join("secret");
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn a_secret_can_be_in_a_file_and_the_line_break_at_its_end_does_not_count() {
    let basic = "GET /api/issues HTTP/1.1\r\nAuthorization: Basic OnNlc2FtZQ==";
    for line_break in ["", "\n", "\r\n"] {
        let folder = Folder::new();
        let keys = secret_file(&folder, format!("one,shop=two{line_break}"));
        let obs = Obs::with(&[], &[("OBS_API_KEY_FILE", &keys), ("OBS_API_KEY", "")]);
        assert_eq!(["one", "two", "three"].map(|key| post_with(&obs, key)), [201, 201, 401]);
        let password = secret_file(&folder, format!("sesame{line_break}"));
        let obs = obs.restart(&[], &[("OBS_DASHBOARD_PASSWORD_FILE", &password)]);
        assert_eq!([obs.get("/api/issues").status, obs.send(basic, b"").status], [401, 200]);
    }
}

#[test]
fn the_file_with_a_secret_may_be_a_pipe() {
    let folder = Arc::new(Folder::new());
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"sesame\n").unwrap();
    drop(writer);
    let mut server = command(&["--listen", "127.0.0.1:0"], &[("OBS_DASHBOARD_PASSWORD_FILE", "/dev/stdin")]);
    server.current_dir(folder.join("")).stdin(reader);
    assert_eq!(Obs::launch(folder, server).get("/api/issues").status, 401);
}

#[test]
fn a_file_for_a_secret_that_is_of_no_use_is_named_without_its_content() {
    let folder = Folder::new();
    let contents: [(&str, &[u8], &str); 5] = [
        ("OBS_API_KEY_FILE", b"very secret", "key of entry 1"),
        ("OBS_API_KEY_FILE", b"secret\xff", "UTF-8"),
        ("OBS_DASHBOARD_PASSWORD_FILE", b"", "is empty"),
        ("OBS_DASHBOARD_PASSWORD_FILE", b"\n", "is empty"),
        ("OBS_DASHBOARD_PASSWORD_FILE", b"secret\n\n", "control character"),
    ];
    for (variable, content, why) in contents {
        let path = secret_file(&folder, content);
        let line = refused(command(&[], &[(variable, &path)]).current_dir(folder.join("")), 2);
        let line = line.replace(&path, "");
        assert!(line.contains(variable) && line.contains(why) && !line.contains("secret"), "{line}");
    }
    for name in ["OBS_API_KEY", "OBS_DASHBOARD_PASSWORD"] {
        let file = format!("{name}_FILE");
        let missing = refused(command(&[], &[(&file, "/nowhere")]).current_dir(folder.join("")), 2);
        assert!(
            missing.contains(&file) && missing.contains("/nowhere") && missing.contains("No such file"),
            "{missing}"
        );
        let path = secret_file(&folder, "sesame");
        let both = refused(command(&[], &[(name, "sesame"), (&file, &path)]).current_dir(folder.join("")), 2);
        assert!(both.contains(&format!("{name} and {file}")) && !both.contains("sesame"), "{both}");
    }
    assert_eq!(names(&folder), ["secret"], "a refused start creates no file");
}

#[test]
fn a_line_break_at_the_end_of_a_variable_is_refused_where_it_would_be_part_of_the_value() {
    let folder = Folder::new();
    for (variable, value) in [
        ("OBS_DB_PATH", "obs.sqlite\n"),
        ("OBS_DB_PATH", "obs.sqlite\r"),
        ("OBS_LISTEN", "127.0.0.1:0\n"),
        ("OBS_MAX_EVENTS", "1000\r"),
        ("OBS_RETENTION_DAYS", "7\n"),
        ("OBS_RATE_LIMIT", "7\n"),
        ("OBS_URL", "https://obs.example.com\r"),
        ("OBS_URL", "https://me@obs.example.com"),
        ("OBS_PUBLIC_DASHBOARD", "1\n"),
    ] {
        let line = refused(command(&[], &[(variable, value)]).current_dir(folder.join("")), 2);
        assert!(line.contains(variable), "{variable}: {line}");
    }
    let dsn = refused(command(&[], &[("OBS_URL", "https://8f14e45f@obs.example.com")]).current_dir(folder.join("")), 2);
    assert_eq!(dsn, "obs: invalid OBS_URL: it contains an @, so it may be a DSN; leave out the key and the @\n");
    assert_eq!(names(&folder), [""; 0], "a refused start creates no file");
    assert_eq!(post_with(&Obs::with(&[], &[("OBS_API_KEY", "key\r\n")]), "key"), 201, "keys are trimmed");
}

#[test]
fn the_banner_shows_the_address_dsns_database_and_retention() {
    let obs = Obs::with(&["--listen", "127.0.0.1:0"], &[("OBS_API_KEY", "plain,shop=named")]);
    let banner = obs.banner();
    let address = format!("127.0.0.1:{}", obs.port);
    assert!(banner.lines().next().unwrap().contains(&format!("listening on http://{address}")), "{banner}");
    for part in [
        format!("http://plain@{address}\n"),
        format!("http://named@{address} (project shop)\n             Sentry's SDKs append /1 to the DSN\n"),
        format!(" {}\n", fs::canonicalize(&obs.database).unwrap().display()),
        "  retention  up to 1000000 events and 10 GB\n".to_string(),
    ] {
        assert!(banner.contains(&part), "{part} is not in {banner}");
    }
}

#[test]
fn a_generated_key_is_kept() {
    let obs = Obs::with(&[], &[]);
    let key = key_in_banner(&obs);
    assert!(key.len() == 32 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{key}");
    assert_eq!(post_with(&obs, &key), 201);
    assert_ne!(key_in_banner(&Obs::with(&[], &[])), key);

    let obs = obs.restart(&[], &[("OBS_API_KEY", KEY)]);
    assert!(!obs.banner().contains(&key), "{}", obs.banner());
    assert_eq!([post_with(&obs, &key), post_with(&obs, KEY)], [401, 201]);

    let obs = obs.restart(&[], &[]);
    assert_eq!(key_in_banner(&obs), key);
    assert_eq!([post_with(&obs, &key), post_with(&obs, KEY)], [201, 401]);
}

#[test]
fn no_log_line_contains_a_secret_or_a_control_character() {
    let secrets = [("OBS_API_KEY", "sesame-key"), ("OBS_DASHBOARD_PASSWORD", "sesame-password")];
    let mut obs = Obs::with(&["--verbose"], &secrets);
    let banner = obs.banner();
    let event = br#"{"message":"sesame-event \u001b[31m\n"}"#;
    assert_eq!(post_with(&obs, "sesame-key"), 201);
    assert_eq!(post_with(&obs, "sesame-wrong"), 401);
    // Basic of `me:sesame-password` and of `me:sesame-wrong`.
    let right = "Authorization: Basic bWU6c2VzYW1lLXBhc3N3b3Jk";
    let wrong = "Authorization: Basic bWU6c2VzYW1lLXdyb25n";
    assert_eq!(obs.send(&format!("GET /api/issues HTTP/1.1\r\n{right}"), b"").status, 200);
    assert_eq!(obs.send(&format!("GET / HTTP/1.1\r\n{wrong}"), b"").status, 401);
    for path in [
        "/api/events?key=sesame-key",
        "/%0a%1b[31mred?sesame-key",
        "/\u{9b}31mred\u{85}",
        "http://sesame-key@localhost/api/events",
        "http://me:sesame-password@localhost/health",
    ] {
        obs.send(&format!("POST {path} HTTP/1.1\r\nX-OBS-Key: sesame-key"), event);
    }
    obs.get("/last");
    eventually("the last request is logged", || obs.errors().contains("GET /last 404").then_some(()));
    obs.signal("TERM");
    obs.wait();

    let errors = obs.errors();
    let log = errors.strip_prefix(&banner).unwrap();
    assert!(log.contains("POST /api/events 201"), "{log}");
    assert!(!log.contains("sesame") && !log.contains("bWU6"), "{log}");
    assert!(!banner.contains("sesame-password"), "{banner}");
    assert!(!errors.chars().any(|c| c.is_control() && c != '\n'), "{errors:?}");
    assert!(log.lines().all(|line| line.starts_with("20") && line.split(' ').next().unwrap().ends_with('Z')), "{log}");
}

#[test]
fn a_closed_standard_error_does_not_stop_the_server() {
    let folder = Arc::new(Folder::new());
    let mut command = command(&["--verbose", "--listen", "127.0.0.1:0"], &[("OBS_API_KEY", KEY)]);
    let mut child = Running(command.current_dir(folder.join("")).stderr(Stdio::piped()).spawn().unwrap());
    let mut errors = BufReader::new(child.0.stderr.take().unwrap());
    let mut first = String::new();
    errors.read_line(&mut first).unwrap();
    drop(errors);
    let port = first.trim_end().rsplit(':').next().unwrap().parse().unwrap();
    for _ in 0..3 {
        assert_eq!(Connection::open(port).post(r#"{"message":"m"}"#).status, 201);
    }
}
