//! `?format=md`: an issue or an event as Markdown of at most 8 KB, to paste into a ticket or to give to an assistant.
use super::extra::rows;
use super::screen::{Screen, curl, harmless};
use super::trace;
use crate::domain::StoredEvent;
use crate::views::carried::sections;
use crate::views::event::EventPage;
use crate::views::issue::IssuePage;
use crate::views::text::{counted, cut, first_line, grouped};
use crate::views::times;
use crate::views::trace::Traces;

/// Maximum bytes of all of it, of the message, and of each section after the stack trace, which has the rest.
const ALL: usize = 8 << 10;
const MESSAGE: usize = 1500;
const SECTION: usize = 900;
/// Maximum characters of the title and of a fact.
const TITLE: usize = 200;
const FACT: usize = 100;

pub fn issue(page: &IssuePage, origin: &str) -> String {
    let IssuePage { issue, newest, now, .. } = *page;
    let seen = |time| format!("{} ago, {}", times::since(time, now), times::exact(time));
    let first = issue.first_release.as_ref().map(|release| format!(", in {release}")).unwrap_or_default();
    let facts = [
        ("Events", grouped(issue.count)),
        ("Users", if issue.users > 0 { grouped(issue.users) } else { String::new() }),
        ("First seen", seen(issue.first_seen) + &first),
        ("Last seen", seen(issue.last_seen)),
        ("State", issue.state.as_str().into()),
        ("In", issue.culprit.clone().unwrap_or_default()),
    ];
    report(newest, &page.traces, facts, &format!("/issues/{}", issue.id), origin)
}

pub fn event(page: &EventPage, origin: &str) -> String {
    let received = page.event.summary.received_at;
    let issue = format!("issue {}, {}", page.issue.id, counted(page.issue.count, "event"));
    let facts = [("Received", times::exact(received)), ("One of", issue)];
    report(page.event, &page.traces, facts, &format!("/events/{}", page.event.summary.id), origin)
}

fn report<const N: usize>(
    event: &StoredEvent,
    traces: &Traces,
    facts: [(&str, String); N],
    path: &str,
    origin: &str,
) -> String {
    let summary = &event.summary;
    let line = first_line(&summary.message);
    let kind = summary.r#type.as_deref().unwrap_or_default();
    let between = if kind.is_empty() || line.is_empty() { "" } else { ": " };
    let mut text = format!("# {}\n\n", inline(&format!("{kind}{between}{line}"), TITLE));
    let text_of = |field: &Option<String>| field.clone().unwrap_or_default();
    let sent = [
        ("Level", summary.level.as_str().to_string() + if event.unhandled { ", unhandled" } else { "" }),
        ("Project", event.project.clone()),
        ("Environment", text_of(&summary.environment)),
        ("Release", text_of(&summary.release)),
        ("Server", text_of(&summary.server_name)),
        ("Platform", text_of(&event.platform)),
    ];
    for (name, value) in facts.into_iter().chain(sent).filter(|(_, value)| !value.is_empty()) {
        text += &format!("- {name}: {}\n", inline(&value, FACT));
    }
    text += &format!("- Page: <{origin}{path}>\n");
    let json = curl(origin, &format!("/api/events/{}", summary.id));
    if summary.message.trim().len() > line.len() {
        text += &block("Message", MESSAGE, &json, |screen| screen.lines(0, summary.message.trim()));
    }
    let shown = |heading: &str| ["Request", "Tags"].contains(&heading);
    let rest = sections(event).filter(|part| shown(part.heading));
    let rest: String =
        rest.map(|part| block(part.heading, SECTION, &json, |screen| rows(screen, &part.rows))).collect();
    if !traces.is_empty() {
        let room = ALL.saturating_sub(text.len() + rest.len() + 500); // for the fence and the line about the rest
        text += &block("Stack trace", room, &json, |screen| trace::body(screen, traces));
    }
    text + &rest
}

/// A heading, and what `write` writes in a fence that nothing in it can close.
fn block(heading: &str, bytes: usize, json: &str, write: impl FnOnce(&mut Screen)) -> String {
    let mut screen = Screen::default();
    screen.part(bytes, json, write);
    let text = screen.into_string();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n## {heading}\n\n{fence}text\n{}\n{fence}\n", text.trim_matches('\n'))
}

/// One line in which nothing is markup.
fn inline(text: &str, max: usize) -> String {
    let mut line = String::new();
    for c in cut(text, max).chars().map(harmless) {
        if "\\`*_[]<#|&!".contains(c) {
            line.push('\\');
        }
        line.push(c);
    }
    line
}
