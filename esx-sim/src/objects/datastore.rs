//! Datastore: where files are.

use vi_types::SoapFault;
use vi_types::methods::RefreshDatastore;

use crate::call::Call;

/// What a datastore tells of itself is never out of date.
pub(crate) fn refresh(_: &mut Call<'_>, _: &RefreshDatastore) -> Result<(), SoapFault> {
    Ok(())
}
