use super::{internal, unsupported};
use crate::{XmlError, domain::CharSource};

pub(super) fn check_source(source: &CharSource) -> Result<(), XmlError> {
    let missing = match source {
        CharSource::Dev { path: None }
        | CharSource::File { path: None, .. }
        | CharSource::Pipe { path: None }
        | CharSource::Unix { path: None, .. } => "path",
        CharSource::Udp {
            connect_service: None,
            ..
        } => "service",
        CharSource::SpicePort { channel: None } => {
            return Err(unsupported(
                "Missing source channel attribute for char device",
            ));
        }
        CharSource::Tcp { host: None, .. } => "host",
        CharSource::Tcp { service: None, .. } => "service",
        _ => return Ok(()),
    };
    Err(internal(format!(
        "Missing source {missing} attribute for char device"
    )))
}
