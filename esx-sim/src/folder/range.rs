//! Which part of a file is asked for.

use std::ops::Range;

use http::HeaderValue;

/// What a `Range` header asks for of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RangeRequest {
    Whole,
    Part(Range<u64>),
    /// Nothing that is there.
    Beyond,
}

impl RangeRequest {
    /// Several ranges, other units and nonsense are the whole file, as the standard allows.
    pub(super) fn read(header: Option<&HeaderValue>, length: u64) -> Self {
        let header = header.and_then(|header| header.to_str().ok());
        let range = header.and_then(|header| header.trim().strip_prefix("bytes="));
        let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
            return Self::Whole;
        };
        match (first.trim().parse::<u64>(), last.trim()) {
            (Ok(first), "") if first < length => Self::Part(first..length),
            (Ok(first), "") if first >= length => Self::Beyond,
            (Ok(first), last) => match last.parse::<u64>() {
                Ok(last) if last < first => Self::Whole,
                Ok(_) if first >= length => Self::Beyond,
                Ok(last) => Self::Part(first..last.saturating_add(1).min(length)),
                Err(_) => Self::Whole,
            },
            (Err(_), last) if first.trim().is_empty() => match last.parse::<u64>() {
                Ok(0) => Self::Beyond,
                Ok(_) if length == 0 => Self::Beyond,
                Ok(count) => Self::Part(length.saturating_sub(count)..length),
                Err(_) => Self::Whole,
            },
            (Err(_), _) => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_parts_of_the_file() {
        for (header, expected) in [
            ("bytes=0-3", RangeRequest::Part(0..4)),
            ("bytes=2-", RangeRequest::Part(2..10)),
            ("bytes=-3", RangeRequest::Part(7..10)),
            ("bytes=-30", RangeRequest::Part(0..10)),
            ("bytes=8-99", RangeRequest::Part(8..10)),
            ("bytes=10-", RangeRequest::Beyond),
            ("bytes=10-12", RangeRequest::Beyond),
            ("bytes=-0", RangeRequest::Beyond),
            ("bytes=3-2", RangeRequest::Whole),
            ("bytes=0-1,3-4", RangeRequest::Whole),
            ("lines=0-3", RangeRequest::Whole),
            ("bytes=x-3", RangeRequest::Whole),
            ("nonsense", RangeRequest::Whole),
        ] {
            let header = HeaderValue::from_static(header);
            assert_eq!(
                RangeRequest::read(Some(&header), 10),
                expected,
                "{header:?}"
            );
        }
        assert_eq!(RangeRequest::read(None, 10), RangeRequest::Whole);
        let first = HeaderValue::from_static("bytes=0-");
        assert_eq!(RangeRequest::read(Some(&first), 0), RangeRequest::Beyond);
    }
}
