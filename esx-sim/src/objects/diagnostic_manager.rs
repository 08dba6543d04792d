//! DiagnosticManager: the logs of a host or of a vCenter.

use vi_types::SoapFault;
use vi_types::methods::{BrowseDiagnosticLog, QueryDescriptions};
use vi_types::objects::{
    Description, DiagnosticManagerLogDescriptor, DiagnosticManagerLogHeader,
};
use vi_types::ManagedObjectReference;

use crate::call::{Call, Row};
use crate::fault;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(describe),
        Row::new(browse),
    ]
}

/// The most lines of one answer, of a host and of a vCenter.
const MOST: (i32, i32) = (1000, 500);

/// Lines of a log that has come to an end, and of one before the first change.
const LINES: i32 = 60;

/// Key, file, whether it gets a line for each change of the server's state.
type Log = (&'static str, &'static str, bool);

/// The logs of a host, or of the server that is asked.
fn logs(call: &Call<'_>, host: Option<&ManagedObjectReference>) -> &'static [Log] {
    match host.is_none() && call.state.world.kind() == ServerKind::VCenter {
        true => &[("vpxd:vpxd.log", "/var/log/vmware/vpxd/vpxd.log", true)],
        false => &[
            ("hostd", "/var/log/hostd.log", true),
            ("vmkernel", "/var/log/vmkernel.log", false),
            ("vmkwarning", "/var/log/vmkwarning.log", false),
            ("vpxa", "/var/log/vpxa.log", false),
        ],
    }
}

fn describe(
    call: &mut Call<'_>,
    request: &QueryDescriptions,
) -> Result<Vec<DiagnosticManagerLogDescriptor>, SoapFault> {
    let describe = |&(key, file, _): &Log| DiagnosticManagerLogDescriptor {
        key: key.to_owned(),
        file_name: file.to_owned(),
        creator: key.split(':').next().unwrap_or(key).to_owned(),
        format: "plain".to_owned(),
        mime_type: "text/plain".to_owned(),
        info: Description {
            label: format!("Log of {key}"),
            summary: format!("Log messages in {file}"),
            ..Description::default()
        }
        .into(),
        ..DiagnosticManagerLogDescriptor::default()
    };
    Ok(logs(call, request.host.as_ref()).iter().map(describe).collect())
}

/// Lines from the first one on that is asked for. A line's text depends on its number only, unless it was written while the
/// server runs. From behind the end there are none, and the number of the last one.
fn browse(
    call: &mut Call<'_>,
    request: &BrowseDiagnosticLog,
) -> Result<DiagnosticManagerLogHeader, SoapFault> {
    let mut logs = logs(call, request.host.as_ref()).iter();
    let log = logs.find(|log| log.0 == request.key);
    let &(key, _, grows) = log.ok_or_else(|| fault::invalid_argument("key"))?;
    let world = &call.state.world;
    let written = world.logs.of(key);
    let own = match written {
        Some(written) if written.is_new => 0,
        _ if grows => LINES.saturating_add(i32::try_from(world.version()).unwrap_or(i32::MAX - LINES)),
        _ => LINES,
    };
    let written = written.map_or(&[][..], |written| &written.lines);
    let last = own.saturating_add(i32::try_from(written.len()).unwrap_or(i32::MAX));
    let most = match world.kind() {
        ServerKind::Esx => MOST.0,
        ServerKind::VCenter => MOST.1,
    };
    let first = request.start.unwrap_or(1).max(1);
    let wanted = request.lines.filter(|&lines| lines > 0).unwrap_or(most).min(most);
    let end = first.saturating_add(wanted - 1).min(last);
    let line = |number: i32| {
        let behind = usize::try_from(number - own - 1).ok();
        if let Some(line) = behind.and_then(|behind| written.get(behind)) {
            return line.clone();
        }
        let (minute, second) = (number / 60 % 60, number % 60);
        format!("2024-03-01T09:{minute:02}:{second:02}.000Z info {key}[2099]: message {number}")
    };
    Ok(DiagnosticManagerLogHeader {
        line_start: first.min(last),
        line_end: end,
        line_text: (first..=end).map(line).collect(),
        ..DiagnosticManagerLogHeader::default()
    })
}
