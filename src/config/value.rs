//! Parses single values of flags and variables. Each error is one line that names the setting.
use crate::domain::{Key, is_name};
use crate::time::Time;
use std::ffi::{OsStr, OsString};

const NAME: &str = "A-Z a-z 0-9 _ -";

const HEALTH: &str = "/health";

/// Smaller than this, the database would hold little but its own tables.
const MIN_SIZE: i64 = 1_000_000;
#[rustfmt::skip]
const UNITS: [(&str, i64); 10] = [
    ("", 1), ("B", 1), ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
];

#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// A host name or an address, with brackets around an IPv6 address.
    pub host: String,
    pub port: u16,
}

impl Listen {
    fn parse(text: &str) -> Option<Listen> {
        let (host, port) = text.rsplit_once(':')?;
        let unbracketed = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        let port = parse_digits(port).filter(|_| !host.is_empty() && !unbracketed)?;
        Some(Listen { host: host.into(), port })
    }

    /// The host for clients, which cannot connect to a wildcard address. `[::]` does not accept IPv4.
    pub fn client_host(&self) -> &str {
        match self.host.as_str() {
            "0.0.0.0" => "localhost",
            "[::]" => "[::1]",
            host => host,
        }
    }
}

pub fn listen(text: Option<OsString>) -> Result<Listen, String> {
    let text = text.unwrap_or("localhost:8000".into());
    let parsed = text.to_str().and_then(Listen::parse);
    parsed.ok_or_else(|| invalid("listen address", text, "ADDR:PORT, such as localhost:8000"))
}

/// Where an obs with this listen address answers `obs health`.
pub fn own_health_url(listen_address: Option<OsString>) -> Result<(Listen, String), String> {
    let listen = listen(listen_address)?;
    match listen.port {
        0 => Err("health needs a URL: with port 0, only the running obs knows its port".into()),
        port => Ok((Listen { host: listen.client_host().into(), port }, HEALTH.into())),
    }
}

/// Parses the URL at which obs is reached, with or without `/health`.
pub fn health_url(text: &OsStr) -> Result<(Listen, String), String> {
    let parsed = text.to_str().and_then(|text| {
        let rest = text.strip_prefix("http://").filter(|rest| is_plain(rest))?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = host.rfind(':') > host.rfind(']');
        let server = Listen::parse(&if has_port { host.into() } else { format!("{host}:80") })?;
        let path = path.trim_end_matches('/').trim_end_matches(HEALTH);
        Some((server, format!("{path}{HEALTH}")))
    });
    parsed.ok_or_else(|| invalid("URL", text, "http:// and a host, such as http://localhost:8000"))
}

/// Parses a whole number. Zero is refused, because no setting makes sense with it.
pub fn positive(name: &str, text: &OsStr) -> Result<u32, String> {
    let parsed = text.to_str().and_then(parse_digits).filter(|number| *number > 0);
    parsed.ok_or_else(|| invalid(name, text, "a whole number from 1 to 4294967295"))
}

/// Parses a size in bytes, such as `500MB` or `20 GiB`.
pub fn size(name: &str, text: &OsStr) -> Result<i64, String> {
    let parsed = text.to_str().and_then(|text| {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let unit = unit.trim_start();
        let (_, bytes) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        number.parse::<i64>().ok()?.checked_mul(*bytes)
    });
    let expected = "a whole number of at least 1MB, such as 500MB or 20GB";
    parsed.filter(|bytes| *bytes >= MIN_SIZE).ok_or_else(|| invalid(name, text, expected))
}

pub fn invalid(name: &str, value: impl AsRef<OsStr>, expected: &str) -> String {
    format!("invalid {name} '{}': expected {expected}", value.as_ref().to_string_lossy())
}

/// Unlike `str::parse`, refuses a sign.
fn parse_digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Refuses a control character, such as the line break at the end of a file: it would make a password that nobody can type,
/// or name another database.
pub fn printable<T: AsRef<OsStr>>(name: &str, text: T) -> Result<T, String> {
    match text.as_ref().to_string_lossy().chars().any(char::is_control) {
        true => Err(format!("invalid {name}: it contains a control character, such as a line break")),
        false => Ok(text),
    }
}

