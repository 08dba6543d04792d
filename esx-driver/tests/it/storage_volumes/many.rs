//! A datastore with many files.

use esx_sim::{Effect, Rule, Script, Simulator};
use futures_util::StreamExt as _;

use super::pool;
use crate::{host, methods};

const FOLDERS: usize = 50;
const FILES: usize = 5000;

fn fill(simulator: &Simulator) {
    for file in 0..FILES {
        let path = format!("[datastore1] images/f{:03}/{file}.iso", file % FOLDERS);
        simulator.write_file(&path, "x");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_searches_a_few_folders_at_a_time() {
    let (simulator, connect) = host().await;
    fill(&simulator);
    simulator.script(Script::new("*").steps(1));
    let pool = pool(&connect, "datastore1").await;
    let mut names = pool.list_volumes().await.unwrap();
    assert!(names.len() >= FILES);
    simulator.clear_requests();
    let mut volumes = pool.volumes();
    let searches = || {
        let methods = methods(&simulator);
        let mut searches = methods
            .iter()
            .filter(|name| *name == "SearchDatastore_Task");
        (searches.by_ref().count(), methods.len())
    };
    let mut streamed = Vec::new();
    while streamed.len() < 300 {
        let entry = volumes.next().await.unwrap().unwrap();
        streamed.push(entry.volume.name().to_owned());
    }
    // Not more than the folders that are done, and eight.
    assert!(searches().0 < 20, "{:?}", searches());
    while let Some(entry) = volumes.next().await {
        streamed.push(entry.unwrap().volume.name().to_owned());
    }
    let (searched, requests) = searches();
    assert!(searched > FOLDERS);
    // The datastore's browser; and for each folder a search and its task, read twice.
    assert_eq!(requests, 1 + 3 * searched);
    names.sort();
    streamed.sort();
    assert_eq!(streamed, names);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_searched_is_told_and_the_rest_is_listed() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, "ssd").await;
    let all = pool.list_volumes().await.unwrap();
    let fault = vi_types::SoapFault::new(vi_types::objects::NoPermission::default(), "No");
    let rule = Rule::new("SearchDatastore_Task", Effect::Fault(Box::new(fault)));
    simulator.inject(rule.nth(3));
    let entries: Vec<_> = pool.volumes().collect().await;
    let (listed, failed): (Vec<_>, Vec<_>) = entries.into_iter().partition(Result::is_ok);
    assert_eq!(failed.len(), 1);
    let error = failed.into_iter().next().unwrap().unwrap_err();
    assert!(error.advice().unwrap().contains("are not listed"));
    assert!(!listed.is_empty() && listed.len() < all.len());
}
