//! Moves a file to or from a datastore, and prints how long it took and how much memory it needed.
//!
//! ```console
//! $ cargo run --release -p esx-driver --example transfer -- 'esx://root@esx1.example.com/?no_verify=1' download '[ssd] web/web-flat.vmdk' web.img --connections 4
//! $ cargo run --release -p esx-driver --example transfer -- 'esx://root@esx1.example.com/?no_verify=1' upload '[ssd] iso/debian.iso' debian.iso --checksum
//! ```
//!
//! With a vCenter, `--direct` takes the way directly to a host. The password is in `auth.conf`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::time::Instant;

use esx_driver::auth::NoPrompts;
use esx_driver::{
    Connect, DatastorePath, DownloadOptions, EsxUri, Sha256, UploadOptions, UploadSource,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [uri, action, remote, local, options @ ..] = &arguments[..] else {
        return Err("usage: URI download|upload '[DATASTORE] PATH' FILE [--connections N] [--checksum] [--direct]".into());
    };
    let has = |name: &str| options.iter().any(|option| option == name);
    let mut connections = options
        .iter()
        .skip_while(|option| *option != "--connections");
    let connections = connections.nth(1).map(|number| number.parse());
    let uri: EsxUri = uri.parse()?;
    let remote: DatastorePath = remote.parse()?;
    let connect = Connect::open(&uri, &NoPrompts).await?;

    let begun = Instant::now();
    let (length, checksum) = match action.as_str() {
        "download" => {
            let options = DownloadOptions::default()
                .connections(connections.transpose()?.unwrap_or(1))
                .checksum(has("--checksum"))
                .host_direct(has("--direct"));
            download(&connect, &remote, local, options).await?
        }
        "upload" => {
            let options = UploadOptions::default()
                .checksum(has("--checksum"))
                .host_direct(has("--direct"));
            let source = UploadSource::file(local)?;
            let uploaded = connect.upload_file(&remote, None, source, options).await?;
            (uploaded.length, uploaded.sha256)
        }
        other => return Err(format!("'{other}' is neither download nor upload").into()),
    };
    let seconds = begun.elapsed().as_secs_f64();

    let rate = length as f64 / 1e6 / seconds;
    println!("{length} bytes in {seconds:.3} s: {rate:.1} MB/s");
    if let Some(checksum) = checksum {
        println!("sha256 {checksum}");
    }
    if let Some(peak) = peak() {
        println!("peak memory {peak}");
    }
    connect.close().await?;
    Ok(())
}

async fn download(
    connect: &Connect,
    remote: &DatastorePath,
    local: &str,
    options: DownloadOptions,
) -> Result<(u64, Option<Sha256>), Box<dyn Error>> {
    let mut download = connect.download_file(remote, options).await?;
    let file = File::create(local)?;
    while let Some(piece) = download.piece().await? {
        file.write_all_at(&piece.bytes, piece.offset - download.offset())?;
    }
    Ok((download.length(), download.sha256()))
}

/// The most memory that this process had, as Linux tells.
fn peak() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
