//! `test:///default` and `test:///vcenter`: URIs of simulators in process.

use percent_encoding::percent_decode_str;

use crate::changes::{Churn, InvalidChanges};
use crate::health::InvalidHealth;
use crate::simulator::{Builder, Licence, Simulator, UnknownRelease};
use crate::storage::InvalidStorage;

/// The URI names no simulator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestUriError {
    /// It has another scheme.
    #[error("'{0}' is not a test URI: it does not begin with 'test:///'")]
    Scheme(String),
    /// There is no simulator of that name.
    #[error("there is no simulator called '{0}' (should be default|vcenter)")]
    Name(String),
    /// A parameter has an invalid value.
    #[error("query parameter '{name}' has unexpected value '{value}' (should be a number)")]
    Number {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
    },
    /// A parameter asks for more than is simulated.
    #[error(
        "query parameter '{name}' has unexpected value '{value}' (at most {most} are simulated)"
    )]
    TooMany {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
        /// The most.
        most: usize,
    },
    /// A parameter has a value that it does not know.
    #[error("query parameter '{name}' has unexpected value '{value}' (should be {expected})")]
    Value {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
        /// What it knows.
        expected: &'static str,
    },
    /// The file of changes cannot be read.
    #[error("query parameter 'play': cannot read '{file}': {source}")]
    File {
        /// The file.
        file: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of changes has a mistake.
    #[error("query parameter 'play': '{file}', {source}")]
    Changes {
        /// The file.
        file: String,
        /// The mistake.
        source: InvalidChanges,
    },
    /// A datastore or an iSCSI target is not described correctly.
    #[error("query parameter '{name}': {source}")]
    Storage {
        /// The parameter.
        name: String,
        /// The mistake.
        source: InvalidStorage,
    },
    /// A part of the hosts has no such state.
    #[error("query parameter 'health': {0}")]
    Health(#[from] InvalidHealth),
    /// There is no such release.
    #[error("query parameter 'api_version' names no release")]
    Release(#[from] UnknownRelease),
}

impl Simulator {
    /// The settings that a URI like `test:///default` or `test:///vcenter?vms=5000` names.
    ///
    /// Parameters: `vms` (number of virtual machines), `api_version` (see [`Builder::api_version`]), `page_size` (see
    /// [`Builder::page_size`]), `licence` (`full` or `free`, see [`Builder::licence`]), `live` (0 or 1, see
    /// [`Builder::live`]), `health` (a [`PartHealth`](crate::PartHealth); repeat it for several), `datastore` (a [`NewDatastore`](crate::NewDatastore); repeat it for several), `iscsi` (0 or 1, see
    /// [`Builder::iscsi`], or an [`IscsiTarget`](crate::IscsiTarget)), `play` (a file of [`Changes`](crate::Changes), see [`Builder::play`]) and `churn` (random changes a
    /// second, see [`Builder::churn`]). Other parameters are ignored, as they are the driver's.
    ///
    /// The clock is [steady](Builder::steady_clock), so that a command prints the same in every run.
    ///
    /// # Errors
    /// The scheme, the name or the value of a parameter is unknown, or the file of changes cannot be used.
    pub fn from_test_uri(uri: &str) -> Result<Builder, TestUriError> {
        let rest = uri
            .strip_prefix("test:///")
            .ok_or_else(|| TestUriError::Scheme(uri.to_owned()))?;
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let builder = match name {
            "default" => Self::esx(),
            "vcenter" => Self::vcenter(),
            other => return Err(TestUriError::Name(other.to_owned())),
        };
        let mut builder = builder.steady_clock();
        for pair in query.split(['&', ';']) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            builder = parameter(builder, name, &value)?;
        }
        Ok(builder)
    }
}

fn parameter(builder: Builder, name: &str, value: &str) -> Result<Builder, TestUriError> {
    let number_up_to = |most: usize| {
        let (name, value) = (name.to_owned(), value.to_owned());
        match value.parse() {
            Ok(number) if number <= most => Ok(number),
            Err(_) if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(TestUriError::Number { name, value })
            }
            _ => Err(TestUriError::TooMany { name, value, most }),
        }
    };
    let number = || number_up_to(usize::MAX);
    Ok(match name {
        "vms" => builder.vms(number_up_to(Builder::MOST_VMS)?),
        "page_size" => builder.page_size(number()?.max(1)),
        "api_version" => builder.api_version(value)?,
        "play" => {
            let read = crate::changes::read_text(value).map_err(|source| TestUriError::File {
                file: value.to_owned(),
                source,
            })?;
            builder.play(read.parse().map_err(|source| TestUriError::Changes {
                file: value.to_owned(),
                source,
            })?)
        }
        "churn" => builder.churn(Churn::new(number_up_to(Churn::MOST as usize)? as f64)),
        "datastore" => {
            builder.datastore(value.parse().map_err(|source| TestUriError::Storage {
                name: name.to_owned(),
                source,
            })?)
        }
        "iscsi" => match value {
            "0" => builder.iscsi(false),
            "1" => builder.iscsi(true),
            target => {
                builder.iscsi_target(target.parse().map_err(|source| TestUriError::Storage {
                    name: name.to_owned(),
                    source,
                })?)
            }
        },
        "health" => builder.health(value.parse()?),
        "live" => builder.live(number()? > 0),
        "licence" => builder.licence(match value {
            "full" => Licence::Full,
            "free" => Licence::Free,
            other => {
                return Err(TestUriError::Value {
                    name: name.to_owned(),
                    value: other.to_owned(),
                    expected: "full|free",
                });
            }
        }),
        _ => builder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_name_simulators() {
        for uri in [
            "test:///default",
            "test:///vcenter",
            "test:///default?vms=3",
            "test:///default?vms=3&api_version=5.5&legacy_uuid=1",
            "test:///default?page_size=100;vms=1",
            "test:///default?licence=free",
            "test:///default?churn=10",
            "test:///vcenter?live=1",
            "test:///default?datastore=nfs:iso:nas:/iso:200G&datastore=vmfs:tiny:64M,full",
            "test:///default?iscsi=0",
            "test:///default?iscsi=iqn.2001-05.com.example:db@192.0.2.60=1T",
        ] {
            assert!(Simulator::from_test_uri(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_a_reason() {
        for (uri, reason) in [
            (
                "esx://host/",
                "'esx://host/' is not a test URI: it does not begin with 'test:///'",
            ),
            (
                "test:///other",
                "there is no simulator called 'other' (should be default|vcenter)",
            ),
            (
                "test:///default?vms=x",
                "query parameter 'vms' has unexpected value 'x' (should be a number)",
            ),
            (
                "test:///default?vms=100001",
                "query parameter 'vms' has unexpected value '100001' (at most 100000 are simulated)",
            ),
            (
                "test:///default?vms=99999999999",
                "query parameter 'vms' has unexpected value '99999999999' (at most 100000 are simulated)",
            ),
            (
                "test:///default?vms=99999999999999999999999",
                "query parameter 'vms' has unexpected value '99999999999999999999999' (at most 100000 are simulated)",
            ),
            (
                "test:///default?vms=-1",
                "query parameter 'vms' has unexpected value '-1' (should be a number)",
            ),
            (
                "test:///default?churn=1000000000",
                "query parameter 'churn' has unexpected value '1000000000' (at most 100000 are simulated)",
            ),
            (
                "test:///default?play=/dev/zero",
                "query parameter 'play': cannot read '/dev/zero': it has more than 16 MiB, which is the most that is read",
            ),
            (
                "test:///default?licence=cheap",
                "query parameter 'licence' has unexpected value 'cheap' (should be full|free)",
            ),
            (
                "test:///default?play=/nowhere/a.changes",
                "query parameter 'play': cannot read '/nowhere/a.changes': No such file or directory (os error 2)",
            ),
            (
                "test:///default?datastore=tape:a",
                "query parameter 'datastore': 'tape:a' describes no datastore: there is no kind 'tape' (should be \
                 vmfs|nfs|nfs41|cifs|local|vsan|vvol|pmem)",
            ),
            (
                "test:///default?api_version=9",
                "query parameter 'api_version' names no release",
            ),
        ] {
            let error = Simulator::from_test_uri(uri).unwrap_err();
            assert_eq!(error.to_string(), reason);
        }
    }
}
