//! Decoding and encoding of a large answer, beside a bare quick-xml scan of the same bytes.
//!
//! The answer is one that the simulator makes (1,000 virtual machines with config, runtime, guest and summary),
//! or the file that `CAPTURE` names, gzipped or not: a `RetrievePropertiesEx` answer.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may panic")]

use std::io::Read as _;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::BytesCount;
use esx_sim::Simulator;
use vi_types::methods::RetrievePropertiesEx;
use vi_types::objects::{DynamicProperty, ObjectContent, RetrieveResult};
use vi_types::path;
use vi_types::properties::VirtualMachine;
use vi_types::wire::{Limits, decode_response, encode_response};

static ANSWER: LazyLock<Vec<u8>> = LazyLock::new(|| {
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

#[expect(clippy::print_stdout, reason = "a bench tells what it measures")]
fn main() {
    println!("{} bytes", ANSWER.len());
    divan::main();
}

/// What a simulated host answers when all of its 1,000 virtual machines are asked for these.
fn simulated() -> Vec<u8> {
    let simulator = Simulator::esx().vms(1_000).build();
    let mut result = RetrieveResult::default();
    for obj in simulator.objects("VirtualMachine") {
        let properties: VirtualMachine = simulator.properties(&obj).unwrap();
        let prop_set = ["config", "guest", "runtime", "summary"].map(|name| DynamicProperty {
            name: name.to_owned(),
            val: path::get(&properties, name).unwrap().to_any(""),
        });
        result.objects.push(ObjectContent {
            obj,
            prop_set: prop_set.into(),
            ..ObjectContent::default()
        });
    }
    encode_response::<RetrievePropertiesEx>(&Some(Box::new(result))).into_bytes()
}

#[divan::bench(sample_count = 30)]
fn quick_xml_scan(bencher: Bencher<'_, '_>) {
    let text = std::str::from_utf8(&ANSWER).unwrap();
    bencher.counter(BytesCount::new(ANSWER.len())).bench(|| {
        let mut reader = quick_xml::Reader::from_str(text);
        let mut events = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => return events,
                _ => events += 1,
            }
        }
    });
}

#[divan::bench(sample_count = 30)]
fn decode(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::new(ANSWER.len()))
        .bench(|| decode_response::<RetrievePropertiesEx>(&ANSWER, Limits::default()).unwrap());
}

#[divan::bench(sample_count = 30)]
fn encode(bencher: Bencher<'_, '_>) {
    let answer = decode_response::<RetrievePropertiesEx>(&ANSWER, Limits::default())
        .unwrap()
        .returnval;
    bencher
        .counter(BytesCount::new(ANSWER.len()))
        .bench(|| encode_response::<RetrievePropertiesEx>(&answer));
}
