//! Any bytes, cut anywhere, give the same sentences and the same end as the bytes in one piece.
#![no_main]

use isp_mikrotik::proto::{Decoder, ProtoError, Sentence};
use libfuzzer_sys::fuzz_target;

fn drain(decoder: &mut Decoder, seen: &mut Vec<Sentence>) -> Option<ProtoError> {
    loop {
        match decoder.next_sentence() {
            Ok(Some(sentence)) => seen.push(sentence),
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let (mut whole, mut expected) = (Decoder::default(), Vec::new());
    whole.feed(bytes);
    let end = drain(&mut whole, &mut expected);
    let (mut pieces, mut seen, mut failed) = (Decoder::default(), Vec::new(), None);
    for piece in bytes.chunks(usize::from(cut).max(1)) {
        pieces.feed(piece);
        failed = drain(&mut pieces, &mut seen);
    }
    assert_eq!((seen, failed), (expected, end));
});
