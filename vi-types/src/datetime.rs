//! `xsd:dateTime`.

use std::fmt;
use std::str::FromStr;

use crate::wire::escaped;

/// A point in time, together with the offset it was written in.
///
/// Reading and writing keep the text: the offset and the number of digits of the fraction. Two values are equal if their
/// texts are; compare [`epoch_seconds`](Self::epoch_seconds) to find the same time in different zones.
///
/// A server's text that is no date is kept, too ([`from_wire`](Self::from_wire)): it is an error only where the date is
/// used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DateTime(Repr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr {
    Moment(Moment),
    /// No date that the schema allows.
    Odd(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    seconds: i64,
    nanoseconds: u32,
    /// Digits of the fraction, 0 to 9.
    digits: u8,
    zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Zone {
    /// No zone, which the VI API treats as UTC.
    Unsaid,
    Z,
    /// Minutes east of UTC.
    Offset(i16),
}

impl DateTime {
    /// The time in UTC, from seconds since 1970-01-01T00:00:00Z.
    ///
    /// Times outside the years -9999 to 9999 become the nearest one inside.
    pub fn from_epoch_seconds(seconds: i64) -> Self {
        let seconds = seconds.clamp(EARLIEST, LATEST);
        Self(Repr::Moment(Moment {
            seconds,
            nanoseconds: 0,
            digits: 0,
            zone: Zone::Z,
        }))
    }

    /// The value that a server sends. A text that is no date is kept as it is.
    pub fn from_wire(text: &str) -> Self {
        text.parse()
            .unwrap_or_else(|_| Self(Repr::Odd(text.into())))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z; negative before. A leap second is the second after it, as for clocks of
    /// computers.
    ///
    /// # Errors
    /// If the server sent a text that is no date.
    pub fn epoch_seconds(&self) -> Result<i64, ParseDateTimeError> {
        match &self.0 {
            Repr::Moment(moment) => Ok(moment.seconds),
            Repr::Odd(text) => before_leap_second(text)
                .map(|moment| moment.seconds + 1)
                .ok_or_else(|| ParseDateTimeError::new(text)),
        }
    }

    /// The fraction of the second, in nanoseconds; 0 if the text is no date.
    pub fn subsecond_nanoseconds(&self) -> u32 {
        match &self.0 {
            Repr::Moment(moment) => moment.nanoseconds,
            Repr::Odd(text) => before_leap_second(text).map_or(0, |moment| moment.nanoseconds),
        }
    }
}

/// The second before the one that the text names as the 61st of a minute, which the schema has no place for. Clocks insert
/// one at the end of a day of UTC.
fn before_leap_second(text: &str) -> Option<Moment> {
    let at = if text.starts_with('-') { 17 } else { 16 };
    let rest = text.get(at..)?.strip_prefix(":60")?;
    parse(format!("{}:59{rest}", &text[..at]).as_bytes())
}

impl Moment {
    fn offset_seconds(self) -> i64 {
        match self.zone {
            Zone::Unsaid | Zone::Z => 0,
            Zone::Offset(minutes) => i64::from(minutes) * 60,
        }
    }
}

/// -9999-01-02T00:00:00Z, so that every offset still gives a year that can be written.
const EARLIEST: i64 = -377_705_023_201;
/// 9999-12-30T00:00:00Z.
const LATEST: i64 = 253_402_128_000;
const DAY: i64 = 86_400;

impl Default for DateTime {
    /// 1970-01-01T00:00:00Z.
    fn default() -> Self {
        Self::from_epoch_seconds(0)
    }
}

/// Invalid `xsd:dateTime`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDateTimeError(String);

impl fmt::Display for ParseDateTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "xsd:dateTime value '{}' has unexpected format", self.0)
    }
}

impl std::error::Error for ParseDateTimeError {}

impl FromStr for DateTime {
    type Err = ParseDateTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = parse(text.as_bytes()).ok_or_else(|| ParseDateTimeError::new(text))?;
        Ok(Self(Repr::Moment(moment)))
    }
}

impl ParseDateTimeError {
    fn new(text: &str) -> Self {
        Self(text.chars().take(64).collect())
    }
}