/// Checks a URL to which paths such as `/issues/1` are appended. The error never repeats a key.
pub fn url(text: String) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or_default();
    if is_plain(rest) && !rest.is_empty() && !rest.starts_with('/') && !rest.ends_with('/') {
        return Ok(text);
    }
    if text.contains('@') {
        return Err("invalid OBS_URL: it contains an @, so it may be a DSN; leave out the key and the @".into());
    }
    Err(invalid("OBS_URL", text, "http:// or https:// and a host, without a / at the end"))
}

/// Returns false for what a URL of a host and a path cannot contain.
fn is_plain(rest: &str) -> bool {
    rest.bytes().all(|byte| byte.is_ascii_graphic() && !br#""'<>\^`{|}?#@"#.contains(&byte))
}

pub fn project(name: String) -> Result<String, String> {
    match name.is_empty() || is_name(&name) {
        true => Ok(name),
        false => Err(invalid("--project", name, &format!("at most 200 characters of {NAME}"))),
    }
}

/// Parses a time, or a date as its first moment.
pub fn since(text: String) -> Result<Time, String> {
    let parsed = Time::parse(&text).or_else(|| Time::parse(&format!("{text}T00:00")));
    parsed.ok_or_else(|| invalid("--since", text, "an ISO 8601 date or time, such as 2026-11-24T18:42:06Z"))
}

/// Parses `KEY` or `PROJECT=KEY`, separated by commas. The error never repeats text that could be a key.
pub fn keys(name: &str, list: &str) -> Result<Vec<Key>, String> {
    let mut keys: Vec<Key> = Vec::new();
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    for (number, entry) in (1..).zip(entries) {
        let (project, key) = match entry.split_once('=') {
            Some((project, _)) if !is_name(project) => return Err(invalid_entry(name, number, "project")),
            Some(named) => named,
            None => ("", entry),
        };
        if !is_name(key) {
            return Err(invalid_entry(name, number, "key"));
        }
        if keys.iter().any(|earlier| earlier.key == key) {
            return Err(format!("invalid {name}: entry {number} repeats the key of an earlier entry"));
        }
        keys.push(Key { project: project.into(), key: key.into() });
    }
    if keys.is_empty() { Err(format!("invalid {name}: it contains no key")) } else { Ok(keys) }
}

fn invalid_entry(name: &str, number: usize, part: &str) -> String {
    format!("invalid {name}: the {part} of entry {number} is not valid: expected 1 to 200 characters of {NAME}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listen_address_is_a_host_and_a_port() {
        let parse = |text: &str| listen(Some(text.into())).ok().map(|listen| (listen.host, listen.port));
        assert_eq!(parse("localhost:8000"), Some(("localhost".into(), 8000)));
        assert_eq!(parse("[::1]:0"), Some(("[::1]".into(), 0)));
        for wrong in ["localhost", ":8000", "localhost:", "localhost:+80", "localhost:65536", "::1:8000", "8000", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        let parse = |text: &str| size("--max-size", OsStr::new(text)).ok();
        assert_eq!(parse("1000000"), Some(1_000_000));
        assert_eq!(parse("500MB"), Some(500_000_000));
        assert_eq!([parse("20GB"), parse("20gb"), parse("20 Gb")], [Some(20_000_000_000); 3]);
        assert_eq!([parse("1GiB"), parse("1024MiB"), parse("1073741824b")], [Some(1 << 30); 3]);
        for wrong in [
            "",
            "MB",
            "0",
            "0GB",
            "999999",
            "-1GB",
            "+1GB",
            "1.5GB",
            "1G",
            "1 GB x",
            "9223372036854775808",
            "9000000TiB",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_list_of_keys_may_have_blank_entries() {
        let parse = |text: &str| {
            keys("OBS_API_KEY", text).map(|keys| keys.into_iter().map(|k| (k.project, k.key)).collect::<Vec<_>>())
        };
        let both = vec![("".to_string(), "a".to_string()), ("shop".to_string(), "b-_9".to_string())];
        assert_eq!(parse(" a ,, shop=b-_9,"), Ok(both));
        for wrong in [",", " ", "a=", "=a", "a b", "ä", "a=b=c", "k,p=k", &"k".repeat(201)] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&"k".repeat(200)).is_ok());
    }
}
