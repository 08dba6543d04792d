//! A monitor of vcsim: its inventory, and counters whose ids and formats are not ours.

use std::path::Path;

use crate::interop::peers::Tools;
use crate::interop::process::{self, Server};
use crate::interop::report::Report;

/// Two polls of a host and of a vCenter: every running domain has rates, and totals that grow with the samples.
///
/// vcsim has samples of a year, gives as many as are asked for from a time on, and knows no CSV.
pub(super) fn run(tools: &Tools, report: &mut Report, auth: &Path) -> Result<(), String> {
    for (section, options, path, expected) in [
        (
            "a monitor of vcsim as a host",
            &["-esx"][..],
            "",
            "2 domains, 1 hosts, 1 datastores, 1 pools; 3 samples, 2 requests, ",
        ),
        (
            "a monitor of vcsim as a vCenter",
            &[],
            "DC0/DC0_H0",
            // A lone host and a cluster of three.
            "4 domains, 4 hosts, 1 datastores, 2 pools; 8 samples, 2 requests, ",
        ),
    ] {
        let server = Server::start(&tools.vcsim, options)?;
        let scheme = if path.is_empty() { "esx" } else { "vpx" };
        let uri = format!("{scheme}://{}/{path}?no_verify=1", server.greeting);
        let mut client = tools.client(&tools.monitor, auth);
        let run = process::run(client.args([&uri, "2", "20"]), "")?;
        let polls: Vec<_> = run
            .stdout
            .lines()
            .filter(|line| line.contains(" domains, "))
            .collect();
        let is_second = polls.get(1).is_some_and(|poll| poll.starts_with(expected));
        report.check(
            section,
            "has everything at a poll",
            is_second,
            &run.to_string(),
        );
        let domains = run
            .stdout
            .lines()
            .filter(|line| line.contains(": running, "));
        let mut domains = domains.skip(domains_of(expected));
        let is_measured = |line: &str| {
            // Rates are there, and a total is larger than 0.
            !line.contains("None") && !line.contains("Some(0) ns")
        };
        let are_measured = domains.clone().count() > 0 && domains.all(is_measured);
        report.check(
            section,
            "measures every domain",
            are_measured,
            &run.to_string(),
        );
    }
    Ok(())
}

/// The number in front.
fn domains_of(poll: &str) -> usize {
    let number = poll.split(' ').next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
