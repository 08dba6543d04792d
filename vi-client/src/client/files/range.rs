//! Ranges of files, and what answers say about them.

use std::fmt;

use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE,
    LAST_MODIFIED, RANGE,
};
use http::{StatusCode, response};

use crate::Error;

/// A range of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileRange {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How many bytes it has; `None` up to the end of the file. At least 1.
    pub length: Option<u64>,
}

impl FileRange {
    /// The whole file.
    pub const WHOLE: Self = Self {
        offset: 0,
        length: None,
    };

    /// The headers that ask for it.
    pub(super) fn headers(self, same: Option<&FileVersion>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self == Self::WHOLE {
            return headers;
        }
        if let Ok(range) = HeaderValue::from_str(&self.to_string()) {
            headers.insert(RANGE, range);
        }
        if let Some(version) = same.and_then(FileVersion::for_if_range)
            && let Ok(version) = HeaderValue::from_str(version)
        {
            headers.insert(IF_RANGE, version);
        }
        headers
    }
}

impl fmt::Display for FileRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, length } = *self;
        match length {
            None => write!(f, "bytes={offset}-"),
            Some(length) => {
                let last = offset.saturating_add(length.max(1) - 1);
                write!(f, "bytes={offset}-{last}")
            }
        }
    }
}

/// Which version of a file it is, as far as the server tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileVersion {
    /// The `ETag`.
    pub etag: Option<String>,
    /// The time of the last change, as the server writes it.
    pub modified: Option<String>,
}

impl FileVersion {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            etag: text(headers, ETAG).map(str::to_owned),
            modified: text(headers, LAST_MODIFIED).map(str::to_owned),
        }
    }

    /// What shows that `later` is another version: `ETag` or `Last-Modified`. `None` if nothing does; what only one of them
    /// has shows nothing.
    pub fn difference(&self, later: &Self) -> Option<&'static str> {
        let differ = |one: &Option<String>, other: &Option<String>| {
            one.is_some() && other.is_some() && one != other
        };
        if differ(&self.etag, &later.etag) {
            return Some("ETag");
        }
        differ(&self.modified, &later.modified).then_some("Last-Modified")
    }

    /// Weak tags are not for ranges (RFC 9110, section 13.1.5).
    fn for_if_range(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| tag.starts_with('"'));
        strong.or(self.modified.as_deref())
    }
}

/// What an answer says about its range.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) offset: u64,
    pub(super) length: Option<u64>,
    pub(super) total: Option<u64>,
}

impl Answered {
    /// Reads the head of a successful answer. An answer with a whole file is taken as such; a range has to begin where it
    /// was asked for, and not to end later.
    pub(super) fn read(
        asked: FileRange,
        answer: &response::Parts,
        path: impl Fn() -> String,
    ) -> Result<Self, Error> {
        let announced = announced(&answer.headers);
        if answer.status != StatusCode::PARTIAL_CONTENT {
            return Ok(Self {
                offset: 0,
                length: announced,
                total: announced,
            });
        }
        let said = text(&answer.headers, CONTENT_RANGE).unwrap_or_default();
        let wrong = || Error::Range {
            path: path(),
            asked: asked.to_string(),
            answered: match said {
                "" => "a range that it does not tell".to_owned(),
                said => format!("Content-Range: {said}"),
            },
        };
        let (first, last, total) = parse(said).ok_or_else(wrong)?;
        let length = last - first + 1;
        let is_too_long = asked.length.is_some_and(|most| length > most);
        if first != asked.offset || is_too_long || total.is_some_and(|total| last >= total) {
            return Err(wrong());
        }
        if let Some(announced) = announced.filter(|announced| *announced != length) {
            return Err(Error::Range {
                path: path(),
                asked: asked.to_string(),
                answered: format!("Content-Range: {said}, and Content-Length: {announced}"),
            });
        }
        Ok(Self {
            offset: first,
            length: Some(length),
            total,
        })
    }
}

