//! Commands of one line that only read, which run side by side.

use std::time::Duration;

use esx_sim::{Effect, Rule};

use super::{Host, succeeds, text};

/// The methods that were called after connecting.
fn own_calls(host: &Host) -> Vec<String> {
    let requests = host.simulator.requests();
    let methods = requests.into_iter().filter_map(|request| request.method);
    let mut methods = methods.skip_while(|method| method != "FindByInventoryPath");
    let mut own: Vec<_> = methods.by_ref().collect();
    own.retain(|method| method != "Logout");
    own
}

#[test]
fn answers_come_in_the_order_of_the_commands() {
    let commands = [
        "domuuid web01",
        "domstate nobody",
        "domstate db01 --output json",
        "domname 1",
    ];
    let host = Host::new();
    let alone = commands.map(|command| host.virt_esx(&[command]).output().unwrap());
    let stdout: String = alone.iter().map(|output| text(&output.stdout)).collect();
    let stderr: String = alone.iter().map(|output| text(&output.stderr)).collect();
    assert!(stderr.contains("failed to get domain 'nobody'"), "{stderr}");

    let host = Host::new();
    let later = Effect::Delay(Duration::from_millis(500));
    host.simulator
        .inject(Rule::new("FindByInventoryPath", later).nth(1));
    let output = host.virt_esx(&[&commands.join("; ")]).output().unwrap();
    assert_eq!(text(&output.stdout), stdout);
    assert_eq!(text(&output.stderr), stderr);
    // The status is that of the last command, as virsh's.
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_change_waits_for_what_stands_before_it_and_is_waited_for() {
    let host = Host::new();
    let later = Effect::Delay(Duration::from_millis(300));
    host.simulator
        .inject(Rule::new("FindByInventoryPath", later).nth(1));
    let line = "domstate installer; start installer; domstate installer";
    succeeds(
        &host.virt_esx(&[line]).output().unwrap(),
        "shut off\n\nDomain 'installer' started\n\nrunning\n\n",
    );
}

#[test]
fn at_most_eight_run_at_a_time() {
    let host = Host::new();
    let later = Effect::Delay(Duration::from_millis(1500));
    host.simulator
        .inject(Rule::new("FindByInventoryPath", later));
    let line = ["domuuid web01"; 12].join(";");
    let output = host.virt_esx(&[&line]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let calls = own_calls(&host);
    let first = calls
        .iter()
        .take_while(|method| *method == "FindByInventoryPath");
    assert_eq!(first.count(), 8, "{calls:?}");
}

#[test]
fn one_after_the_other_if_the_time_of_each_is_wanted() {
    let host = Host::new();
    let line = "domuuid web01; domuuid db01";
    let output = host.virt_esx(&["-t", line]).output().unwrap();
    assert_eq!(text(&output.stdout).matches("(Time: ").count(), 2);
    let calls = own_calls(&host);
    assert_ne!(
        calls[..2],
        ["FindByInventoryPath", "FindByInventoryPath"],
        "{calls:?}"
    );
}
