use serde::Serialize;
use virt_model::{ParamValue, TypedParam};

use super::impact::{Changed, Impact};
use crate::answer::{Answer, property};
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// Get or set blkio parameters
///
/// Get or set the current blkio parameters for a guest domain. ESX has the weights of disks: their shares.
#[derive(Debug, clap::Args)]
pub(crate) struct Blkiotune {
    #[command(flatten)]
    domain: DomainArg,

    /// IO Weight
    #[arg(value_name = "weight", value_parser = Number::parser())]
    weight: Option<Number>,

    /// per-device IO Weights, in the form of /path/to/device,weight,...
    #[arg(id = "device-weights", value_name = "device-weights")]
    device_weights: Option<String>,

    /// per-device read I/O limit per second, in the form of /path/to/device,read_iops_sec,...
    #[arg(id = "device-read-iops-sec", value_name = "device-read-iops-sec")]
    device_read_iops_sec: Option<String>,

    /// per-device write I/O limit per second, in the form of /path/to/device,write_iops_sec,...
    #[arg(id = "device-write-iops-sec", value_name = "device-write-iops-sec")]
    device_write_iops_sec: Option<String>,

    /// per-device bytes read per second, in the form of /path/to/device,read_bytes_sec,...
    #[arg(id = "device-read-bytes-sec", value_name = "device-read-bytes-sec")]
    device_read_bytes_sec: Option<String>,

    /// per-device bytes wrote per second, in the form of /path/to/device,write_bytes_sec,...
    #[arg(id = "device-write-bytes-sec", value_name = "device-write-bytes-sec")]
    device_write_bytes_sec: Option<String>,

    #[command(flatten)]
    impact: Impact,
}

/// How a domain's disks share the input and output of their host.
#[derive(Debug, Serialize)]
pub(crate) struct Parameters {
    domain: String,
    /// Each disk's name and weight: `sda,1000,sdb,500`.
    device_weight: String,
}

impl Command for Blkiotune {
    fn check(&self) -> Result<(), Failure> {
        self.impact.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let params = self.params()?;
        let flags = self.impact.flags();
        if params.is_empty() {
            let found = domain.blkio_parameters(flags).await.map_err(|error| {
                Failure::because("Unable to get number of blkio parameters", error)
            })?;
            let mut weights = found.into_iter().filter_map(|param| match param.value {
                ParamValue::String(text) if param.field == "device_weight" => Some(text),
                _ => None,
            });
            return Ok(ui.answer(&Parameters {
                domain: domain.name().to_owned(),
                device_weight: weights.next().unwrap_or_default(),
            })?);
        }
        let failed = |reason| Failure::because("Unable to change blkio parameters", reason);
        let writable = connection.check_writable("virDomainSetBlkioParameters");
        writable.map_err(failed)?;
        let set = domain.set_blkio_parameters(&params, flags);
        set.await.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Changed::new("blkiotune", &domain))?)
    }
}

impl Blkiotune {
    /// What is to be set. virsh's order of checks.
    fn params(&self) -> Result<Vec<TypedParam>, Failure> {
        let mut params = Vec::new();
        if let Some(weight) = &self.weight {
            let weight: i32 = weight.read("weight")?;
            if weight <= 0 {
                let line = format!("Invalid value of {weight} for I/O weight");
                return Err(Failure::new(line));
            }
            params.push(TypedParam::new("weight", weight.unsigned_abs()));
        }
        for (name, text) in [
            ("device_weight", &self.device_weights),
            ("device_read_iops_sec", &self.device_read_iops_sec),
            ("device_write_iops_sec", &self.device_write_iops_sec),
            ("device_read_bytes_sec", &self.device_read_bytes_sec),
            ("device_write_bytes_sec", &self.device_write_bytes_sec),
        ] {
            match text.as_deref() {
                None => {}
                Some("") => return Err(Failure::new("Unable to parse string parameter")),
                Some(text) => params.push(TypedParam::new(name, text.to_owned())),
            }
        }
        Ok(params)
    }
}

impl Answer for Parameters {
    const SCHEMA: &'static str = "virt-esx/blkio-parameters/1";

    fn text(&self, _quiet: bool) -> String {
        property(16, "device_weight  :", &self.device_weight)
    }
}
