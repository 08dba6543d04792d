//! A client as small as can be: it sends bytes to a simulator in process and decodes what comes back.

use std::sync::Mutex;

use bytes::Bytes;
use esx_sim::Simulator;
use http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use http::{Request, Response};
use vi_types::methods::{Login, RetrievePropertiesEx, RetrieveServiceContent};
use vi_types::objects::{
    DynamicProperty, ObjectContent, ObjectSpec, PropertyFilterSpec, PropertySpec, RetrieveOptions,
    SelectionSpec, ServiceContent, TraversalSpec,
};
use vi_types::wire::{self, Limits, ResponseError};
use vi_types::{Any, ManagedObjectReference, Method, Poly, SoapFault};

/// A client of a simulator.
pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    cookie: Mutex<Option<String>>,
    pub(crate) content: ServiceContent,
    /// The version of the API to be answered in; the oldest if there is none.
    pub(crate) view: Option<String>,
    /// What it calls itself.
    pub(crate) user_agent: Option<String>,
}

impl Client {
    /// Asks for the service content, and nothing else.
    pub(crate) async fn connect(simulator: &Simulator) -> Self {
        let mut client = Self {
            simulator: simulator.clone(),
            cookie: Mutex::default(),
            content: ServiceContent::default(),
            view: Some("9.1.1.0".to_owned()),
            user_agent: None,
        };
        let instance = moref("ServiceInstance", "ServiceInstance");
        let request = RetrieveServiceContent::default();
        client.content = client.call_on(&instance, &request).await.unwrap();
        client
    }

    /// The same, logged in.
    pub(crate) async fn login(simulator: &Simulator) -> Self {
        let client = Self::connect(simulator).await;
        let request = Login {
            user_name: simulator.user().to_owned(),
            password: simulator.password().to_owned(),
            ..Login::default()
        };
        client.call(&request).await.unwrap();
        client
    }

    /// Sends a body, with the cookie if there is one; the cookie of the answer is kept.
    pub(crate) async fn post(&self, body: String) -> Response<Bytes> {
        let mut request = Request::post("/sdk");
        if let Some(view) = &self.view {
            request = request.header("SOAPAction", format!("\"urn:vim25/{view}\""));
        }
        if let Some(agent) = &self.user_agent {
            request = request.header(USER_AGENT, agent);
        }
        self.send(request.body(Bytes::from(body)).unwrap()).await
    }

    /// Sends a request of any kind, with the cookie if there is one.
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        if let Some(cookie) = &*self.cookie.lock().unwrap() {
            request
                .headers_mut()
                .insert(COOKIE, cookie.parse().unwrap());
        }
        let response = (self.simulator.handler())(request).await;
        if let Some(cookie) = response.headers().get(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            *self.cookie.lock().unwrap() = Some(pair.to_owned());
        }
        response
    }

    /// Calls a method on its only instance.
    pub(crate) async fn call<M: Method>(&self, request: &M) -> Result<M::Output, SoapFault> {
        let this = match M::called_on() {
            vi_types::This::Explicit => request.this().unwrap().clone(),
            vi_types::This::ServiceContent(member) => self.service(member),
        };
        self.call_on(&this, request).await
    }

    pub(crate) async fn call_on<M: Method>(
        &self,
        this: &ManagedObjectReference,
        request: &M,
    ) -> Result<M::Output, SoapFault> {
        let response = self.post(wire::encode_request(request, this)).await;
        let decoded = wire::decode_response::<M>(response.body(), Limits::default());
        match decoded {
            Ok(decoded) => {
                assert_eq!(response.status(), 200);
                assert_eq!(decoded.unknown, Vec::<String>::new(), "all types are known");
                Ok(decoded.returnval)
            }
            Err(ResponseError::Fault(fault)) => {
                assert_eq!(response.status(), 500);
                Err(*fault)
            }
            Err(ResponseError::Decode(error)) => {
                let body = String::from_utf8_lossy(response.body());
                panic!("{error}\n{}", body.chars().take(2000).collect::<String>())
            }
        }
    }

    pub(crate) fn service(&self, member: &str) -> ManagedObjectReference {
        let content: &dyn vi_types::Object = &self.content;
        match content.property(member) {
            Some(vi_types::View::Moref(reference)) => reference.clone(),
            _ => panic!("the service content has no {member}"),
        }
    }

    /// Properties of single objects.
    pub(crate) async fn read(
        &self,
        objects: &[ManagedObjectReference],
        ty: &str,
        paths: &[&str],
    ) -> Result<Vec<ObjectContent>, SoapFault> {
        let spec = PropertyFilterSpec {
            prop_set: vec![properties(ty, paths)],
            object_set: objects
                .iter()
                .map(|object| at(object, false, vec![]))
                .collect(),
            ..PropertyFilterSpec::default()
        };
        self.retrieve(spec).await
    }

    pub(crate) async fn retrieve(
        &self,
        spec: PropertyFilterSpec,
    ) -> Result<Vec<ObjectContent>, SoapFault> {
        let request = RetrievePropertiesEx {
            spec_set: vec![spec],
            options: RetrieveOptions::default(),
            ..Default::default()
        };
        let result = self.call(&request).await?;
        Ok(result.map(|result| result.objects).unwrap_or_default())
    }

    /// One property of one object.
    pub(crate) async fn value(&self, object: &ManagedObjectReference, path: &str) -> Any {
        let ty = object.r#type.clone();
        let mut read = self
            .read(std::slice::from_ref(object), &ty, &[path])
            .await
            .unwrap();
        let content = read.pop().expect("the object is there");
        content
            .prop_set
            .into_iter()
            .next()
            .map_or(Any::None, |property| property.val)
    }
}

pub(crate) fn moref(ty: &str, value: &str) -> ManagedObjectReference {
    ManagedObjectReference::new(ty, value)
}

pub(crate) fn properties(ty: &str, paths: &[&str]) -> PropertySpec {
    PropertySpec {
        r#type: ty.to_owned(),
        path_set: paths.iter().map(|path| (*path).to_owned()).collect(),
        ..PropertySpec::default()
    }
}

pub(crate) fn at(
    object: &ManagedObjectReference,
    skip: bool,
    select_set: Vec<Poly<SelectionSpec>>,
) -> ObjectSpec {
    ObjectSpec {
        obj: object.clone(),
        skip: Some(skip),
        select_set,
        ..Default::default()
    }
}

pub(crate) fn step(
    name: Option<&str>,
    ty: &str,
    path: &str,
    next: Vec<Poly<SelectionSpec>>,
) -> Poly<SelectionSpec> {
    TraversalSpec {
        base: SelectionSpec {
            name: name.map(str::to_owned),
            ..Default::default()
        },
        r#type: ty.to_owned(),
        path: path.to_owned(),
        skip: Some(false),
        select_set: next,
        ..Default::default()
    }
    .into()
}

pub(crate) fn named(name: &str) -> Poly<SelectionSpec> {
    SelectionSpec {
        name: Some(name.to_owned()),
        ..Default::default()
    }
    .into()
}

pub(crate) fn get<'a>(content: &'a ObjectContent, path: &str) -> Option<&'a Any> {
    let found = content
        .prop_set
        .iter()
        .find(|property: &&DynamicProperty| property.name == path);
    found.map(|property| &property.val)
}

pub(crate) fn text(content: &ObjectContent, path: &str) -> String {
    match get(content, path) {
        Some(Any::String(text)) => text.clone(),
        other => panic!("{path} is {other:?}"),
    }
}
