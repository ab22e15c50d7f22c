//! Tags and the user: what an event can be found by, and what is counted per issue.
use super::json;
use crate::text;

/// Maximum number of tags of an event, and characters of a tag's name and value.
const MAX_TAGS: usize = 50;
const NAME: usize = 64;
const VALUE: usize = 200;

pub type Tag = (String, String);

/// Reads an object or a list of pairs. A value that is not text, a number or a boolean is left out.
/// `None` if the tags are neither.
pub fn parse(raw: &str) -> Option<Vec<Tag>> {
    let mut tags: Vec<Tag> = Vec::new();
    let add = |name: &str, value: &str| {
        let (Some(name), Some(value)) = (scalar(name, NAME), scalar(value, VALUE)) else { return };
        match tags.iter().position(|(other, _)| *other == name) {
            Some(at) => tags[at].1 = value,
            None if tags.len() < MAX_TAGS => tags.push((name, value)),
            None => {}
        }
    };
    each_pair(raw, add)?;
    Some(tags)
}

/// Calls `visit` with each name and value of an object or a list of pairs, which may be `{"key": …, "value": …}`. `None`
/// if it is neither.
fn each_pair<'a>(raw: &'a str, mut visit: impl FnMut(&'a str, &'a str)) -> Option<()> {
    if json::each_entry(raw, |name, value| visit(name.get(), value.get())).is_ok() {
        return Some(());
    }
    json::each_element(raw, |pair| {
        if let Some([name, value]) = json::first(pair.get(), 3).as_deref() {
            visit(name.get(), value.get());
        } else if let (Some(name), Some(value)) = (json::field(pair.get(), "key"), json::field(pair.get(), "value")) {
            visit(name, value);
        }
    })
    .ok()
}

/// The tags as JSON: an object of strings.
pub fn to_json(tags: &[Tag]) -> Option<String> {
    let entry = |(name, value): &Tag| format!("{}:{}", json::quote(name), json::quote(value));
    let entries: Vec<String> = tags.iter().map(entry).collect();
    (!entries.is_empty()).then(|| format!("{{{}}}", entries.join(",")))
}

/// The first of a user's `id`, `email`, `username` and `ip_address` that is present, by name. It tells users apart.
pub fn user_key(user: &str) -> Option<(&'static str, String)> {
    let names = ["id", "email", "username", "ip_address"];
    names.into_iter().find_map(|name| Some((name, scalar(json::field(user, name)?, VALUE)?)))
}

/// The tags that follow from an event's `contexts`, its `request` and the `transaction` in its other fields, unless it
/// has tags of these names.
pub fn derived(tags: &[Tag], contexts: Option<&str>, request: Option<&str>, more: Option<&str>) -> Vec<Tag> {
    let transaction =
        more.filter(|more| more.contains("\"transaction\"")).and_then(|more| json::field(more, "transaction"));
    if contexts.is_none() && request.is_none() && transaction.is_none() {
        return Vec::new();
    }
    let request = |name| request.and_then(|request| json::field(request, name));
    let agent = request("headers").and_then(|headers| header(headers, "user-agent")).unwrap_or_default();
    let context = |name| contexts.and_then(|contexts| json::field(contexts, name)).and_then(named_version);
    let found = [
        ("browser", context("browser").or_else(|| browser(&agent))),
        ("os", context("os").or_else(|| system(&agent).map(str::to_string))),
        ("url", request("url").and_then(json::string).map(|url| url.split(['?', '#']).take(1).collect())),
        ("transaction", transaction.and_then(json::string)),
    ];
    let found = found.into_iter().filter_map(|(name, value)| Some((name, text::short(&value?, VALUE)?)));
    found
        .filter(|(name, _)| tags.iter().all(|(other, _)| other != name))
        .map(|(name, value)| (name.into(), value))
        .collect()
}

/// The value of a header, from an object or a list of pairs; of several values, the first.
fn header(headers: &str, name: &str) -> Option<String> {
    let mut found = None;
    each_pair(headers, |key, value| {
        let is_named = found.is_none() && json::string(key).is_some_and(|key| key.eq_ignore_ascii_case(name));
        found = if is_named { Some(value) } else { found };
    })?;
    let value = found?;
    json::string(value).or_else(|| json::string(json::first(value, 1)?.first()?.get()))
}

