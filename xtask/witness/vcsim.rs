//! vcsim: every property of every managed object.
//!
//! Each answer is decoded, encoded again, and compared with the original.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use vi_client::retrieve::Retrieve;
use vi_client::transport::{
    Body, BoxFuture, Endpoint, HttpsTransport, Transport, TransportError, Verify,
};
use vi_client::{Client, Error, Options};
use vi_types::methods::RetrieveProperties;
use vi_types::objects::{ManagedObjectNotFound, PropertyFilterSpec, PropertySpec};
use vi_types::{Any, ManagedObjectReference, Object, View};

use crate::check;
use crate::typed::{Known, again};

const LARGEST_ANSWER: usize = 1 << 28;

/// Where vcsim as a vCenter is not as the schema says; as a host it always is.
///
/// An entry that no longer shows is a failure, so that this list only holds what is true.
const KNOWN: &[Known] = &[Known {
    words: &["VMwareDVSConfigInfo", "uplinkPortPolicy"],
    reason: "vcsim's distributed switches have no uplinkPortPolicy, which the schema requires; their configuration \
             is kept as XML",
}];

pub(crate) fn run(address: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime
        .block_on(walk(address))
        .map_err(|error| error.to_string())
}

async fn walk(address: &str) -> Result<(), Error> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "443"));
    let endpoint = Endpoint::https(host, port.parse().unwrap_or(443));
    let last = Arc::new(Mutex::new(Bytes::new()));
    let transport = Tap {
        inner: HttpsTransport::new(endpoint).verify(Verify::NoVerify),
        last: last.clone(),
    };
    let client = Client::connect(transport, Options::default()).await?;
    client.login("user", "pass").await?;

    let known = match client.about().api_type.as_str() {
        "VirtualCenter" => KNOWN,
        _ => &[],
    };
    let mut shown = BTreeSet::new();
    let inventory = inventory(&client).await?;
    check(
        "there is an inventory",
        inventory.len() > 5,
        &inventory.len().to_string(),
    );
    let mut objects = inventory.clone();
    objects.extend(singletons(&client, &inventory).await?);
    let mut absent = Vec::new();
    for object in &objects {
        let request = RetrieveProperties {
            spec_set: vec![everything(object)],
            ..Default::default()
        };
        let name = format!("{} {}", object.r#type, object.value);
        if let Err(error) = client.call(&request).await {
            // It refers to objects that it doesn't have; what it lists it has.
            if error.is_fault::<ManagedObjectNotFound>() && !inventory.contains(object) {
                absent.push(object.r#type.as_str());
                continue;
            }
            check(&name, false, &error.to_string());
            continue;
        }
        let answer = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let result = again::<RetrieveProperties>(&answer, known, &mut shown);
        check(&name, result.is_ok(), &result.err().unwrap_or_default());
    }
    println!(
        "note {} objects, {} of them in the inventory",
        objects.len(),
        inventory.len()
    );
    println!(
        "note it refers to {} that it doesn't have: {}",
        absent.len(),
        absent.join(", ")
    );
    let read = objects.len() - absent.len();
    check(
        "most objects are there",
        read > absent.len(),
        &format!("{read} of {}", objects.len()),
    );
    for reason in &shown {
        println!("note known difference: {reason}");
    }
    for known in known.iter().filter(|known| !shown.contains(known.reason)) {
        let name = format!("known difference {:?}", known.words);
        check(&name, false, "it no longer shows; take it out of vcsim.rs");
    }
    client.close().await
}

/// The root folder and everything below it.
async fn inventory(client: &Client) -> Result<BTreeSet<ManagedObjectReference>, Error> {
    let root = &client.service_content().root_folder;
    let view = client.container_view(root, [""; 0], true).await?;
    let request = view.retrieve().properties("ManagedEntity", ["name"]);
    let listed = client
        .retrieve(&request)
        .await?
        .into_iter()
        .map(|object| object.object);
    let found = listed.chain([root.clone()]).collect();
    view.close().await?;
    Ok(found)
}

/// What `ServiceContent` and the configuration managers of hosts refer to.
async fn singletons(
    client: &Client,
    inventory: &BTreeSet<ManagedObjectReference>,
) -> Result<BTreeSet<ManagedObjectReference>, Error> {
    let mut found = BTreeSet::new();
    references(client.service_content(), &mut found);
    let hosts = inventory
        .iter()
        .filter(|object| object.r#type == "HostSystem")
        .cloned();
    let request = Retrieve::from_each(hosts).properties("HostSystem", ["configManager"]);
    for mut host in client.retrieve(&request).await? {
        if let Ok(Any::Object(managers)) = host.take::<Any>("configManager") {
            references(&*managers, &mut found);
        }
    }
    Ok(found)
}

/// The references that an object has itself.
fn references(object: &dyn Object, found: &mut BTreeSet<ManagedObjectReference>) {
    for index in 0..object.info().layout().len() {
        if let View::Moref(reference) = object.get(index).view() {
            found.insert(reference.clone());
        }
    }
}

fn everything(object: &ManagedObjectReference) -> PropertyFilterSpec {
    let mut filter = Retrieve::from(object).filter();
    filter.prop_set = vec![PropertySpec {
        r#type: object.r#type.clone(),
        all: Some(true),
        ..PropertySpec::default()
    }];
    filter
}

/// A transport that keeps the last answer.
struct Tap<T> {
    inner: T,
    last: Arc<Mutex<Bytes>>,
}

impl<T: Transport> Transport for Tap<T> {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(async move {
            let (parts, body) = self.inner.send(request).await?.into_parts();
            let body = body.collect(LARGEST_ANSWER).await?;
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = body.clone();
            Ok(http::Response::from_parts(parts, Body::from(body)))
        })
    }

    fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }
}
