//! `esx-sim`: a simulated ESX host or vCenter on a port.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use esx_sim::{
    Builder, Changes, Churn, IscsiTarget, Licence, NewDatastore, NewDistributedSwitch, PartHealth,
    Question, Rule, Script, Server, Simulator,
};
use vi_types::properties;

/// Simulates a VMware ESX host or vCenter until it is interrupted.
///
/// The environment variable ESX_SIM_PASSWORD has the password (default: 'password').
#[derive(Debug, Parser)]
#[command(name = "esx-sim", version)]
struct Arguments {
    /// Simulate an ESX host (default)
    #[arg(long)]
    esx: bool,
    /// Simulate a vCenter
    #[arg(long, conflicts_with = "esx")]
    vcenter: bool,
    /// Address to listen at; port 0 means any free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Number of virtual machines (default: a small mixed set)
    #[arg(long, value_name = "NUMBER", value_parser = vms)]
    vms: Option<usize>,
    /// Number of hosts of the vCenter (default and least: 4)
    #[arg(long, value_name = "NUMBER", requires = "vcenter",
          value_parser = clap::value_parser!(u16).range(..=i64::from(Builder::MOST_HOSTS)))]
    host_count: Option<u16>,
    /// API version to simulate: 2.5, 4.0, 4.1, 5.0, 5.1, 5.5, 6.0, 6.5, 6.7, 7.0 or 8.0
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
    /// What the licence of the server allows
    #[arg(long, value_name = "LICENCE", default_value = "full")]
    licence: LicenceKind,
    /// Use plain HTTP instead of HTTPS
    #[arg(long)]
    plain: bool,
    /// Name of the only user (default: root, or administrator@vsphere.local on a vCenter)
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Let the measurements in quickStats change every 20 seconds
    #[arg(long)]
    live: bool,
    /// Compress answers for clients that accept gzip
    #[arg(long)]
    gzip: bool,
    /// Maximum number of objects in one answer
    #[arg(long, value_name = "NUMBER")]
    page_size: Option<usize>,
    /// Maximum number of objects in one answer of WaitForUpdatesEx
    #[arg(long, value_name = "NUMBER")]
    update_size: Option<usize>,
    /// Datastore in addition to those of the preset; repeat it for several
    ///
    /// vmfs:NAME[:SIZE], nfs:NAME:HOST:/PATH[:SIZE] (also nfs41 and cifs), local:NAME:/PATH[:SIZE], vsan:NAME[:SIZE],
    /// vvol:NAME[:SIZE] or pmem:NAME[:SIZE]. A size has K, M, G or T behind it; without one it is 1T. Words behind commas
    /// are free=SIZE, full, inaccessible, maintenance, readonly and host=NAME: 'vmfs:tiny:64M,full'.
    #[arg(long = "datastore", value_name = "DATASTORE")]
    datastores: Vec<NewDatastore>,
    /// iSCSI target in addition to those of the preset; repeat it for several
    ///
    /// IQN[@ADDRESS[:PORT][,ADDRESS[:PORT]...]][=SIZE[,SIZE...]], with the sizes of its disks.
    #[arg(long = "iscsi", value_name = "TARGET")]
    targets: Vec<IscsiTarget>,
    /// Hosts without an iSCSI adapter
    #[arg(long, conflicts_with = "targets")]
    no_iscsi: bool,
    /// Distributed switch of each datacenter of the vCenter, instead of DSwitch: NAME[@FOLDER][:GROUP[=VLAN],...]; repeat it
    /// for several
    #[arg(long = "dvs", value_name = "SWITCH", requires = "vcenter")]
    switches: Vec<NewDistributedSwitch>,
    /// Opaque network of all hosts, as NSX makes them; repeat it for several
    #[arg(long = "opaque-network", value_name = "NAME")]
    opaque_networks: Vec<String>,
    /// State of a part of the hosts: 'System Board 1 Fan 1=red' (also green, yellow, unknown); repeat it for several
    #[arg(long = "health", value_name = "PART=STATE")]
    health: Vec<PartHealth>,
    /// Name of a virtual machine; repeat it to name the second one, the third one, ...
    #[arg(long = "name", value_name = "NAME", allow_hyphen_values = true)]
    names: Vec<String>,
    /// Question that every start of a virtual machine asks
    #[arg(long, value_name = "QUESTION")]
    ask: Option<QuestionKind>,
    /// Number of steps of the task before the question; 0 asks before the call returns, 1 as soon as the task runs
    #[arg(long, value_name = "STEPS", default_value_t = 1, requires = "ask")]
    ask_after: usize,
    /// Failure on purpose: METHOD[@OBJECT][:CALLS]=EFFECT, for example 'PowerOnVM_Task@web01:2=drop-after'
    ///
    /// METHOD is a method of the API, * for all methods, or GET, PUT, HEAD or DELETE for files. OBJECT is the name or the
    /// id of an object, or the path or the name of a file. CALLS is 2 for the second call, 2- for the second and all later calls, or 2-4. EFFECT is
    /// drop-before (close the connection, don't run the call), drop-after (run the call, lose the answer),
    /// expire-session, silence, html, ignore-range (a GET of a part of a file gets the whole file), status:NUMBER,
    /// delay:SECONDS, truncate:BYTES, tear:BYTES (close the connection after that many bytes of the file that is read or
    /// written), replace:TEXT:TEXT (the second text in place of the first one, wherever the answer has it; \xNN is a byte,
    /// \x3d the sign =) or fault:TYPE.
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<Rule>,
    /// Allow clients to cancel all tasks, not only those of clones, moves and copies
    #[arg(long)]
    cancelable: bool,
    /// Play the changes in this file, from the start of the server on
    ///
    /// A line has a time (seconds since the start, or + and seconds since the line before), a change and its arguments:
    /// '0 power-off web01', '+1.5 rename web01 "web 01"', '+2 ask db01 disk-full', '60 repeat'. # begins a comment. The
    /// documentation of esx_sim::Changes lists the changes; an unknown one is refused with a list of their words.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    play: Option<PathBuf>,
    /// Change power states, names and configurations of random virtual machines, so many a second
    #[arg(long, value_name = "RATE", value_parser = rate)]
    churn: Option<f64>,
    /// Number that selects the sequence of random changes
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "churn")]
    seed: u64,
    /// Keep what is written to files in a temporary file in this folder (default: in memory)
    #[arg(long, value_name = "FOLDER")]
    store: Option<PathBuf>,
    /// Most bytes that are written to files, such as 4G (default: 1G in memory, in a folder what fits)
    ///
    /// K, M, G and T are 1024, 1024 K, 1024 M and 1024 G. Uploads beyond are answered with status 507.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    store_limit: Option<u64>,
    /// Maximum number of files that are transferred at the same time; more are answered with status 503
    #[arg(long, value_name = "NUMBER")]
    max_transfers: Option<usize>,
    /// Most bytes a second of each transfer of a file, such as 50M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    file_rate: Option<u64>,
    /// Let the hosts of the vCenter listen too, at the loopback addresses behind that of the vCenter, with its port
    #[arg(long, requires = "vcenter")]
    hosts: bool,
    /// Write the certificate to this file, as PEM
    #[arg(long, value_name = "FILE", conflicts_with = "plain")]
    certificate_file: Option<PathBuf>,
}

