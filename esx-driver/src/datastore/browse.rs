//! Looking for files on datastores: one file, the files of a folder, and those of all folders.
//!
//! A search is a task whose result is one answer, however many files it has.

use std::sync::Arc;

use tokio::sync::OnceCell;
use vi_client::property_set;
use vi_types::methods::{SearchDatastoreSubFoldersTask, SearchDatastoreTask};
use vi_types::objects::{
    FileInfo, FileNotFound, FileQuery, FileQueryFlags, HostDatastoreBrowserSearchResults,
    HostDatastoreBrowserSearchSpec,
};
use vi_types::{ManagedObjectReference, Poly, TaskMethod, references};
use virt_model::ErrorNumber;

use super::{DatastorePath, no_datastore};
use crate::engine::Change;
use crate::error::fault_words;
use crate::{Connect, Error, ErrorKind, Operation, Result, datastore};

property_set! {
    struct Properties: Datastore {
        name: String = summary.name,
        kind: String = summary.r#type,
        browser: references::HostDatastoreBrowser = browser,
    }
}

/// A datastore whose files can be looked for.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    /// The datastore's name.
    pub(crate) datastore: String,
    /// The datastore.
    pub(crate) moref: ManagedObjectReference,
    /// What it is, as the API says it: `VMFS`, `NFS`, `NFS41`, `vsan`, `VVOL`, `PMEM`.
    pub(crate) kind: String,
    browser: references::HostDatastoreBrowser,
}

impl Browser {
    fn new(moref: ManagedObjectReference, properties: Properties) -> Browser {
        Browser {
            datastore: properties.name,
            moref,
            kind: properties.kind,
            browser: properties.browser,
        }
    }
}

/// A datastore by its name or reference, whose [`Browser`] is read when it is first needed.
#[derive(Debug)]
pub(crate) struct Store {
    name: String,
    moref: Option<ManagedObjectReference>,
    browser: OnceCell<Browser>,
}

impl Store {
    /// The host's datastore of that name.
    pub(crate) fn named(name: &str) -> Arc<Store> {
        Arc::new(Store {
            name: name.to_owned(),
            moref: None,
            browser: OnceCell::new(),
        })
    }

    /// The datastore with that reference and name.
    pub(crate) fn at(moref: &ManagedObjectReference, name: &str) -> Arc<Store> {
        Arc::new(Store {
            name: name.to_owned(),
            moref: Some(moref.clone()),
            browser: OnceCell::new(),
        })
    }

    /// The datastore of a browser.
    pub(crate) fn of(browser: Browser) -> Arc<Store> {
        Arc::new(Store {
            name: browser.datastore.clone(),
            moref: Some(browser.moref.clone()),
            browser: OnceCell::new_with(Some(browser)),
        })
    }

    /// The datastore's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The browser: one request the first time.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such datastore.
    pub(crate) async fn browser(&self, connect: &Connect) -> Result<&Browser> {
        let read = || async {
            let Some(moref) = &self.moref else {
                let mut browsers = connect.browsers().await?.into_iter();
                let found = browsers.find(|browser| browser.datastore == self.name);
                return found.ok_or_else(|| no_datastore(&self.name));
            };
            let found = connect.read_complete::<Properties>(moref).await?;
            let found = found.ok_or_else(|| no_datastore(&self.name))?;
            Ok(Browser::new(moref.clone(), found))
        };
        self.browser.get_or_try_init(read).await
    }
}

/// What a search finds in one folder.
#[derive(Debug)]
pub(crate) struct FoundIn {
    /// The folder.
    pub(crate) folder: DatastorePath,
    /// Its files, by their names within the folder.
    pub(crate) files: Vec<Poly<FileInfo>>,
}

impl FoundIn {
    fn new(results: HostDatastoreBrowserSearchResults) -> Result<FoundIn> {
        let folder = results.folder_path.unwrap_or_default();
        Ok(FoundIn {
            folder: folder.trim_end_matches('/').parse()?,
            files: results.file,
        })
    }
}

