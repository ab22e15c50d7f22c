//! JSON that a client added to an event: one row per key, scalars as text, the rest as indented JSON.
use super::pretty::pretty;
use super::text::{Budget, counted, cut, grouped};
use crate::event::json;
use crate::html;
use crate::views::html::Html;

/// Characters of a key.
const KEY: usize = 200;
/// A value of more lines, or of more characters, folds.
const LINES: usize = 40;
const CHARACTERS: usize = 4000;
/// What a row takes besides its text, roughly.
const ROW: usize = 100;

/// A section under its own heading, if anything was sent and there is room; `note` says what it is.
pub fn extra(heading: &str, note: &str, json: Option<&str>, budget: &mut Budget) -> Option<Html> {
    let json = json.filter(|_| !budget.is_spent())?;
    let Some(entries) = json::object(json) else {
        return Some(html!("<section>\n<h2>{}</h2>\n{}\n</section>\n", heading, value(json, budget)));
    };
    let keys = counted(entries.len() as i64, "key");
    let rows = entries.iter().map_while(|(key, json)| row(key.get(), json.get(), budget)).collect::<Html>();
    Some(html!("<section>\n<h2>{} <small>{}{}</small></h2>\n<dl>\n{}</dl>\n</section>\n", heading, keys, note, rows))
}

fn row(key: &str, json: &str, budget: &mut Budget) -> Option<Html> {
    budget.pay(ROW);
    if budget.is_spent() {
        return None;
    }
    let key = json::string(key).unwrap_or_default();
    Some(html!("<dt><span>{}</span></dt><dd>{}</dd>\n", budget.take(&cut(&key, KEY)), value(json, budget)))
}

fn value(json: &str, budget: &mut Budget) -> Html {
    if let Some(text) = json::string(json) {
        return match budget.take(&text) {
            "" if text.is_empty() => html!("<code>\"\"</code>"),
            shown => fold("text", &text, html!("<div class=\"text\" dir=\"auto\">{}</div>", shown)),
        };
    }
    if !json.starts_with(['{', '[']) {
        return fold("number", json, html!("<span>{}</span>", budget.take(json)));
    }
    let text = pretty(json, budget);
    let kind = match json::object(json) {
        Some(entries) => format!("object of {}", grouped(entries.len() as i64)),
        None => format!("array of {}", grouped(json::array(json).map_or(0, |entries| entries.len()) as i64)),
    };
    fold(&kind, &text, html!("<pre>{}</pre>", text))
}

/// What is long is a click away, its size in place of it.
fn fold(kind: &str, text: &str, shown: Html) -> Html {
    let lines = text.lines().count();
    if lines <= LINES && text.chars().nth(CHARACTERS).is_none() {
        return shown;
    }
    let size = match lines {
        ..2 => counted(text.chars().count() as i64, "character"),
        _ => counted(lines as i64, "line"),
    };
    html!("<details><summary>{}, {}</summary>{}</details>", kind, size, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        extra("Extra", "", Some(json), &mut Budget::new(1 << 20)).unwrap().into_string()
    }

    #[test]
    fn each_key_is_a_row_and_scalars_are_text() {
        let html = shown(r#"{"n":1.50000000000000000000,"n":null,"s":"a\n<b>","e":"","o":{"k":[1]}}"#);
        assert!(html.contains("<small>5 keys</small>"));
        for row in [
            "<dt><span>n</span></dt><dd><span>1.50000000000000000000</span></dd>",
            "<dt><span>n</span></dt><dd><span>null</span></dd>",
            "<dd><div class=\"text\" dir=\"auto\">a\n&lt;b&gt;</div></dd>",
            "<dt><span>e</span></dt><dd><code>\"\"</code></dd>",
            "<dd><pre>{\n  &quot;k&quot;: [\n    1\n  ]\n}</pre></dd>",
        ] {
            assert!(html.contains(row), "{row} in {html}");
        }
    }

    #[test]
    fn what_is_no_object_is_shown_whole() {
        assert!(shown("[1,2]").contains("<h2>Extra</h2>\n<pre>[\n  1,\n  2\n]</pre>"));
        assert!(shown("7").contains("<span>7</span>"));
        assert_eq!(extra("Extra", "", None, &mut Budget::new(9)), None);
    }

    #[test]
    fn long_values_fold_with_their_size() {
        let lines = format!(r#"{{"session":[{}0]}}"#, "0,".repeat(1203));
        assert!(shown(&lines).contains("<summary>array of 1,204, 1,206 lines</summary>"));
        assert!(!shown(r#"{"a":[1,2,3]}"#).contains("details"));
        let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(5000));
        assert!(shown(&text).contains("<summary>text, 5,000 characters</summary>"));
    }
}
