//! Serving below a path: takes the path in `OBS_URL` off requests, and puts it before links, forms and redirects.
//!
//! Everything else in obs knows paths without it. A proxy may take it off too, so requests come with it and without it.
use rouille::{Response, ResponseBody};
use std::io::Read;

/// Attributes with a path on this site. Text is escaped, so only obs's own markup has a quotation mark before a path.
const ATTRIBUTES: [&str; 3] = [" href=\"/", " action=\"/", " src=\"/"];

/// The path of a URL; empty for the root.
pub fn of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or("", |at| &url[host + at..])
}

/// A request's target without the base. At the base itself, nothing is left of the path.
pub fn strip<'a>(base: &str, target: &'a str) -> &'a str {
    target.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?'])).unwrap_or(target)
}

/// A response with the base before each path in it.
pub fn add(base: &str, mut response: Response) -> Response {
    if base.is_empty() {
        return response;
    }
    let mut is_html = false;
    for (name, value) in &mut response.headers {
        is_html |= name == "Content-Type" && value.starts_with("text/html");
        if name == "Location" && value.starts_with('/') {
            *value = format!("{base}{value}").into();
        }
    }
    if is_html {
        let mut page = String::new();
        // Reads from memory, so it cannot fail.
        let _ = response.data.into_reader_and_size().0.read_to_string(&mut page);
        for attribute in ATTRIBUTES {
            page = page.replace(attribute, &format!("{}{base}/", &attribute[..attribute.len() - 1]));
        }
        response.data = ResponseBody::from_string(page);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_are_the_base() {
        assert_eq!([of("https://a.b"), of("http://a:1/obs"), of("http://a/b/c")], ["", "/obs", "/b/c"]);
        let strip = |target| strip("/obs", target);
        assert_eq!([strip("/obs/issues/1"), strip("/obs?q=x"), strip("/obs")], ["/issues/1", "?q=x", ""]);
        assert_eq!([strip("/obsolete"), strip("/issues/1")], ["/obsolete", "/issues/1"]);
    }
}
