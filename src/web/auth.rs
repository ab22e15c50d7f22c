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
    /// The sender's ingest key, or empty.
    pub key: String,
    /// The project that the key belongs to.
    pub project: String,
    /// The dashboard admits the sender.
    pub is_reader: bool,
    /// Signed in, or on this machine: may make changes and see an ingest key.
    pub is_trusted: bool,
}

/// Returns the configured key that the request was sent with.
pub fn ingest_key<'a>(keys: &'a [Key], request: &Request) -> Result<&'a Key, Error> {
    find_key(keys, &joined(request, "X-OBS-Key").ok_or(Error::WrongKey)?)
}

/// Compares all keys, so that the time taken does not tell which one was nearly right.
fn find_key<'a>(keys: &'a [Key], sent: &str) -> Result<&'a Key, Error> {
    let found = keys.iter().fold(None, |found, key| if is_same(sent, &key.key) { Some(key) } else { found });
    found.ok_or(Error::WrongKey)
}

/// Returns the configured key that a Sentry SDK's request was sent with: in `X-Sentry-Auth: Sentry sentry_key=KEY, …` or
/// `?sentry_key=KEY`.
pub fn sentry_key<'a>(keys: &'a [Key], request: &Request) -> Result<&'a Key, Error> {
    let header = joined(request, "X-Sentry-Auth").unwrap_or_default();
    let fields = header.split([',', ' ']).find_map(|field| field.trim().strip_prefix("sentry_key="));
    match fields.map(str::to_string).or_else(|| request.get_param("sentry_key")) {
        Some(sent) => find_key(keys, &sent),
        None => ingest_key(keys, request),
    }
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

/// Checks that an upload comes with a token. Where there is no password any will do, but another site cannot make a browser
/// send one.
pub fn check_upload(request: &Request, sender: Sender) -> Result<Sender, Error> {
    match request.header("Authorization").is_some_and(|sent| sent.trim().contains(' ')) {
        true => check_change(sender, None),
        false => Err(Error::NoToken),
    }
}

/// Checks that a form may make changes, and that one of obs's own pages sent it. Browsers send credentials with the
/// forms of any site, but they also say where a form came from. `url` is the URL at which people reach obs, if it is set.
pub fn check_form(request: &Request, sender: Sender, url: Option<&str>) -> Result<Sender, Error> {
    let host = request.header("Host").unwrap_or_default();
    let doubt = match (joined(request, "Sec-Fetch-Site"), joined(request, "Origin")) {
        (Some(site), _) if site == "same-origin" => None,
        (Some(site), _) => Some(format!("its Sec-Fetch-Site is {site} instead of same-origin")),
        (None, None) => Some("it has neither Sec-Fetch-Site nor Origin, and browsers send one of them".into()),
        (None, Some(sent)) if is_own_origin(&sent, host, url) => None,
        (None, Some(sent)) => {
            let url = url.map_or(String::new(), |url| format!(" and OBS_URL is {url}"));
            let remedy = match sent.as_str() {
                "null" => "Perhaps a proxy adds Referrer-Policy: no-referrer to the page",
                _ => "Behind a proxy, pass on Host with its port, or set OBS_URL to the URL at which you reach obs",
            };
            Some(format!("its Origin is {sent}, but its Host is {host}{url}. {remedy}"))
        }
    };
    check_change(sender, doubt)
}

/// Whether a form comes from a page at `Host` or at `url`.
fn is_own_origin(sent: &str, host: &str, url: Option<&str>) -> bool {
    let (scheme, _) = sent.split_once(':').unwrap_or_default();
    let own = [Some(&*format!("{scheme}://{host}")), url];
    origin(sent).is_some_and(|sent| own.into_iter().flatten().filter_map(origin).any(|own| own == sent))
}

/// The origin of a URL in lower case, without the default port.
pub fn origin(url: &str) -> Option<String> {
    let url = url.to_ascii_lowercase();
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().filter(|authority| !authority.is_empty())?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    Some(format!("{scheme}://{}", authority.strip_suffix(default_port).unwrap_or(authority)))
}

/// Checks that a request may make changes, and that it is not a plain form of another site. A browser asks before it
/// sends another site's JSON, `PATCH` or `DELETE`, and obs never agrees.
pub fn check_json(request: &Request, sender: Sender) -> Result<Sender, Error> {
    let media_type = request.header("Content-Type").and_then(|value| value.split(';').next()).unwrap_or_default();
    let is_json = media_type.trim().eq_ignore_ascii_case("application/json");
    let is_preflighted = is_json || matches!(request.method(), "PATCH" | "DELETE");
    check_change(sender, (!is_preflighted).then(|| "send it with Content-Type: application/json".into()))
}

fn check_change(sender: Sender, doubt: Option<String>) -> Result<Sender, Error> {
    match (sender.is_trusted, doubt) {
        (false, _) => Err(Error::ReadOnly),
        (true, Some(doubt)) => Err(Error::Forged(doubt)),
        (true, None) => Ok(sender),
    }
}

/// All values of a header as one, which matches nothing if there are two: a proxy in front may have read the other one.
fn joined(request: &Request, name: &str) -> Option<String> {
    let values = request.headers().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    values.map(str::to_string).reduce(|first, second| format!("{first}, {second}"))
}

/// The password of HTTP Basic, or a bearer token. The case of the scheme does not matter (RFC 9110, 11.1), but it does to
/// rouille.
fn sent_password(request: &Request) -> Option<String> {
    let (scheme, credentials) = request.header("Authorization")?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("Bearer") {
        return Some(credentials.trim().to_string());
    }
    let header = ("Authorization".into(), format!("Basic {}", credentials.trim()));
    let basic =
        scheme.eq_ignore_ascii_case("Basic").then(|| Request::fake_http("GET", "/", vec![header], Vec::new()))?;
    basic_http_auth(&basic).map(|sent| sent.password)
}

/// Headers that only proxies add, besides those that begin with `X-Forwarded`.
const PROXIES: [&str; 7] =
    ["forwarded", "via", "x-real-ip", "x-client-ip", "x-original-for", "cf-connecting-ip", "cdn-loop"];

/// Whether a request appears to come from this machine. A remote page whose name resolves to 127.0.0.1 (DNS rebinding)
/// sends its own name as `Host`. A reverse proxy in its usual configuration adds a header, speaks HTTP/1.0, or at least
/// removes the `Connection` that browsers send.
fn is_local(request: &Request, version: Version) -> bool {
    let host = request.header("Host").unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let is_browser = request.header("User-Agent").is_some_and(|agent| agent.starts_with("Mozilla/"));
    let connection = joined(request, "Connection").unwrap_or_default();
    let is_direct = connection.split(',').any(|option| option.trim().eq_ignore_ascii_case("keep-alive"));
    let of_proxy = |name: &str| PROXIES.contains(&name) || name.starts_with("x-forwarded");
    let mut headers = request.headers().map(|(name, _)| name.to_ascii_lowercase());
    version == Version::Http11
        && (is_direct || !is_browser)
        && ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| local.eq_ignore_ascii_case(name))
        && !headers.any(|name| of_proxy(&name))
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
