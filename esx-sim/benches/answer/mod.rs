//! The answer that is decoded, and the ways to decode it.
//!
//! It is one that the simulator makes (1,000 virtual machines with config, runtime, guest and summary), or the file
//! that `CAPTURE` names, gzipped or not: a `RetrievePropertiesEx` answer.

use std::io::Read as _;
use std::sync::LazyLock;

use esx_sim::Simulator;
use vi_types::methods::RetrievePropertiesEx;
use vi_types::objects::{DynamicProperty, ObjectContent, RetrieveResult};
use vi_types::path;
use vi_types::properties::VirtualMachine;
use vi_types::wire::{ItemDecoder, Limits, decode_response, encode_response};

pub(crate) static ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let Some(file) = std::env::var_os("CAPTURE") else {
        return simulated();
    };
    let bytes = std::fs::read(&file).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut answer = Vec::new();
    flate2::read::GzDecoder::new(&*bytes)
        .read_to_end(&mut answer)
        .unwrap();
    answer
});

/// What a simulated host answers when all of its 1,000 virtual machines are asked for these.
fn simulated() -> Vec<u8> {
    let simulator = Simulator::esx().vms(1_000).build();
    let mut result = RetrieveResult::default();
    for obj in simulator.objects("VirtualMachine") {
        let properties: VirtualMachine = simulator.properties(&obj).unwrap();
        let prop_set = ["config", "guest", "runtime", "summary"].map(|name| DynamicProperty {
            name: name.to_owned(),
            val: path::get(&properties, name).unwrap().to_any(""),
            ..Default::default()
        });
        result.objects.push(ObjectContent {
            obj,
            prop_set: prop_set.into(),
            ..ObjectContent::default()
        });
    }
    encode_response::<RetrievePropertiesEx>(&Some(Box::new(result))).into_bytes()
}

pub(crate) fn decoded() -> Option<Box<RetrieveResult>> {
    decode_response::<RetrievePropertiesEx>(&ANSWER, Limits::default())
        .unwrap()
        .returnval
}

/// Decodes the answer as if it arrived in the pieces that TLS makes of it.
pub(crate) fn in_pieces(mut take: impl FnMut(ObjectContent)) -> Option<Box<RetrieveResult>> {
    let mut decoder = ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(Limits::default());
    for piece in ANSWER.chunks(16_384) {
        decoder.push(piece);
        while let Some(content) = decoder.next().unwrap() {
            take(content);
        }
    }
    decoder.finish().unwrap().returnval
}
