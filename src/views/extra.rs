//! Rows of names and values: scalars as text, the rest as indented JSON, long values folded.
use super::carried::{Row, Section};
use super::html::{Html, html};
use super::list_url::matching;
use super::pretty_json::pretty;
use super::text::{MarkupBudget, counted, cut, grouped};
use crate::event::json;

/// Maximum characters of a name.
pub const NAME: usize = 200;
/// Values with more lines or more characters are folded.
const LINES: usize = 40;
const CHARACTERS: usize = 4000;
/// Approximate bytes of markup for a row besides its text.
const ROW: usize = 100;

/// A section with its heading, as far as the budget allows.
pub fn section(section: &Section, budget: &mut MarkupBudget) -> Option<Html> {
    budget.pay(ROW)?;
    let note = (!section.note.is_empty()).then(|| html!(" <small>{}</small>", section.note));
    Some(html!("<section>\n<h2>{}{}</h2>\n{}</section>\n", section.heading, note, rows(&section.rows, budget)))
}

pub fn rows(rows: &[Row], budget: &mut MarkupBudget) -> Html {
    html!("<dl>\n{}</dl>\n", rows.iter().map_while(|entry| row(entry, budget)).collect::<Html>())
}

fn row(row: &Row, budget: &mut MarkupBudget) -> Option<Html> {
    budget.pay(ROW)?;
    let name = html!("{}", budget.take(&cut(&row.name, NAME)));
    let shown = value(&row.value, budget);
    let shown = match &row.term {
        Some(term) => html!("<a href=\"{}\">{}</a>", matching(term.clone()), shown),
        None => shown,
    };
    let details = row.details.as_deref();
    let details = details.map(|json| html!("<details><summary>data</summary>{}</details>", value(json, budget)));
    Some(html!("<dt><span>{}</span></dt><dd>{}{}</dd>\n", name, shown, details))
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
    use super::super::carried::fields;
    use super::*;

    fn shown(json: &str) -> String {
        rows(&fields(json), &mut MarkupBudget::new(1 << 20)).into_string()
    }

    #[test]
    fn each_key_is_a_row_and_scalars_are_text() {
        let html = shown(r#"{"n":1.50000000000000000000,"n":null,"s":"a\n<b>","e":"","o":{"k":[1]}}"#);
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
        assert!(shown("[1,2]").contains("<dt><span></span></dt><dd><pre>[\n  1,\n  2\n]</pre>"));
        assert!(shown("7").contains("<span>7</span>"));
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
