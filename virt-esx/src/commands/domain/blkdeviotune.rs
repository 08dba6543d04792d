use serde::Serialize;
use virt_model::{ModificationImpact, TypedParam};

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;

/// Set or query a block device I/O tuning parameters.
///
/// Set or query disk I/O parameters such as block throttling. VMware limits the operations a second of a disk only:
/// --total-iops-sec, where 0 removes the limit.
#[derive(Debug, clap::Args)]
pub(crate) struct Blkdeviotune {
    #[command(flatten)]
    domain: DomainArg,

    /// block device
    #[arg(value_name = "device")]
    device: String,

    #[command(flatten)]
    limits: Limits,

    /// affect next boot
    #[arg(long)]
    config: bool,

    /// affect running domain
    #[arg(long)]
    live: bool,

    /// affect current domain
    #[arg(long)]
    current: bool,
}

/// libvirt's names of the limits, which virsh takes too.
pub(super) const RENAMED: &str = "\
    --total_bytes_sec=--total-bytes-sec --read_bytes_sec=--read-bytes-sec \
    --write_bytes_sec=--write-bytes-sec --total_iops_sec=--total-iops-sec \
    --read_iops_sec=--read-iops-sec --write_iops_sec=--write-iops-sec \
    --total_bytes_sec_max=--total-bytes-sec-max --read_bytes_sec_max=--read-bytes-sec-max \
    --write_bytes_sec_max=--write-bytes-sec-max --total_iops_sec_max=--total-iops-sec-max \
    --read_iops_sec_max=--read-iops-sec-max --write_iops_sec_max=--write-iops-sec-max \
    --size_iops_sec=--size-iops-sec --group_name=--group-name \
    --total_bytes_sec_max_length=--total-bytes-sec-max-length \
    --read_bytes_sec_max_length=--read-bytes-sec-max-length \
    --write_bytes_sec_max_length=--write-bytes-sec-max-length \
    --total_iops_sec_max_length=--total-iops-sec-max-length \
    --read_iops_sec_max_length=--read-iops-sec-max-length \
    --write_iops_sec_max_length=--write-iops-sec-max-length";

/// The limits, in virsh's order.
#[derive(Debug, clap::Args)]
struct Limits {
    /// total throughput limit, as scaled integer (default bytes)
    #[arg(id = "total-bytes-sec", value_name = "total-bytes-sec", value_parser = Number::parser())]
    total_bytes_sec: Option<Number>,

    /// read throughput limit, as scaled integer (default bytes)
    #[arg(id = "read-bytes-sec", value_name = "read-bytes-sec", value_parser = Number::parser())]
    read_bytes_sec: Option<Number>,

    /// write throughput limit, as scaled integer (default bytes)
    #[arg(id = "write-bytes-sec", value_name = "write-bytes-sec", value_parser = Number::parser())]
    write_bytes_sec: Option<Number>,

    /// total I/O operations limit per second
    #[arg(id = "total-iops-sec", value_name = "total-iops-sec", value_parser = Number::parser())]
    total_iops_sec: Option<Number>,

    /// read I/O operations limit per second
    #[arg(id = "read-iops-sec", value_name = "read-iops-sec", value_parser = Number::parser())]
    read_iops_sec: Option<Number>,

    /// write I/O operations limit per second
    #[arg(id = "write-iops-sec", value_name = "write-iops-sec", value_parser = Number::parser())]
    write_iops_sec: Option<Number>,

    /// total max, as scaled integer (default bytes)
    #[arg(id = "total-bytes-sec-max", value_name = "total-bytes-sec-max", value_parser = Number::parser())]
    total_bytes_sec_max: Option<Number>,

    /// read max, as scaled integer (default bytes)
    #[arg(id = "read-bytes-sec-max", value_name = "read-bytes-sec-max", value_parser = Number::parser())]
    read_bytes_sec_max: Option<Number>,

    /// write max, as scaled integer (default bytes)
    #[arg(id = "write-bytes-sec-max", value_name = "write-bytes-sec-max", value_parser = Number::parser())]
    write_bytes_sec_max: Option<Number>,

