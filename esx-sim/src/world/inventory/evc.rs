//! The modes of Enhanced vMotion Compatibility that vCenters know.

use vi_types::objects::{Description, ElementDescription, EvcMode};

use crate::version::{ApiVersion, Release};

/// Key, what it is called, and the version that it came with: the modes of each vendor, the lowest first.
const MODES: [(&str, &str, &str); 22] = [
    ("intel-merom", "Intel\u{ae} \"Merom\" Generation", "4.0"),
    ("intel-penryn", "Intel\u{ae} \"Penryn\" Generation", "4.0"),
    ("intel-nehalem", "Intel\u{ae} \"Nehalem\" Generation", "4.0"),
    (
        "intel-westmere",
        "Intel\u{ae} \"Westmere\" Generation",
        "4.1",
    ),
    (
        "intel-sandybridge",
        "Intel\u{ae} \"Sandy Bridge\" Generation",
        "5.0",
    ),
    (
        "intel-ivybridge",
        "Intel\u{ae} \"Ivy Bridge\" Generation",
        "5.1",
    ),
    ("intel-haswell", "Intel\u{ae} \"Haswell\" Generation", "6.0"),
    (
        "intel-broadwell",
        "Intel\u{ae} \"Broadwell\" Generation",
        "6.5",
    ),
    ("intel-skylake", "Intel\u{ae} \"Skylake\" Generation", "6.7"),
    (
        "intel-cascadelake",
        "Intel\u{ae} \"Cascade Lake\" Generation",
        "7.0",
    ),
    (
        "intel-icelake",
        "Intel\u{ae} \"Ice Lake\" Generation",
        "7.0.1.0",
    ),
    (
        "intel-sapphirerapids",
        "Intel\u{ae} \"Sapphire Rapids\" Generation",
        "8.0.0.0",
    ),
    ("amd-rev-e", "AMD Opteron\u{2122} Generation 1", "4.0"),
    ("amd-rev-f", "AMD Opteron\u{2122} Generation 2", "4.0"),
    ("amd-greyhound", "AMD Opteron\u{2122} Generation 3", "4.0"),
    ("amd-bulldozer", "AMD Opteron\u{2122} Generation 4", "5.0"),
    (
        "amd-piledriver",
        "AMD Opteron\u{2122} \"Piledriver\" Generation",
        "5.5",
    ),
    (
        "amd-steamroller",
        "AMD Opteron\u{2122} \"Steamroller\" Generation",
        "6.0",
    ),
    ("amd-zen", "AMD \"Zen\" Generation", "6.7"),
    ("amd-zen2", "AMD \"Zen 2\" Generation", "7.0"),
    ("amd-zen3", "AMD \"Zen 3\" Generation", "7.0.2.0"),
    ("amd-zen4", "AMD \"Zen 4\" Generation", "8.0.0.0"),
];

/// The mode of the simulated hosts' processors.
const OF_HOSTS: &str = "intel-icelake";

fn known(release: &Release) -> impl Iterator<Item = (&'static str, &'static str)> {
    let version = release.version();
    let modes = MODES.into_iter();
    let known = modes.filter(move |(.., since)| version >= ApiVersion::since(since));
    known.map(|(key, label, _)| (key, label))
}

/// The modes that a vCenter of a release knows.
pub(super) fn modes(release: &Release) -> Vec<EvcMode> {
    let vendor = |key: &'static str| key.split('-').next().unwrap_or_default();
    let mut tier = 0;
    let mut before = "";
    let modes = known(release).map(|(key, label)| {
        tier = if before == vendor(key) { tier + 1 } else { 0 };
        before = vendor(key);
        EvcMode {
            base: ElementDescription {
                base: Description {
                    label: label.to_owned(),
                    summary: format!("The baseline feature set of {label} processors"),
                    ..Description::default()
                },
                key: key.to_owned(),
                ..ElementDescription::default()
            },
            vendor: vendor(key).to_owned(),
            track: match release.version() >= ApiVersion::since("4.1") {
                true => vec![vendor(key).to_owned()],
                false => Vec::new(),
            },
            vendor_tier: tier,
            ..EvcMode::default()
        }
    });
    modes.collect()
}

/// The highest mode that a simulated host can take, as a vCenter of a release says.
pub(super) fn of_hosts(release: &Release) -> Option<String> {
    let up_to_own = MODES.iter().position(|(key, ..)| *key == OF_HOSTS)? + 1;
    let own = &MODES[..up_to_own];
    let known = known(release).filter(|(key, _)| own.iter().any(|(known, ..)| known == key));
    known.last().map(|(key, _)| key.to_owned())
}
