//! HostDatastoreBrowser: looks for files on a datastore.

use vi_types::methods::{SearchDatastoreSubFoldersTask, SearchDatastoreTask};
use vi_types::objects::{
    FileInfo, FileQuery, FileQueryFlags, FloppyImageFileInfo, FloppyImageFileQuery, FolderFileInfo,
    FolderFileQuery, HostDatastoreBrowserSearchResults, HostDatastoreBrowserSearchSpec,
    IsoImageFileInfo, IsoImageFileQuery, VmConfigFileInfo, VmConfigFileQuery, VmDiskFileInfo,
    VmDiskFileQuery, VmLogFileInfo, VmLogFileQuery, VmNvramFileInfo, VmNvramFileQuery,
};
use vi_types::{Any, Array, DataObject, ManagedObjectReference, Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::files::{Descriptor, Entry, DatastorePath};
use crate::world::World;
use crate::world::inventory::parts;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(search),
        Row::new(search_sub_folders),
    ]
}

fn search(
    call: &mut Call<'_>,
    request: &SearchDatastoreTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, &request.datastore_path)?;
    let spec = request.search_spec.as_deref().cloned().unwrap_or_default();
    call.begin::<SearchDatastoreTask>("HostDatastoreBrowser.search", move |world| {
        check_folder(world, &location)?;
        Ok(Some(Any::object(results(world, &location, &spec))))
    })
}

fn search_sub_folders(
    call: &mut Call<'_>,
    request: &SearchDatastoreSubFoldersTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, &request.datastore_path)?;
    let spec = request.search_spec.as_deref().cloned().unwrap_or_default();
    call.begin::<SearchDatastoreSubFoldersTask>("HostDatastoreBrowser.searchSubFolders", move |world| {
        check_folder(world, &location)?;
        let mut found = Vec::new();
        let mut ahead = vec![location];
        while let Some(folder) = ahead.pop() {
            let below = world.list(&folder).into_iter().rev();
            let below = below.filter(|(_, entry)| matches!(entry, Entry::Folder));
            ahead.extend(below.map(|(name, _)| folder.join(name)));
            found.push(results(world, &folder, &spec));
        }
        Ok(Some(Any::Array(Box::new(Array {
            item: "HostDatastoreBrowserSearchResults".to_owned(),
            items: found.into_iter().map(Any::object).collect(),
        }))))
    })
}

/// What a path means for the browser that is called, which knows one datastore.
fn place(call: &mut Call<'_>, path: &str) -> Result<DatastorePath, SoapFault> {
    let world = &mut call.state.world;
    world.fill_files();
    let browser = world.read::<properties::HostDatastoreBrowser>(call.this);
    let own = browser.map_or(Vec::new(), |browser| browser.datastore.clone());
    let location = DatastorePath::resolve(world, None, path)?;
    match own.contains(&location.store) {
        true => Ok(location),
        false => Err(fault::invalid_datastore_path(path)),
    }
}

fn check_folder(world: &World, location: &DatastorePath) -> Result<(), SoapFault> {
    match world.entry(location) {
        Some(Entry::Folder) => Ok(()),
        _ => Err(fault::file_not_found(&location.display(world))),
    }
}

/// What a search finds in one folder.
fn results(
    world: &World,
    folder: &DatastorePath,
    spec: &HostDatastoreBrowserSearchSpec,
) -> HostDatastoreBrowserSearchResults {
    let details = spec.details.as_deref().cloned().unwrap_or_default();
    let ignores_case = spec.search_case_insensitive.unwrap_or(true);
    let matches = |name: &str| {
        let patterns = &spec.match_pattern;
        patterns.is_empty()
            || patterns
                .iter()
                .any(|pattern| is_match(pattern, name, ignores_case))
    };
    let listed = world.list(folder).into_iter();
    let mut file: Vec<Poly<FileInfo>> = listed
        // What is on a disk goes by its descriptor.
        .filter(|(name, _)| !name.ends_with("-flat.vmdk") && matches(name))
        .filter_map(|(name, entry)| file(world, folder, name, entry, spec, &details))
        .collect();
    if spec.sort_folders_first == Some(true) {
        file.sort_by_key(|file| !file.is::<FolderFileInfo>());
    }
    let mut folder_path = folder.display(world);
    if !folder.path.is_empty() {
        folder_path.push('/');
    }
    HostDatastoreBrowserSearchResults {
        datastore: Some(folder.store.clone()),
        folder_path: Some(folder_path),
        file,
        ..HostDatastoreBrowserSearchResults::default()
    }
}