    /// total I/O operations max
    #[arg(id = "total-iops-sec-max", value_name = "total-iops-sec-max", value_parser = Number::parser())]
    total_iops_sec_max: Option<Number>,

    /// read I/O operations max
    #[arg(id = "read-iops-sec-max", value_name = "read-iops-sec-max", value_parser = Number::parser())]
    read_iops_sec_max: Option<Number>,

    /// write I/O operations max
    #[arg(id = "write-iops-sec-max", value_name = "write-iops-sec-max", value_parser = Number::parser())]
    write_iops_sec_max: Option<Number>,

    /// I/O size in bytes
    #[arg(id = "size-iops-sec", value_name = "size-iops-sec", value_parser = Number::parser())]
    size_iops_sec: Option<Number>,

    /// group name to share I/O quota between multiple drives
    #[arg(id = "group-name", value_name = "group-name")]
    group_name: Option<String>,

    /// duration in seconds to allow total max bytes
    #[arg(id = "total-bytes-sec-max-length", value_name = "total-bytes-sec-max-length", value_parser = Number::parser())]
    total_bytes_sec_max_length: Option<Number>,

    /// duration in seconds to allow read max bytes
    #[arg(id = "read-bytes-sec-max-length", value_name = "read-bytes-sec-max-length", value_parser = Number::parser())]
    read_bytes_sec_max_length: Option<Number>,

    /// duration in seconds to allow write max bytes
    #[arg(id = "write-bytes-sec-max-length", value_name = "write-bytes-sec-max-length", value_parser = Number::parser())]
    write_bytes_sec_max_length: Option<Number>,

    /// duration in seconds to allow total I/O operations max
    #[arg(id = "total-iops-sec-max-length", value_name = "total-iops-sec-max-length", value_parser = Number::parser())]
    total_iops_sec_max_length: Option<Number>,

    /// duration in seconds to allow read I/O operations max
    #[arg(id = "read-iops-sec-max-length", value_name = "read-iops-sec-max-length", value_parser = Number::parser())]
    read_iops_sec_max_length: Option<Number>,

    /// duration in seconds to allow write I/O operations max
    #[arg(id = "write-iops-sec-max-length", value_name = "write-iops-sec-max-length", value_parser = Number::parser())]
    write_iops_sec_max_length: Option<Number>,
}

/// A limit that was given.
#[derive(Clone, Copy)]
enum Given<'a> {
    /// A number of bytes, maybe with a unit.
    Scaled(&'a Number),
    Number(&'a Number),
    Text(&'a str),
}

/// The limits of a disk.
#[derive(Debug, Serialize)]
pub(crate) struct Tuning {
    domain: String,
    device: String,
    /// Null after a change.
    total_iops_sec: Option<u64>,

    #[serde(skip)]
    params: Vec<TypedParam>,
}

impl Query for Blkdeviotune {
    type Answer = Tuning;

    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("current", self.current), ("live", self.live)])?;
        check_exclusive([("current", self.current), ("config", self.config)])
    }

    async fn ask(self, connection: &Connection) -> Result<Tuning, Failure> {
        let domain = self.domain.find(connection).await?;
        options::check_text("device", Some(&self.device))?;
        let wanted = self.limits.params()?;
        let flags = [
            (self.config, ModificationImpact::CONFIG),
            (self.live, ModificationImpact::LIVE),
        ];
        let flags = options::flags(ModificationImpact::NONE, flags);
        let device = self.device;
        let params = if wanted.is_empty() {
            let params = domain.block_io_tune(&device, flags).await;
            params.map_err(|error| {
                // virsh asks for their number first, where only the flags are looked at.
                let number = match error.kind() {
                    esx_driver::ErrorKind::UnsupportedFlags | esx_driver::ErrorKind::Argument => {
                        "number of "
                    }
                    _ => "",
                };
                let line = format!("Unable to get {number}block I/O throttle parameters");
                Failure::because(line, error)
            })?
        } else {
            let failed = |reason| Failure::because("Unable to change block I/O throttle", reason);
            let writable = connection.check_writable("virDomainSetBlockIoTune");
            writable.map_err(failed)?;
            let changed = domain.set_block_io_tune(&device, &wanted, flags).await;
            changed.map_err(|error| failed(error.into()))?;
            Vec::new()
        };
        let total = params.iter().find(|param| param.field == "total_iops_sec");
        Ok(Tuning {
            domain: domain.name().to_owned(),
            device,
            total_iops_sec: total.and_then(|total| total.value.to_string().parse().ok()),
            params,
        })
    }
}

