//! How times are written: an age to read, with the exact time in UTC as its title.
use super::html::{Html, html};
use crate::time::{Date, Time};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 31_556_952; // the mean Gregorian year

/// `24 s`, as a `time` element.
pub fn age(time: Time, now: Time) -> Html {
    element(time, &since(time, now))
}

/// `24 s`, as plain text.
pub fn since(time: Time, now: Time) -> String {
    span(now.millis() - time.millis())
}

/// How long after an event happened it was received: `2 s later`, or `3 h earlier` if the client's clock is ahead.
pub fn delay(event: Time, received: Time) -> String {
    match received.millis() - event.millis() {
        -999..1000 => "at once".to_string(),
        late @ 1000.. => format!("{} later", span(late)),
        early => format!("{} earlier", span(-early)),
    }
}

/// `3 h ago, 09:52 UTC`, as a `time` element: for wherever there is room.
pub fn ago_at(time: Time, now: Time) -> Html {
    element(time, &format!("{} ago, {}", since(time, now), short(time, now)))
}

/// The same without the age.
pub fn moment(time: Time, now: Time) -> Html {
    element(time, &short(time, now))
}

/// `09:52 UTC` today, otherwise `18 Nov, 09:52 UTC`, and `18 Nov 2025, 09:52 UTC` in another year.
pub fn short(time: Time, now: Time) -> String {
    let (date, today, (hour, minute, _)) = (time.date(), now.date(), time.clock());
    let day = match () {
        _ if date == today => String::new(),
        _ if date.year == today.year => format!("{}, ", short_date(date)),
        _ => format!("{} {}, ", short_date(date), date.year),
    };
    format!("{day}{hour:02}:{minute:02} UTC")
}

/// `24 Nov 2026, 18:42:06 UTC`.
pub fn exact(time: Time) -> String {
    let (Date { year, month, day }, (hour, minute, second)) = (time.date(), time.clock());
    format!("{day} {} {year}, {hour:02}:{minute:02}:{second:02} UTC", MONTHS[month as usize - 1])
}

/// `18:00`. Hours are counted from 1970, here and below.
pub fn hour(hour: i64) -> String {
    format!("{:02}:00", hour.rem_euclid(24))
}

/// `Tue 24 Nov`.
pub fn weekday(hour: i64) -> String {
    let weekday = WEEKDAYS[(hour.div_euclid(24) + 3).rem_euclid(7) as usize]; // 1 January 1970 was a Thursday
    format!("{weekday} {}", date_of_hour(hour))
}

/// `24 Nov`.
pub fn date_of_hour(hour: i64) -> String {
    short_date(Time::from_millis(hour * HOUR * 1000).unwrap_or(Time::EPOCH).date())
}

fn short_date(date: Date) -> String {
    format!("{} {}", date.day, MONTHS[date.month as usize - 1])
}

/// Issues first seen within a day are marked `new`.
pub fn is_new(first_seen: Time, now: Time) -> bool {
    now.millis() - first_seen.millis() < DAY * 1000
}

fn element(time: Time, text: &str) -> Html {
    html!(r#"<time datetime="{}" title="{}">{}</time>"#, time, exact(time), text)
}

/// In the largest unit that is not 0, except that up to 60 days are days and up to two years are months.
fn span(millis: i64) -> String {
    let seconds = millis.max(0) / 1000; // the clock may have been set back since
    let units =
        [(MINUTE, 1, "s"), (HOUR, MINUTE, "min"), (DAY, HOUR, "h"), (60 * DAY, DAY, "d"), (2 * YEAR, YEAR / 12, "mo")];
    let unit = units.into_iter().find(|(end, ..)| seconds < *end);
    let (_, length, name) = unit.unwrap_or((i64::MAX, YEAR, "y"));
    format!("{} {name}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn ages_have_one_unit() {
        let ages = [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (86_399, "23 h"), (59 * DAY, "59 d")];
        for (seconds, text) in ages.into_iter().chain([(96 * DAY, "3 mo"), (700 * DAY, "22 mo"), (731 * DAY, "2 y")]) {
            assert_eq!(span(seconds * 1000), text);
        }
    }

    #[test]
    fn an_age_has_the_exact_time_as_its_title() {
        let html = age(at("2026-11-24T18:42:06.123Z"), at("2026-11-24T18:42:30.123Z"));
        let attributes = r#"datetime="2026-11-24T18:42:06.123Z" title="24 Nov 2026, 18:42:06 UTC""#;
        assert_eq!(html.as_str(), format!("<time {attributes}>24 s</time>"));
    }

    #[test]
    fn a_time_leaves_out_the_date_today_and_the_year_this_year() {
        let short = |time| short(at(time), at("2026-11-24T18:42:30Z"));
        assert_eq!(short("2026-11-24T08:02:06Z"), "08:02 UTC");
        assert_eq!(short("2026-11-08T08:02:06Z"), "8 Nov, 08:02 UTC");
        assert_eq!(short("2025-11-24T08:02:06Z"), "24 Nov 2025, 08:02 UTC");
    }

    #[test]
    fn days_have_names() {
        assert_eq!((weekday(0), weekday(at("2026-11-24T18:42:30Z").hour())), ("Thu 1 Jan".into(), "Tue 24 Nov".into()));
    }

    #[test]
    fn a_delay_counts_from_when_the_event_happened() {
        let delay = |received| delay(at("2026-11-24T08:00:00Z"), at(received));
        assert_eq!(delay("2026-11-24T08:00:00.999Z"), "at once");
        assert_eq!(delay("2026-11-24T08:00:02Z"), "2 s later");
        assert_eq!(delay("2026-11-24T05:00:00Z"), "3 h earlier");
    }
}