/// `Firefox 128` from `{"name": "Firefox", "version": "128.0.1"}`.
fn named_version(context: &str) -> Option<String> {
    let name = scalar(json::field(context, "name")?, VALUE)?;
    let version = json::field(context, "version").and_then(|version| scalar(version, VALUE)).unwrap_or_default();
    let major: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("{name} {major}").trim_end().to_string())
}

/// Tokens of a `User-Agent` that name a browser. The first that occurs counts: most browsers also claim to be others.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

/// Likewise for operating systems.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

fn browser(agent: &str) -> Option<String> {
    let (name, rest) = BROWSERS.iter().find_map(|(token, name)| Some((name, agent.split_once(token)?.1)))?;
    let major: String = rest.chars().take_while(char::is_ascii_digit).collect();
    agent.starts_with("Mozilla/").then(|| format!("{name} {major}"))
}

fn system(agent: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(token, _)| agent.contains(token)).map(|(_, name)| *name)
}

/// Text, a number or a boolean as text of at most `max` characters; `None` if it is something else or blank, or the
/// `{{auto}}` by which SDKs ask for the address of the client.
fn scalar(raw: &str, max: usize) -> Option<String> {
    let is_scalar = !raw.starts_with(['{', '[']) && raw != "null";
    let text = json::string(raw).or_else(|| is_scalar.then(|| raw.to_string()))?;
    text::short(&text, max).filter(|text| text != "{{auto}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_an_object_or_a_list_of_pairs() {
        let read = |raw| parse(raw).and_then(|tags| to_json(&tags));
        let object = r#"{"a":" x ","n":7,"ok":true,"none":null,"deep":{},"a":"y","":"z","blank":" "}"#;
        assert_eq!(read(object).as_deref(), Some(r#"{"a":"y","n":"7","ok":"true"}"#));
        assert_eq!(read(r#"[["a","x"],["b"],7,["c",1.5],["d",[1]]]"#).as_deref(), Some(r#"{"a":"x","c":"1.5"}"#));
        assert_eq!((parse("7"), read("{}")), (None, None));
        let many: Vec<String> = (0..60).map(|n| format!(r#""{n}":"{}""#, "x".repeat(300))).collect();
        let tags = parse(&format!("{{{}}}", many.join(","))).unwrap();
        assert_eq!((tags.len(), tags[0].1.len()), (MAX_TAGS, VALUE));
    }

    #[test]
    fn a_user_is_told_apart_by_the_first_field_that_is_present() {
        assert_eq!(user_key(r#"{"email":"a@b.c","id":7}"#), Some(("id", "7".into())));
        let no_id = r#"{"id":null,"username":"ann","ip_address":"192.0.2.1"}"#;
        assert_eq!(user_key(no_id), Some(("username", "ann".into())));
        assert_eq!((user_key(r#"{"name":"ann"}"#), user_key("[]")), (None, None));
        assert_eq!(user_key(r#"{"ip_address":"{{auto}}"}"#), None);
    }

    #[test]
    fn browser_os_url_and_transaction_follow_from_what_an_event_carries() {
        let tags = [("os".to_string(), "Plan 9".to_string())];
        let contexts = r#"{"browser":{"name":"Firefox","version":"128.0.1"},"os":{"name":"Linux"}}"#;
        let request = r#"{"url":"https://shop.example.com/pay?card=1#x"}"#;
        let expected = [("browser", "Firefox 128"), ("url", "https://shop.example.com/pay"), ("transaction", "/pay")];
        let own = |tags: &[(&str, &str)]| tags.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect::<Vec<_>>();
        assert_eq!(derived(&tags, Some(contexts), Some(request), Some(r#"{"transaction":"/pay"}"#)), own(&expected));
        let agents = [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
                "Edge 131",
                "Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari 17",
                "iOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox 128",
                "Windows",
            ),
        ];
        for (agent, browser, os) in agents {
            for headers in [format!(r#"{{"user-agent":"{agent}"}}"#), format!(r#"[["User-Agent",["{agent}"]]]"#)] {
                let request = format!(r#"{{"headers":{headers}}}"#);
                assert_eq!(
                    derived(&[], None, Some(&request), None),
                    own(&[("browser", browser), ("os", os)]),
                    "{agent}"
                );
            }
        }
        assert_eq!(derived(&[], None, Some(r#"{"headers":{"User-Agent":"curl/8.5.0"}}"#), None), []);
    }
}
