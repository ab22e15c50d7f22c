//! Who may do what: ingest keys, the dashboard's password, the local-only rule, and protection from forged requests.
use super::error::Error;
use crate::domain::Key;
use crate::http::Version;
use rouille::Request;
use rouille::input::basic_http_auth;
use std::hint::black_box;

/// What admission found out about the sender of a request.
#[derive(Default)]
pub struct Sender {
    /// The project that the sender's ingest key belongs to.
    pub project: String,
    /// The dashboard admits the sender.
    pub is_reader: bool,
    /// Signed in, or on this machine: may make changes and see an ingest key.
    pub is_trusted: bool,
}

/// Returns the configured key that the request was sent with.
pub fn ingest_key<'a>(keys: &'a [Key], request: &Request) -> Result<&'a Key, Error> {
    let sent = only(request, "X-OBS-Key").ok_or(Error::WrongKey)?;
    // Compares all of them, so that the time taken does not tell which one was nearly right.
    let found = keys.iter().fold(None, |found, key| if is_same(sent, &key.key) { Some(key) } else { found });
    found.ok_or(Error::WrongKey)
}

/// Who may read the dashboard.
pub enum Dashboard {
    /// Anyone who knows the password.
    Password(String),
    /// Requests that appear to come from this machine.
    Local,
    /// Anyone.
    Public,
}

impl Dashboard {
    pub fn admit(&self, request: &Request, version: Version) -> Result<Sender, Error> {
        let is_trusted = match self {
            Dashboard::Password(password) => match sent_password(request) {
                Some(sent) if is_same(&sent, password) => true,
                Some(_) => return Err(Error::WrongPassword),
                None => return Err(Error::SignIn),
            },
            Dashboard::Local if is_local(request, version) => true,
            Dashboard::Local => return Err(Error::NotLocal),
            // `Host` can be made up, so on an address that other machines can reach, the peer must be local too.
            Dashboard::Public => request.remote_addr().ip().to_canonical().is_loopback() && is_local(request, version),
        };
        Ok(Sender { is_reader: true, is_trusted, ..Sender::default() })
    }
}

/// Checks that a form may make changes, and that one of obs's own pages sent it. Browsers send credentials with the
/// forms of any site, but they also say where a form came from.
pub fn check_form(request: &Request, sender: Sender) -> Result<Sender, Error> {
    let is_own = match request.header("Sec-Fetch-Site") {
        Some(_) => only(request, "Sec-Fetch-Site") == Some("same-origin"),
        None => only(request, "Origin").and_then(|origin| origin.split_once("://")).is_some_and(|(scheme, name)| {
            let host = request.header("Host").unwrap_or_default();
            matches!(scheme, "http" | "https") && !host.is_empty() && name.eq_ignore_ascii_case(host)
        }),
    };
    check_change(sender, is_own, "forms are accepted only from obs's own pages")
}

/// Checks that a request may make changes, and that it is not a plain form of another site. A browser asks before it
/// sends another site's JSON, `PATCH` or `DELETE`, and obs never agrees.
pub fn check_json(request: &Request, sender: Sender) -> Result<Sender, Error> {
    let media_type = request.header("Content-Type").and_then(|value| value.split(';').next()).unwrap_or_default();
    let is_json = media_type.trim().eq_ignore_ascii_case("application/json");
    let is_preflighted = is_json || matches!(request.method(), "PATCH" | "DELETE");
    check_change(sender, is_preflighted, "send it with Content-Type: application/json")
}

fn check_change(sender: Sender, is_genuine: bool, expected: &'static str) -> Result<Sender, Error> {
    match (sender.is_trusted, is_genuine) {
        (false, _) => Err(Error::ReadOnly),
        (true, false) => Err(Error::Forged(expected)),
        (true, true) => Ok(sender),
    }
}

/// The value of a header that occurs exactly once. Of two, a proxy in front may have read the other one.
fn only<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut values = request.headers().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// The password of HTTP Basic. The case of the scheme does not matter (RFC 9110, 11.1), but it does to rouille.
fn sent_password(request: &Request) -> Option<String> {
    let (scheme, credentials) = request.header("Authorization")?.split_once(' ')?;
    let header = ("Authorization".into(), format!("Basic {}", credentials.trim()));
    let basic =
        scheme.eq_ignore_ascii_case("Basic").then(|| Request::fake_http("GET", "/", vec![header], Vec::new()))?;
    basic_http_auth(&basic).map(|sent| sent.password)
}

/// Whether a request appears to come from this machine. A remote page whose name resolves to 127.0.0.1 (DNS rebinding)
/// sends its own name as `Host`, and a reverse proxy in its usual configuration adds a header or speaks HTTP/1.0.
fn is_local(request: &Request, version: Version) -> bool {
    let host = request.header("Host").unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let mut headers = request.headers().map(|(name, _)| name.to_ascii_lowercase());
    version == Version::Http11
        && ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| local.eq_ignore_ascii_case(name))
        && !headers
            .any(|name| matches!(name.as_str(), "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-"))
}

/// Compares in a time that depends only on the length of `sent`.
fn is_same(sent: &str, secret: &str) -> bool {
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
    fn only_the_whole_secret_matches() {
        assert!(is_same("secret", "secret"));
        for wrong in ["", "secre", "secrets", "secretsecret", "Secret", "xecret"] {
            assert!(!is_same(wrong, "secret"), "{wrong}");
        }
    }
}
