//! Turns command-line flags and environment variables into a `Command`. Only this file reads the environment.
mod help;
mod nearest;
mod value;

pub use help::HELP;
pub use value::Listen;

use crate::domain::Key;
use crate::store::{ExportFilter, Retention};
use pico_args::Arguments;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What obs was asked to do.
#[derive(Debug)]
pub enum Command {
    Help,
    Version,
    Serve(Config),
    Backup {
        database: PathBuf,
        dest: PathBuf,
    },
    Export {
        database: PathBuf,
        filter: ExportFilter,
    },
    Import {
        database: PathBuf,
        file: PathBuf,
    },
    TestAlert(Config),
    /// Where obs listens, and the path to ask for.
    Health {
        server: Listen,
        path: String,
    },
}

#[derive(Debug)]
pub struct Config {
    pub listen: Listen,
    pub database: PathBuf,
    /// Empty: a key is generated on first start and kept in the database.
    pub keys: Vec<Key>,
    pub password: Option<String>,
    pub public_dashboard: bool,
    pub verbose: bool,
    pub retention: Retention,
    /// Number of events that each key may send per minute.
    pub rate_limit: Option<u32>,
    /// Run by `sh -c` for each alert.
    pub alert_command: Option<OsString>,
    /// Number of events per hour above which an issue alerts.
    pub alert_rate: Option<u32>,
    /// The URL at which people reach obs. `None`: the listen address.
    pub url: Option<String>,
    /// Where systemd waits to hear that obs is ready.
    pub notify_socket: Option<OsString>,
    /// Standard error is journald, which adds the time to each line.
    pub logs_to_journal: bool,
}

/// Parses the command line. The error is one line that names the bad argument or value.
pub fn parse(args: Vec<OsString>) -> Result<Command, String> {
    let mut args = Arguments::from_vec(args.into_iter().flat_map(split_at_equals).collect());
    let all = args.clone().finish();
    if args.contains(["-h", "--help"]) || all.first().is_some_and(|first| first == "help") {
        return Ok(Command::Help);
    }
    if args.contains(["-V", "--version"]) {
        return Ok(Command::Version);
    }
    let database = setting(&mut args, "--db", "OBS_DB_PATH")?.unwrap_or("obs.sqlite".into()).into();
    let command = match args.subcommand().map_err(|_| "the command is not UTF-8")?.as_deref() {
        None => Command::Serve(config(&mut args, database)?),
        Some("test-alert") => match config(&mut args, database)? {
            Config { alert_command: None, .. } => return Err("test-alert needs OBS_ALERT_COMMAND".into()),
            config => Command::TestAlert(config),
        },
        Some("backup") => {
            let dest = path(&mut args)?.filter(|dest| dest != "-").ok_or("backup needs a DEST, the file to write")?;
            Command::Backup { database, dest }
        }
        Some("export") => {
            let project = text_flag(&mut args, "--project")?.map(value::project).transpose()?;
            let since = text_flag(&mut args, "--since")?.map(value::since).transpose()?;
            Command::Export { database, filter: ExportFilter { project, since } }
        }
        Some("import") => {
            let file = path(&mut args)?.ok_or("import needs a FILE, or - for standard input")?;
            Command::Import { database, file }
        }
        Some("health") => {
            let listen = setting(&mut args, "--listen", "OBS_LISTEN")?;
            let url = path(&mut args)?.map(PathBuf::into_os_string);
            let (server, path) = url.map_or_else(|| value::own_health_url(listen), |url| value::health_url(&url))?;
            Command::Health { server, path }
        }
        Some(other) => return Err(unknown("command", OsStr::new(other))),
    };
    match args.finish().first() {
        Some(argument) => Err(unknown("argument", argument)),
        None => Ok(command),
    }
}

fn config(args: &mut Arguments, database: PathBuf) -> Result<Config, String> {
    Ok(Config {
        listen: value::listen(setting(args, "--listen", "OBS_LISTEN")?)?,
        database,
        keys: secret("OBS_API_KEY")?.map_or(Ok(Vec::new()), |(name, list)| value::keys(&name, &list))?,
        password: secret("OBS_DASHBOARD_PASSWORD")?.map(|(name, text)| value::printable(&name, text)).transpose()?,
        public_dashboard: args.contains("--public-dashboard") || switch("OBS_PUBLIC_DASHBOARD")?,
        verbose: args.contains("--verbose"),
        retention: Retention {
            events: number(args, "--max-events", "OBS_MAX_EVENTS")?.unwrap_or(1_000_000),
            bytes: match setting(args, "--max-size", "OBS_MAX_SIZE")? {
                Some(text) => value::size("--max-size", &text)?,
                None => 10_000_000_000,
            },
            days: number(args, "--retention-days", "OBS_RETENTION_DAYS")?,
            source_maps: match setting(args, "--max-sourcemaps", "OBS_MAX_SOURCEMAPS")? {
                Some(text) => value::size("--max-sourcemaps", &text)?,
                None => 512_000_000,
            },
        },
        rate_limit: number_variable("OBS_RATE_LIMIT")?,
        alert_command: variable("OBS_ALERT_COMMAND"),
        alert_rate: number_variable("OBS_ALERT_RATE")?,
        url: text_variable("OBS_URL")?.map(value::url).transpose()?,
        notify_socket: variable("NOTIFY_SOCKET"),
        logs_to_journal: text_variable("JOURNAL_STREAM")?.is_some_and(|stream| is_standard_error(&stream)),
    })
}

