//! vcsim: every property of every managed object it has.
//!
//! What our client gets is decoded and encoded again, and compared with what came.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use vi_client::retrieve::Retrieve;
use vi_client::transport::{
    Body, BoxFuture, Endpoint, HttpsTransport, Transport, TransportError, Verify,
};
use vi_client::{Client, Error, Options};
use vi_types::methods::RetrieveProperties;
use vi_types::objects::{PropertyFilterSpec, PropertySpec};
use vi_types::{ManagedObjectReference, Object, View};

use crate::check;
use crate::typed::{Known, again};

const LARGEST_ANSWER: usize = 1 << 28;

/// Where vcsim is not as the schema says.
const KNOWN: &[Known] = &[];

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

    let mut shown = BTreeSet::new();
    let objects = objects(&client).await?;
    check(
        "there are objects",
        objects.len() > 20,
        &objects.len().to_string(),
    );
    for object in &objects {
        let request = RetrieveProperties {
            spec_set: vec![everything(object)],
            ..RetrieveProperties::default()
        };
        let name = format!("{} {}", object.r#type, object.value);
        if let Err(error) = client.call(&request).await {
            check(&name, false, &error.to_string());
            continue;
        }
        let answer = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let result = again::<RetrieveProperties>(&answer, KNOWN, &mut shown);
        check(&name, result.is_ok(), &result.err().unwrap_or_default());
    }
    let types: BTreeSet<_> = objects
        .iter()
        .map(|object| object.r#type.as_str())
        .collect();
    println!("note {} objects of {} types", objects.len(), types.len());
    for known in KNOWN.iter().filter(|known| shown.contains(known.what)) {
        println!("note {}: {}", known.what, known.reason);
    }
    client.close().await
}

/// Everything in the inventory, and everything that `ServiceContent`, hosts and the view manager lead to.
async fn objects(client: &Client) -> Result<BTreeSet<ManagedObjectReference>, Error> {
    let content = client.service_content();
    let mut found = BTreeSet::from([content.root_folder.clone()]);
    references(content, &mut found);
    let view = client
        .container_view(&content.root_folder, [""; 0], true)
        .await?;
    for object in client
        .retrieve(&view.retrieve().properties("ManagedEntity", ["name"]))
        .await?
    {
        found.insert(object.object);
    }
    view.close().await?;
    let hosts: Vec<_> = found
        .iter()
        .filter(|object| object.r#type == "HostSystem")
        .cloned()
        .collect();
    let request = Retrieve::from_each(hosts).properties("HostSystem", ["configManager"]);
    for mut host in client.retrieve(&request).await? {
        if let Ok(vi_types::Any::Object(managers)) = host.take::<vi_types::Any>("configManager") {
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