impl Connect {
    /// The browsers of the host's datastores: one request.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give one of them.
    pub(crate) async fn browsers(&self) -> Result<Vec<Browser>> {
        let found = datastore::all::<Properties>(self.client(), self.host_system().await?).await?;
        let browsers = found.into_iter().map(|found| {
            let properties = found.properties.map_err(Error::missing_property)?;
            Ok(Browser::new(found.object, properties))
        });
        browsers.collect()
    }

    /// Details of one file: a search task of the host. `queries` say which kinds of files it may be and which details are
    /// wanted. `None` if there is no such file of those kinds.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the directory cannot be searched.
    pub(crate) async fn browse(
        &self,
        browser: &Browser,
        path: &DatastorePath,
        queries: Vec<Poly<FileQuery>>,
    ) -> Result<Option<Poly<FileInfo>>> {
        let mut spec = spec(queries, true);
        spec.match_pattern = vec![path.file().to_owned()];
        let found = self.search(browser, &path.parent(), spec).await?;
        // The server takes the file's name for a pattern, which other names may match, and two queries may find the same
        // file: the one that tells more is of the longer type.
        let files = found.into_iter().filter(|file| file.path == path.file());
        Ok(files.max_by_key(|file| file.type_name() != "FileInfo"))
    }

    /// The files right in a folder: a search task of the host.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the folder cannot be searched.
    pub(crate) async fn files_in(
        &self,
        browser: &Browser,
        folder: &DatastorePath,
        queries: Vec<Poly<FileQuery>>,
    ) -> Result<Vec<Poly<FileInfo>>> {
        self.search(browser, folder, spec(queries, true)).await
    }

    /// The files of all folders of a datastore: one search task of the host, whose result is one answer. `sizes` says
    /// whether the files' sizes are wanted.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the datastore cannot be searched.
    pub(crate) async fn files_below(
        &self,
        browser: &Browser,
        queries: Vec<Poly<FileQuery>>,
        sizes: bool,
    ) -> Result<Vec<FoundIn>> {
        let root = DatastorePath::new(&browser.datastore, "").to_string();
        let spec = spec(queries, sizes);
        let request = || SearchDatastoreSubFoldersTask {
            search_spec: Some(Box::new(spec.clone())),
            ..browser.browser.search_datastore_sub_folders_task(&root)
        };
        let found = self.run_search(request, &browser.datastore).await?;
        found.into_iter().map(FoundIn::new).collect()
    }

    async fn search(
        &self,
        browser: &Browser,
        folder: &DatastorePath,
        spec: HostDatastoreBrowserSearchSpec,
    ) -> Result<Vec<Poly<FileInfo>>> {
        let request = || SearchDatastoreTask {
            search_spec: Some(Box::new(spec.clone())),
            ..browser.browser.search_datastore_task(folder.to_string())
        };
        Ok(self.run_search(request, folder.datastore()).await?.file)
    }

    async fn run_search<M, T>(&self, request: impl Fn() -> M, datastore: &str) -> Result<T>
    where
        M: TaskMethod<Output = ManagedObjectReference, Result = T>,
        T: Send + 'static,
    {
        let search = || Operation::of(COULD_NOT, Ok(Change::task(self.client(), request())));
        let found = match search().await {
            // A search changes nothing, so one whose answer was lost can begin again.
            Err(error) if error.kind() == ErrorKind::InDoubt => search().await,
            found => found,
        };
        found.map_err(|error| not_searched(error, datastore))
    }
}

const COULD_NOT: &str = "Could not search in datastore";

fn spec(queries: Vec<Poly<FileQuery>>, sizes: bool) -> HostDatastoreBrowserSearchSpec {
    HostDatastoreBrowserSearchSpec {
        query: queries,
        // Every name. Hosts take it so without a pattern, too, but vcsim finds nothing then.
        match_pattern: vec!["*".to_owned()],
        details: Some(Box::new(FileQueryFlags {
            file_type: true,
            file_size: sizes,
            ..FileQueryFlags::default()
        })),
        ..HostDatastoreBrowserSearchSpec::default()
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

/// Whether the host says that there is no such file or directory.
pub(crate) fn is_missing(error: &Error) -> bool {
    let fault = error.fault();
    fault.is_some_and(|fault| fault.is::<FileNotFound>())
}
