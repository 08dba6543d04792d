//! Decoding and encoding of a large answer, whole and in pieces, beside a bare quick-xml scan of the same bytes.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may panic")]

mod answer;

use answer::{ANSWER, decoded, in_pieces};
use divan::Bencher;
use divan::counter::BytesCount;
use vi_types::methods::RetrievePropertiesEx;
use vi_types::wire::encode_response;

#[expect(clippy::print_stdout, reason = "a bench tells what it measures")]
fn main() {
    println!("{} bytes", ANSWER.len());
    divan::main();
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
        .bench(decoded);
}

#[divan::bench(sample_count = 30)]
fn decode_in_pieces(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::new(ANSWER.len())).bench(|| {
        let mut contents = Vec::new();
        let rest = in_pieces(|content| contents.push(content));
        (contents, rest)
    });
}

/// Each object is dropped when it was decoded, as by somebody who counts or sums up.
#[divan::bench(sample_count = 30)]
fn decode_and_drop(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::new(ANSWER.len()))
        .bench(|| in_pieces(drop));
}

#[divan::bench(sample_count = 30)]
fn encode(bencher: Bencher<'_, '_>) {
    let answer = decoded();
    bencher
        .counter(BytesCount::new(ANSWER.len()))
        .bench(|| encode_response::<RetrievePropertiesEx>(&answer));
}
