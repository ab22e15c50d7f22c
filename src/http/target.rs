//! The target of a request line, checked against `Host`.
use super::refusal::Refusal;

/// Returns the target as the application sees it: a path with its query, or `*`.
pub(super) fn resolve(method: &str, target: &str, host: Option<&str>) -> Result<String, Refusal> {
    // Some parsers read `\` as `/`, and some cut at `#`. `curl` sends the letters of a query as typed.
    let (before, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\');
    if !before.bytes().all(is_allowed) || !query.bytes().all(|byte| is_allowed(byte) || !byte.is_ascii()) {
        return Err(Refusal::BadRequest("invalid character in the request target"));
    }
    match split(target) {
        (None, path) if path.starts_with('/') => Ok(path),
        (None, path) if path == "*" && method == "OPTIONS" => Ok(path),
        (Some(authority), path) if !authority.is_empty() => match host {
            Some(host) if host.eq_ignore_ascii_case(authority) => Ok(path),
            _ => Err(Refusal::BadRequest("the request target and Host differ")),
        },
        _ => Err(Refusal::BadRequest("the request target is not a path")),
    }
}

/// Returns `None` if a value of `Host` could be read as a list, or contains a path or a user name.
pub(super) fn host(value: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(byte);
    str::from_utf8(value).ok().filter(|host| host.bytes().all(|byte| plain(&byte)))
}

/// Finds the target of a request that is refused, so that the application can choose the form of the refusal. The second
/// value is true for a `HEAD` request, whose response has no body.
pub(super) fn glance(head: &[u8]) -> (Option<String>, bool) {
    let head = head.strip_prefix(b"\r\n").unwrap_or(head);
    let end = head.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let line = end.and_then(|end| str::from_utf8(&head[..end]).ok()).unwrap_or_default();
    let target = match line.split(' ').collect::<Vec<_>>()[..] {
        [_, target, version] if version.starts_with("HTTP/") => Some(split(target).1),
        _ => None,
    };
    (target.filter(|target| target.starts_with('/')), head.starts_with(b"HEAD "))
}

/// Splits an absolute target into its authority and its path. Any other target is returned whole.
fn split(target: &str) -> (Option<&str>, String) {
    let Some((scheme, rest)) = target.split_once("://") else { return (None, target.to_string()) };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return (None, target.to_string());
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // An absent path is the root: `http://host?query` means `/?query`.
    let slash = if path.starts_with('/') { "" } else { "/" };
    (Some(authority), format!("{slash}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_target_is_reduced_to_its_path() {
        let path = |target| resolve("GET", target, Some("Host:80")).ok();
        assert_eq!(path("/a?b=http://c").as_deref(), Some("/a?b=http://c"));
        assert_eq!(path("HTTP://hOST:80/a?b").as_deref(), Some("/a?b"));
        assert_eq!(path("https://host:80?b").as_deref(), Some("/?b"));
        assert_eq!(path("http://host:80").as_deref(), Some("/"));
        assert_eq!(path("/?q=é+%C3%A9").as_deref(), Some("/?q=é+%C3%A9"));
        for refused in [
            "http://host/",
            "http://",
            "http:///a",
            "ftp://host:80/",
            "host:80",
            "a",
            "*",
            "/a#b",
            "/é",
            "/é?q",
            "/\\",
            "/?#é",
        ] {
            assert_eq!(path(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_glance_finds_the_target_of_an_incomplete_head() {
        assert_eq!(glance(b"HEAD /a HTTP/1.1\r\nHos"), (Some("/a".into()), true));
        assert_eq!(glance(b"\r\nGET http://x/a?b HTTP/2.0\r\n"), (Some("/a?b".into()), false));
        for line in
            [&b"GET /a HTTP/1.1"[..], b"GET /a\r\n", b"GET  /a HTTP/1.1\r\n", b"\x16\x03\r\n", b"", b"GET a HTTP/1.1\n"]
        {
            assert_eq!(glance(line).0, None);
        }
    }
}