/// The licences of `--licence`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LicenceKind {
    /// Everything
    Full,
    /// Reading only; other calls fail with RestrictedVersion, as with VMware's free licence
    Free,
}

/// The questions of `--ask`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum QuestionKind {
    /// The output file of a serial port already exists
    SerialPort,
    /// The guest has locked its CD-ROM drive
    CdromLocked,
    /// The files of the virtual machine have been moved or copied
    MovedOrCopied,
    /// The datastore is full
    DiskFull,
    /// A question without a default answer
    WithoutDefault,
    /// A question without choices
    WithoutChoices,
}

impl QuestionKind {
    fn question(self) -> Question {
        match self {
            Self::SerialPort => Question::serial_port(),
            Self::CdromLocked => Question::cdrom_locked(),
            Self::MovedOrCopied => Question::moved_or_copied(),
            Self::DiskFull => Question::disk_full(),
            Self::WithoutDefault => Question::without_default(),
            Self::WithoutChoices => Question::without_choices(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&*error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let changes = match &arguments.play {
        None => None,
        Some(file) => {
            let cannot = |error: String| format!("cannot play '{}': {error}", file.display());
            let changes = Changes::read(file).map_err(|error| cannot(error.to_string()))?;
            let changes = changes.map_err(|error| cannot(error.to_string()))?;
            Some(changes)
        }
    };
    let mut builder = match arguments.vcenter {
        true => Simulator::vcenter(),
        false => Simulator::esx(),
    };
    if let Some(count) = arguments.vms {
        builder = builder.vms(count);
    }
    if let Some(count) = arguments.host_count {
        builder = builder.hosts(count);
    }
    if let Some(version) = &arguments.api_version {
        builder = builder.api_version(version)?;
    }
    builder = builder.licence(match arguments.licence {
        LicenceKind::Full => Licence::Full,
        LicenceKind::Free => Licence::Free,
    });
    if let Some(size) = arguments.page_size {
        builder = builder.page_size(size.max(1));
    }
    builder = builder.gzip(arguments.gzip).iscsi(!arguments.no_iscsi);
    for datastore in arguments.datastores {
        builder = builder.datastore(datastore);
    }
    for target in arguments.targets {
        builder = builder.iscsi_target(target);
    }
    for switch in arguments.switches {
        builder = builder.distributed_switch(switch);
    }
    for network in arguments.opaque_networks {
        builder = builder.opaque_network(network);
    }
    for part in arguments.health {
        builder = builder.health(part);
    }
    if let Some(user) = arguments.user {
        builder = builder.user(user);
    }
    let password = std::env::var("ESX_SIM_PASSWORD").ok();
    let own_password = password.is_some();
    if let Some(password) = password {
        builder = builder.password(password);
    }
    builder = match (&arguments.store, arguments.store_limit) {
        (Some(folder), limit) => builder
            .files_in(folder, limit)
            .map_err(|error| format!("cannot keep files in '{}': {error}", folder.display()))?,
        (None, Some(limit)) => builder.files_in_memory(limit),
        (None, None) => builder,
    };
    let simulator = builder.record(false).live(arguments.live).build();
    simulator.limit_transfers(arguments.max_transfers);
    simulator.set_file_rate(arguments.file_rate);
    simulator.limit_updates(arguments.update_size);
    rename(&simulator, &arguments.names);
    if let Some(asked) = arguments.ask {
        let question = asked.question();
        let script = Script::new("PowerOnVM_Task");
        let script = match arguments.ask_after.checked_sub(1) {
            None => script.asks_at_once(question),
            Some(steps) => script.asks_after(steps, question),
        };
        simulator.script(script.cancelable(arguments.cancelable));
    }
    if arguments.cancelable {
        simulator.script(Script::new("*").cancelable(true));
    }
    for rule in arguments.faults {
        if !rule.is_known() {
            let method = rule.method();
            return Err(format!("--fault: the simulator answers no method '{method}'").into());
        }
        simulator.inject(rule);
    }
    let server = simulator
        .listen(arguments.listen, !arguments.plain)
        .await
        .map_err(|error| format!("cannot listen at {}: {error}", arguments.listen))?;
    if let (Some(file), Some(pem)) = (&arguments.certificate_file, server.certificate_pem()) {
        fs::write(file, pem)?;
    }
    let hosts = match arguments.hosts {
        true => simulator.listen_hosts(&server).await?,
        false => Vec::new(),
    };
    announce(&simulator, &server, &hosts, own_password);
    let play = async {
        if let Some(changes) = changes {
            simulator.play_on(changes, |error| report(&error)).await;
        }
    };
    let churn = async {
        if let Some(rate) = arguments.churn {
            simulator.churn(Churn::new(rate).seed(arguments.seed)).await;
        }
    };
    tokio::join!(server.run(), play, churn);
    Ok(())
}

/// A number of virtual machines.
fn vms(text: &str) -> Result<usize, String> {
    let most = Builder::MOST_VMS;
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("expected a number, at most {most}"))
}

/// A number of changes a second.
fn rate(text: &str) -> Result<f64, String> {
    let most = f64::from(Churn::MOST);
    let rate = text.parse().ok().filter(|rate| (0.0..=most).contains(rate));
    rate.ok_or_else(|| format!("expected a number of changes a second, at most {most}"))
}

/// A number of bytes such as 4096, 50M or 4G.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => 0,
    };
    let bytes = digits.parse::<u64>().ok();
    let bytes = bytes.and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a number of bytes, such as 4096, 50M or 4G".to_owned())
}

