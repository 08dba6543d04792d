//! What is in volumes is read and written.

use bytes::Bytes;
use esx_driver::{
    DownloadOptions, Error, ErrorKind, StorageVol, UploadOptions, UploadSource, Uploaded,
    virt_model::flags::{SnapshotCreateFlags, StorageVolDownloadFlags, StorageVolUploadFlags},
};
use esx_sim::{NewDatastore, Simulator};

use super::volume;
use crate::{host, open, text};

/// The bytes of a volume from `offset` on.
pub(super) async fn read(volume: &StorageVol, offset: u64) -> Result<Vec<u8>, Error> {
    let options = DownloadOptions::default().offset(offset);
    let download = volume.download(options, StorageVolDownloadFlags::NONE);
    let mut download = download.await?;
    let mut content = Vec::new();
    while let Some(piece) = download.piece().await? {
        assert_eq!(piece.offset, offset + content.len() as u64);
        content.extend_from_slice(&piece.bytes);
    }
    Ok(content)
}

pub(super) async fn write(volume: &StorageVol, content: &[u8]) -> Result<Uploaded, Error> {
    let source = UploadSource::bytes(Bytes::copy_from_slice(content));
    let options = UploadOptions::default();
    volume
        .upload(source, 0, None, options, StorageVolUploadFlags::NONE)
        .await
}

#[tokio::test(start_paused = true)]
async fn the_content_of_a_disk_is_its_flat_extent() {
    let (simulator, connect) = host().await;
    simulator.make_disk("[ssd] d/x.vmdk", 64, "lsilogic");
    let disk = volume(&connect, "[ssd] d/x.vmdk").await;
    let image: Vec<u8> = (0..65536u32).map(|byte| (byte % 251) as u8).collect();
    let descriptor = simulator.file("[ssd] d/x.vmdk").unwrap();
    write(&disk, &image).await.unwrap();
    assert_eq!(simulator.file("[ssd] d/x-flat.vmdk").unwrap(), image);
    assert_eq!(simulator.file("[ssd] d/x.vmdk").unwrap(), descriptor);
    assert_eq!(read(&disk, 0).await.unwrap(), image);
    assert_eq!(read(&disk, 60_000).await.unwrap(), image[60_000..]);
    // The extent is a volume of its own, and the descriptor is a file that only its own path leads to.
    let extent = volume(&connect, "[ssd] d/x-flat.vmdk").await;
    assert_eq!(read(&extent, 0).await.unwrap(), image);
}

#[tokio::test(start_paused = true)]
async fn a_disk_takes_as_many_bytes_as_it_has() {
    let (simulator, connect) = host().await;
    simulator.make_disk("[ssd] d/x.vmdk", 64, "lsilogic");
    let disk = volume(&connect, "[ssd] d/x.vmdk").await;
    for length in [0, 65535, 65537] {
        let error = write(&disk, &vec![1; length]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{length}");
        assert!(error.advice().is_some());
    }
    let source = UploadSource::bytes(Bytes::new());
    let options = UploadOptions::default();
    let at_offset = disk.upload(source, 512, None, options, StorageVolUploadFlags::NONE);
    assert_eq!(at_offset.await.unwrap_err().kind(), ErrorKind::Argument);
    let extent = simulator.file("[ssd] d/x-flat.vmdk").unwrap();
    assert!(extent.len() == 65536 && extent.iter().all(|byte| *byte == 0));
}

#[tokio::test(start_paused = true)]
async fn any_other_file_is_replaced() {
    let (simulator, connect) = host().await;
    let path = "[ssd] iso/small.iso";
    simulator.write_file(path, "old");
    let image = volume(&connect, path).await;
    for content in ["longer than before", "", "x"] {
        let uploaded = write(&image, content.as_bytes()).await.unwrap();
        assert_eq!(uploaded.length, content.len() as u64);
        assert_eq!(read(&image, 0).await.unwrap(), content.as_bytes());
        assert_eq!(simulator.file(path).unwrap(), content);
    }
}

#[tokio::test(start_paused = true)]
async fn disks_in_use_are_not_written() {
    let (simulator, connect) = host().await;
    let running = volume(&connect, "[ssd] web01/web01.vmdk").await;
    let source = UploadSource::bytes(Bytes::new());
    let options = UploadOptions::default();
    let upload = running.upload(source, 0, 32 << 30, options, StorageVolUploadFlags::NONE);
    let error = upload.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(error.advice(), Some("shut 'web01' down first"));
    let error = read(&running, 0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let advice = error.advice().unwrap_or_default();
    assert!(
        advice.contains("the domain 'web01' runs"),
        "{error} {advice}"
    );

    let domain = connect.lookup_by_name("installer").await.unwrap();
    let xml = "<domainsnapshot><name>base</name></domainsnapshot>";
    let taken = domain.snapshot_create_xml(xml, SnapshotCreateFlags::NONE);
    taken.await.unwrap();
    let delta = volume(&connect, "[ssd] installer/installer-000001.vmdk").await;
    let error = read(&delta, 0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let base = volume(&connect, "[ssd] installer/installer.vmdk").await;
    let source = UploadSource::bytes(Bytes::new());
    let options = UploadOptions::default();
    let upload = base.upload(source, 0, 16 << 30, options, StorageVolUploadFlags::NONE);
    assert_eq!(upload.await.unwrap_err().kind(), ErrorKind::WrongState);
    assert_eq!(
        simulator.file_length("[ssd] installer/installer-flat.vmdk"),
        Some(16 << 30)
    );
}

#[tokio::test(start_paused = true)]
async fn disks_that_are_no_files_are_refused() {
    let vsan: NewDatastore = "vsan:fast".parse().unwrap();
    let simulator = Simulator::esx().datastore(vsan).build();
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    simulator.make_disk("[fast] d/x.vmdk", 64, "lsilogic");
    let disk = volume(&connect, "[fast] d/x.vmdk").await;
    for error in [
        read(&disk, 0).await.unwrap_err(),
        write(&disk, &[0; 65536]).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.advice().is_some());
    }
    let directory = volume(&connect, "[fast] d").await;
    let error = read(&directory, 0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let disk = volume(&connect, "[ssd] installer/installer.vmdk").await;
    let options = DownloadOptions::default();
    let sparse = disk.download(options, StorageVolDownloadFlags::SPARSE_STREAM);
    assert_eq!(
        text(sparse.await),
        "unsupported flags (0x1) in function esxStorageVolDownload"
    );
}
