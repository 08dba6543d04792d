//! HostDatastoreBrowser: looks for files on a datastore.

use vi_types::methods::{DeleteFile, SearchDatastoreSubFoldersTask, SearchDatastoreTask};
use vi_types::objects::{
    FileInfo, FileQuery, FileQueryFlags, FloppyImageFileInfo, FloppyImageFileQuery, FolderFileInfo,
    FolderFileQuery, HostDatastoreBrowserSearchResults, HostDatastoreBrowserSearchSpec,
    IsoImageFileInfo, IsoImageFileQuery, TemplateConfigFileInfo, TemplateConfigFileQuery,
    VmConfigFileInfo, VmConfigFileQuery, VmDiskFileInfo, VmDiskFileQuery, VmDiskFileQueryFilter,
    VmDiskFileQueryFlags, VmLogFileInfo, VmLogFileQuery, VmNvramFileInfo, VmNvramFileQuery,
    VmSnapshotFileInfo, VmSnapshotFileQuery,
};
use vi_types::{Any, Array, DataObject, ManagedObjectReference, Poly, SoapFault, properties};

use super::file_manager::take_out;
use crate::call::{Call, Row};
use crate::fault;
use crate::files::{Descriptor, Entry, DatastorePath};
use crate::machine::lock;
use crate::world::World;
use crate::world::inventory::datacenter_of;
use crate::world::inventory::datastore::{check_reached, check_writable};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(search),
        Row::new(search_sub_folders),
        Row::new(delete),
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

/// Deletes a file, as before there were file managers.
fn delete(call: &mut Call<'_>, request: &DeleteFile) -> Result<(), SoapFault> {
    let location = place(call, &request.datastore_path)?;
    let world = &mut call.state.world;
    check_writable(world, &location.store)?;
    lock::check_free(world, &location)?;
    take_out(world, &location)
}

/// What a path means for the browser that is called, which knows one datastore.
fn place(call: &mut Call<'_>, path: &str) -> Result<DatastorePath, SoapFault> {
    let world = &mut call.state.world;
    world.fill_files();
    let browser = world.read::<properties::HostDatastoreBrowser>(call.this);
    let own = browser.map_or(Vec::new(), |browser| browser.datastore.clone());
    // Several datacenters can have datastores with the same name.
    let datacenter = own.first().and_then(|store| datacenter_of(world, store));
    let location = DatastorePath::resolve(world, datacenter.as_ref(), path)?;
    if !own.contains(&location.store) {
        return Err(fault::invalid_datastore_path(path));
    }
    check_reached(world, &location.store)?;
    Ok(location)
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
        .filter(|(name, _)| matches(name))
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
    let queries = &spec.query;
    // Without a query, and with the most general one, everything is found.
    let everything =
        queries.is_empty() || queries.iter().any(|query| query.type_name() == "FileQuery");
    let wanted = |is_it: fn(&Poly<FileQuery>) -> bool| everything || queries.iter().any(is_it);
    fn is<T: DataObject>(query: &Poly<FileQuery>) -> bool {
        query.is::<T>()
    }
    let base = |size: &dyn Fn() -> u64| FileInfo {
        path: name.to_owned(),
        file_size: details
            .file_size
            .then(|| i64::try_from(size()).unwrap_or(i64::MAX)),
        modification: details.modification.then(|| world.modified(entry)),
        owner: details
            .file_owner
            .filter(|owner| *owner && world.since("4.0"))
            .map(|_| "root".to_owned()),
        ..FileInfo::default()
    };
    let length = || world.length(entry).unwrap_or(0);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    Some(match (entry, ending.to_ascii_lowercase().as_str()) {
        (Entry::Folder, _) if wanted(is::<FolderFileQuery>) => FolderFileInfo {
            base: base(&length),
            ..Default::default()
        }
        .into(),
        (Entry::Folder, _) => return None,
        (_, "vmdk") if everything || queries.iter().any(is::<VmDiskFileQuery>) => {
            disk(world, &folder.join(name), spec, everything, base)?.into()
        }
        (_, "vmx") => config(queries, everything, base(&length))?.into(),
        (_, "vmtx") if wanted(is::<VmConfigFileQuery>) => {
            let config = config(queries, true, base(&length))?;
            TemplateConfigFileInfo { base: config, ..Default::default() }.into()
        }
        (_, "iso") if wanted(is::<IsoImageFileQuery>) => IsoImageFileInfo {
            base: base(&length),
            ..Default::default()
        }
        .into(),
        (_, "flp" | "img") if wanted(is::<FloppyImageFileQuery>) => FloppyImageFileInfo {
            base: base(&length),
            ..Default::default()
        }
        .into(),
        (_, "log") if wanted(is::<VmLogFileQuery>) => VmLogFileInfo {
            base: base(&length),
            ..Default::default()
        }
        .into(),
        (_, "nvram") if wanted(is::<VmNvramFileQuery>) => VmNvramFileInfo {
            base: base(&length),
            ..Default::default()
        }
        .into(),
        (_, "vmsn") if wanted(is::<VmSnapshotFileQuery>) => VmSnapshotFileInfo {
            base: base(&length),
            ..Default::default()
        }
        .into(),
        _ if everything => base(&length).into(),
        _ => return None,
    })
}

