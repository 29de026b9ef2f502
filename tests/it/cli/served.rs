//! `isp serve` as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A server, and where it listens.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) address: String,
    log: Arc<Mutex<String>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// Starts one, with these settings in its environment.
    pub(crate) fn start(home: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isp"));
        command.current_dir(home).env_remove("NOTIFY_SOCKET").stderr(Stdio::null());
        command.envs([("ISP_SERVE__LISTEN", "127.0.0.1:0"), ("ISP_LANGUAGE", "en")]).envs(settings.iter().copied());
        let mut child = command.arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("Serving on ")).unwrap();
        let address = line.split(' ').nth(2).unwrap().to_owned();
        let log = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&log);
        // Who writes its log into a pipe that nobody reads would wait.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        Self { child, address, log }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The status of an answer; `None` when there was none.
    pub(crate) fn ask(&self, head: &str, body: &[u8]) -> Option<u16> {
        self.answer(head, body)?.split(' ').nth(1)?.parse().ok()
    }

    /// A whole answer; `None` when there was none. The head is a request's, up to its last header.
    pub(crate) fn answer(&self, head: &str, body: &[u8]) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }
}
