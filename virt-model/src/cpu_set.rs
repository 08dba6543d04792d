use std::{collections::BTreeMap, fmt, str::FromStr};

/// A set of numbers of processors.
///
/// [`Display`](fmt::Display) writes ranges (`0,3-5`); [`FromStr`] reads what libvirt's
/// `virBitmapParse` reads: numbers and ranges separated by commas; `^3` removes a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CpuSet {
    /// The last number of each range by the first one. Between two ranges at least one number is missing. (A document can name
    /// all processors in a few bytes, a thousand times.)
    ranges: BTreeMap<u32, u32>,
}

impl CpuSet {
    /// All numbers are below this limit, libvirt's `VIR_DOMAIN_CPUMASK_LEN`.
    pub const LIMIT: u32 = 16384;

    /// Adds a number. False if it is not below [`CpuSet::LIMIT`], and so was not added.
    pub fn insert(&mut self, cpu: u32) -> bool {
        let fits = cpu < CpuSet::LIMIT;
        if fits {
            self.insert_range(cpu, cpu);
        }
        fits
    }

    /// The numbers, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges().flat_map(|(first, last)| first..=last)
    }

    /// How many numbers the set has.
    pub fn len(&self) -> usize {
        self.ranges()
            .map(|(first, last)| (last - first) as usize + 1)
            .sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The largest number.
    pub fn last(&self) -> Option<u32> {
        self.ranges.last_key_value().map(|(_, last)| *last)
    }

    /// The first and the last number of each range, in ascending order.
    fn ranges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.ranges.iter().map(|(first, last)| (*first, *last))
    }

    fn insert_range(&mut self, mut first: u32, mut last: u32) {
        // All ranges that touch it become one with it.
        while let Some((&start, &end)) = self.ranges.range(..=last.saturating_add(1)).next_back() {
            if end.saturating_add(1) < first {
                break;
            }
            self.ranges.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        self.ranges.insert(first, last);
    }

    fn remove(&mut self, cpu: u32) {
        let Some((&start, &end)) = self.ranges.range(..=cpu).next_back() else {
            return;
        };
        if end < cpu {
            return;
        }
        self.ranges.remove(&start);
        if start < cpu {
            self.ranges.insert(start, cpu - 1);
        }
        if cpu < end {
            self.ranges.insert(cpu + 1, end);
        }
    }
}

impl FromIterator<u32> for CpuSet {
    /// Numbers that are not below [`CpuSet::LIMIT`] are ignored.
    fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> CpuSet {
        let mut set = CpuSet::default();
        for cpu in cpus {
            set.insert(cpu);
        }
        set
    }
}

impl FromStr for CpuSet {
    type Err = ParseCpuSetError;

    fn from_str(text: &str) -> Result<CpuSet, ParseCpuSetError> {
        let fail = || ParseCpuSetError {
            text: text.to_owned(),
        };
        let number = |part: &str| {
            let part = part.trim();
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            match part.parse::<u32>() {
                Ok(number) if digits && number < CpuSet::LIMIT => Ok(number),
                _ => Err(fail()),
            }
        };
        let mut set = CpuSet::default();
        // libvirt's virBitmapParse accepts a comma at the end.
        let list = text.trim_end();
        let list = list.strip_suffix(',').filter(|list| !list.is_empty());
        for part in list.unwrap_or(text).split(',') {
            let part = part.trim();
            if let Some(out) = part.strip_prefix('^') {
                set.remove(number(out)?);
            } else if let Some((first, last)) = part.split_once('-') {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(fail());
                }
                set.insert_range(first, last);
            } else {
                set.insert(number(part)?);
            }
        }
        Ok(set)
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (first, last) in self.ranges() {
            write!(f, "{separator}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

/// The text is not a set of processors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a set of processors: expected numbers below {} and ranges, like `0,3-5`",
    CpuSet::LIMIT
)]
#[non_exhaustive]
pub struct ParseCpuSetError {
    /// The text.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = text.parse::<CpuSet>().ok().map(|set| set.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn all_processors_a_thousand_times_are_one_range() {
        let set: CpuSet = "0-16383,".repeat(100_000).parse().unwrap();
        assert_eq!(set.ranges.len(), 1);
        assert_eq!((set.len(), set.last()), (16384, Some(16383)));
        let numbers = [7, 0, 3, 1, 2, 5, 6];
        let set: CpuSet = numbers.into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 5, 6, 7]);
        assert_eq!((set.len(), set.last()), (7, Some(7)));
    }

    #[test]
    fn texts() {
        check("0", Some("0"));
        check("5,3,4,0", Some("0,3-5"));
        check("0-7,^3", Some("0-2,4-7"));
        check(" 1 , 2 - 3 ", Some("1-3"));
        check("1,", Some("1"));
        check("16383", Some("16383"));
        check("4,3,9-12,5-8,^10,^3,20", Some("4-9,11-12,20"));
        check("2-4,^1,^2,^4,^9", Some("3"));
        check("1-9,3-5,0-1", Some("0-9"));
        for text in [
            "",
            ",",
            "1,,",
            "1,,2",
            "a",
            "3-1",
            "-1",
            "+1",
            "16384",
            "0-99999999999",
        ] {
            check(text, None);
        }
    }
}