/// `[-]YYYY-MM-DDThh:mm:ss[.fraction][Z|±hh:mm]`; digits of the fraction beyond the ninth are dropped.
fn parse(text: &[u8]) -> Option<Moment> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (head, mut rest) = text.split_at_checked(19)?;
    for (at, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if head[at] != separator {
            return None;
        }
    }
    let year = i64::from(number(&head[..4])?);
    let days = days_since_epoch(
        if negative { -year } else { year },
        number(&head[5..7])?,
        number(&head[8..10])?,
    )?;
    let (hour, minute, second) = (
        number(&head[11..13])?,
        number(&head[14..16])?,
        number(&head[17..19])?,
    );
    // The end of a day may be written as hour 24 of it.
    let in_range =
        (hour < 24 && minute < 60 && second < 60) || (hour == 24 && minute + second == 0);
    if !in_range {
        return None;
    }

    let (mut nanoseconds, mut digits) = (0, 0);
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        digits = length.min(9);
        if length == 0 {
            return None;
        }
        nanoseconds = number(&fraction[..digits])? * 10_u32.pow(9 - digits as u32);
        rest = &fraction[length..];
    }
    let zone = match rest {
        [] => Zone::Unsaid,
        b"Z" => Zone::Z,
        [sign @ (b'+' | b'-'), hours @ .., b':', tens, ones] if hours.len() == 2 => {
            let (hours, minutes) = (number(hours)?, number(&[*tens, *ones])?);
            if hours > 14 || minutes > 59 {
                return None;
            }
            let minutes = i16::try_from(hours * 60 + minutes).ok()?;
            Zone::Offset(if *sign == b'-' { -minutes } else { minutes })
        }
        _ => return None,
    };

    let local = days * DAY + i64::from(hour * 3600 + minute * 60 + second);
    let moment = Moment {
        seconds: local,
        nanoseconds,
        digits: digits as u8,
        zone,
    };
    let seconds = local - moment.offset_seconds();
    (EARLIEST..=LATEST)
        .contains(&seconds)
        .then_some(Moment { seconds, ..moment })
}

// The calendar is the Gregorian one, also before it was introduced, with a year 0. It is counted from March 1st of
// year 0, so that the leap day is the last day of a year and months before it have the same lengths in every year.

/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Days from 1970-01-01 to a date; `None` if there is no such date.
fn days_since_epoch(year: i64, month: u32, day: u32) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(days + first_of(i64::from(month)) + i64::from(day) - 1 - EPOCH)
}

/// Year, month and day so many days after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    // The leap days before this day of the era; the era's last day belongs to its last year.
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - first_of(month) + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    (year, month, day)
}

/// The days before a month, counted from March: five months of 31 and 30 days by turns have 153.
fn first_of(month: i64) -> i64 {
    (153 * month + 2) / 5
}

/// A run of nothing but digits, at most nine of them.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u32::from(byte - b'0'))
    })
}

impl DateTime {
    /// Appends it as XML has it, without the machinery of formatting.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Repr::Moment(moment) => moment.write(out),
            Repr::Odd(text) => out.extend_from_slice(escaped(text).as_bytes()),
        }
    }
}

