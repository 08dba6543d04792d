//! An answer in pieces: the streaming decoder returns the same as the decoder of whole messages.
//!
//! The first byte describes the rest: `A` for a whole message, any other for the content of `returnval`. The next two are
//! the length of the pieces.

use vi_types::methods::RetrievePropertiesEx;
use vi_types::objects::{ObjectContent, RetrieveResult};
use vi_types::wire::{
    Decoded, ItemDecoder, Limits, ResponseError, decode_response, encode_response,
};

pub(crate) fn check(data: &[u8]) {
    let [kind, longest, seed, body @ ..] = data else {
        return;
    };
    let message = match kind {
        b'A' => body.to_vec(),
        _ => answer(body),
    };
    // Of a result that is there twice, which the schema doesn't allow, the last one counts; but the items of the
    // first one have been given away by then.
    if String::from_utf8_lossy(&message)
        .matches("returnval")
        .count()
        > 2
    {
        return;
    }
    let whole = decode_response::<RetrievePropertiesEx>(&message, Limits::default());
    let pieces = in_pieces(&message, *longest, *seed);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            let xml = encode_response::<RetrievePropertiesEx>;
            assert_eq!(xml(&pieces.returnval), xml(&whole.returnval));
            assert_eq!(sorted(pieces.unknown), sorted(whole.unknown));
        }
        (Err(ResponseError::Fault(whole)), Err(ResponseError::Fault(pieces))) => {
            assert_eq!(format!("{pieces:?}"), format!("{whole:?}"));
        }
        (Err(ResponseError::Decode(_)), Err(ResponseError::Decode(_))) => {}
        (whole, pieces) => panic!("whole {whole:?}\nin pieces {pieces:?}"),
    }
}

type Answer = Decoded<Option<Box<RetrieveResult>>>;

/// Decodes a message in pieces of up to so many bytes and puts the answer together again.
fn in_pieces(message: &[u8], longest: u8, seed: u8) -> Result<Answer, ResponseError> {
    let mut decoder = ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(Limits::default());
    let mut objects = Vec::new();
    let (mut rest, mut state) = (message, u32::from(seed));
    while !rest.is_empty() {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let length = 1 + (state >> 16) as usize % (usize::from(longest) + 1);
        let (piece, others) = rest.split_at(length.min(rest.len()));
        rest = others;
        decoder.push(piece);
        while let Some(object) = decoder.next()? {
            objects.push(object);
        }
    }
    let mut decoded = decoder.finish()?;
    if !objects.is_empty() {
        let result = decoded.returnval.get_or_insert_default();
        objects.append(&mut result.objects);
        result.objects = objects;
    }
    Ok(decoded)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

fn answer(content: &[u8]) -> Vec<u8> {
    let head: &[u8] = b"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
        xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
        xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body>\
        <RetrievePropertiesExResponse xmlns=\"urn:vim25\"><returnval>";
    let tail: &[u8] = b"</returnval></RetrievePropertiesExResponse></e:Body></e:Envelope>";
    [head, content, tail].concat()
}
