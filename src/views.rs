//! stub
use crate::{domain::*, html::Html, time::Time};
pub const STYLE: &str = "";
pub fn style_url() -> &'static str {
    "/style.css?v=1"
}
pub fn issues(_: &Page<Issue>, _: Time) -> Html {
    Html("issues".into())
}
pub fn empty(_: &str, _: Option<&str>) -> Html {
    Html("empty".into())
}
pub fn issue(_: &Issue, _: &StoredEvent, _: &Page<Summary>, _: Time) -> Html {
    Html("issue".into())
}
pub fn event(_: &StoredEvent, _: &Issue, _: Option<&Summary>, _: Option<&Summary>, _: Time) -> Html {
    Html("event".into())
}
pub fn error(_: u16, _: &str, _: &str) -> Html {
    Html("error".into())
}
