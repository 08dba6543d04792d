//! Datastore: where files are.

use vi_types::SoapFault;
use vi_types::methods::RefreshDatastore;

use crate::call::{Call, Row};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(refresh),
    ]
}

/// Does nothing: the properties of a datastore are always up to date.
fn refresh(_: &mut Call<'_>, _: &RefreshDatastore) -> Result<(), SoapFault> {
    Ok(())
}
