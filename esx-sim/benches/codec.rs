//! Decoding and encoding of a large answer, whole and in pieces, beside a bare quick-xml scan of the same bytes.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may panic")]

mod answer;

use std::hint::black_box;
use std::time::Instant;

use answer::{ANSWER, decoded, in_pieces};
use divan::Bencher;
use divan::counter::BytesCount;
use vi_types::methods::RetrievePropertiesEx;
use vi_types::wire::encode_response;

#[expect(clippy::print_stdout, reason = "a bench tells what it measures")]
fn main() {
    println!("{} bytes", ANSWER.len());
    divan::main();
    if std::env::args().any(|argument| argument == "--bench") {
        println!("{}", in_turn());
    }
}

/// The scan and the decoding in turn: a machine that changes its speed changes that of both.
fn in_turn() -> String {
    fn time<T>(work: fn() -> T) -> f64 {
        let start = Instant::now();
        let result = black_box(work());
        let took = start.elapsed();
        drop(result);
        took.as_secs_f64()
    }
    const TURNS: usize = 41;
    let mut ratios: Vec<_> = (0..TURNS).map(|_| time(scan) / time(decoded)).collect();
    ratios.sort_by(f64::total_cmp);
    let [low, middle, high] = [TURNS / 4, TURNS / 2, TURNS * 3 / 4].map(|at| ratios[at]);
    format!(
        "decode takes 1/{middle:.2} of quick_xml_scan, the median of {TURNS} turns; 1/{low:.2} to 1/{high:.2} in half of them"
    )
}

fn scan() -> usize {
    let text = std::str::from_utf8(&ANSWER).unwrap();
    let mut reader = quick_xml::Reader::from_str(text);
    let mut events = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => return events,
            _ => events += 1,
        }
    }
}

#[divan::bench(sample_count = 30)]
fn quick_xml_scan(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::new(ANSWER.len())).bench(scan);
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
