//! Error pages: what happened, the status code, and a way back.
use super::layout::note;
use crate::html;
use crate::views::html::Html;

pub fn error(status: u16, heading: &str, text: &str) -> Html {
    note(heading, html!("<p>{}. {}</p>\n<p><a href=\"/\">Back to the issues</a></p>", status, text))
}
