//! What the commands that print a thing's definition answer, whatever the thing is.

use std::marker::PhantomData;

use esx_driver::{Interface, Network, NodeDevice, Secret, StoragePool, StorageVol};
use serde::Serialize;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::xpath;

/// A kind of thing that has a document.
pub(crate) trait Described {
    /// The JSON document of its definition.
    const DEFINITION: &'static str;
}

macro_rules! described {
    ($($thing:ty, $schema:literal;)*) => {$(
        impl Described for $thing {
            const DEFINITION: &'static str = $schema;
        }
    )*};
}

described! {
    Interface, "virt-esx/interface-definition/1";
    Network, "virt-esx/network-definition/1";
    NodeDevice, "virt-esx/node-device-definition/1";
    Secret, "virt-esx/secret-definition/1";
    StoragePool, "virt-esx/pool-definition/1";
    StorageVol, "virt-esx/volume-definition/1";
}

/// A thing's definition.
#[derive(Debug, Serialize)]
#[serde(bound = "")]
pub(crate) struct Definition<D> {
    /// libvirt's document, or the parts of it that were asked for.
    xml: String,

    #[serde(skip)]
    of: PhantomData<D>,
}

impl<D: Described> Definition<D> {
    /// The parts of the document that were asked for.
    ///
    /// # Errors
    /// As [`Parts::of`](xpath::Parts::of).
    pub(crate) fn new(xml: String, parts: &xpath::Parts) -> Result<Self, Failure> {
        Ok(Self {
            xml: parts.of(xml)?,
            of: PhantomData,
        })
    }
}

impl<D: Described> Answer for Definition<D> {
    const SCHEMA: &'static str = D::DEFINITION;

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
