//! `isp sandbox` by the binary: what happens in it happens to a copy, and to nobody outside.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::cli::{Isp, Stage};

/// A sandbox that runs.
struct Sandbox {
    child: Child,
    config: PathBuf,
    told: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sandbox {
    fn start(isp: &Isp, words: &[&str]) -> Self {
        let mut command = isp.command(&[&["--lang", "en"], words].concat());
        command.env("TMPDIR", isp.dir().join("tmp"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.by_ref().find(|line| line.contains("ISP_CONFIG=")).expect("a sandbox says how to use it");
        let config = PathBuf::from(line.split_once('=').unwrap().1);
        let told = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&told);
        let reader = std::thread::spawn(move || lines.for_each(|line| *kept.lock().unwrap() += &(line + "\n")));
        Self { child, config, told, reader: Some(reader) }
    }

    /// A command in the other terminal, which has the real one's variables.
    fn inside(&self, isp: &Isp, words: &[&str]) -> (i32, String) {
        let mut command = isp.command(&[&["--lang", "en", "--format", "json"], words].concat());
        let done = command.current_dir("/").env("ISP_CONFIG", &self.config).output().unwrap();
        assert!(String::from_utf8_lossy(&done.stderr).contains("Sandbox:"), "each command says where it is");
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
    }

    /// Waits until it told this, at most ten seconds.
    fn tells(&self, what: &str) -> bool {
        (0..100).any(|_| {
            let there = self.told.lock().unwrap().contains(what);
            if !there {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            there
        })
    }

    /// Ends it by a signal; all that it told.
    fn end(mut self, signal: &str) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.reader.take().unwrap().join().unwrap();
        assert!(!self.config.parent().unwrap().exists(), "the copy is left");
        self.told.lock().unwrap().clone()
    }
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn what_happens_in_a_sandbox_happens_to_nobody() {
    let stage = Stage::new();
    let isp = &stage.isp;
    std::fs::create_dir(isp.dir().join("tmp")).unwrap();
    isp.ok(&["--on", "2026-01-12", "run"]);
    let before = files(isp.dir());
    let (messages, commands) = (stage.whatsapp.requests(), stage.router.counters().connections);
    assert!(messages > 0 && commands > 0, "the real ones were used before");

    let sandbox = Sandbox::start(isp, &["--on", "2026-01-18", "sandbox", "--run"]);
    // The day was lived: reminders went to simulated phones, whose numbers are masked.
    assert!(sandbox.tells("isp_tagihan"));
    // The routers have each line already, so nothing differs.
    let (code, plan) = sandbox.inside(isp, &["router", "plan"]);
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!((code, plan[0]["router"].as_str()), (0, Some("R1")), "{plan}");
    for count in ["created", "changed", "isolated", "conflicts"] {
        assert_eq!(plan[0][count], 0, "{plan}");
    }
    assert_eq!(sandbox.inside(isp, &["isolate", "P001", "--reason", "coba-coba"]).0, 0);
    assert_eq!(sandbox.inside(isp, &["deliver", "--on", "2026-01-18"]).0, 0);
    let (_, routers) = sandbox.inside(isp, &["router", "list"]);
    assert!(routers.contains("127.0.0.1:") && !routers.contains(&stage.router.address().to_string()), "{routers}");
    let (_, lines) = sandbox.inside(isp, &["subscription", "list"]);
    assert!(lines.contains("isolated"), "{lines}");
    // A new key is that of the copy, and a router that is added or given another address is not called.
    assert_eq!(sandbox.inside(isp, &["key", "rotate"]).0, 0);
    let real = stage.router.address().to_string();
    let password = ["--username", "isp", "--password", "rahasia-router"];
    assert_eq!(sandbox.inside(isp, &[&["router", "edit", "R1", "--address", &real], &password[2..]].concat()).0, 0);
    let add = [&["router", "add", "R9", "--site", "BDG", "--address", &real][..], &password].concat();
    assert_eq!(sandbox.inside(isp, &add).0, 0);
    for words in [&["router", "check"][..], &["router", "apply"], &["--on", "2026-01-19", "run"], &["doctor"]] {
        assert_ne!(sandbox.inside(isp, words).0, 0, "{words:?}: a router that may not be called");
    }
    // No flag leads out of it.
    let real = format!("sqlite:{}", isp.dir().join("isp.db").display());
    let out = isp.command(&["--database", &real, "status"]).env("ISP_CONFIG", &sandbox.config).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let told = sandbox.end("-TERM");
    assert!(told.contains("+62***") && !told.contains("6281234567890"), "{told}");
    assert!(told.trim_end().ends_with("Your database is as it was. In the other terminal: unset ISP_CONFIG"), "{told}");

    assert!(files(isp.dir()) == before, "the real files are others");
    assert_eq!((stage.whatsapp.requests(), stage.router.counters().connections), (messages, commands));
    assert_eq!(stage.profile("budi@isp"), "home20");
    assert_eq!(files(&isp.dir().join("tmp")).len(), 0);
}

/// What goes with a message, and what differs on one router, is as in the real one.
#[test]
fn a_sandbox_keeps_documents_and_the_tables_of_routers() {
    let mut stage = Stage::new();
    stage.isp.set("ISP_WHATSAPP__DOCUMENTS", r#"["overdue"]"#);
    let address = stage.router.address().to_string();
    let file = stage.isp.dir().join("isp.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text += "\n[mikrotik.redirect]\nportal = \"10.0.0.5\"\n";
    for (router, portal) in [(address.as_str(), "10.0.0.7"), ("10.99.0.1", "10.0.0.8")] {
        text += &format!("\n[mikrotik.redirect.router.\"{router}\"]\nportal = \"{portal}\"\n");
    }
    std::fs::write(&file, text).unwrap();
    std::fs::create_dir(stage.isp.dir().join("tmp")).unwrap();
    let sandbox = Sandbox::start(&stage.isp, &["--on", "2026-01-12", "sandbox"]);
    let (code, plan) = sandbox.inside(&stage.isp, &["router", "plan", "R1", "--details"]);
    assert!(code == 0 && plan.contains("to-addresses=10.0.0.7") && !plan.contains("10.0.0.5"), "{code} {plan}");
    let settings: toml::Table = std::fs::read_to_string(&sandbox.config).unwrap().parse().unwrap();
    assert_eq!(settings["whatsapp"]["documents"], toml::Value::from(vec!["overdue"]), "{settings}");
    let tables = settings["mikrotik"]["redirect"]["router"].as_table().unwrap();
    assert!(tables.len() == 2 && !tables.contains_key(&address) && tables.contains_key("10.99.0.1"), "{tables}");
    sandbox.end("-TERM");
}

#[test]
fn a_sandbox_ends_at_any_moment_and_leaves_nothing() {
    let stage = Stage::new();
    let isp = &stage.isp;
    let tmp = isp.dir().join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let before = files(isp.dir());
    // While it copies, or a little later.
    for milliseconds in [0, 20, 60, 200] {
        let mut child = isp.command(&["sandbox"]).env("TMPDIR", &tmp).stdout(Stdio::null()).spawn().unwrap();
        // Before it listens to signals it has made nothing.
        while std::fs::read_dir(&tmp).unwrap().next().is_none() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "after {milliseconds} ms");
        assert!(std::fs::read_dir(&tmp).unwrap().next().is_none(), "after {milliseconds} ms something is left");
    }
    // The end of the terminal ends it, too.
    Sandbox::start(isp, &["sandbox"]).end("-HUP");
    assert!(files(isp.dir()) == before);
}

#[test]
fn a_sandbox_that_was_killed_is_named_with_what_removes_it() {
    let stage = Stage::new();
    let isp = &stage.isp;
    let tmp = isp.dir().join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let doctor = || {
        let done = isp.command(&["doctor", "--offline", "--format", "json"]).env("TMPDIR", &tmp).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let mut sandbox = Sandbox::start(isp, &["sandbox"]);
    assert!(!doctor().contains("sandbox.left"), "one that lives is not left");
    sandbox.child.kill().unwrap();
    sandbox.child.wait().unwrap();
    let folder = sandbox.config.parent().unwrap().display().to_string();
    let told = doctor();
    assert!(told.contains("sandbox.left") && told.contains(&format!("rm -r {folder}")), "{told}");
    let mut child =
        isp.command(&["sandbox"]).env("TMPDIR", &tmp).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(&format!("rm -r {folder}"))), "the next sandbox says so");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    std::fs::remove_dir_all(folder).unwrap();
    assert!(!doctor().contains("sandbox.left"));

    // Where there is no place for a copy, the place is named in the language of the provider.
    let done = isp.command(&["sandbox"]).env("TMPDIR", "/nowhere").output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(6) && said.contains("/nowhere: tidak ada"), "{said}");
}
