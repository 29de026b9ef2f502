//! What a router sends.

use isp_mikrotik::mark::{GroupMark, Mark, Owner};
use isp_mikrotik::menu::ItemId;
use isp_mikrotik::menu::rate::{RateLimit, rate_pair};
use isp_mikrotik::proto::{Command, Connection, Decoder, Event, ProtoError, Sentence};
use isp_mikrotik::text::CodePage;

/// Any bytes, cut anywhere, give the same sentences and the same end as the bytes in one piece.
pub(crate) fn sentences(data: &[u8]) {
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
}

fn drain(decoder: &mut Decoder, seen: &mut Vec<Sentence>) -> Option<ProtoError> {
    loop {
        match decoder.next_sentence() {
            Ok(Some(sentence)) => seen.push(sentence),
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

/// Whatever a router answers: each command ends at most once, and what was handed over whole is known.
pub(crate) fn connection(data: &[u8]) {
    let Some((&commands, bytes)) = data.split_first() else { return };
    let commands = usize::from(commands % 8) + 1;
    let mut connection = Connection::default();
    for number in 0..commands {
        let command = Command::new("/ppp/secret/print").arg("name", [b'x'; 3]);
        let streams = number % 3 == 2;
        let sent =
            if streams { connection.submit_stream(&command, number) } else { connection.submit(&command, number) };
        assert!(sent.is_ok());
    }
    let sentence = connection.output().len() / commands;
    connection.wrote(sentence + 1);
    let mut ended = vec![0; commands];
    for piece in bytes.chunks(7) {
        connection.receive(piece);
        while let Ok(Some(event)) = connection.poll() {
            match event {
                Event::Finished { value, reply, .. } => {
                    ended[value] += 1;
                    assert!(reply.rows().len() <= bytes.len());
                    let _ = reply.ret();
                    reply.traps().iter().for_each(|trap| _ = trap.category());
                }
                Event::Row { row, .. } => _ = row.attributes().count(),
                _ => {}
            }
        }
    }
    for (value, whole) in connection.drain() {
        ended[value] += 1;
        assert!(!whole || value == 0, "only the first sentence was handed over");
    }
    assert!(ended.iter().all(|count| *count == 1));
}

/// Any comment comes back to the byte when our mark is put in front of it or taken off, and any rate limit that is read is
/// written so that it is read again.
pub(crate) fn comment(data: &[u8]) {
    let (mark, human) = Mark::split(data);
    match mark {
        None => assert_eq!(human, data),
        Some(mark) => assert_eq!(Mark::split(&mark.comment(human)), (Some(mark), human)),
    }
    let fresh = Mark::new(Owner::parse("4f1a09c2be77").unwrap());
    assert_eq!(Mark::split(&fresh.comment(data)), (Some(fresh), data));
    let (group, human) = GroupMark::split(data);
    match group {
        None => assert_eq!(human, data),
        Some(group) => assert_eq!(GroupMark::split(&group.comment(human)), (Some(group), human)),
    }
    if let Some(limit) = RateLimit::parse(data) {
        assert_eq!(rate_pair(data), Some(limit.rate));
        assert_eq!(RateLimit::parse(limit.to_string().as_bytes()), Some(limit));
    }
    let _ = ItemId::parse(data);
    for page in [CodePage::Cp1252, CodePage::Latin1, CodePage::Escape] {
        assert!(page.decode(data).len() >= data.len().min(1));
    }
}
