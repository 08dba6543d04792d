//! The volumes of a pool.

use std::collections::VecDeque;
use std::sync::Arc;
use std::vec;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_util::stream::{self, FuturesOrdered, StreamExt as _};
use vi_types::Poly;
use vi_types::objects::FileInfo;

use super::file::{Facts, Shape, listed, listed_and_directories};
use super::lun::Lun;
use super::{StorageVol, StorageVolEntry};
use crate::datastore::{FoundIn, Store, is_missing};
use crate::storage_pool::Backend;
use crate::{Connect, DatastorePath, Error, ErrorKind, Result, StoragePool};
use virt_model::ErrorNumber;

/// How many folders are searched at a time.
const AT_A_TIME: usize = 8;

/// The longest path of a folder that is searched, in bytes: a server that answers each folder with another one inside has
/// no end. VMFS has no paths as long.
const LONGEST_PATH: usize = 4096;

impl StoragePool {
    /// The number of its volumes: a request for the datastore's browser and one search task; or one request for the LUNs of
    /// a target.
    ///
    /// # Errors
    /// As [`list_all_volumes`](StoragePool::list_all_volumes).
    #[doc(alias = "virStoragePoolNumOfVolumes")]
    pub async fn num_of_volumes(&self) -> Result<usize> {
        Ok(self.list_volumes().await?.len())
    }

    /// The names of its volumes. Requests as [`num_of_volumes`](StoragePool::num_of_volumes).
    ///
    /// # Errors
    /// As [`list_all_volumes`](StoragePool::list_all_volumes).
    #[doc(alias = "virStoragePoolListVolumes")]
    pub async fn list_volumes(&self) -> Result<Vec<String>> {
        let Backend::Datastore(moref) = self.backend() else {
            let luns = self.connect().luns_of(self.name()).await?;
            return Ok(luns.into_iter().map(|lun| lun.name).collect());
        };
        let store = Store::at(moref, self.name());
        let browser = store.browser(self.connect()).await?;
        let found = self.connect().files_below(browser, listed(false), false);
        let mut names = Vec::new();
        for FoundIn { folder, files } in found.await? {
            let files = files.iter().filter(|file| Facts::of(file).is_listed());
            names.extend(files.map(|file| folder.child(&file.path).path().to_owned()));
        }
        Ok(names)
    }

    /// Its volumes with their sizes, in the server's order. Requests as [`num_of_volumes`](StoragePool::num_of_volumes):
    /// none for a single volume.
    ///
    /// The server answers all files of a datastore at once. [`volumes`](StoragePool::volumes) bounds the memory that a large
    /// datastore takes.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the datastore cannot be searched, for instance because the host cannot access it;
    /// [`ErrorKind::NotFound`] if the datastore or the target is not there any more.
    #[doc(alias = "virStoragePoolListAllVolumes")]
    pub async fn list_all_volumes(&self) -> Result<Vec<StorageVolEntry>> {
        let connect = self.connect();
        let Backend::Datastore(moref) = self.backend() else {
            let luns = connect.luns_of(self.name()).await?.into_iter();
            return Ok(luns.map(|lun| entry_of_lun(connect, lun)).collect());
        };
        let store = Store::at(moref, self.name());
        let browser = store.browser(connect).await?;
        let found = connect.files_below(browser, listed(true), true).await?;
        let mut entries = Vec::new();
        for FoundIn { folder, files } in found {
            let files = files.iter();
            entries.extend(files.filter_map(|file| entry(connect, &store, &folder, file)));
        }
        Ok(entries)
    }

    /// Its volumes with their sizes, as they are found: a datastore's folders are searched one by one, eight at a time.
    ///
    /// What is kept in memory is what the server answers for nine folders, and the names of folders that are still to be
    /// searched; not the whole datastore. A request for the datastore's browser and one search task for each folder.
    ///
    /// A folder that cannot be searched is an error in the stream, which goes on behind it. A folder that is gone when its
    /// turn comes is not.
    pub fn volumes(&self) -> impl Stream<Item = Result<StorageVolEntry>> + Send + Unpin + 'static {
        let connect = self.connect().clone();
        let walk = match self.backend() {
            Backend::Datastore(moref) => {
                let store = Store::at(moref, self.name());
                Walk::new(connect, store).stream().left_stream()
            }
            Backend::Iscsi { .. } => {
                let target = self.name().to_owned();
                let luns = async move {
                    let entries = match connect.luns_of(&target).await {
                        Ok(luns) => {
                            let luns = luns.into_iter();
                            luns.map(|lun| Ok(entry_of_lun(&connect, lun))).collect()
                        }
                        Err(error) => vec![Err(error)],
                    };
                    stream::iter(entries)
                };
                stream::once(luns).flatten().right_stream()
            }
        };
        Box::pin(walk)
    }
}

