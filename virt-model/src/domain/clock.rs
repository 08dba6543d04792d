//! `<clock>` and its timers.

use xmltree::Element;

use crate::{
    words::words,
    xml::{Build, Node, XmlError, yes_no},
};

words! {
    /// The base of the guest's clock.
    #[derive(Default)]
    pub enum ClockOffset {
        #[default]
        Utc = "utc",
        Localtime = "localtime",
        Variable = "variable",
        Timezone = "timezone",
        Absolute = "absolute",
    }
}

/// The guest's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clock {
    /// The base.
    pub offset: ClockOffset,
    /// The adjustment in seconds, or `reset`; for utc, localtime and variable.
    pub adjustment: Option<String>,
    /// `utc` or `localtime`, for variable.
    pub basis: Option<String>,
    /// The name of the zone, for timezone.
    pub timezone: Option<String>,
    /// Seconds since 1970, for absolute.
    pub start: Option<u64>,
    /// The timers.
    pub timers: Vec<Timer>,
    #[doc(hidden)]
    pub _more: (),
}

/// A timer: a source of time for the guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timer {
    /// `rtc`, `pit`, `hpet`, `tsc`, ….
    pub name: String,
    /// Whether the guest has it.
    pub present: Option<bool>,
    /// What the hypervisor does about missed ticks: `delay`, `catchup`, `merge`, `discard`.
    pub tickpolicy: Option<String>,
    /// The clock that the timer tracks: `boot`, `guest`, `wall`, ….
    pub track: Option<String>,
    /// The frequency, in Hz.
    pub frequency: Option<u64>,
    /// The mode of the TSC: `auto`, `native`, `emulate`, ….
    pub mode: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl Clock {
    pub(super) fn read(mut node: Node<'_>) -> Result<Clock, XmlError> {
        let timers = node.children("timer").into_iter().map(Timer::read);
        Ok(Clock {
            timers: timers.collect::<Result<_, _>>()?,
            offset: node
                .old_filled_word("offset", "unknown clock offset")?
                .unwrap_or_default(),
            adjustment: node.attr("adjustment"),
            basis: node.attr("basis"),
            timezone: node.attr("timezone"),
            start: node.number("start")?,
            _more: (),
        })
    }

    pub(super) fn to_element(&self) -> Element {
        Element::new("clock")
            .attr("offset", self.offset)
            .maybe_attr("adjustment", self.adjustment.as_ref())
            .maybe_attr("basis", self.basis.as_ref())
            .maybe_attr("timezone", self.timezone.as_ref())
            .maybe_attr("start", self.start)
            .children(self.timers.iter().map(Timer::to_element))
    }
}

const NAMES: [&str; 8] = [
    "platform",
    "pit",
    "rtc",
    "hpet",
    "tsc",
    "kvmclock",
    "hypervclock",
    "armvtimer",
];

impl Timer {
    fn read(mut node: Node<'_>) -> Result<Timer, XmlError> {
        Ok(Timer {
            name: node
                .one_of("name", &NAMES)?
                .ok_or_else(|| node.missing("name"))?,
            present: node.yes_no("present")?,
            tickpolicy: node.one_of("tickpolicy", &["delay", "catchup", "merge", "discard"])?,
            track: node.one_of("track", &["boot", "guest", "wall", "realtime"])?,
            frequency: node.number("frequency")?,
            mode: node.one_of(
                "mode",
                &["auto", "native", "emulate", "paravirt", "smpsafe"],
            )?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("timer")
            .attr("name", &self.name)
            .maybe_attr("present", self.present.map(yes_no))
            .maybe_attr("tickpolicy", self.tickpolicy.as_ref())
            .maybe_attr("track", self.track.as_ref())
            .maybe_attr("frequency", self.frequency)
            .maybe_attr("mode", self.mode.as_ref())
    }
}
