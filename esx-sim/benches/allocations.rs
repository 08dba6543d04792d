//! How often decoding allocates, for each property (an element that holds no others), and how much it keeps.
//!
//! Apart from the other benches, as the allocator that counts is slower.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may panic")]

mod answer;

use allocation_counter::measure;
use answer::{ANSWER, decoded, in_pieces};
use quick_xml::events::Event;

#[expect(clippy::print_stdout, reason = "a bench tells what it measures")]
fn main() {
    let properties = leaves();
    println!("{} bytes, {properties} properties", ANSWER.len());
    let whole = measure(|| drop(decoded()));
    let dropped = measure(|| {
        in_pieces(drop);
    });
    for (what, info) in [
        ("whole", whole),
        ("in pieces, each object dropped", dropped),
    ] {
        println!(
            "{what}: {:.3} allocations per property, at most {} kB at a time",
            info.count_total as f64 / properties as f64,
            info.bytes_max / 1_000
        );
    }
}

/// The elements that hold no others.
fn leaves() -> usize {
    let mut reader = quick_xml::Reader::from_reader(&**ANSWER);
    let (mut leaves, mut inside) = (0, false);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(_) => inside = true,
            Event::End(_) => leaves += usize::from(std::mem::take(&mut inside)),
            Event::Empty(_) => leaves += 1,
            Event::Eof => return leaves,
            _ => {}
        }
    }
}
