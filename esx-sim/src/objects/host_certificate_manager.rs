//! HostCertificateManager: the certificates that a host shows and trusts.

use vi_types::SoapFault;
use vi_types::methods::{ListCaCertificates, NotifyAffectedServices};

use crate::call::{Call, Row};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(list),
        Row::new(notify),
    ]
}

/// A host that signs its own certificate trusts nobody else's.
fn list(_: &mut Call<'_>, _: &ListCaCertificates) -> Result<Vec<String>, SoapFault> {
    Ok(Vec::new())
}

fn notify(_: &mut Call<'_>, _: &NotifyAffectedServices) -> Result<(), SoapFault> {
    Ok(())
}
