//! Events over time as bars: numbers into pictures that say in words what they show.
use super::text::grouped;
use super::when;
use crate::domain::Hour;
use crate::html;
use crate::views::html::Html;

/// A row's bars are told apart from this many events on: a single event must not look like a flood.
const FLOOR: i64 = 6;
/// Height of a row's bars, and the least of one that is there at all.
const ROW: i64 = 15;
const LEAST: i64 = 2;

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Hour,
    Day,
}

struct Bar {
    name: String,
    events: i64,
    errors: i64,
}

/// What a chart shows: events in each of some hours, or days.
pub struct Series {
    unit: Unit,
    bars: Vec<Bar>,
}

impl Series {
    /// Each hour up to and with `last`, in whole hours since 1970.
    pub fn by_hour(hours: &[Hour], last: i64) -> Series {
        let first = last + 1 - hours.len() as i64;
        let bars = hours.iter().zip(first..).map(|(hour, at)| bar(when::hour(at), std::slice::from_ref(hour)));
        Series { unit: Unit::Hour, bars: bars.collect() }
    }

    /// Each day up to and with the one that `last` is in. The first hour begins a day.
    pub fn by_day(hours: &[Hour], last: i64) -> Series {
        let first = last + 1 - hours.len() as i64;
        let days = hours.chunks(24).zip((first..).step_by(24));
        let name = |at: i64| format!("{}{}", when::weekday(at), if at / 24 == last / 24 { " so far" } else { "" });
        Series { unit: Unit::Day, bars: days.map(|(day, at)| bar(name(at), day)).collect() }
    }

    pub fn events(&self) -> i64 {
        self.bars.iter().map(|bar| bar.events).sum()
    }

    pub fn errors(&self) -> i64 {
        self.bars.iter().map(|bar| bar.errors).sum()
    }

    /// The first of the largest, if any has an event.
    fn peak(&self) -> Option<&Bar> {
        self.bars.iter().rev().max_by_key(|bar| bar.events).filter(|bar| bar.events > 0)
    }

    /// Bars, `height` high, and below them where they begin, how high they are, and where they end.
    pub fn figure(&self, height: i64, with_errors: bool, ends: [&str; 2]) -> Html {
        let peak = self.peak().map(|peak| match self.unit {
            Unit::Hour => html!("<span>peak {} at {}</span>", grouped(peak.events), peak.name),
            Unit::Day => html!("<span>peak {}</span>", grouped(peak.events)),
        });
        html!(
            "<figure class=\"chart\"><svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">{}{}</svg>\n\
             <figcaption><span>{}</span>{}<span>{}</span></figcaption></figure>\n",
            10 * self.bars.len(),
            height,
            self.name(with_errors),
            self.bars(height),
            with_errors.then(|| self.share_of_errors(height)),
            ends[0],
            peak,
            ends[1]
        )
    }

    /// What the chart shows, for those who do not see it.
    fn name(&self, with_errors: bool) -> String {
        let (over, at) = match self.unit {
            Unit::Hour => (format!("Events an hour over the last {} hours", self.bars.len()), "at"),
            Unit::Day => (format!("Events a day over the last {} days", self.bars.len()), "on"),
        };
        let Some(peak) = self.peak() else { return format!("{over}: none") };
        let errors = match (with_errors, self.errors()) {
            (false, _) => String::new(),
            (true, 0) => ", none of them errors".into(),
            (true, errors) => format!(", {} of them errors", grouped(errors)),
        };
        let (all, most) = (grouped(self.events()), grouped(peak.events));
        format!("{over}: {all} in all{errors}, most {at} {} with {most}", peak.name)
    }

    /// Those that have events, each with its name and number to hover over.
    fn bars(&self, height: i64) -> Html {
        let scale = self.peak().map_or(1, |peak| peak.events);
        let bars = self.bars.iter().enumerate().filter(|(_, bar)| bar.events > 0);
        let bars = bars.map(|(at, bar)| {
            let high = scaled(bar.events, scale, height).max(1);
            html!(
                "<rect x=\"{}\" y=\"{}\" width=\"8\" height=\"{}\"><title>{}: {}</title></rect>",
                10 * at + 1,
                height - high,
                high,
                bar.name,
                grouped(bar.events)
            )
        });
        bars.collect()
    }

    /// In front of the bars, as one path.
    fn share_of_errors(&self, height: i64) -> Html {
        let scale = self.peak().map_or(1, |peak| peak.events);
        let bars = self.bars.iter().enumerate().filter(|(_, bar)| bar.errors > 0);
        let bars = bars.map(|(at, bar)| {
            let high = scaled(bar.errors.min(bar.events), scale, height).max(1);
            html!("M{} {}v-{}h8v{}z", 10 * at + 1, height, high, high)
        });
        html!("<path class=\"error\" d=\"{}\"/>", bars.collect::<Html>())
    }

    /// The same as numbers.
    pub fn table(&self) -> Html {
        let rows = self
            .bars
            .iter()
            .map(|bar| html!("<tr><td>{}</td><td class=\"num\">{}</td></tr>\n", bar.name, grouped(bar.events)));
        html!(
            "<table>\n<tr><th scope=\"col\">Day</th><th scope=\"col\" class=\"num\">Events</th></tr>\n{}</table>\n",
            rows.collect::<Html>()
        )
    }
}

/// The counts are kept by adding and taking away: below 0 is 0.
fn bar(name: String, hours: &[Hour]) -> Bar {
    let sum = |part: fn(&Hour) -> i64| hours.iter().map(|hour| part(hour).max(0)).sum();
    Bar { name, events: sum(|hour| hour.events), errors: sum(|hour| hour.errors) }
}

/// To the nearest whole number.
fn scaled(n: i64, scale: i64, height: i64) -> i64 {
    let (n, scale, height) = (i128::from(n), i128::from(scale), i128::from(height));
    ((2 * n * height + scale) / (2 * scale)) as i64
}

/// One issue's last hours, up to and with `last`, as a row of the list shows them: one path, empty hours left out.
pub fn row(hours: Option<&[i64]>, last: i64) -> Html {
    let hours = hours.unwrap_or_default();
    let most = hours.iter().copied().max().unwrap_or_default();
    let Some(at) = hours.iter().position(|events| *events == most && most > 0) else {
        return html!("<svg viewBox=\"0 0 96 16\" role=\"img\" aria-label=\"Last 24 hours: none\"></svg>");
    };
    let bars = hours.iter().enumerate().filter(|(_, events)| **events > 0);
    let bars =
        bars.map(|(at, events)| html!("M{} 16v-{}", 4 * at + 2, scaled(*events, most.max(FLOOR), ROW).max(LEAST)));
    html!(
        "<svg viewBox=\"0 0 96 16\" role=\"img\" aria-label=\"Last 24 hours: {}, most at {}: {}\"><path d=\"{}\"/></svg>",
        grouped(hours.iter().filter(|events| **events > 0).sum()),
        when::hour(last + 1 - (hours.len() - at) as i64),
        grouped(most),
        bars.collect::<Html>()
    )
}