impl Limits {
    /// libvirt's parameters of the limits that were given.
    fn params(&self) -> Result<Vec<TypedParam>, Failure> {
        let mut params = Vec::new();
        for (name, given) in self.given() {
            let Some(given) = given else { continue };
            let option = name.replace('_', "-");
            let read = match given {
                Given::Scaled(number) => number.scaled(&option, 1).map(Into::into),
                Given::Number(number) => number.read::<u64>(&option).map(Into::into),
                Given::Text(text) => options::check_text(&option, Some(text)).map(|()| text.into()),
            };
            let kind = match given {
                Given::Text(_) => &option,
                _ => "integer",
            };
            let value = read.map_err(|failure: Failure| {
                failure.below_first(format!("Unable to parse {kind} parameter"))
            })?;
            params.push(TypedParam {
                field: name.to_owned(),
                value,
            });
        }
        Ok(params)
    }

    fn given(&self) -> [(&'static str, Option<Given<'_>>); 20] {
        [
            (
                "total_bytes_sec",
                self.total_bytes_sec.as_ref().map(Given::Scaled),
            ),
            (
                "read_bytes_sec",
                self.read_bytes_sec.as_ref().map(Given::Scaled),
            ),
            (
                "write_bytes_sec",
                self.write_bytes_sec.as_ref().map(Given::Scaled),
            ),
            (
                "total_iops_sec",
                self.total_iops_sec.as_ref().map(Given::Number),
            ),
            (
                "read_iops_sec",
                self.read_iops_sec.as_ref().map(Given::Number),
            ),
            (
                "write_iops_sec",
                self.write_iops_sec.as_ref().map(Given::Number),
            ),
            (
                "total_bytes_sec_max",
                self.total_bytes_sec_max.as_ref().map(Given::Scaled),
            ),
            (
                "read_bytes_sec_max",
                self.read_bytes_sec_max.as_ref().map(Given::Scaled),
            ),
            (
                "write_bytes_sec_max",
                self.write_bytes_sec_max.as_ref().map(Given::Scaled),
            ),
            (
                "total_iops_sec_max",
                self.total_iops_sec_max.as_ref().map(Given::Number),
            ),
            (
                "read_iops_sec_max",
                self.read_iops_sec_max.as_ref().map(Given::Number),
            ),
            (
                "write_iops_sec_max",
                self.write_iops_sec_max.as_ref().map(Given::Number),
            ),
            (
                "size_iops_sec",
                self.size_iops_sec.as_ref().map(Given::Number),
            ),
            ("group_name", self.group_name.as_deref().map(Given::Text)),
            (
                "total_bytes_sec_max_length",
                self.total_bytes_sec_max_length.as_ref().map(Given::Number),
            ),
            (
                "read_bytes_sec_max_length",
                self.read_bytes_sec_max_length.as_ref().map(Given::Number),
            ),
            (
                "write_bytes_sec_max_length",
                self.write_bytes_sec_max_length.as_ref().map(Given::Number),
            ),
            (
                "total_iops_sec_max_length",
                self.total_iops_sec_max_length.as_ref().map(Given::Number),
            ),
            (
                "read_iops_sec_max_length",
                self.read_iops_sec_max_length.as_ref().map(Given::Number),
            ),
            (
                "write_iops_sec_max_length",
                self.write_iops_sec_max_length.as_ref().map(Given::Number),
            ),
        ]
    }
}

impl Answer for Tuning {
    const SCHEMA: &'static str = "virt-esx/domain-disk-tuning/1";

    fn text(&self, _quiet: bool) -> String {
        let lines = self.params.iter();
        lines
            .map(|param| format!("{:<15}: {}\n", param.field, param.value))
            .collect()
    }
}
