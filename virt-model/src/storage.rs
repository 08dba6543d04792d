//! Parts that documents of storage pools and of volumes share (`src/conf/storage_conf.c` of libvirt).

mod permissions;

pub use permissions::StoragePermissions;

use crate::{
    size,
    xml::{Node, XmlError, decimal},
};

/// The largest size that a volume may have, in bytes (libvirt's `virStorageSize`).
const MOST: u64 = i64::MAX as u64;

/// Reads a size in bytes, as `virStorageSize` does. None if the element is absent or empty.
pub(crate) fn read_size(node: Option<Node<'_>>) -> Result<Option<u64>, XmlError> {
    let Some(mut node) = node else {
        return Ok(None);
    };
    let unit = node.filled("unit");
    if node.text().is_empty() {
        return Ok(None);
    }
    let Some(number) = decimal(node.text()) else {
        // libvirt says so of allocations, too.
        return Err(node.error("malformed capacity element"));
    };
    size::scale(&node, number, unit.as_deref(), "", MOST).map(Some)
}

/// A size in bytes that libvirt writes but does not read: one that cannot be understood is no error
/// but counts as not modelled.
pub(crate) fn read_shown_size(node: Option<Node<'_>>) -> Option<u64> {
    let mut node = node?;
    let unit = node.filled("unit");
    let number = decimal(node.text());
    let size =
        number.and_then(|number| size::scale(&node, number, unit.as_deref(), "", u64::MAX).ok());
    if size.is_none() {
        node.unmodelled();
    }
    size
}

/// The path without slashes that mean nothing, as libvirt's `virFileSanitizePath` writes it: none at
/// the end and only one between two names. Two at the beginning stay two, as POSIX has it. What has a
/// scheme (`://`) stays as it is.
pub(crate) fn sanitize_path(path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let relative = path.trim_start_matches('/');
    let mut clean = match path.len() - relative.len() {
        0 => String::new(),
        2 => "//".to_owned(),
        _ => "/".to_owned(),
    };
    let mut names = relative.split('/').filter(|name| !name.is_empty());
    clean.extend(names.next());
    for name in names {
        clean.push('/');
        clean.push_str(name);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::sanitize_path;

    /// Observed with the test driver of libvirt 9.0.0.
    #[test]
    fn paths_lose_needless_slashes() {
        for (path, clean) in [
            ("/", "/"),
            ("//", "//"),
            ("////", "/"),
            ("a///", "a"),
            ("/a//b/", "/a/b"),
            ("//a//b/", "//a/b"),
            ("///a", "/a"),
            ("http://x//y/", "http://x//y/"),
            ("", ""),
        ] {
            assert_eq!(sanitize_path(path), clean, "{path}");
        }
    }
}
