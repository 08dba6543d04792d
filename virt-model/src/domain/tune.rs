//! Limits and shares: `<memtune>` and `<cputune>`.

use std::str::FromStr;

use xmltree::Element;

use super::memory::read_size;

use crate::xml::{Build, Node, XmlError, decimal};

/// Limits of memory, in KiB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryTune {
    /// Maximum memory of the domain.
    pub hard_limit: Option<u64>,
    /// Maximum memory while the host is short of memory.
    pub soft_limit: Option<u64>,
    /// Maximum of memory and swap together.
    pub swap_hard_limit: Option<u64>,
    /// Guaranteed minimum.
    pub min_guarantee: Option<u64>,
    #[doc(hidden)]
    pub _more: (),
}

/// How processor time is shared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuTune {
    /// The weight relative to other domains.
    pub shares: Option<u64>,
    /// The period for each virtual processor, in microseconds.
    pub period: Option<u64>,
    /// The processor time of each virtual processor per period, in microseconds. Negative: no limit.
    pub quota: Option<i64>,
    /// The period for the whole domain, in microseconds.
    pub global_period: Option<u64>,
    /// The processor time of the whole domain per period, in microseconds. Negative: no limit.
    pub global_quota: Option<i64>,
    #[doc(hidden)]
    pub _more: (),
}

impl MemoryTune {
    pub(super) fn read(mut node: Node<'_>) -> Result<MemoryTune, XmlError> {
        let mut limit = |name| read_size(node.child(name), &format!("./memtune/{name}[1]"));
        Ok(MemoryTune {
            hard_limit: limit("hard_limit")?,
            soft_limit: limit("soft_limit")?,
            swap_hard_limit: limit("swap_hard_limit")?,
            min_guarantee: limit("min_guarantee")?,
            _more: (),
        })
    }

    /// Makes `<memtune>`, if there are limits.
    pub(super) fn to_element(&self) -> Option<Element> {
        let limit = |name, limit: Option<u64>| {
            limit.map(|limit| Element::new(name).attr("unit", "KiB").text(limit))
        };
        let tune = Element::new("memtune")
            .children(limit("hard_limit", self.hard_limit))
            .children(limit("soft_limit", self.soft_limit))
            .children(limit("min_guarantee", self.min_guarantee))
            .children(limit("swap_hard_limit", self.swap_hard_limit));
        (!tune.children.is_empty()).then_some(tune)
    }
}

impl CpuTune {
    pub(super) fn read(mut node: Node<'_>) -> Result<CpuTune, XmlError> {
        Ok(CpuTune {
            shares: read_number(&mut node, "shares")?,
            period: read_number(&mut node, "period")?,
            quota: read_number(&mut node, "quota")?,
            global_period: read_number(&mut node, "global_period")?,
            global_quota: read_number(&mut node, "global_quota")?,
            _more: (),
        })
    }

    /// Makes `<cputune>`, if it has content.
    pub(super) fn to_element(&self) -> Option<Element> {
        let tune = Element::new("cputune")
            .maybe_text("shares", self.shares)
            .maybe_text("period", self.period)
            .maybe_text("quota", self.quota)
            .maybe_text("global_period", self.global_period)
            .maybe_text("global_quota", self.global_quota);
        (!tune.children.is_empty()).then_some(tune)
    }
}

/// Reads the number in a child element.
fn read_number<N: FromStr>(node: &mut Node<'_>, name: &str) -> Result<Option<N>, XmlError> {
    let Some(text) = node.text_of(name) else {
        return Ok(None);
    };
    let number = decimal(&text);
    number
        .map(Some)
        .ok_or_else(|| node.error(format!("can't parse cputune {name} value")))
}
