//! Which bytes of a range are missing.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Ranges of bytes, in order, none of which touches another. In JSON: a list of pairs of the first byte and the one
/// behind the last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct Ranges(Vec<Range<u64>>);

impl Ranges {
    /// One range; none if it is empty.
    pub(in super::super) fn one(range: Range<u64>) -> Self {
        Self(
            Some(range)
                .filter(|range| !range.is_empty())
                .into_iter()
                .collect(),
        )
    }

    /// Removes the bytes of `range`.
    pub(in super::super) fn remove(&mut self, range: &Range<u64>) {
        if range.is_empty() {
            return;
        }
        // Pieces come in order, so this is nearly always the first range.
        let begin = self.0.partition_point(|one| one.end <= range.start);
        let end = self.0.partition_point(|one| one.start < range.end);
        if begin >= end {
            return;
        }
        let (first, last) = (self.0[begin].start, self.0[end - 1].end);
        let rest = [first..range.start, range.end..last];
        let rest = rest.into_iter().filter(|rest| !rest.is_empty());
        self.0.splice(begin..end, rest);
    }

    /// How many bytes they are.
    pub(in super::super) fn total(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// The ranges, in order.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &Range<u64>> {
        self.0.iter()
    }

    /// Whether there are none.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they are in order, within `limits`.
    pub(in super::super) fn are_within(&self, limits: &Range<u64>) -> bool {
        let mut end = limits.start;
        self.0.iter().all(|range| {
            let is_behind = range.start >= end && !range.is_empty();
            end = range.end;
            is_behind && end <= limits.end
        })
    }
}

impl Serialize for Ranges {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|range| [range.start, range.end]))
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let pairs = Vec::<[u64; 2]>::deserialize(from)?;
        Ok(Self(
            pairs.into_iter().map(|[start, end]| start..end).collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Ranges;

    proptest! {
        /// Against a set of bytes.
        #[test]
        fn what_is_removed_is_not_there(
            length in 0_u64..40,
            removed in proptest::collection::vec((0_u64..45, 0_u64..20), 0..12),
        ) {
            let mut ranges = Ranges::one(3..3 + length);
            let mut bytes: std::collections::BTreeSet<u64> = (3..3 + length).collect();
            for (start, count) in removed {
                ranges.remove(&(start..start + count));
                bytes.retain(|byte| !(start..start + count).contains(byte));
                let found: Vec<u64> = ranges.iter().cloned().flatten().collect();
                prop_assert_eq!(&found, &bytes.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(ranges.total(), bytes.len() as u64);
                prop_assert_eq!(ranges.is_empty(), bytes.is_empty());
                prop_assert!(ranges.are_within(&(3..3 + length)));
            }
            let text = serde_json::to_string(&ranges).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ranges>(&text).unwrap(), ranges);
        }
    }

    #[test]
    fn invented_ranges_are_not_taken() {
        for (text, expected) in [
            ("[]", true),
            ("[[5,6],[7,10]]", true),
            ("[[4,6]]", false),
            ("[[5,11]]", false),
            ("[[7,8],[5,6]]", false),
            ("[[6,6]]", false),
            ("[[8,6]]", false),
            ("[[5,8],[7,9]]", false),
        ] {
            let ranges: Ranges = serde_json::from_str(text).unwrap();
            assert_eq!(ranges.are_within(&(5..10)), expected, "{text}");
        }
    }
}