/// Gives the virtual machines these names, escaped as servers do it.
fn rename(simulator: &Simulator, names: &[String]) {
    let vms = simulator.objects("VirtualMachine");
    for (vm, name) in vms.iter().zip(names) {
        let name = name
            .replace('%', "%25")
            .replace('/', "%2f")
            .replace('\\', "%5c");
        simulator.change(vm, |vm: &mut properties::VirtualMachine| {
            if let Some(config) = &mut vm.config {
                config.name.clone_from(&name);
            }
            if let Some(summary) = &mut vm.summary {
                summary.config.name.clone_from(&name);
            }
            vm.name = Some(name);
        });
    }
}

/// Prints how to reach the server, one fact a line. The first line is a command to try.
fn announce(simulator: &Simulator, server: &Server, hosts: &[Server], own_password: bool) {
    let mut text = format!("virt-esx -c '{}' list --all\n", server.uri());
    text += &format!("uri: {}\n", server.uri());
    text += &format!("user: {}\n", simulator.user());
    text += match own_password {
        true => "password: as in ESX_SIM_PASSWORD\n",
        false => "password: password\n",
    };
    if let Some(certificate) = server.certificate() {
        text += &format!("sha256: {}\n", certificate.sha256_thumbprint());
        text += &format!("sha1: {}\n", certificate.sha1_thumbprint());
    }
    for host in hosts {
        text += &format!("host: {}\n", host.addr());
    }
    // The server runs on if the reader has closed the pipe.
    let _ = io::stdout().write_all(text.as_bytes());
}

#[expect(
    clippy::print_stderr,
    reason = "this is where a command reports why it failed"
)]
fn report(error: &dyn std::error::Error) {
    eprint!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprint!(": {cause}");
        source = cause.source();
    }
    eprintln!();
}
