//! An event's labels: its tags and its user, which are counted per issue and found by search.
use crate::event::{Event, tags};

/// Kind and value of a tag or a user.
pub type Label = (String, String);

/// The kind of the values that tell users apart.
pub const USER: &str = "user";
/// Start of every [`tag_kind`].
pub const TAG: &str = "tag:";

/// The kind of a tag's values.
pub fn tag_kind(name: &str) -> String {
    format!("{TAG}{name}")
}

/// An event's tags, those that follow from its other fields, and its user.
pub fn labels(event: &Event) -> Vec<Label> {
    let [user, contexts, request, more] =
        [&event.user, &event.contexts, &event.request, &event.more].map(|field| field.as_deref());
    let derived = tags::derived(&event.tags, contexts, request, more);
    let tags = event.tags.iter().chain(&derived).map(|(name, value)| (tag_kind(name), value.clone()));
    tags.chain(user.and_then(tags::user_key).map(|(_, user)| (USER.into(), user))).collect()
}
