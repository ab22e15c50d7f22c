//! The strip above the list: how many issues are open, and the events of the last day or fortnight.
use super::chart::Series;
use super::html::{Html, html};
use super::layout::choice;
use super::list_url::{ListRequest, Period};
use super::text::{count, plural};
use crate::domain::Hour;
use crate::time::Time;

/// Height of the chart in SVG units. The style sheet stretches it to the width of the page.
const HEIGHT: i64 = 40;

/// `hours` are those of the requested period.
pub fn overview(asked: ListRequest, open: i64, hours: &[Hour], now: Time) -> Html {
    let (hour, minute, _) = now.clock();
    let (series, name, end) = match asked.period {
        Period::Day => (Series::by_hour(hours, now.hour()), "24 h", format!("{hour:02}:{minute:02} UTC")),
        Period::Fortnight => (Series::by_day(hours, now.hour()), "14 d", "today, UTC".into()),
    };
    let periods = [(Period::Day, "24 h"), (Period::Fortnight, "14 d")];
    let periods =
        periods.map(|(period, name)| choice(&asked.with_period(period), html!("{}", name), asked.period == period));
    html!(
        "<section class=\"now\" aria-label=\"Activity\">\n\
         <p><b>{}</b> open</p><p><b>{}</b> event{} in {}</p><p><b>{}</b> error{}</p>\n\
         <nav aria-label=\"Period\">{}</nav>\n{}</section>\n",
        count(open),
        count(series.events()),
        plural(series.events()),
        name,
        count(series.errors()),
        plural(series.errors()),
        Html::join(periods, &html!(" ")),
        series.figure(HEIGHT, &end)
    )
}
