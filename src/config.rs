//! Flags and environment into a `Config`, and the help text. Only this module reads the environment.
use crate::domain::{Key, is_name};
use crate::store::{ExportFilter, Retention};
use crate::time::Time;
use pico_args::Arguments;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

pub const HELP: &str = "\
obs, a minimal self-hosted error tracker

    obs [--listen ADDR:PORT] [--db PATH] [--max-events N] [--retention-days N] [--public-dashboard] [--verbose]
    obs backup DEST [--db PATH]
    obs export [--project P] [--since TIME] [--db PATH]
    obs import FILE|- [--db PATH]
    obs test-alert
    obs --help | --version

A flag beats the environment, which beats the default; an empty variable counts as unset.

  --listen ADDR:PORT    OBS_LISTEN               where to listen; port 0 picks a free one
                                                 [default: localhost:8000]
  --db PATH             OBS_DB_PATH              the database file [default: obs.sqlite]
  --max-events N        OBS_MAX_EVENTS           events that are kept; beyond, the oldest of the issue that has
                                                 the most go first [default: 1000000]
  --retention-days N    OBS_RETENTION_DAYS       days that an event is kept [default: no limit]
  --public-dashboard    OBS_PUBLIC_DASHBOARD=1   serve a dashboard without a password to anyone
  --verbose                                      a line on standard error for each request
                        OBS_API_KEY              ingest keys: KEY or PROJECT=KEY, separated by commas
                                                 [default: one made at the first start and kept]
                        OBS_RATE_LIMIT           events a minute that each key may send [default: no limit]
                        OBS_DASHBOARD_PASSWORD   the dashboard's password; any user name will do
                                                 [default: none, open to this machine alone]
                        OBS_ALERT_COMMAND        run by sh -c for each alert, which it reads as JSON: an issue is
                                                 new or reopened [default: none, no alerts]
                        OBS_ALERT_RATE           events in an hour beyond which an issue alerts too
                                                 [default: no limit]
                        OBS_URL                  what links in alerts begin with, such as
                                                 https://obs.example.com [default: where obs listens]

backup copies the database to DEST, which must not exist, while the server may go on.

export writes events to standard output as JSON Lines, the first that came first, while the server may go on:
those of the project P (with '' of the one without a name), and those that arrived at TIME or later by the
server's clock. TIME is ISO 8601, such as 2026-11-24, 2026-11-24T18:42 (both UTC) or 2026-11-24T18:42:06+02:00.
import takes them back, from FILE or with - from standard input, while no server runs. It makes the database
where there is none, and passes over events that are there already.

test-alert runs OBS_ALERT_COMMAND once and tells how it ended.
";

/// What obs was asked to do.
#[derive(Debug)]
pub enum Command {
    Help,
    Version,
    Serve(Config),
    Backup { database: PathBuf, dest: PathBuf },
    Export { database: PathBuf, wanted: ExportFilter },
    Import { database: PathBuf, file: PathBuf },
    TestAlert(Config),
}

#[derive(Debug)]
pub struct Config {
    pub listen: Listen,
    pub database: PathBuf,
    /// Empty: one is made at the first start and kept in the database.
    pub keys: Vec<Key>,
    pub password: Option<String>,
    pub public_dashboard: bool,
    pub verbose: bool,
    pub kept: Retention,
    /// Events a minute that each key may send.
    pub rate_limit: Option<u32>,
    /// Run for each alert, by `sh -c`.
    pub alert_command: Option<OsString>,
    /// Events in an hour beyond which an issue alerts.
    pub alert_rate: Option<u32>,
    /// What links begin with, where it is not the address that obs listens on.
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// A name or an address, an IPv6 one in brackets.
    pub host: String,
    pub port: u16,
}

