//! HostHealthStatusSystem: the sensors of a host.

use vi_types::SoapFault;
use vi_types::methods::{RefreshHealthStatusSystem, ResetSystemHealthInfo};

use crate::call::{Call, Row};

/// The methods. The readings of a simulated host never age, so there is nothing to do.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(refresh),
        Row::new(reset),
    ]
}

fn refresh(_: &mut Call<'_>, _: &RefreshHealthStatusSystem) -> Result<(), SoapFault> {
    Ok(())
}

fn reset(_: &mut Call<'_>, _: &ResetSystemHealthInfo) -> Result<(), SoapFault> {
    Ok(())
}
