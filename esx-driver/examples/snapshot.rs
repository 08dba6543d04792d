//! Takes a snapshot of a domain, and shows all that it has then.
//!
//! ```console
//! $ cargo run -p esx-driver --example snapshot -- 'esx://root@esx1.example.com/?no_verify=1' web01 before-upgrade
//! ```
//!
//! The password is in `auth.conf`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{error::Error, time::Duration};

use esx_driver::{
    Connect, EsxUri,
    auth::NoPrompts,
    virt_model::{
        Document as _, SnapshotDef,
        flags::{SnapshotCreateFlags, SnapshotListFlags},
    },
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [uri, domain, name] = &arguments[..] else {
        return Err("usage: URI DOMAIN NAME".into());
    };
    let uri: EsxUri = uri.parse()?;
    let connect = Connect::open(&uri, &NoPrompts).await?;
    let domain = connect.lookup_by_name(domain).await?;

    let wanted = SnapshotDef {
        name: Some(name.clone()),
        description: Some("made by an example".to_owned()),
        ..SnapshotDef::default()
    };
    let snapshot = domain
        .snapshot_create_xml(
            &wanted.to_xml(Default::default()),
            SnapshotCreateFlags::NONE,
        )
        .on_progress(|progress| println!("{:?} {:?}", progress.state, progress.percent))
        .deadline(Duration::from_secs(600))
        .await?;
    println!("{} is there", snapshot.name());

    for entry in domain.list_all_snapshots(SnapshotListFlags::NONE).await? {
        let parent = entry.parent.as_deref().unwrap_or("nothing");
        println!("{} after {parent}: {}", entry.snapshot.name(), entry.state);
    }
    connect.close().await?;
    Ok(())
}