/// What is asked for, or one line that names what is wrong with it.
pub fn parse(args: Vec<OsString>) -> Result<Command, String> {
    let mut args = Arguments::from_vec(args.into_iter().flat_map(split).collect());
    if args.contains(["-h", "--help"]) {
        return Ok(Command::Help);
    }
    if args.contains(["-V", "--version"]) {
        return Ok(Command::Version);
    }
    let database = option(&mut args, "--db", "OBS_DB_PATH")?.unwrap_or_else(|| "obs.sqlite".into()).into();
    let command = match args.subcommand().map_err(|e| e.to_string())?.as_deref() {
        None => Command::Serve(config(&mut args, database)?),
        Some("test-alert") => match config(&mut args, database)? {
            Config { alert_command: None, .. } => return Err("test-alert needs OBS_ALERT_COMMAND".into()),
            config => Command::TestAlert(config),
        },
        Some("backup") => {
            let dest = path(&mut args)?.filter(|dest| dest != "-").ok_or("backup needs a DEST, the file to write")?;
            Command::Backup { database, dest }
        }
        Some("export") => Command::Export { database, wanted: wanted(&mut args)? },
        Some("import") => {
            let file = path(&mut args)?.ok_or("import needs a FILE, or - for standard input")?;
            Command::Import { database, file }
        }
        Some(other) => return Err(unknown(OsStr::new(other))),
    };
    match args.finish().first() {
        Some(argument) => Err(unknown(argument)),
        None => Ok(command),
    }
}

/// The next argument, which is no flag; `-` alone is none.
fn path(args: &mut Arguments) -> Result<Option<PathBuf>, String> {
    let path = args.opt_free_from_os_str(|text| Ok::<_, String>(text.to_owned())).map_err(|e| e.to_string())?;
    match path.filter(|path| !path.is_empty()) {
        Some(flag) if flag.as_bytes().starts_with(b"-") && flag != "-" => Err(unknown(&flag)),
        path => Ok(path.map(PathBuf::from)),
    }
}

fn wanted(args: &mut Arguments) -> Result<ExportFilter, String> {
    let mut value = |flag: &'static str| {
        args.opt_value_from_os_str(flag, |value| Ok::<_, String>(value.to_string_lossy().into_owned()))
            .map_err(|e| e.to_string())
    };
    let project = value("--project")?;
    if let Some(wrong) = project.as_ref().filter(|name| !name.is_empty() && !is_name(name)) {
        return Err(format!("invalid --project '{wrong}': expected at most 200 characters of A-Z a-z 0-9 _ -"));
    }
    let time = |text: String| {
        let expected = "expected an ISO 8601 date or time, such as 2026-11-24T18:42:06Z";
        Time::parse(&text)
            .or_else(|| Time::parse(&format!("{text}T00:00")))
            .ok_or_else(|| format!("invalid --since '{text}': {expected}"))
    };
    Ok(ExportFilter { project, since: value("--since")?.map(time).transpose()? })
}

fn unknown(argument: &OsStr) -> String {
    format!("unknown argument '{}'", argument.to_string_lossy())
}

/// `--flag=value` as the two arguments that it stands for. (pico-args does so for text only, and a path may be none.)
fn split(arg: OsString) -> Vec<OsString> {
    let bytes = arg.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) if bytes.starts_with(b"--") => {
            [&bytes[..at], &bytes[at + 1..]].map(|part| OsStr::from_bytes(part).to_owned()).into()
        }
        _ => vec![arg],
    }
}

fn config(args: &mut Arguments, database: PathBuf) -> Result<Config, String> {
    Ok(Config {
        listen: match option(args, "--listen", "OBS_LISTEN")? {
            Some(text) => listen(&text).ok_or_else(|| {
                format!(
                    "invalid listen address '{}': expected ADDR:PORT, such as localhost:8000",
                    text.to_string_lossy()
                )
            })?,
            None => Listen { host: "localhost".into(), port: 8000 },
        },
        database,
        keys: text_variable("OBS_API_KEY")?.map_or(Ok(Vec::new()), |text| keys(&text))?,
        password: text_variable("OBS_DASHBOARD_PASSWORD")?,
        public_dashboard: args.contains("--public-dashboard") || switch("OBS_PUBLIC_DASHBOARD")?,
        verbose: args.contains("--verbose"),
        kept: Retention {
            events: number(args, "--max-events", "OBS_MAX_EVENTS")?.unwrap_or(Retention::default().events),
            days: number(args, "--retention-days", "OBS_RETENTION_DAYS")?,
        },
        rate_limit: whole_variable("OBS_RATE_LIMIT")?,
        alert_command: variable("OBS_ALERT_COMMAND"),
        alert_rate: whole_variable("OBS_ALERT_RATE")?,
        url: text_variable("OBS_URL")?.map(url).transpose()?,
    })
}

