//! Older servers are not asked for what came later.

use esx_driver::vi_client::{
    Client, Error, Options, property_set, retrieve::Retrieve, transport::InProcess,
};
use esx_sim::Simulator;
use vi_types::references;

property_set! {
    struct Files: VirtualMachine {
        name: String = name,
        storage: Option<vi_types::objects::VirtualMachineStorageInfo> = storage,
    }
}

/// Asks a simulated host of a release for what the set and the method need.
async fn ask(release: &str) -> (Result<(), Error>, Result<(), Error>) {
    let simulator = Simulator::esx().api_version(release).unwrap().build();
    let transport = InProcess::new(simulator.handler());
    let client = Client::connect(transport, Options::default())
        .await
        .unwrap();
    client.login("root", "password").await.unwrap();
    let vm: references::VirtualMachine = simulator.objects("VirtualMachine").remove(0).into();
    simulator.clear_requests();

    let set = client.retrieve_set::<Files>(Retrieve::from(&vm)).await;
    let too_new = matches!(set, Err(Error::TooNew(_)));
    assert_eq!(simulator.requests().is_empty(), too_new, "{release}");
    simulator.clear_requests();
    let call = client.call(&vm.acquire_ticket("mks")).await;
    let too_new = matches!(call, Err(Error::TooNew(_)));
    assert_eq!(simulator.requests().is_empty(), too_new, "{release}");
    (set.map(drop), call.map(drop))
}

#[tokio::test]
async fn what_came_later_is_not_sent_to_an_older_host() {
    let (set, call) = ask("2.5").await;
    assert_eq!(
        set.unwrap_err().to_string(),
        "RetrieveProperties: VirtualMachine has the property 'storage' since VI API 4.0, but the server's is 2.5; \
         leave it out for this server"
    );
    assert!(call.unwrap_err().to_string().contains("since VI API 4.1"));
    let (set, call) = ask("4.0").await;
    set.unwrap();
    let error = call.unwrap_err();
    assert!(matches!(error, Error::TooNew(_)));
    let error = esx_driver::Error::from(error);
    assert_eq!(error.kind(), esx_driver::ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_newer_host_is_asked() {
    for release in ["4.1", "6.7", "8.0"] {
        let (set, call) = ask(release).await;
        set.unwrap();
        // The simulator may not have the method; it was asked all the same.
        assert!(!matches!(call, Err(Error::TooNew(_))), "{release}");
    }
}
