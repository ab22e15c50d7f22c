//! Points in time: UTC to the millisecond, read from ISO 8601 and written as `2026-11-24T18:42:06.123Z`.
use serde::{Serialize, Serializer};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const SECOND: i64 = 1000;
const DAY: i64 = 86_400 * SECOND;
/// The first millisecond after the year 9999, the last year that ISO 8601 writes with four digits.
const END: i64 = 253_402_300_800 * SECOND;

/// A larger number of Unix time is milliseconds. As seconds, it would be the year 5138.
const MAX_UNIX_SECONDS: f64 = 1e11;

/// Milliseconds since 1970, from the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(i64);

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    pub year: i64,
    pub month: u32,
    pub day: u32,
}

impl Time {
    pub const EPOCH: Time = Time(0);

    pub fn now() -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time((since.as_millis() as i64).min(END - 1)) // a clock before 1970 counts as 1970
    }

    pub fn from_millis(millis: i64) -> Option<Time> {
        (0..END).contains(&millis).then_some(Time(millis))
    }

    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole hours since 1970, as in the hourly counts.
    pub fn hour(self) -> i64 {
        self.0 / (3600 * SECOND)
    }

    pub fn date(self) -> Date {
        date_of(self.0.div_euclid(DAY))
    }

    /// The time of day: hour, minute, second.
    pub fn clock(self) -> (i64, i64, i64) {
        let second = self.0.rem_euclid(DAY) / SECOND;
        (second / 3600, second / 60 % 60, second % 60)
    }

    /// Reads ISO 8601: a date, `T` or a space, hours and minutes, optionally seconds, a fraction and an offset (`Z`,
    /// `UTC`, `±hh:mm`, `±hhmm`, `±hh`, perhaps after a space; UTC without one). The leap second 60 counts as 59.
    /// Returns `None` for impossible times (31 February, 24:00) and for those outside the years 1970 to 9999.
    pub fn parse(text: &str) -> Option<Time> {
        // `2026-11-24 18:42:06 UTC`, and Go's `… +0000 UTC`.
        let mut rest = text.strip_suffix(" UTC").unwrap_or(text).as_bytes();
        let year = digits(&mut rest, 4)?;
        let mut two_after = |separators: &[u8]| literal(&mut rest, separators).and_then(|_| digits(&mut rest, 2));
        let (month, day) = (two_after(b"-")?, two_after(b"-")?);
        let (hour, minute) = (two_after(b"Tt ")?, two_after(b":")?);
        let (mut second, mut millis) = (0, 0);
        if literal(&mut rest, b":").is_some() {
            second = digits(&mut rest, 2)?;
            if literal(&mut rest, b".,").is_some() {
                millis = fraction(&mut rest)?;
            }
        }
        let offset = offset(&mut rest)?;
        let second = if second == 60 { 59 } else { second };
        let days = days_of(year, month, day)?;
        if !rest.is_empty() || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = hour * 3600 + minute * 60 + second - offset * 60;
        Time::from_millis(days * DAY + seconds * SECOND + millis)
    }

    /// Reads a JSON number of Unix seconds, or of milliseconds if it is above 100,000,000,000. Truncates to milliseconds.
    pub fn parse_unix(number: &str) -> Option<Time> {
        let number: f64 = number.parse().ok()?;
        if number > MAX_UNIX_SECONDS {
            return Time::from_millis(number as i64); // saturates
        }
        // A thousandth more: otherwise the .999 of some seconds, which no f64 is exactly, would become .998.
        (number >= 0.0).then_some(Time((number * SECOND as f64 + 0.001) as i64))
    }
}