/// `bytes 0-99/1000`, `bytes 0-99/*`: the first byte, the last one, the length of the whole.
fn parse(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (unit, rest) = text.trim().split_once(' ')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (range, total) = rest.split_once('/')?;
    let (first, last) = range.trim().split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    (first <= last && last < u64::MAX).then_some((first, last, total))
}

/// The `Content-Length`.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    text(headers, CONTENT_LENGTH)?.trim().parse().ok()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(
        asked: FileRange,
        status: u16,
        headers: &[(HeaderName, &str)],
    ) -> Result<Answered, Error> {
        let mut answer = http::Response::new(());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            answer.headers_mut().insert(name, value);
        }
        let (parts, ()) = answer.into_parts();
        Answered::read(asked, &parts, || "/folder/x".to_owned())
    }

    fn range(offset: u64, length: impl Into<Option<u64>>) -> FileRange {
        let length = length.into();
        FileRange { offset, length }
    }

    #[test]
    fn ranges_are_asked_for() {
        let check = |range: FileRange, expected: &str| assert_eq!(range.to_string(), expected);
        check(range(0, 1), "bytes=0-0");
        check(range(10, 20), "bytes=10-29");
        check(range(10, None), "bytes=10-");
        check(range(u64::MAX, 20), &format!("bytes={0}-{0}", u64::MAX));
        assert!(FileRange::WHOLE.headers(None).is_empty());
        let version = |etag: &str| FileVersion {
            etag: Some(etag.to_owned()),
            modified: Some("Mon, 30 Nov 2026 01:00:00 GMT".to_owned()),
        };
        let asked = range(1, None).headers(Some(&version("\"a\"")));
        assert_eq!(asked[IF_RANGE], "\"a\"");
        let asked = range(1, None).headers(Some(&version("W/\"a\"")));
        assert_eq!(asked[IF_RANGE], "Mon, 30 Nov 2026 01:00:00 GMT");
    }

    #[test]
    fn only_the_range_that_was_asked_for_is_taken() {
        let asked = range(10, 20);
        for (said, length, total) in [
            ("bytes 10-29/100", 20, Some(100)),
            ("bytes 10-29/*", 20, None),
            ("Bytes 10-19/100", 10, Some(100)),
            ("bytes 10-14/15", 5, Some(15)),
        ] {
            let found = answered(asked, 206, &[(CONTENT_RANGE, said)]).unwrap();
            let expected = Answered {
                offset: 10,
                length: Some(length),
                total,
            };
            assert_eq!(found, expected, "{said}");
        }
        for said in [
            "",
            "bytes",
            "bytes 10-29",
            "bytes 9-28/100",
            "bytes 11-29/100",
            "bytes 10-30/100",
            "bytes 10-29/29",
            "bytes 29-10/100",
            "bytes */100",
            "bytes 10-18446744073709551615/*",
            "lines 10-29/100",
            "bytes -10-29/100",
        ] {
            let refused = answered(asked, 206, &[(CONTENT_RANGE, said)]).unwrap_err();
            assert!(matches!(refused, Error::Range { .. }), "{said}: {refused}");
        }
        let lying = [(CONTENT_RANGE, "bytes 10-29/100"), (CONTENT_LENGTH, "19")];
        assert!(answered(asked, 206, &lying).is_err());
        let whole = answered(asked, 200, &[(CONTENT_LENGTH, "100")]).unwrap();
        assert_eq!(
            (whole.offset, whole.length, whole.total),
            (0, Some(100), Some(100))
        );
    }

    #[test]
    fn versions_differ_by_what_both_have() {
        let version = |etag: Option<&str>, modified: Option<&str>| FileVersion {
            etag: etag.map(str::to_owned),
            modified: modified.map(str::to_owned),
        };
        let one = version(Some("1"), Some("a"));
        for (later, expected) in [
            (version(Some("1"), Some("a")), None),
            (version(None, None), None),
            (version(Some("2"), Some("a")), Some("ETag")),
            (version(None, Some("b")), Some("Last-Modified")),
            (version(Some("1"), Some("b")), Some("Last-Modified")),
        ] {
            assert_eq!(one.difference(&later), expected, "{later:?}");
        }
    }
}