/// A flag's value, or else its variable's.
fn option(args: &mut Arguments, flag: &'static str, name: &str) -> Result<Option<OsString>, String> {
    let given =
        args.opt_value_from_os_str(flag, |value| Ok::<_, String>(value.to_owned())).map_err(|e| e.to_string())?;
    match given {
        Some(value) if value.is_empty() => Err(format!("{flag} needs a value")),
        Some(value) => Ok(Some(value)),
        None => Ok(variable(name)),
    }
}

/// A number that says how many are kept; none would be a mistake.
fn number(args: &mut Arguments, flag: &'static str, name: &'static str) -> Result<Option<i64>, String> {
    let text = option(args, flag, name)?;
    text.map(|text| whole(flag, &text).map(i64::from)).transpose()
}

fn whole_variable(name: &str) -> Result<Option<u32>, String> {
    variable(name).map(|text| whole(name, &text)).transpose()
}

fn whole(name: &str, text: &OsStr) -> Result<u32, String> {
    let plain = text.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    plain.and_then(|text| text.parse().ok()).filter(|number| *number > 0).ok_or_else(|| {
        format!("invalid {name} '{}': expected a whole number from 1 to {}", text.to_string_lossy(), u32::MAX)
    })
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn text_variable(name: &str) -> Result<Option<String>, String> {
    variable(name).map(|value| value.into_string().map_err(|_| format!("{name} is not UTF-8"))).transpose()
}

fn switch(name: &str) -> Result<bool, String> {
    match text_variable(name)?.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(format!("invalid {name} '{other}': expected 1 or 0")),
    }
}

/// Paths such as `/issues/1` are put behind it.
fn url(text: String) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or_default();
    let plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !br#""'<>\^`{|}?#"#.contains(&byte));
    match plain && !rest.is_empty() && !rest.starts_with('/') && !rest.ends_with('/') {
        true => Ok(text),
        false => {
            Err(format!("invalid OBS_URL '{text}': expected http:// or https:// and a host, with no / at the end"))
        }
    }
}

fn listen(text: &OsStr) -> Option<Listen> {
    let (host, port) = text.to_str()?.rsplit_once(':')?;
    let plain = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    if host.is_empty() || !plain || bare_v6 {
        return None;
    }
    Some(Listen { host: host.into(), port: port.parse().ok()? })
}

/// `KEY` or `PROJECT=KEY`, separated by commas. The error never repeats what could be a key.
fn keys(list: &str) -> Result<Vec<Key>, String> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let keys = entries.enumerate().map(|(at, entry)| {
        let (project, key) = entry.split_once('=').unwrap_or(("", entry));
        let named = !entry.contains('=') || is_name(project);
        let what = if named { "key" } else { "project" };
        match named && is_name(key) {
            true => Ok(Key { project: project.into(), key: key.into() }),
            false => {
                let rule = "expected 1 to 200 characters of A-Z a-z 0-9 _ -";
                Err(format!("invalid OBS_API_KEY: the {what} of entry {} is not valid: {rule}", at + 1))
            }
        }
    });
    let keys: Vec<Key> = keys.collect::<Result<_, _>>()?;
    let twice = |(at, key): &(usize, &Key)| keys[..*at].iter().any(|earlier| earlier.key == key.key);
    if let Some((at, _)) = keys.iter().enumerate().find(twice) {
        return Err(format!("invalid OBS_API_KEY: entry {} has the key of an earlier one", at + 1));
    }
    if keys.is_empty() { Err("invalid OBS_API_KEY: no key in it".into()) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listen_address_is_a_host_and_a_port() {
        let read = |text: &str| listen(OsStr::new(text)).map(|l| (l.host, l.port));
        assert_eq!(read("localhost:8000"), Some(("localhost".into(), 8000)));
        assert_eq!(read("[::1]:0"), Some(("[::1]".into(), 0)));
        for wrong in ["localhost", ":8000", "localhost:", "localhost:+80", "localhost:65536", "::1:8000", "8000", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys_are_a_list_with_blanks_dropped() {
        let read = |text: &str| keys(text).map(|keys| keys.into_iter().map(|k| (k.project, k.key)).collect::<Vec<_>>());
        let both = vec![("".to_string(), "a".to_string()), ("shop".to_string(), "b-_9".to_string())];
        assert_eq!(read(" a ,, shop=b-_9,"), Ok(both));
        for wrong in [",", " ", "a=", "=a", "a b", "ä", "a=b=c", "k,p=k", &"k".repeat(201)] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&"k".repeat(200)).is_ok());
    }
}
