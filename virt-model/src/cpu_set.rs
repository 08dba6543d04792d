use std::{collections::BTreeSet, fmt, str::FromStr};

/// A set of numbers of processors.
///
/// [`Display`](fmt::Display) writes ranges (`0,3-5`); [`FromStr`] reads what libvirt's
/// `virBitmapParse` reads: numbers and ranges separated by commas; `^3` removes a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CpuSet(BTreeSet<u32>);

impl CpuSet {
    /// All numbers are below this limit, libvirt's `VIR_DOMAIN_CPUMASK_LEN`.
    pub const LIMIT: u32 = 16384;

    /// Adds a number. False if it is not below [`CpuSet::LIMIT`], and so was not added.
    pub fn insert(&mut self, cpu: u32) -> bool {
        let fits = cpu < CpuSet::LIMIT;
        if fits {
            self.0.insert(cpu);
        }
        fits
    }

    /// The numbers, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// How many numbers the set has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
        let mut set = BTreeSet::new();
        // libvirt's virBitmapParse accepts a comma at the end.
        let list = text.trim_end();
        let list = list.strip_suffix(',').filter(|list| !list.is_empty());
        for part in list.unwrap_or(text).split(',') {
            let part = part.trim();
            if let Some(out) = part.strip_prefix('^') {
                set.remove(&number(out)?);
            } else if let Some((first, last)) = part.split_once('-') {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(fail());
                }
                set.extend(first..=last);
            } else {
                set.insert(number(part)?);
            }
        }
        Ok(CpuSet(set))
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cpus = self.iter().peekable();
        let mut separator = "";
        while let Some(first) = cpus.next() {
            let mut last = first;
            while cpus.next_if_eq(&(last + 1)).is_some() {
                last += 1;
            }
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
    fn texts() {
        check("0", Some("0"));
        check("5,3,4,0", Some("0,3-5"));
        check("0-7,^3", Some("0-2,4-7"));
        check(" 1 , 2 - 3 ", Some("1-3"));
        check("1,", Some("1"));
        check("16383", Some("16383"));
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
