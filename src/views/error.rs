//! Error pages: what happened, the status code, and a way back.
use super::html::{Html, html};
use super::layout::note;

pub fn error(status: u16, heading: &str, text: &str) -> Html {
    note(heading, html!("<p>{}. {}</p>\n<p><a href=\"/\">Back to the issues</a></p>", status, text))
}
