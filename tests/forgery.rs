//! Changes are refused if another site may have forged the request, and from readers who are not trusted.
mod common;
use common::triage::*;
use common::*;

#[test]
fn a_form_never_redirects_to_another_site() {
    let obs = Obs::start();
    obs.add(r#"{"message":"a"}"#);
    for back in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "evil",
        "",
        "/%0d%0aX: y",
        "/%09/evil.example",
        "/\u{e9}",
    ] {
        let answer = submit_form(&obs, "/issues/1", &format!("do=resolve&back={back}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some("/?did=resolve&n=1&ids=1")), "{back}");
        set_state(&obs, 1, "open");
    }
}

#[test]
fn another_site_cannot_change_anything() {
    let obs = Obs::start();
    let id = obs.add(r#"{"message":"a"}"#);
    let form = "application/x-www-form-urlencoded";
    let forged = [
        format!("POST / HTTP/1.1\r\nContent-Type: {form}"),
        format!("POST /issues/1 HTTP/1.1\r\nContent-Type: {form}\r\nOrigin: https://evil.example"),
        "POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost:1".to_string(),
        "POST /issues/1 HTTP/1.1\r\nOrigin: null".to_string(),
        "POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost\r\nSec-Fetch-Site: cross-site".to_string(),
        "POST /issues/1 HTTP/1.1\r\nSec-Fetch-Site: same-site".to_string(),
        "POST /issues/1 HTTP/1.1\r\nSec-Fetch-Site: none".to_string(),
        "POST /issues/1 HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site".to_string(),
        "POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost\r\nOrigin: https://evil.example".to_string(),
        format!("POST /events/{id} HTTP/1.1\r\nContent-Type: {form}"),
        "POST /api/issues/1/merge HTTP/1.1\r\nContent-Type: text/plain".to_string(),
    ];
    for head in forged {
        assert_eq!(obs.send(&head, b"do=delete&id=1").status, 403, "{head}");
    }
    let preflight = obs.send(
        "OPTIONS /api/issues/1 HTTP/1.1\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: DELETE",
        b"",
    );
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (405, None));
    assert_eq!(issue(&obs, 1)["state"], "open");
    let own = obs.send("POST /issues/1 HTTP/1.1\r\nOrigin: http://localhost", b"do=resolve");
    assert_eq!(own.status, 303, "a browser that sends no Sec-Fetch-Site is recognized by its Origin");
}

#[test]
fn readers_who_are_not_trusted_cannot_change_anything() {
    let public = Obs::with(&["--listen", "127.0.0.1:0", "--public-dashboard"], &[("OBS_API_KEY", KEY)]);
    public.add(r#"{"message":"a"}"#);
    let elsewhere = "Host: obs.example";
    let heads = [
        format!("PATCH /api/issues/1 HTTP/1.1\r\n{elsewhere}\r\n{JSON}"),
        format!("DELETE /api/issues/1 HTTP/1.1\r\n{elsewhere}"),
        format!("POST / HTTP/1.1\r\n{elsewhere}\r\nSec-Fetch-Site: same-origin"),
    ];
    for head in &heads {
        assert_eq!(public.send(head, br#"{"state":"resolved"}"#).status, 403, "{head}");
    }
    let closed = Obs::with(&[], &[("OBS_API_KEY", KEY), ("OBS_DASHBOARD_PASSWORD", "secret")]);
    closed.add(r#"{"message":"a"}"#);
    for head in &heads {
        assert_eq!(closed.send(head, br#"{"state":"resolved"}"#).status, 401, "{head}");
    }
}