/// What is told of a file, if it is one of those that are looked for.
fn file(
    world: &World,
    folder: &DatastorePath,
    name: &str,
    entry: &Entry,
    spec: &HostDatastoreBrowserSearchSpec,
    details: &FileQueryFlags,
) -> Option<Poly<FileInfo>> {
    let length = world.length(entry);
    let base = FileInfo {
        path: name.to_owned(),
        file_size: details
            .file_size
            .then(|| i64::try_from(length.unwrap_or(0)).unwrap_or(i64::MAX)),
        modification: details.modification.then(parts::made_time),
        owner: details
            .file_owner
            .unwrap_or_default()
            .then(|| "root".to_owned()),
        ..FileInfo::default()
    };
    let queries = &spec.query;
    // Without a query, and with the most general one, everything is found.
    let everything =
        queries.is_empty() || queries.iter().any(|query| query.type_name() == "FileQuery");
    let wanted = |is_it: fn(&Poly<FileQuery>) -> bool| everything || queries.iter().any(is_it);
    fn is<T: DataObject>(query: &Poly<FileQuery>) -> bool {
        query.is::<T>()
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let made: Poly<FileInfo> = match (entry, ending.to_ascii_lowercase().as_str()) {
        (Entry::Folder, _) if wanted(is::<FolderFileQuery>) => FolderFileInfo {
            base,
            ..Default::default()
        }
        .into(),
        (Entry::Folder, _) => return None,
        (_, "vmx" | "vmtx") if wanted(is::<VmConfigFileQuery>) => VmConfigFileInfo {
            base,
            ..Default::default()
        }
        .into(),
        (_, "vmdk") if wanted(is::<VmDiskFileQuery>) => {
            let queries = queries.iter();
            let details =
                queries.filter_map(|query| query.cast::<VmDiskFileQuery>()?.details.as_deref());
            let all = details.fold(None, |all: Option<[bool; 2]>, details| {
                let [capacity, controller] = all.unwrap_or_default();
                Some([
                    capacity || details.capacity_kb,
                    controller || details.controller_type.unwrap_or_default(),
                ])
            });
            let [capacity, controller] = all.unwrap_or_default();
            let text = world.content(&folder.join(name));
            let disk = text.and_then(|text| Descriptor::read(&text));
            let disk = disk.as_ref();
            VmDiskFileInfo {
                base: FileInfo {
                    // Servers tell what the disk takes, not its descriptor.
                    file_size: match disk {
                        Some(disk) if details_size(&base) => {
                            i64::try_from(disk.capacity_kb << 10).ok()
                        }
                        _ => base.file_size,
                    },
                    ..base
                },
                capacity_kb: disk
                    .filter(|_| capacity)
                    .and_then(|disk| i64::try_from(disk.capacity_kb).ok()),
                controller_type: disk
                    .filter(|_| controller)
                    .and_then(|disk| Some(disk.controller()?.to_owned())),
                ..Default::default()
            }
            .into()
        }
        (_, "iso") if wanted(is::<IsoImageFileQuery>) => IsoImageFileInfo {
            base,
            ..Default::default()
        }
        .into(),
        (_, "flp" | "img") if wanted(is::<FloppyImageFileQuery>) => FloppyImageFileInfo {
            base,
            ..Default::default()
        }
        .into(),
        (_, "log") if wanted(is::<VmLogFileQuery>) => VmLogFileInfo {
            base,
            ..Default::default()
        }
        .into(),
        (_, "nvram") if wanted(is::<VmNvramFileQuery>) => VmNvramFileInfo {
            base,
            ..Default::default()
        }
        .into(),
        _ if everything => base.into(),
        _ => return None,
    };
    Some(made)
}

/// Whether the size of a file is asked for.
fn details_size(base: &FileInfo) -> bool {
    base.file_size.is_some()
}

/// Whether a name is what a pattern with `*` and `?` stands for.
fn is_match(pattern: &str, name: &str, ignores_case: bool) -> bool {
    let letters = |text: &str| -> Vec<char> {
        match ignores_case {
            true => text.to_lowercase().chars().collect(),
            false => text.chars().collect(),
        }
    };
    let (pattern, name) = (letters(pattern), letters(name));
    let (mut at, mut behind) = (0, 0);
    // Where the last star is, and what it stood for last.
    let mut star: Option<(usize, usize)> = None;
    while behind < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, behind));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[behind] => {
                at += 1;
                behind += 1;
            }
            _ => {
                let Some((place, stood)) = star else {
                    return false;
                };
                star = Some((place, stood + 1));
                at = place + 1;
                behind = stood + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*.vmdk", "a.VMDK", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "a-b-c", false),
            ("", "a", false),
            ("a", "a", true),
        ] {
            assert_eq!(is_match(pattern, name, true), expected, "{pattern} {name}");
        }
        assert!(!is_match("A", "a", false));
    }
}
