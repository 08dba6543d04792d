//! Metrics of the exporter itself and of its connections.

use super::{Scrape, Target, epoch, families};

families! {
    /// The exporter.
    PROCESS: Scrape =
    Info "virt_esx_exporter_build_info" {"version"} "The exporter's version." , from "the program":
        |_, out| out.with(&[("version", env!("CARGO_PKG_VERSION"))], Some(true));
    Gauge "process_start_time_seconds" "When the process began, and with it all counters, in seconds since 1970."
        = same, from "the system":
        |scrape, out| out.put(epoch(Some(scrape.started)));
    Counter "process_cpu_seconds_total" "Processor time of the process." = same, from "the system (Linux only)":
        |scrape, out| out.put(scrape.cpu_seconds);
    Gauge "process_resident_memory_bytes" "Memory of the process." = same, from "the system (Linux only)":
        |scrape, out| out.put(scrape.resident_bytes);
}

families! {
    /// A connection.
    CONNECTION: Target =
    Gauge "libvirt_up" "Whether the server answers." = same, from "the last request":
        |target, out| out.put(Some(target.is_up));
    Gauge "libvirt_domains_number" "The number of domains." = same, from "the inventory":
        |target, out| out.put(known(target).and_then(|known| u64::try_from(known.domains.len()).ok()));
    Counter "virt_esx_connection_errors_total"
        "How often the server could not be reached, or was lost.", from "the requests":
        |target, out| out.put(Some(target.errors));
    Counter "virt_esx_connection_requests_total"
        "Requests to the server for what is watched and polled.", from "the requests":
        |target, out| out.put(target.snapshot.as_ref().map(|known| known.requests));
    Gauge "virt_esx_data_age_seconds"
        "How old the polled numbers are: quickStats and counters. Other properties come as they change.", from "the last poll":
        |target, out| out.put(target.age);
    Gauge "virt_esx_poll_timestamp_seconds" "When the last poll was answered, in seconds since 1970.", from "the last poll":
        |target, out| out.put(target.snapshot.as_ref().and_then(|known| epoch(known.poll.time)));
    Gauge "virt_esx_poll_duration_seconds" "How long the last poll took.", from "the last poll":
        |target, out| out.put(known(target).map(|known| known.poll.duration.as_secs_f64()));
    Gauge "virt_esx_poll_requests" "How many requests the last poll took.", from "the last poll":
        |target, out| out.put(known(target).map(|known| known.poll.requests));
    Gauge "virt_esx_poll_received_bytes" "How much was received in the last poll, uncompressed.", from "the last poll":
        |target, out| out.put(known(target).map(|known| known.poll.bytes));
    Gauge "virt_esx_poll_samples" "How many samples of counters were new in the last poll.", from "the last poll":
        |target, out| out.put(known(target).map(|known| known.poll.samples));
    Gauge "virt_esx_counters_complete" "Whether all counters could be read.", from "the last poll":
        |target, out| out.put(known(target).map(|known| known.poll.problem.is_none()));
}

fn known(target: &Target) -> Option<&esx_driver::MonitorSnapshot> {
    target.snapshot.as_deref().filter(|_| !target.is_stale)
}
