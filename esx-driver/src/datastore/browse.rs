//! Details of files of datastores.

use vi_client::property_set;
use vi_types::methods::SearchDatastoreTask;
use vi_types::objects::{FileInfo, FileQuery, FileQueryFlags, HostDatastoreBrowserSearchSpec};
use vi_types::{Poly, references};
use virt_model::ErrorNumber;

use super::DatastorePath;
use crate::engine::Change;
use crate::error::fault_words;
use crate::{Connect, Error, ErrorKind, Operation, Result, datastore};

property_set! {
    /// The browser of a datastore.
    pub(crate) struct Browser: Datastore {
        /// The datastore's name.
        pub(crate) datastore: String = summary.name,
        browser: references::HostDatastoreBrowser = browser,
    }
}

impl Connect {
    /// The browsers of the host's datastores: one request.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give one of them.
    pub(crate) async fn browsers(&self) -> Result<Vec<Browser>> {
        let found = datastore::all::<Browser>(self.client(), self.host_system()).await?;
        let browsers = found.into_iter().map(|found| found.properties);
        browsers
            .map(|browser| browser.map_err(Error::missing_property))
            .collect()
    }

    /// Details of one file: a search task of the host. `query` says which kind of file it is and which details are wanted.
    /// `None` if there is no such file of that kind.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the directory cannot be searched.
    pub(crate) async fn browse(
        &self,
        browser: &Browser,
        path: &DatastorePath,
        query: Poly<FileQuery>,
    ) -> Result<Option<Poly<FileInfo>>> {
        let request = SearchDatastoreTask {
            search_spec: Some(Box::new(HostDatastoreBrowserSearchSpec {
                query: vec![query],
                details: Some(Box::new(FileQueryFlags {
                    file_type: true,
                    file_size: true,
                    ..FileQueryFlags::default()
                })),
                match_pattern: vec![path.file().to_owned()],
                ..HostDatastoreBrowserSearchSpec::default()
            })),
            ..browser
                .browser
                .search_datastore_task(path.parent().to_string())
        };
        let search = Change::task(self.client(), request);
        let found = Operation::of("Could not search in datastore", Ok(search)).await;
        let found = found.map_err(|error| not_searched(error, path.datastore()))?;
        // The server takes the file's name for a pattern, which other names may match.
        let mut files = found.file.into_iter();
        Ok(files.find(|file| file.path == path.file()))
    }
}

/// libvirt's text for a directory that cannot be searched (esxVI_LookupFileInfoByDatastorePath of esx_vi.c, 9.0.0).
fn not_searched(error: Error, datastore: &str) -> Error {
    let Some(fault) = error.fault() else {
        return error;
    };
    let reason = fault_words(fault);
    let message = format!("Could not search in datastore '{datastore}': {reason}");
    Error::new(ErrorKind::File, ErrorNumber::InternalError, message).because(error)
}
