//! Who may do what: ingest keys, the dashboard's password, and what counts as this machine where there is no password.
use super::error::Error;
use crate::domain::Key;
use crate::http::Version;
use rouille::Request;
use rouille::input::basic_http_auth;
use std::hint::black_box;

/// The key that a request came with.
pub fn key<'a>(keys: &'a [Key], request: &Request) -> Result<&'a Key, Error> {
    let mut headers = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("X-OBS-Key"));
    // Two of them are none: a proxy in front may have read the other one.
    let (Some((_, sent)), None) = (headers.next(), headers.next()) else { return Err(Error::WrongKey) };
    // All are compared, so that the time does not tell which one was nearly right.
    let matches = keys.iter().filter(|key| same(sent, &key.key)).collect::<Vec<_>>();
    matches.first().copied().ok_or(Error::WrongKey)
}

/// Who may read the dashboard.
pub enum Dashboard {
    Password(String),
    /// Whoever seems to be on this machine.
    Local,
    Public,
}

/// One who may read.
pub struct Visitor {
    /// Signed in, or on this machine: may see an ingest key too, and change things.
    pub is_trusted: bool,
}

impl Dashboard {
    pub fn admit(&self, request: &Request, version: Version) -> Result<Visitor, Error> {
        match self {
            Dashboard::Password(password) => {
                let sent = sent_password(request).ok_or(Error::SignIn)?;
                if same(&sent, password) { Ok(Visitor { is_trusted: true }) } else { Err(Error::SignIn) }
            }
            Dashboard::Local if is_local(request, version) => Ok(Visitor { is_trusted: true }),
            Dashboard::Local => Err(Error::NotLocal),
            // Anyone can claim to be `localhost`, so on an address that others reach the sender's own counts too.
            Dashboard::Public => {
                let here = request.remote_addr().ip().to_canonical().is_loopback();
                Ok(Visitor { is_trusted: here && is_local(request, version) })
            }
        }
    }
}

/// How a change is asked for.
#[derive(Clone, Copy, PartialEq)]
pub enum By {
    Form,
    Json,
}

/// Whether a visitor may change things, and asks for it himself: a browser that is signed in, or on this machine, sends
/// what any page in it says. It names the page's origin with a form. What is no form it sends to another origin only
/// after it has asked, which is never granted.
pub fn may_change(request: &Request, visitor: &Visitor, by: By) -> Result<(), Error> {
    if !visitor.is_trusted {
        return Err(Error::ReadOnly);
    }
    let host = request.header("Host").filter(|host| !host.is_empty());
    let from_here = match request.header("Sec-Fetch-Site") {
        // Two that differ are none: a proxy in front may have read the other one.
        Some(_) => all(request, "Sec-Fetch-Site").all(|site| site == "same-origin"),
        None => {
            all(request, "Origin").count() == 1
                && request.header("Origin").and_then(|origin| origin.split_once("://")).is_some_and(|(scheme, name)| {
                    matches!(scheme, "http" | "https") && host.is_some_and(|host| name.eq_ignore_ascii_case(host))
                })
        }
    };
    let is_json = request
        .header("Content-Type")
        .is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json"));
    match by {
        By::Form if from_here => Ok(()),
        By::Form => Err(Error::Forged("a form is taken only from obs's own pages")),
        By::Json if is_json || matches!(request.method(), "PATCH" | "DELETE") => Ok(()),
        By::Json => Err(Error::Forged("send it with Content-Type: application/json")),
    }
}

/// Every value that a header came with.
fn all<'a>(request: &'a Request, name: &'a str) -> impl Iterator<Item = &'a str> {
    request.headers().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The password of HTTP Basic, whose scheme's case does not matter (RFC 9110, 11.1). To rouille it does.
fn sent_password(request: &Request) -> Option<String> {
    let (scheme, credentials) = request.header("Authorization")?.split_once(' ')?;
    let header = ("Authorization".into(), format!("Basic {}", credentials.trim()));
    let basic =
        scheme.eq_ignore_ascii_case("Basic").then(|| Request::fake_http("GET", "/", vec![header], Vec::new()))?;
    basic_http_auth(&basic).map(|sent| sent.password)
}

/// Whether a request looks as if it came from this machine itself. A page elsewhere that had its name resolve to
/// 127.0.0.1 (DNS rebinding) sends its own name as `Host`, and a reverse proxy in its usual set-up leaves traces.
fn is_local(request: &Request, version: Version) -> bool {
    let host = request.header("Host").unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let mut names = request.headers().map(|(name, _)| name.to_ascii_lowercase());
    version == Version::Http11
        && ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| local.eq_ignore_ascii_case(name))
        && !names
            .any(|name| matches!(name.as_str(), "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-"))
}

/// Compares in a time that depends on nothing but the length of what was sent.
fn same(sent: &str, secret: &str) -> bool {
    let (sent, secret) = (sent.as_bytes(), secret.as_bytes());
    let mut difference = sent.len() ^ secret.len();
    for (at, byte) in sent.iter().enumerate() {
        difference |= usize::from(byte ^ secret[at % secret.len()]);
    }
    black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_is_the_same() {
        assert!(same("secret", "secret"));
        for wrong in ["", "secre", "secrets", "secretsecret", "Secret", "xecret"] {
            assert!(!same(wrong, "secret"), "{wrong}");
        }
    }
}