impl Moment {
    fn write(self, out: &mut Vec<u8>) {
        let local = self.seconds + self.offset_seconds();
        let (year, month, day) = date(local.div_euclid(DAY));
        if year < 0 {
            out.push(b'-');
        }
        let time = local.rem_euclid(DAY);
        // All of them are positive and short.
        let mut part = |before: &str, number: i64, digits: usize| {
            out.extend_from_slice(before.as_bytes());
            let start = out.len();
            out.resize(start + digits, b'0');
            let mut rest = number as u32;
            for digit in out[start..].iter_mut().rev() {
                *digit += (rest % 10) as u8;
                rest /= 10;
            }
        };
        part("", year.abs(), 4);
        part("-", month, 2);
        part("-", day, 2);
        part("T", time / 3600, 2);
        part(":", time / 60 % 60, 2);
        part(":", time % 60, 2);
        if self.digits > 0 {
            let fraction = self.nanoseconds / 10_u32.pow(9 - u32::from(self.digits));
            part(".", fraction.into(), self.digits.into());
        }
        match self.zone {
            Zone::Unsaid => {}
            Zone::Z => out.push(b'Z'),
            Zone::Offset(minutes) => {
                let sign = if minutes < 0 { "-" } else { "+" };
                let minutes = i64::from(minutes.unsigned_abs());
                part(sign, minutes / 60, 2);
                part(":", minutes % 60, 2);
            }
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match &self.0 {
            Repr::Moment(moment) => moment,
            Repr::Odd(text) => return f.write_str(text),
        };
        let mut text = Vec::with_capacity(35);
        moment.write(&mut text);
        // It is ASCII.
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, seconds: i64) {
        let parsed: DateTime = text.parse().unwrap();
        assert_eq!(parsed.epoch_seconds(), Ok(seconds), "{text}");
        assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn the_same_moment_in_many_zones() {
        for text in [
            "2010-04-08T05:45:11-07:00",
            "2010-04-08T07:45:11-05:00",
            "2010-04-08T12:45:11+00:00",
            "2010-04-08T14:45:11+02:00",
            "2010-04-08T22:15:11+09:30",
            "2010-04-09T01:30:11+12:45",
            "2010-04-08T12:45:11Z",
            "2010-04-08T12:45:11",
            "2010-04-08T14:45:11.529576+02:00",
        ] {
            check(text, 1_270_730_711);
        }
    }

    #[test]
    fn moments_far_apart() {
        check("1970-01-01T00:00:00+00:00", 0);
        check("2038-01-19T03:14:07+00:00", 2_147_483_647);
        check("1999-08-02T01:19:55+02:00", 933_549_595);
        check("1984-10-27T14:33:45+02:00", 467_728_425);
        check("2026-11-21T19:49:55.734799464Z", 1_795_290_595);
        check("1969-12-31T23:59:59Z", -1);
        check("-0044-03-15T12:00:00Z", -63_549_316_800);
    }

    #[test]
    fn the_end_of_a_day_is_the_start_of_the_next() {
        let end: DateTime = "2010-04-08T24:00:00Z".parse().unwrap();
        assert_eq!(end.to_string(), "2010-04-09T00:00:00Z");
    }

    #[test]
    fn a_servers_text_is_kept_and_an_error_only_where_the_date_is_used() {
        for text in [
            "",
            "never",
            "0000-00-00T00:00:00Z",
            "2016-12-31T23:59:61Z",
            "2016-12-31 23:59:59",
            "2016-12-31T23:59:5\u{663}Z",
            "äää-12-31T23:59:60Z",
        ] {
            let kept = DateTime::from_wire(text);
            assert_eq!(kept.to_string(), text);
            let error = kept.epoch_seconds().unwrap_err().to_string();
            assert_eq!(
                error,
                format!("xsd:dateTime value '{text}' has unexpected format")
            );
        }
        for (text, seconds, nanoseconds) in [
            ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
            ("2017-01-01T08:59:60.25+09:00", 1_483_228_800, 250_000_000),
            ("2010-04-08T12:45:11.5Z", 1_270_730_711, 500_000_000),
        ] {
            let kept = DateTime::from_wire(text);
            assert_eq!(kept.to_string(), text);
            assert_eq!(kept.epoch_seconds(), Ok(seconds), "{text}");
            assert_eq!(kept.subsecond_nanoseconds(), nanoseconds, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2010-04-08",
            "2010-04-08T12:45",
            "2010-13-08T12:45:11Z",
            "2010-02-30T12:45:11Z",
            "2010-04-08T25:45:11Z",
            "2010-04-08T12:45:11z",
            "2010-04-08T12:45:11.Z",
            "2010-04-08T12:45:11+2:00",
            "2010-04-08T12:45:11+99:00",
            "2010-04-08 12:45:11Z",
            "+010-04-08T12:45:11Z",
            "2010-04-08T24:00:01Z",
            "-9999-01-01T00:00:00+14:00",
            "ä010-04-08T12:45:11Z",
        ] {
            assert!(text.parse::<DateTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_calendar_is_that_of_jiff() {
        let epoch = jiff::civil::date(1970, 1, 1);
        let mut day = jiff::civil::date(-9999, 1, 1);
        loop {
            let days = i64::from(epoch.until(day).unwrap().get_days());
            let (year, month, in_month) = (i64::from(day.year()), day.month(), day.day());
            let found = days_since_epoch(year, month as u32, in_month as u32);
            assert_eq!(found, Some(days), "{day}");
            assert_eq!(date(days), (year, month.into(), in_month.into()), "{day}");
            if day == day.last_of_month() {
                let behind = days_since_epoch(year, month as u32, in_month as u32 + 1);
                assert_eq!(behind, None, "{day}");
            }
            match day.tomorrow() {
                Ok(tomorrow) => day = tomorrow,
                Err(_) => break,
            }
        }
    }

    #[test]
    fn the_ends_of_time_can_be_written() {
        for seconds in [i64::MIN, i64::MAX, EARLIEST, LATEST] {
            let moment = DateTime::from_epoch_seconds(seconds);
            assert_eq!(moment.to_string().parse(), Ok(moment.clone()));
        }
    }
}
