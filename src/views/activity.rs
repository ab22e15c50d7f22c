//! What is going on, above the list: how many issues are open, and the events of the last day or fortnight.
use super::address::{ListRequest, Period};
use super::chart::Series;
use super::text::count;
use super::when;
use crate::domain::Hour;
use crate::html;
use crate::time::Time;
use crate::views::html::Html;

/// In units of the picture, which is stretched to the page's width.
const HEIGHT: i64 = 40;

/// `hours` are those of the period, as many as it has.
pub fn activity(asked: ListRequest, open: i64, hours: &[Hour], now: Time) -> Html {
    let last = now.hour();
    let (hour, minute, _) = now.clock();
    let (series, name, begin, end) = match asked.period {
        Period::Day => (Series::by_hour(hours, last), "24 h", "24 h ago".into(), format!("{hour:02}:{minute:02} UTC")),
        Period::Fortnight => {
            let begin = when::date_of_hour(last + 1 - hours.len() as i64);
            (Series::by_day(hours, last), "14 d", begin, "today, UTC".into())
        }
    };
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
        periods(asked),
        series.figure(HEIGHT, true, [&begin, &end])
    )
}

fn plural(n: i64) -> Option<&'static str> {
    (n != 1).then_some("s")
}

fn periods(asked: ListRequest) -> Html {
    let link = |(period, name): (Period, &str)| {
        let current = (asked.period == period).then(|| html!(" aria-current=\"true\""));
        html!("<a href=\"{}\"{}>{}</a>", asked.with_period(period), current, name)
    };
    Html::join([(Period::Day, "24 h"), (Period::Fortnight, "14 d")].map(link), &html!(" "))
}
