//! What went wrong with a request: what it means, then the number, and one thing to do next.
use super::layout::note;
use crate::html;
use crate::views::html::Html;

pub fn error(status: u16, heading: &str, text: &str) -> Html {
    note(heading, html!("<p>{}. {}</p>\n<p><a href=\"/\">To the newest issues</a></p>", status, text))
}