/// The stored and sent form: `2026-11-24T18:42:06.123Z`.
impl fmt::Display for Time {
    /// Writes digit by digit, because `write!` takes ten times as long and every event has two times.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (date, (hour, minute, second)) = (self.date(), self.clock());
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts =
            [(3, date.year), (6, date.month.into()), (9, date.day.into()), (12, hour), (15, minute), (18, second)];
        for (end, mut number) in parts.into_iter().chain([(22, self.0.rem_euclid(SECOND))]) {
            for digit in text[..=end].iter_mut().rev() {
                if number == 0 {
                    break;
                }
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn literal(rest: &mut &[u8], any: &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    any.contains(first).then(|| *rest = tail)?;
    Some(*first)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    head.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// Any number of digits after the point, as whole milliseconds.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    let place = |(b, worth): (&u8, i64)| i64::from(b - b'0') * worth;
    (count > 0).then(|| head.iter().zip([100, 10, 1]).map(place).sum())
}

/// Minutes east of UTC.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    literal(rest, b" ");
    if rest.is_empty() || literal(rest, b"Zz").is_some() {
        return Some(0);
    }
    let sign = if literal(rest, b"+-")? == b'-' { -1 } else { 1 };
    let hours = digits(rest, 2)?;
    let colon = literal(rest, b":").is_some();
    let minutes = if colon || !rest.is_empty() { digits(rest, 2)? } else { 0 };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// Days from 1970 to a date of the Gregorian calendar, if there is such a date. Years begin on 1 March here, so that the leap day is the last of
/// its year (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let march_year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    let days = march_year * 365 + leap_days + day_of_year - 719_468;
    // 30 February is a day in March.
    (date_of(days) == Date { year, month: month as u32, day: day as u32 }).then_some(days)
}

/// The inverse of [`days_of`], from the same source.
fn date_of(days: i64) -> Date {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * day_of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let day = day_of_year - (153 * part + 2) / 5 + 1;
    Date { year: era * 400 + year_of_era + i64::from(month <= 2), month: month as u32, day: day as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<String> {
        Time::parse(text).map(|t| t.to_string())
    }

    #[test]
    fn every_documented_form_means_the_same_instant() {
        for form in [
            "2024-01-15T10:20:30Z",
            "2024-01-15 10:20:30",
            "2024-01-15T12:20:30+02:00",
            "2024-01-15T12:20:30+0200",
            "2024-01-15T12:20:30+02",
            "2024-01-15T05:20:30-05:00",
            "2024-01-15T10:20:30.0009999Z",
            "2024-01-15t10:20:30z",
            "2024-01-15 10:20:30 UTC",
            "2024-01-15 10:20:30.0001 +0000 UTC",
            "2024-01-15 10:20:30 Z",
            "2024-01-15 12:20:30 +0200",
            "2024-01-15 05:20:30.000 -05:00",
        ] {
            assert_eq!(iso(form).as_deref(), Some("2024-01-15T10:20:30.000Z"), "{form}");
        }
        assert_eq!(iso("2024-01-15T23:59:60.5Z").as_deref(), Some("2024-01-15T23:59:59.500Z"));
        assert_eq!(iso("2024-01-15T10:20").as_deref(), Some("2024-01-15T10:20:00.000Z"));
        assert_eq!(iso("2024-01-15T10:20:30.98765Z").as_deref(), Some("2024-01-15T10:20:30.987Z"));
    }

    #[test]
    fn impossible_times_are_rejected() {
        for form in [
            "",
            "now",
            "2024-02-30T00:00",
            "2023-02-29T00:00",
            "2024-01-15T24:00",
            "2024-01-15T23:60",
            "2024-01-15T23:59:61",
            "2024-01-15T10:20:30  Z",
            "2024-01-15T10:20:30 CET",
            "2024-13-01T00:00",
            "2024-00-01T00:00",
            "2024-01-00T00:00",
            "2024-01-15",
            "15:05",
            "12345",
            "2024-01-15T10:20:30.Z",
            "2024-01-15T10:20:30+24:00",
            "2024-01-15T10:20:30+2",
            "2024-01-15T10:20:30Zx",
            "+024-01-15T10:20:30Z",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59-01:00",
            "1970-01-01T00:30+01:00",
            "2024-01-15T10:20:30+02:",
        ] {
            assert_eq!(iso(form), None, "{form}");
        }
        assert!(
            iso("2024-02-29T00:00").is_some() && iso("2000-02-29T00:00").is_some() && iso("1970-01-01T00:00").is_some()
        );
    }

    #[test]
    fn unix_time_is_in_seconds_or_milliseconds_and_truncated_to_milliseconds() {
        let unix = |text| Time::parse_unix(text).map(Time::millis);
        assert_eq!(unix("1705314030"), Some(1_705_314_030_000));
        assert_eq!(unix("1705314030.9999"), Some(1_705_314_030_999));
        assert_eq!(unix("1705314030.57"), Some(1_705_314_030_570));
        assert_eq!(unix("1.705314030e9"), Some(1_705_314_030_000));
        assert_eq!(unix("0"), Some(0));
        assert_eq!(unix("100000000000"), Some(100_000_000_000_000));
        assert_eq!(unix("100000000001"), Some(100_000_000_001));
        assert_eq!(unix("1705314030123"), Some(1_705_314_030_123));
        assert_eq!(unix("1705314030123.9"), Some(1_705_314_030_123));
        assert_eq!(unix("1.705314030123e12"), Some(1_705_314_030_123));
        assert_eq!(unix("253402300799999"), Some(END - 1));
        for outside in ["", "NaN", "-1", "-0.0005", "253402300800000", "1e400", "-1e400", "99999999999999999999"] {
            assert_eq!(unix(outside), None, "{outside}");
        }
    }

    #[test]
    fn every_time_from_1970_to_9999_reads_back_as_written() {
        for day in (0..END / DAY).step_by(11) {
            let time = Time(day * DAY + 1);
            assert_eq!(Time::parse(&time.to_string()), Some(time));
        }
    }
}