/// Returns true if standard error is the file with these numbers, `DEVICE:INODE`. A process may inherit `JOURNAL_STREAM`
/// and write elsewhere (systemd.exec(5)).
fn is_standard_error(stream: &str) -> bool {
    fs::metadata("/proc/self/fd/2").is_ok_and(|file| stream == format!("{}:{}", file.dev(), file.ino()))
}

/// Splits `--flag=value` into two arguments. (pico-args does that only for values that are UTF-8, and a path may
/// be anything.)
fn split_at_equals(arg: OsString) -> Vec<OsString> {
    let bytes = arg.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) if bytes.starts_with(b"--") => {
            [&bytes[..at], &bytes[at + 1..]].map(|part| OsStr::from_bytes(part).to_owned()).into()
        }
        _ => vec![arg],
    }
}

/// Takes the next argument that is not a flag. `-` alone is not a flag.
fn path(args: &mut Arguments) -> Result<Option<PathBuf>, String> {
    let path = args.opt_free_from_os_str(|text| Ok::<_, String>(text.to_owned())).map_err(|e| e.to_string())?;
    match path.filter(|path| !path.is_empty()) {
        Some(flag) if flag.as_bytes().starts_with(b"-") && flag != "-" => Err(unknown("argument", &flag)),
        path => Ok(path.map(PathBuf::from)),
    }
}

/// Says what obs does not know, and the flag or command that is nearest to it.
fn unknown(what: &str, name: &OsStr) -> String {
    let name = name.to_string_lossy();
    match nearest::nearest(&name, HELP) {
        Some(nearest) if nearest == name => format!("'{name}' does not go with this command"),
        Some(nearest) => format!("unknown {what} '{name}': did you mean {nearest}?"),
        None => format!("unknown {what} '{name}': obs --help lists what there is"),
    }
}

fn flag(args: &mut Arguments, name: &'static str) -> Result<Option<OsString>, String> {
    args.opt_value_from_os_str(name, |value| Ok::<_, String>(value.to_owned()))
        .map_err(|_| format!("{name} needs a value"))
}

fn text_flag(args: &mut Arguments, name: &'static str) -> Result<Option<String>, String> {
    Ok(flag(args, name)?.map(|value| value.to_string_lossy().into_owned()))
}

/// Reads a flag, or its variable if the flag is absent.
fn setting(args: &mut Arguments, name: &'static str, variable_name: &str) -> Result<Option<OsString>, String> {
    match flag(args, name)? {
        Some(value) if value.is_empty() => Err(format!("{name} needs a value")),
        Some(value) => Ok(Some(value)),
        None => variable(variable_name).map(|text| value::printable(variable_name, text)).transpose(),
    }
}

fn number(args: &mut Arguments, name: &'static str, variable_name: &str) -> Result<Option<i64>, String> {
    let text = setting(args, name, variable_name)?;
    text.map(|text| value::positive(name, &text).map(i64::from)).transpose()
}

/// An empty variable counts as unset.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn text_variable(name: &str) -> Result<Option<String>, String> {
    variable(name).map(|value| value.into_string().map_err(|_| format!("{name} is not UTF-8"))).transpose()
}

/// Reads a secret from its variable, or from the file that the variable with `_FILE` names. Returns it with the name of the
/// variable that was set. An empty file is refused: it must not open the dashboard.
fn secret(name: &str) -> Result<Option<(String, String)>, String> {
    let file_name = format!("{name}_FILE");
    let Some(path) = variable(&file_name) else { return Ok(text_variable(name)?.map(|text| (name.into(), text))) };
    if variable(name).is_some() {
        return Err(format!("{name} and {file_name} are both set: set one of them"));
    }
    let shown = path.to_string_lossy();
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {file_name} '{shown}': {e}"))?;
    let text = text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text));
    match text {
        "" => Err(format!("invalid {file_name} '{shown}': the file is empty")),
        text => Ok(Some((file_name, text.into()))),
    }
}

fn number_variable(name: &str) -> Result<Option<u32>, String> {
    variable(name).map(|text| value::positive(name, &text)).transpose()
}

fn switch(name: &str) -> Result<bool, String> {
    match text_variable(name)?.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(value::invalid(name, other, "1 or 0")),
    }
}
