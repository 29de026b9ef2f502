//! Whatever a router answers: no panic, each command ends at most once, and what was handed over whole is known.
#![no_main]

use isp_mikrotik::proto::{Command, Connection, Event};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&commands, bytes)) = data.split_first() else { return };
    let commands = usize::from(commands % 8) + 1;
    let mut connection = Connection::default();
    for number in 0..commands {
        let command = Command::new("/ppp/secret/print").arg("name", [b'x'; 3]);
        let sent = if number % 3 == 2 { connection.submit_stream(&command, number) } else { connection.submit(&command, number) };
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
                    let _ = (reply.ret(), reply.traps().iter().map(|trap| trap.category()).count());
                }
                Event::Row { row, .. } => drop(row.attributes().count()),
                _ => {}
            }
        }
    }
    for (value, whole) in connection.drain() {
        ended[value] += 1;
        assert!(!whole || value == 0, "only the first sentence was handed over");
    }
    assert!(ended.iter().all(|count| *count == 1));
});
