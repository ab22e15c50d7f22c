//! JSON that a client added to an event: one row per key, scalars as text, the rest as indented JSON.
use super::html::{Html, html};
use super::pretty_json::pretty;
use super::text::{MarkupBudget, counted, cut, grouped};
use crate::event::json;

/// Maximum characters of a key.
pub const KEY: usize = 200;
/// Values with more lines or more characters are folded.
const LINES: usize = 40;
const CHARACTERS: usize = 4000;
/// Approximate bytes of markup for a row besides its text.
const ROW: usize = 100;

/// A section with its own heading, if there is JSON and room for it. `note` says what it contains.
pub fn extra(heading: &str, note: &str, json: Option<&str>, budget: &mut MarkupBudget) -> Option<Html> {
    let json = json.filter(|_| !budget.is_spent())?;
    let Some(entries) = json::object(json) else {
        return Some(html!("<section>\n<h2>{}</h2>\n{}\n</section>\n", heading, value(json, budget)));
    };
    let keys = counted(entries.len() as i64, "key");
    let rows = entries.iter().map_while(|(key, json)| row(key.get(), json.get(), budget)).collect::<Html>();
    Some(html!("<section>\n<h2>{} <small>{}{}</small></h2>\n<dl>\n{}</dl>\n</section>\n", heading, keys, note, rows))
}

fn row(key: &str, json: &str, budget: &mut MarkupBudget) -> Option<Html> {
    budget.pay(ROW)?;
    let key = json::string(key).unwrap_or_default();
    Some(html!("<dt><span>{}</span></dt><dd>{}</dd>\n", budget.take(&cut(&key, KEY)), value(json, budget)))
}

fn value(json: &str, budget: &mut MarkupBudget) -> Html {
    if let Some(text) = json::string(json) {
        return match budget.take(&text) {
            "" if text.is_empty() => html!("<code>\"\"</code>"),
            shown => fold("text", &text, html!("<div class=\"text\" dir=\"auto\">{}</div>", shown)),
        };
    }
    let kind = match (json::object(json), json::array(json)) {
        (Some(entries), _) => format!("object of {}", grouped(entries.len() as i64)),
        (_, Some(entries)) => format!("array of {}", grouped(entries.len() as i64)),
        _ => return fold("number", json, html!("<span>{}</span>", budget.take(json))),
    };
    let text = pretty(json, budget);
    fold(&kind, &text, html!("<pre>{}</pre>", text))
}

/// A long value is folded, with its size as the summary.
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
        extra("Extra", "", Some(json), &mut MarkupBudget::new(1 << 20)).unwrap().into_string()
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
    fn json_that_is_not_an_object_is_shown_whole() {
        assert!(shown("[1,2]").contains("<h2>Extra</h2>\n<pre>[\n  1,\n  2\n]</pre>"));
        assert!(shown("7").contains("<span>7</span>"));
        assert_eq!(extra("Extra", "", None, &mut MarkupBudget::new(9)), None);
    }

    #[test]
    fn long_values_are_folded_with_their_size() {
        let lines = format!(r#"{{"session":[{}0]}}"#, "0,".repeat(1203));
        assert!(shown(&lines).contains("<summary>array of 1,204, 1,206 lines</summary>"));
        assert!(!shown(r#"{"a":[1,2,3]}"#).contains("details"));
        let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(5000));
        assert!(shown(&text).contains("<summary>text, 5,000 characters</summary>"));
    }
}
