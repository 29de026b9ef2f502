//! The owner's guide, followed to the letter: every command in it is typed in the order of its chapters, in both languages.
//!
//! A command that the guide shows with an error must end with that error, and any other must succeed. What else stands below a
//! command is not compared; `GUIDE=write cargo test --test it guide` writes it anew.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The port that the guide names, and one that is free here: several runs of this test may go on at once.
type Port = (&'static str, u16);

/// Who follows a guide: a folder of their own, where they are in it, and what they simulate.
struct Reader {
    home: PathBuf,
    here: PathBuf,
    ports: [Port; 3],
    simulated: Vec<Child>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        for one in &mut self.simulated {
            let _ = one.kill();
            let _ = one.wait();
        }
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

impl Reader {
    fn new(language: &str) -> Self {
        let home = std::env::temp_dir().join(format!("isp-guide-{language}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(home.join("sari")).unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let here = home.join("sari");
        Self { home, here, ports: [("8799", free()), ("8798", free()), ("8797", free())], simulated: Vec::new() }
    }

    fn typed(&self, command: &str) -> String {
        self.ports.iter().fold(command.to_owned(), |text, (named, free)| text.replace(named, &free.to_string()))
    }

    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        let program = Path::new(env!("CARGO_BIN_EXE_isp")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        command.args(["--norc", "-c", script]).current_dir(&self.here);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ISP_")) {
            command.env_remove(name);
        }
        command.env("PATH", path).env("HOME", self.home.join("sari")).env("USER", "sari").env("COLUMNS", "110");
        command.env_remove("XDG_CONFIG_HOME").stdin(Stdio::null());
        command
    }

    /// Types a command: what it says, and whether it succeeded.
    fn types(&mut self, command: &str) -> (String, bool) {
        let where_to = self.home.join("where");
        let script = format!("{{ {}\n}} 2>&1; code=$?; pwd >'{}'; exit $code", self.typed(command), where_to.display());
        let output = self.shell(&script).output().unwrap();
        self.here = PathBuf::from(std::fs::read_to_string(&where_to).unwrap().trim_end());
        let text = self.ports.iter().fold(String::from_utf8(output.stdout).unwrap(), |text, (named, free)| {
            text.replace(&free.to_string(), named)
        });
        (text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"), output.status.success())
    }

    /// Starts a simulated router or gateway in "another window", and waits until it answers.
    fn starts(&mut self, command: &str) {
        let script = format!("exec {}", self.typed(command));
        let child = self.shell(&script).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.simulated.push(child);
        let (_, port) = self.ports.iter().find(|(named, _)| command.contains(named)).expect("a port of the guide");
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", *port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "{command} does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The name of the file that a block is: the last one in backticks that the paragraph above it names.
fn file_named(above: &str) -> Option<&str> {
    let names = above.split('`').skip(1).step_by(2);
    names.filter(|name| name.ends_with(".csv") || name.ends_with(".toml")).last().filter(|name| *name != "isp.toml")
}

/// A code in brackets, as an error has it.
fn code(said: &str) -> Option<&str> {
    let (_, behind) = said.lines().find(|line| line.starts_with("isp: "))?.rsplit_once('[')?;
    behind.strip_suffix(']')
}

/// What was said, with each id in it masked.
fn without_ids(said: &str) -> String {
    let is_id = |word: &&str| word.len() == 36 && word.matches('-').count() == 4;
    said.trim_end().split(' ').map(|word| if is_id(&word) { "id" } else { word }).collect::<Vec<_>>().join(" ")
}

/// As many lines of what was said as the guide shows, if it shows the first or the last of them only.
fn cut(said: &str, shown: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let kept = shown.lines().count().saturating_sub(1);
    if shown.starts_with('…') && lines.len() > kept {
        std::iter::once("…").chain(lines[lines.len() - kept..].iter().copied()).collect::<Vec<_>>().join("\n")
    } else if shown.ends_with('…') && lines.len() > kept {
        lines[..kept].iter().copied().chain(["…"]).collect::<Vec<_>>().join("\n")
    } else {
        said.to_owned()
    }
}

/// A block of commands with what each says, as it should stand there.
fn follow(block: &str, at: &str, reader: &mut Reader) -> String {
    let mut written = String::new();
    for part in format!("\n{block}").split("\n$ ").skip(1) {
        let (command, shown) = part.split_once('\n').unwrap_or((part, ""));
        if command.contains("payment-request poll") {
            // The simulated customer looks for new requests five times a second.
            std::thread::sleep(Duration::from_secs(2));
        }
        let (said, succeeded) = reader.types(command);
        match code(shown) {
            Some(expected) => {
                assert!(!succeeded, "{at}: `{command}` succeeds, and the guide shows an error");
                assert_eq!(code(&said), Some(expected), "{at}: `{command}` says\n{said}");
            }
            None => assert!(succeeded, "{at}: `{command}` fails:\n{said}"),
        }
        let said = cut(&said, shown);
        // Ids of what was recorded are new each time.
        let said = if without_ids(&said) == without_ids(shown) { shown.trim_end().to_owned() } else { said };
        written.push_str(&format!("$ {command}\n"));
        if !said.is_empty() {
            written.push_str(&format!("{said}\n"));
        }
    }
    written
}

fn follow_chapter(page: &Path, reader: &mut Reader) -> (String, usize) {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut written, mut above, mut commands) = (String::new(), String::new(), 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        written.push_str(&format!("{line}\n"));
        let Some(kind) = line.strip_prefix("```") else {
            above = if line.is_empty() { above } else { format!("{above} {line}") };
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let mut inside = block.iter().map(|line| format!("{line}\n")).collect::<String>();
        match kind {
            "console" => {
                commands += block.iter().filter(|line| line.starts_with("$ ")).count();
                inside = follow(inside.trim_end(), &page.display().to_string(), reader);
            }
            "csv" | "toml" => {
                if let Some(name) = file_named(&above) {
                    let file = reader.here.join(name);
                    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                    std::fs::write(file, reader.typed(&inside)).unwrap();
                }
            }
            _ => block.iter().filter(|line| line.starts_with("isp simulate-")).for_each(|line| reader.starts(line)),
        }
        written.push_str(&format!("{inside}```\n"));
        above.clear();
    }
    (written, commands)
}

fn follow_guide(language: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide").join(language).join("src");
    let summary = std::fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
    let chapters =
        summary.lines().filter_map(|line| line.trim().strip_prefix("- [")?.split_once("](")?.1.strip_suffix(')'));
    let (mut reader, mut commands) = (Reader::new(language), 0);
    for chapter in chapters {
        let page = folder.join(chapter);
        let (written, typed) = follow_chapter(&page, &mut reader);
        commands += typed;
        if std::env::var("GUIDE").is_ok_and(|wish| wish == "write") {
            std::fs::write(&page, written).unwrap();
        }
    }
    assert!(commands > 40, "only {commands} commands were found in docs/guide/{language}");
}

#[test]
fn every_command_of_the_english_guide_works() {
    follow_guide("en");
}

#[test]
fn every_command_of_the_indonesian_guide_works() {
    follow_guide("id");
}

#[test]
fn a_guide_is_read_as_it_is_written() {
    assert_eq!(file_named(" ## A heading `x.csv` and `sheets/y.csv`, its columns:"), Some("sheets/y.csv"));
    assert_eq!(file_named(" add this to `isp.toml`:"), None);
    assert_eq!(code("a\nisp: no such thing [cli.not_found]\n  more"), Some("cli.not_found"));
    let id = "01a221b6-abc6-7002-94f1-127c41755675";
    assert_eq!(without_ids(&format!("a {id}\n")), "a id");
    assert_eq!(cut("1\n2\n3", "…\n3"), "…\n3");
    assert_eq!(cut("1\n2\n3", "1\n2\n…"), "1\n2\n…");
    assert_eq!(cut("1\n2\n3", "9"), "1\n2\n3");
}
