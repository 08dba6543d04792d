//! Runs of zeros, which need no room in a file.

/// A file system keeps or leaves out blocks of this size.
const BLOCK: u64 = 4096;

/// The parts of `bytes`, which stand at `offset` of a file, that are not whole blocks of zeros: each with its offset in
/// the file. Parts that touch are one part.
pub(super) fn data(offset: u64, bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    while at < bytes.len() {
        let position = offset + at as u64;
        let rest = BLOCK - position % BLOCK;
        let end = usize::try_from(rest).map_or(bytes.len(), |rest| bytes.len().min(at + rest));
        if is_zero(&bytes[at..end]) {
            push(&mut parts, offset, bytes, begin, at);
            begin = end;
        }
        at = end;
    }
    push(&mut parts, offset, bytes, begin, at);
    parts
}

fn push<'a>(
    parts: &mut Vec<(u64, &'a [u8])>,
    offset: u64,
    bytes: &'a [u8],
    begin: usize,
    end: usize,
) {
    if begin < end {
        parts.push((offset + begin as u64, &bytes[begin..end]));
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes == &ZEROS[..bytes.len().min(ZEROS.len())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BLOCK, data};

    proptest! {
        #[test]
        fn what_is_left_out_is_zero_and_whole(
            offset in 0_u64..10_000,
            lengths in proptest::collection::vec((0_usize..9000, any::<bool>()), 0..8),
        ) {
            let mut bytes = Vec::new();
            for (length, is_data) in lengths {
                bytes.resize(bytes.len() + length, u8::from(is_data));
            }
            let mut written = vec![0; bytes.len()];
            let mut end = offset;
            for (at, part) in data(offset, &bytes) {
                prop_assert!(at >= end && !part.is_empty());
                // Between two parts is at least a block.
                prop_assert!(end == offset || at > end);
                let begin = usize::try_from(at - offset).unwrap();
                written[begin..begin + part.len()].copy_from_slice(part);
                end = at + part.len() as u64;
            }
            prop_assert_eq!(written, bytes);
        }
    }

    #[test]
    fn zeros_are_left_out_by_blocks() {
        let block = usize::try_from(BLOCK).unwrap();
        let zeros = vec![0; 4 * block];
        assert!(data(0, &zeros).is_empty());
        assert!(data(10, &zeros).is_empty());
        let mut one = zeros;
        one[2 * block] = 1;
        let found: Vec<_> = data(0, &one)
            .iter()
            .map(|(at, part)| (*at, part.len()))
            .collect();
        assert_eq!(found, [(2 * BLOCK, block)]);
        // Blocks are those of the file.
        let found: Vec<_> = data(BLOCK - 1, &one)
            .iter()
            .map(|(at, part)| (*at, part.len()))
            .collect();
        assert_eq!(found, [(2 * BLOCK, block)]);
        assert_eq!(data(7, b"x"), [(7, &b"x"[..])]);
        assert!(data(7, b"").is_empty());
    }
}