/// A walk through the folders of a datastore, breadth first.
struct Walk {
    connect: Connect,
    store: Arc<Store>,
    /// Folders that are still to be searched.
    ahead: VecDeque<DatastorePath>,
    /// Searches that are under way.
    searches: FuturesOrdered<BoxFuture<'static, Searched>>,
    /// What was found in the folder whose turn it is.
    folder: DatastorePath,
    found: vec::IntoIter<Poly<FileInfo>>,
}

/// A folder, and what is in it.
type Searched = (DatastorePath, Result<Vec<Poly<FileInfo>>>);

impl Walk {
    fn new(connect: Connect, store: Arc<Store>) -> Walk {
        let root = DatastorePath::new(store.name(), "");
        Walk {
            connect,
            store,
            ahead: VecDeque::from([root.clone()]),
            searches: FuturesOrdered::new(),
            folder: root,
            found: Vec::new().into_iter(),
        }
    }

    fn stream(self) -> impl Stream<Item = Result<StorageVolEntry>> + Send {
        stream::unfold(self, |mut walk| async move {
            let next = walk.next().await?;
            Some((next, walk))
        })
    }

    async fn next(&mut self) -> Option<Result<StorageVolEntry>> {
        loop {
            for file in self.found.by_ref() {
                if let Some(entry) = entry(&self.connect, &self.store, &self.folder, &file) {
                    return Some(Ok(entry));
                }
                if matches!(Facts::of(&file).shape, Shape::Directory) {
                    let folder = self.folder.child(&file.path);
                    if folder.path().len() > LONGEST_PATH {
                        return Some(Err(too_deep(&folder)));
                    }
                    self.ahead.push_back(folder);
                }
            }
            while self.searches.len() < AT_A_TIME
                && let Some(folder) = self.ahead.pop_front()
            {
                let (connect, store) = (self.connect.clone(), Arc::clone(&self.store));
                self.searches
                    .push_back(Box::pin(search(connect, store, folder)));
            }
            let (folder, found) = self.searches.next().await?;
            match found {
                Ok(files) => {
                    self.folder = folder;
                    self.found = files.into_iter();
                }
                // Somebody has deleted it meanwhile.
                Err(error) if is_missing(&error) && !folder.path().is_empty() => {}
                Err(error) => {
                    return Some(Err(error.advise_also(&format!(
                        "the files of the folder '{folder}' are not listed"
                    ))));
                }
            }
        }
    }
}

async fn search(connect: Connect, store: Arc<Store>, folder: DatastorePath) -> Searched {
    let found = async {
        let browser = store.browser(&connect).await?;
        let queries = listed_and_directories();
        connect.files_in(browser, &folder, queries).await
    };
    let found = found.await;
    (folder, found)
}

/// The entry of a file that lists have.
fn entry(
    connect: &Connect,
    store: &Arc<Store>,
    folder: &DatastorePath,
    file: &Poly<FileInfo>,
) -> Option<StorageVolEntry> {
    let facts = Facts::of(file);
    facts.is_listed().then(|| StorageVolEntry {
        volume: StorageVol::of_file(connect, store, folder.child(&file.path)),
        info: facts.info(),
    })
}

fn entry_of_lun(connect: &Connect, lun: Lun) -> StorageVolEntry {
    let info = lun.info();
    StorageVolEntry {
        volume: StorageVol::of_lun(connect, lun),
        info,
    }
}

fn too_deep(folder: &DatastorePath) -> Error {
    let shown: String = folder.path().chars().take(64).collect();
    let datastore = folder.datastore();
    let message = format!("the folder '[{datastore}] {shown}...' is too deep to be searched");
    let number = ErrorNumber::InternalError;
    Error::new(ErrorKind::UnexpectedValue, number, message)
}
