//! Bar charts of events over time, each with a text alternative.
use super::html::{Html, html};
use super::text::grouped;
use super::times;
use crate::domain::Hour;

/// A row's chart is scaled to at least this many events, so that a single event does not look like a flood.
const ROW_SCALE: i64 = 6;
/// Height of a row's chart, and the minimum height of a bar in it.
const ROW_HEIGHT: i64 = 15;
const ROW_BAR: i64 = 2;

struct Bar {
    name: String,
    events: i64,
    errors: i64,
}

/// Events over time, one bar per hour or per day.
pub struct Series {
    bars: Vec<Bar>,
    /// The label below the first bar.
    start: String,
    /// `Events an hour over the last 24 hours`.
    title: String,
    /// `at` an hour, `on` a day.
    preposition: &'static str,
}

impl Series {
    /// One bar per hour. The last hour is `last`, in whole hours since 1970.
    pub fn by_hour(hours: &[Hour], last: i64) -> Series {
        let first = last + 1 - hours.len() as i64;
        let start = format!("{} h ago", hours.len());
        let title = format!("Events an hour over the last {} hours", hours.len());
        let day = |at: i64| if hours.len() > 24 { times::weekday(at) + " " } else { String::new() };
        let name = |at: i64| format!("{}{}", day(at), times::hour(at));
        let bars = (first..).zip(hours.chunks(1)).map(|(at, hours)| bar(name(at), hours)).collect();
        Series { bars, start, title, preposition: "at" }
    }

    /// One bar per day. The first hour starts a day; the last is `last`, in whole hours since 1970.
    pub fn by_day(hours: &[Hour], last: i64) -> Series {
        let first = last + 1 - hours.len() as i64;
        let name = |at: i64| format!("{}{}", times::weekday(at), if at / 24 == last / 24 { " so far" } else { "" });
        let days = (first..).step_by(24).zip(hours.chunks(24));
        let bars: Vec<Bar> = days.map(|(at, hours)| bar(name(at), hours)).collect();
        let title = format!("Events a day over the last {} days", bars.len());
        Series { bars, start: times::date_of_hour(first), title, preposition: "on" }
    }

    pub fn events(&self) -> i64 {
        self.bars.iter().map(|bar| bar.events).sum()
    }

    pub fn errors(&self) -> i64 {
        self.bars.iter().map(|bar| bar.errors).sum()
    }

    /// The first of the highest bars, if there are any events.
    fn peak(&self) -> Option<&Bar> {
        self.bars.iter().rev().max_by_key(|bar| bar.events).filter(|bar| bar.events > 0)
    }

    /// The chart, `height` units high; below it its start, its peak and its `end`.
    pub fn figure(&self, height: i64, end: &str) -> Html {
        let peak = self.peak();
        let scale = peak.map_or(1, |peak| peak.events);
        let high = |events: i64| scaled(events, scale, height).max(1);
        let bars = || (1i64..).step_by(10).zip(&self.bars);
        let events = bars().filter(|(_, bar)| bar.events > 0).map(|(x, bar)| {
            let high = high(bar.events);
            let rect = html!("<rect x=\"{}\" y=\"{}\" width=\"8\" height=\"{}\">", x, height - high, high);
            html!("{}<title>{}: {}</title></rect>", rect, bar.name, grouped(bar.events))
        });
        let errors = bars().filter(|(_, bar)| bar.errors > 0).map(|(x, bar)| {
            let high = high(bar.errors.min(bar.events));
            html!("M{} {}v-{}h8v{}z", x, height, high, high)
        });
        let errors: Html = errors.collect();
        html!(
            "<figure class=\"chart\"><svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\
             {}{}</svg>\n<figcaption><span>{}</span>{}<span>{}</span></figcaption></figure>\n",
            10 * self.bars.len(),
            height,
            self.description(),
            events.collect::<Html>(),
            (self.errors() > 0).then(|| html!("<path class=\"error\" d=\"{}\"/>", errors)),
            self.start,
            peak.map(|peak| html!("<span>peak {} {} {}</span>", grouped(peak.events), self.preposition, peak.name)),
            end
        )
    }

    /// The text alternative.
    fn description(&self) -> String {
        let Some(peak) = self.peak() else { return format!("{}: none", self.title) };
        let errors = match self.errors() {
            0 => String::new(),
            errors => format!(", {} of them errors", grouped(errors)),
        };
        let (total, most) = (grouped(self.events()), grouped(peak.events));
        format!("{}: {total} in all{errors}, most {} {} with {most}", self.title, self.preposition, peak.name)
    }

    /// The chart's numbers, for an issue.
    pub fn table(&self) -> Html {
        let row = |bar: &Bar| html!("<tr><td>{}</td><td class=\"num\">{}</td></tr>\n", bar.name, grouped(bar.events));
        html!(
            "<table>\n<tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"num\">Events</th></tr>\n{}</table>\n",
            if self.preposition == "at" { "Hour" } else { "Day" },
            self.bars.iter().map(row).collect::<Html>()
        )
    }
}

/// A count below 0 is drawn as 0.
fn bar(name: String, hours: &[Hour]) -> Bar {
    let sum = |part: fn(&Hour) -> i64| hours.iter().map(|hour| part(hour).max(0)).sum();
    Bar { name, events: sum(|hour| hour.events), errors: sum(|hour| hour.errors) }
}

fn scaled(events: i64, scale: i64, height: i64) -> i64 {
    (events as f64 * height as f64 / scale as f64).round() as i64
}

/// The last 24 hours of an issue in the list, as one path without the empty hours.
pub fn row(hours: &[Hour], last: i64) -> Html {
    let hours: Vec<i64> = hours.iter().map(|hour| hour.events).collect();
    let peak = hours.iter().copied().enumerate().rev().max_by_key(|(_, events)| *events);
    let Some((at, most)) = peak.filter(|(_, most)| *most > 0) else {
        return html!("<svg viewBox=\"0 0 96 16\" role=\"img\" aria-label=\"Last 24 hours: none\"></svg>");
    };
    let high = |events: i64| scaled(events, most.max(ROW_SCALE), ROW_HEIGHT).max(ROW_BAR);
    // The style sheet turns it upside down: bars that start at 0 take fewer bytes.
    let bars = (2i64..).step_by(4).zip(&hours).filter(|(_, events)| **events > 0);
    html!(
        "<svg viewBox=\"0 0 96 16\" role=\"img\" aria-label=\"Last 24 hours: {}, most at {}: {}\"><path d=\"{}\"/></svg>",
        grouped(hours.iter().map(|events| events.max(&0)).sum()),
        times::hour(last + 1 - (hours.len() - at) as i64),
        grouped(most),
        bars.map(|(x, events)| html!("M{} 0v{}", x, high(*events))).collect::<Html>()
    )
}
