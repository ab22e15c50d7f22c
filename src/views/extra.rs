//! Rows of names and values: scalars as text, the rest as indented JSON, long values folded.
use super::carried::{Form, Row, Section};
use super::html::{Html, html};
use super::list_url::matching;
use super::pretty_json::{on_one_line, pretty};
use super::text::{MarkupBudget, counted, cut, grouped};
use crate::event::json;

/// Maximum characters of a name.
pub const NAME: usize = 200;
/// Values with more lines or more characters are folded.
const LINES: usize = 40;
const CHARACTERS: usize = 4000;
/// Approximate bytes of markup for a row besides its text.
const ROW: usize = 100;
/// Maximum bytes of a row's details that are not folded.
pub const DETAILS: usize = 200;
/// Rows of a table that are not folded, the last.
const TABLE: usize = 20;

/// A section with its heading, as far as the budget allows.
pub fn section(section: &Section, fold_minor: bool, budget: &mut MarkupBudget) -> Option<Html> {
    budget.pay(ROW)?;
    let note = (!section.note.is_empty()).then(|| html!(" <small>{}</small>", section.note));
    let heading = html!("<h2>{}{}</h2>", section.heading, note);
    Some(match section.form {
        Form::Table => html!("<section>\n{}\n{}</section>\n", heading, table(&section.rows, budget)),
        Form::Minor if fold_minor => {
            html!("<details><summary>{}</summary>\n{}</details>\n", heading, rows(&section.rows, budget))
        }
        _ => html!("<section>\n{}\n{}</section>\n", heading, rows(&section.rows, budget)),
    })
}

pub fn rows(rows: &[Row], budget: &mut MarkupBudget) -> Html {
    html!("<dl>\n{}</dl>\n", rows.iter().map_while(|entry| row(entry, budget)).collect::<Html>())
}

fn row(row: &Row, budget: &mut MarkupBudget) -> Option<Html> {
    budget.pay(ROW)?;
    if !row.folded.is_empty() {
        let folded = rows(&row.folded, budget);
        return Some(html!("</dl>\n<details><summary>{}</summary>\n{}</details>\n<dl>\n", row.name, folded));
    }
    let name = html!("{}", budget.take(&cut(&row.name, NAME)));
    let shown = value(&row.value, budget);
    let shown = match &row.term {
        Some(term) => html!("<a href=\"{}\">{}</a>", matching(term.clone()), shown),
        None => shown,
    };
    Some(html!("<dt><span>{}</span></dt><dd>{}</dd>\n", name, shown))
}

/// The last rows, and the earlier ones folded.
fn table(rows: &[Row], budget: &mut MarkupBudget) -> Html {
    let (earlier, last) = rows.split_at(rows.len().saturating_sub(TABLE));
    let table = |rows: &[Row], budget: &mut MarkupBudget| {
        let rows = rows.iter().map_while(|row| table_row(row, budget)).collect::<Html>();
        html!("<table class=\"crumbs\">\n{}</table>\n", rows)
    };
    let earlier = (!earlier.is_empty()).then(|| {
        let count = grouped(earlier.len() as i64);
        html!("<details><summary>{} earlier</summary>\n{}</details>\n", count, table(earlier, budget))
    });
    html!("{}{}", earlier, table(last, budget))
}

fn table_row(row: &Row, budget: &mut MarkupBudget) -> Option<Html> {
    budget.pay(ROW)?;
    let kind = html!("{}", budget.take(&cut(&row.kind, NAME)));
    let shown = value(&row.value, budget);
    let details = row.details.as_deref().map(|json| match on_one_line(json, DETAILS) {
        Some((line, _)) => html!("<code>{}</code>", budget.take(&line)),
        None => html!("<details><summary>data</summary>{}</details>", value(json, budget)),
    });
    Some(html!("<tr><td>{}</td><td><span>{}</span></td><td>{}{}</td></tr>\n", row.name, kind, shown, details))
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
            "<dd><pre>{&quot;k&quot;: [1]}</pre></dd>",
        ] {
            assert!(html.contains(row), "{row} in {html}");
        }
    }

    #[test]
    fn json_that_is_not_an_object_is_shown_whole() {
        assert!(shown("[1,2]").contains("<dt><span></span></dt><dd><pre>[1, 2]</pre>"));
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