/// The `config.version` of all VMX files here.
const CONFIG_VERSION: i32 = 8;

/// What is told of a VMX file, if a query is for it. A query for templates is not.
fn config(queries: &[Poly<FileQuery>], everything: bool, base: FileInfo) -> Option<VmConfigFileInfo> {
    let fitting = || {
        let own = queries.iter().filter(|query| everything || !query.is::<TemplateConfigFileQuery>());
        let own = own.filter_map(|query| query.cast::<VmConfigFileQuery>());
        own.filter(|query| {
            let filter = query.filter.as_deref();
            filter.is_none_or(|filter| {
                let versions = &filter.match_config_version;
                (versions.is_empty() || versions.contains(&CONFIG_VERSION)) && filter.encrypted != Some(true)
            })
        })
    };
    if !everything && fitting().next().is_none() {
        return None;
    }
    let asked = fitting().any(|query| query.details.as_deref().is_some_and(|details| details.config_version));
    Some(VmConfigFileInfo {
        base,
        config_version: asked.then_some(CONFIG_VERSION),
        ..Default::default()
    })
}

/// The `ddb.virtualHWVersion` of all disks here.
const DISK_VERSION: i32 = 20;

/// What is told of a file whose name is that of a disk, if a query is for it.
fn disk(
    world: &World,
    location: &DatastorePath,
    spec: &HostDatastoreBrowserSearchSpec,
    everything: bool,
    base: impl Fn(&dyn Fn() -> u64) -> FileInfo,
) -> Option<VmDiskFileInfo> {
    let descriptor = Descriptor::at(world, location);
    // What is on a disk goes by its descriptor.
    if descriptor.is_none() && is_extent(&location.path) {
        return None;
    }
    let descriptor = descriptor.as_ref();
    let fitting = || {
        let own = spec.query.iter().filter_map(|query| query.cast::<VmDiskFileQuery>());
        own.filter(|query| query.filter.as_deref().is_none_or(|filter| fits(filter, descriptor)))
    };
    if !everything && fitting().next().is_none() {
        return None;
    }
    let asked = |flag: fn(&VmDiskFileQueryFlags) -> bool| {
        fitting().any(|query| query.details.as_deref().is_some_and(flag))
    };
    // Servers tell what the disk takes, not its descriptor.
    let size = || match descriptor {
        Some(_) => world.disk_files(location).get(1).map_or(0, |extent| world.taken_by(extent)),
        None => world.entry(location).and_then(|entry| world.length(entry)).unwrap_or(0),
    };
    let of_disk = |flag: fn(&VmDiskFileQueryFlags) -> bool| descriptor.filter(|_| asked(flag));
    Some(VmDiskFileInfo {
        base: base(&size),
        disk_type: of_disk(|details| details.disk_type).map(|_| DISK_TYPE.to_owned()),
        capacity_kb: of_disk(|details| details.capacity_kb)
            .and_then(|disk| i64::try_from(disk.capacity_kb).ok()),
        hardware_version: of_disk(|details| details.hardware_version).map(|_| DISK_VERSION),
        controller_type: of_disk(|details| details.controller_type == Some(true))
            .and_then(|disk| Some(disk.controller()?.to_owned())),
        disk_extents: match of_disk(|details| details.disk_extents == Some(true)) {
            Some(_) => {
                let files = world.disk_files(location).into_iter().skip(1);
                files.map(|extent| extent.display(world)).collect()
            }
            None => Vec::new(),
        },
        thin: of_disk(|details| details.thin == Some(true))
            .filter(|_| world.since("4.0"))
            .map(|disk| disk.thin),
        ..Default::default()
    })
}

/// The backing of all disks here.
const DISK_TYPE: &str = "VirtualDiskFlatVer2BackingInfo";

/// Whether a disk is one that a filter lets through. What is no disk passes only if nothing is asked of it.
fn fits(filter: &VmDiskFileQueryFilter, disk: Option<&Descriptor>) -> bool {
    let any = |list: &[String], is_it: &dyn Fn(&str) -> bool| list.is_empty() || list.iter().any(|one| is_it(one));
    let Some(disk) = disk else {
        return filter.disk_type.is_empty()
            && filter.match_hardware_version.is_empty()
            && filter.controller_type.is_empty()
            && filter.thin.is_none();
    };
    any(&filter.disk_type, &|ty| ty == DISK_TYPE)
        && (filter.match_hardware_version.is_empty() || filter.match_hardware_version.contains(&DISK_VERSION))
        && any(&filter.controller_type, &|ty| disk.controller() == Some(ty))
        && filter.thin.is_none_or(|thin| thin == disk.thin)
        && filter.encrypted != Some(true)
}

/// Whether a name is one that extents and other parts of disks have.
fn is_extent(name: &str) -> bool {
    let stem = name.get(..name.len().saturating_sub(5)).unwrap_or_default();
    let ends = |ending: &str| stem.to_ascii_lowercase().ends_with(ending);
    ["-flat", "-delta", "-sesparse", "-ctk", "-rdm", "-rdmp"].into_iter().any(ends)
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
