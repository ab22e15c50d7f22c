//! obs behind a reverse proxy: who counts as local, which forms are accepted, and which URL is shown.
mod common;
use common::*;

const PASSWORD: (&str, &str) = ("OBS_DASHBOARD_PASSWORD", "pw");
/// HTTP Basic with that password.
const SIGNED_IN: &str = "Authorization: Basic OnB3";

/// Submits a form as a browser that reaches obs through a proxy, over plain HTTP: it sends no `Sec-Fetch-Site`.
fn submit_behind_a_proxy(obs: &Obs, headers: &str) -> Response {
    obs.send(&format!("POST /issues/1 HTTP/1.1\r\n{SIGNED_IN}\r\n{headers}"), b"do=resolve")
}

#[test]
fn a_form_is_accepted_if_its_origin_is_that_of_host_or_of_obs_url() {
    let env = [("OBS_API_KEY", KEY), PASSWORD, ("OBS_URL", "http://Obs.example.com:8080/errors")];
    let (with_url, without) = (Obs::with(&[], &env), Obs::with(&[], &env[..2]));
    with_url.add(r#"{"message":"a"}"#);
    without.add(r#"{"message":"a"}"#);
    for (host, origin, by_host, by_url) in [
        ("obs.example.com:8080", "http://obs.example.com:8080", 303, 303),
        ("OBS.example.com:8080", "HTTP://obs.EXAMPLE.com:8080", 303, 303),
        ("obs.example.com", "http://obs.example.com:8080", 403, 303),
        ("10.0.0.7:8000", "http://obs.example.com:8080", 403, 303),
        ("10.0.0.7:8000", "http://10.0.0.7:8000", 303, 303),
        ("obs.example.com", "https://obs.example.com:8080", 403, 403),
        ("obs.example.com", "http://obs.example.com:8081", 403, 403),
        ("obs.example.com", "http://obs.example.com:80", 303, 303),
        ("obs.example.com:80", "http://obs.example.com", 303, 303),
        ("obs.example.com:443", "https://obs.example.com", 303, 303),
        ("obs.example.com:443", "http://obs.example.com", 403, 403),
        ("obs.example.com:80", "https://obs.example.com", 403, 403),
        ("[::1]:80", "http://[::1]", 303, 303),
        ("obs.example.com", "ftp://obs.example.com", 403, 403),
        ("obs.example.com", "obs.example.com", 403, 403),
        ("", "http://", 403, 403),
        ("obs.example.com", "http://evil.example", 403, 403),
        ("obs.example.com", "http://obs.example.com:8080.evil.example", 403, 403),
    ] {
        for (obs, expected) in [(&without, by_host), (&with_url, by_url)] {
            let answer = submit_behind_a_proxy(obs, &format!("Host: {host}\r\nOrigin: {origin}"));
            assert_eq!(answer.status, expected, "{origin} at {host}: {}", answer.text());
        }
    }
}

#[test]
fn a_refused_form_names_the_values_that_differ() {
    let env = [("OBS_API_KEY", KEY), PASSWORD, ("OBS_URL", "https://obs.example.com")];
    let (with_url, without) = (Obs::with(&[], &env), Obs::with(&[], &env[..2]));
    let refusal = |obs: &Obs, headers: &str| {
        let answer = submit_behind_a_proxy(obs, headers);
        assert_eq!(answer.status, 403, "{headers}");
        answer.text()
    };
    let mismatch = "Host: obs.example.com\r\nOrigin: http://obs.example.com:8080";
    for agent in ["User-Agent: curl/8", "User-Agent: Mozilla/5.0"] {
        let text = refusal(&without, &format!("{mismatch}\r\n{agent}")).replace(['\n', ' '], "");
        for part in ["Originishttp://obs.example.com:8080,", "Hostisobs.example.com.", "setOBS_URL"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert!(
        refusal(&with_url, mismatch).contains("its Host is obs.example.com and OBS_URL is https://obs.example.com.")
    );
    let null = refusal(&without, "Host: obs.example.com\r\nOrigin: null");
    assert!(null.contains("Origin is null") && null.contains("Referrer-Policy: no-referrer"), "{null}");
    assert!(
        refusal(&without, "Sec-Fetch-Site: cross-site").contains("Sec-Fetch-Site is cross-site instead of same-origin")
    );
    assert!(refusal(&without, "X: y").contains("neither Sec-Fetch-Site nor Origin"));
    for hostile in ["Origin: http://<b>\"'", "Sec-Fetch-Site: <b>\"'"] {
        let page = refusal(&without, hostile);
        assert!(page.contains("&lt;b&gt;&quot;&#39;") && !page.contains("<b>"), "{page}");
    }
}

#[test]
fn without_a_password_a_browser_must_not_come_through_a_proxy_that_removes_connection() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"m"}"#);
    let browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64)";
    let get = |path: &str, headers: &str| obs.send(&format!("GET {path} HTTP/1.1\r\n{browser}\r\n{headers}"), b"");
    for path in ["/", "/issues/1", &format!("/events/{id}"), "/api/issues", "/api/stats"] {
        for direct in ["keep-alive", "Keep-Alive", "Upgrade, keep-alive", "Upgrade\r\nConnection: keep-alive"] {
            assert_eq!(get(path, &format!("Connection: {direct}")).status, 200, "{path} with {direct}");
        }
        for removed in ["X: y", "Connection: close", "Connection:", "Connection: x-keep-alive", "Keep-Alive: timeout=5"]
        {
            assert_eq!(get(path, removed).status, 403, "{path} with {removed}");
        }
    }
    let page = get("/", "X: y").text();
    assert!(page.contains("proxy") && page.contains("OBS_DASHBOARD_PASSWORD"), "{page}");
    let form = obs.send(&format!("POST /issues/1 HTTP/1.1\r\n{browser}\r\nSec-Fetch-Site: same-origin"), b"do=delete");
    assert_eq!(form.status, 403);
    assert_eq!(obs.get("/").status, 200, "other programs need not send Connection");
    for open in ["/health", "/style.css", "/sdk.js"] {
        assert_eq!(get(open, "X: y").status, 200, "{open}");
    }
}

#[test]
fn a_public_dashboard_counts_such_a_browser_as_a_stranger() {
    let obs = Obs::with(&["--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    let browser = "User-Agent: Mozilla/5.0";
    let page = obs.send(&format!("GET / HTTP/1.1\r\n{browser}"), b"");
    assert_eq!((page.status, page.text().contains(KEY)), (200, false));
    assert!(obs.send(&format!("GET / HTTP/1.1\r\n{browser}\r\nConnection: keep-alive"), b"").text().contains(KEY));
    obs.add(r#"{"message":"m"}"#);
    let delete = format!("DELETE /api/issues/1 HTTP/1.1\r\n{browser}");
    assert_eq!(obs.send(&delete, b"").status, 403);
    assert_eq!(obs.send(&format!("{delete}\r\nConnection: keep-alive"), b"").status, 204);
}

/// The DSN on the empty dashboard, for a request with these headers.
fn shown_dsn(obs: &Obs, headers: &str) -> String {
    let page = obs.send(&format!("GET / HTTP/1.1\r\n{SIGNED_IN}\r\n{headers}"), b"").text();
    let dsn = page.split(['"', '>', '\'', '<']).find(|part| part.contains(&format!("://{KEY}@")));
    dsn.unwrap_or_else(|| panic!("no DSN: {page}")).to_string()
}

#[test]
fn the_dsn_has_the_scheme_that_the_client_used() {
    let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), PASSWORD]);
    for (header, scheme) in [
        ("X-Forwarded-Proto: https", "https"),
        ("X-Forwarded-Proto: HTTPS", "https"),
        ("X-Forwarded-Proto: https,http", "https"),
        ("X-Forwarded-Proto: https , https", "https"),
        ("X-Forwarded-Proto: http, https", "http"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http", "https"),
        ("Forwarded: for=192.0.2.1;proto=https", "https"),
        ("Forwarded: For=\"[2001:db8::1]:4711\"; Proto=\"HTTPS\";by=10.0.0.1, for=10.0.0.1;proto=http", "https"),
        ("Forwarded: proto=http;for=192.0.2.1, proto=https;for=10.0.0.1", "http"),
        ("Forwarded: for=192.0.2.1", "http"),
        ("Forwarded: for=192.0.2.1;notproto=https", "http"),
        ("X-Forwarded-Proto: http\r\nForwarded: proto=https", "http"),
        ("X-Forwarded-Proto: httpsx", "http"),
        ("X: y", "http"),
    ] {
        let dsn = shown_dsn(&obs, &format!("Host: obs.example.com\r\n{header}"));
        assert_eq!(dsn, format!("{scheme}://{KEY}@obs.example.com"), "{header}");
    }
}

#[test]
fn obs_url_overrides_what_a_proxy_says() {
    for (url, dsn) in [
        ("http://obs.example.com:8080", "http://test123@obs.example.com:8080"),
        ("https://example.com/obs", "https://test123@example.com/obs"),
    ] {
        let obs = Obs::with(&[], &[("OBS_API_KEY", KEY), PASSWORD, ("OBS_URL", url)]);
        for headers in ["Host: obs.example.com\r\nX-Forwarded-Proto: http", "Host: x\r\nForwarded: proto=https"] {
            assert_eq!(shown_dsn(&obs, headers), dsn, "{headers}");
        }
        let banner = obs.banner();
        assert!(banner.contains(&format!(" {dsn}\n")) && banner.contains(&format!(" {url} (password")), "{banner}");
    }
}
