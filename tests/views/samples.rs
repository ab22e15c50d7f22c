//! Sample issues and events, and the pages that show them.
use obs::domain::{
    Choices, Cursor, Facet, FailedAlert, Found, HistoryEntry, Hour, Issue, IssueState, Level, Neighbours, Page,
    Position, StoredEvent, Summary,
};
use obs::query::{Listing, Query, Sort};
use obs::store::SourceMapInfo;
use obs::time::Time;
use obs::views;
use obs::views::{
    CameFrom, Done, EventPage, Figures, IssuePage, ListPage, ListRequest, Period, SourceMapsPage, Traces,
};
use std::collections::HashMap;

/// In bytes.
pub const LARGEST_PAGE: usize = 2_500_000;
pub const HOSTILE: &str = r#"<script>alert("no")</script><img src=x onerror='no'>&lt;"#;

pub fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub fn now() -> Time {
    at("2026-11-24T18:42:30Z")
}

/// An event with `text` in every field that a client can set, including its traces and JSON.
pub fn event(text: &str) -> StoredEvent {
    let quoted = serde_json::to_string(text).unwrap();
    let own = format!(
        r#"{{"filename":{quoted},"function":{quoted},"lineno":7,"in_app":true,"pre_context":[{quoted}],"context_line":{quoted},"post_context":[{quoted}]}}"#
    );
    let library = format!(r#"{{"filename":{quoted},"function":{quoted},"in_app":false}}"#);
    let stacktrace = format!("[{own},{quoted},{own},{library},{library},{library},{{}}]");
    let json = format!("{{{quoted}:{quoted},\"object\":{{{quoted}:[{quoted},1]}}}}");
    StoredEvent {
        summary: summary(text),
        issue_id: 1,
        project: text.into(),
        platform: Some(text.into()),
        suppressed: Some(12),
        unhandled: true,
        tags: Some(format!("{{{quoted}:{quoted}}}")),
        user: Some(json.clone()),
        request: Some(format!(r#"{{"method":{quoted},"url":{quoted},"headers":{json},"data":{json}}}"#)),
        breadcrumbs: Some(format!(
            r#"[{{"timestamp":1,"category":{quoted},"message":{quoted},"data":{json}}},{quoted}]"#
        )),
        contexts: Some(format!(r#"{{"os":{{"name":{quoted},"version":{quoted}}},{quoted}:{json}}}"#)),
        fingerprint: Some(format!("[{quoted},\"b\"]")),
        causes: Some(format!(
            r#"[{{"type":{quoted},"message":{quoted},"stacktrace":{stacktrace}}},{quoted},{{"message":7}}]"#
        )),
        stacktrace: Some(stacktrace),
        extra: Some(json.clone()),
        more: Some(json),
    }
}

pub fn summary(text: &str) -> Summary {
    Summary {
        seq: 9,
        id: "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91".into(),
        level: Level::Error,
        r#type: Some(text.into()),
        message: text.into(),
        timestamp: at("2026-11-24T18:42:04Z"),
        received_at: at("2026-11-24T18:42:06Z"),
        environment: Some(text.into()),
        server_name: Some(text.into()),
        release: Some(text.into()),
    }
}

pub fn issue(text: &str) -> Issue {
    Issue {
        id: 41,
        project: text.into(),
        title: text.into(),
        culprit: Some(text.into()),
        grouped_by: text.into(),
        count: 1204,
        users: 3,
        unhandled: true,
        stored: 417,
        first_seen: at("2026-11-11T17:42:30Z"),
        first_release: Some(text.into()),
        state: IssueState::Open,
        reopened_at: None,
        resolved_at: None,
        last_seen: at("2026-11-24T18:42:06Z"),
        last_event_id: "0193a5c2-77ab-7d10-9b1e-5d2f0c4e8a91".into(),
        level: Level::Error,
        r#type: Some(text.into()),
        message: text.into(),
        platform: Some(text.into()),
        environment: Some(text.into()),
        release: Some(text.into()),
        last_seq: 9,
    }
}

pub fn page<T: Clone>(row: &T) -> Page<T> {
    Page { rows: vec![row.clone(); 50], newer: Some(place(99)), older: Some(place(7)) }
}

pub fn place(key: i64) -> Position {
    Position { key, id: 0 }
}

pub fn no_rows<T>(newer: Option<i64>) -> Page<T> {
    Page { rows: Vec::new(), newer: newer.map(place), older: None }
}

pub fn listing(q: &str) -> Listing {
    Listing { query: Query::parse(q), text: q.into(), sort: Sort::default(), cursor: Cursor::Newest }
}

pub fn figures(issues: i64, hours: Vec<Hour>) -> Figures {
    Figures { issues, is_complete: true, hours: Some(hours), any_state: false }
}

pub fn choices(values: &[&str], more: i64) -> Choices {
    Choices { values: values.iter().map(|value| value.to_string()).collect(), more }
}

/// A list page, with nothing around its rows unless a test sets it.
pub struct Shown {
    pub listing: Listing,
    pub period: Period,
    pub found: Found<Issue>,
    pub figures: Figures,
    pub issue_hours: HashMap<i64, Vec<Hour>>,
    pub environments: Choices,
    pub releases: Choices,
    pub done: Option<Done>,
    pub refresh: Option<u32>,
    pub projects: Vec<&'static str>,
    pub may_act: bool,
}

impl Shown {
    pub fn new(q: &str, rows: Page<Issue>) -> Shown {
        Shown {
            listing: listing(q),
            period: Period::Day,
            found: Found { page: rows, scanned: None },
            figures: figures(14, vec![Hour::default(); 24]),
            issue_hours: HashMap::new(),
            environments: Choices::default(),
            releases: Choices::default(),
            done: None,
            refresh: None,
            projects: Vec::new(),
            may_act: true,
        }
    }

    pub fn html(&self) -> String {
        let list = ListPage {
            asked: ListRequest { listing: &self.listing, period: self.period, refresh: self.refresh },
            found: &self.found,
            figures: &self.figures,
            issue_hours: &self.issue_hours,
            states: &[(IssueState::Open, 14), (IssueState::Resolved, 1203), (IssueState::Ignored, 6)],
            environments: &self.environments,
            releases: &self.releases,
            projects: &self.projects,
            newest_issue: 41,
            done: self.done.as_ref(),
            may_act: self.may_act,
            now: now(),
        };
        views::issues(&list).into_string()
    }
}

pub fn list(rows: Page<Issue>) -> String {
    Shown::new("", rows).html()
}

static EVERYTHING: Query = Query(Vec::new());
static NOWHERE: CameFrom = CameFrom(String::new());

pub fn found<T>(page: Page<T>) -> Found<T> {
    Found { page, scanned: None }
}

pub fn whole<'a>(issue: &'a Issue, newest: &'a StoredEvent, events: &'a Found<Summary>) -> IssuePage<'a> {
    let (query, came_from, now) = (&EVERYTHING, &NOWHERE, now());
    let (hours, facets, history) = (&[], &[], &[]);
    let traces = Traces::parse(newest);
    IssuePage {
        issue,
        newest,
        traces,
        events,
        query,
        came_from,
        done: None,
        hours,
        facets,
        history,
        failed_alert: None,
        may_act: true,
        now,
    }
}

/// The page of an event, with nothing around it.
pub fn alone<'a>(event: &'a StoredEvent, issue: &'a Issue, neighbours: &'a Neighbours) -> EventPage<'a> {
    EventPage {
        event,
        traces: Traces::parse(event),
        issue,
        neighbours,
        came_from: &NOWHERE,
        done: None,
        may_act: true,
        now: now(),
    }
}

pub fn issue_page(issue: &Issue, newest: &StoredEvent, events: &Page<Summary>) -> String {
    views::issue(&whole(issue, newest, &found(events.clone()))).into_string()
}

pub fn event_page(event: &StoredEvent, issue: &Issue, older: Option<&Summary>, newer: Option<&Summary>) -> String {
    let neighbours = Neighbours { older: older.cloned(), newer: newer.cloned(), ..Neighbours::default() };
    views::event(&alone(event, issue, &neighbours)).into_string()
}

/// Every page that shows this event; the list pages with a query made of its text.
pub fn pages(event: &StoredEvent, issue: &Issue) -> [String; 5] {
    let (one, text) = (Some(&event.summary), event.project.as_str());
    let facet = |kind: &str| Facet { kind: kind.into(), values: vec![(text.to_string(), 7); 10], other: 3 };
    let facets = ["environment", "release", "server_name", "tag:x"].map(facet);
    let hours = vec![Hour { events: i64::MAX / 1000, errors: 1 }; Period::Fortnight.hours(now())];
    let history = [HistoryEntry { at: now(), what: "merged".into(), other: Some(3) }];
    let events = found(page(&event.summary));
    let failed = FailedAlert { why: text.into(), retry_at: Some(now()) };
    let whole = IssuePage {
        facets: &facets,
        hours: &hours,
        history: &history,
        failed_alert: Some(&failed),
        ..whole(issue, event, &events)
    };
    let query: String = format!("{text} env:{text} \"{text}\"").chars().take(1000).collect();
    let mut shown = Shown::new(&query, page(issue));
    shown.environments = choices(&[text; 10], i64::MAX);
    shown.releases = shown.environments.clone();
    shown.figures = figures(i64::MAX / 1000, hours[..24].to_vec());
    shown.issue_hours.insert(issue.id, vec![Hour { events: i64::MAX / 1000, errors: 0 }; 24]);
    let mut nothing = Shown::new(&query, no_rows(None));
    nothing.environments = shown.environments.clone();
    nothing.figures.is_complete = false;
    let map = SourceMapInfo {
        id: i64::MAX,
        path: text.into(),
        release: Some(text.into()),
        debug_ids: vec![text.into()],
        uploaded_at: text.into(),
        used_at: text.into(),
        bytes: 1 << 40,
        sources: 2,
        with_content: 1,
    };
    let maps = SourceMapsPage { maps: &[map], next: Some(1), bytes: 1, max_bytes: 1 << 40, may_act: true };
    let maps = views::source_maps(&maps).into_string();
    [shown.html(), nothing.html(), views::issue(&whole).into_string(), event_page(event, issue, one, one), maps]
}
