//! A PostgreSQL of its own that keeps what it has confirmed, and can be killed, slowed down and left without room.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use isp_core::calendar::Date;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::workers_clock::WallClock;

/// How large the disk is that can be filled up.
const DISK: &str = "400M";

pub(super) struct Server {
    /// `scripts/with_pg`, which lives as long as its input.
    host: Child,
    pub(super) url: String,
    control: PathBuf,
    slow: PathBuf,
    /// What it is started with: libraries by which its disk is slow and its clock wrong.
    environment: [(&'static str, String); 3],
    pub(super) clock: WallClock,
    /// Whether it has a disk of its own, which only root can give it.
    pub(super) has_disk: bool,
    _shim: TempDir,
}

impl Server {
    /// Starts it, with a clock that shows noon of this day.
    pub(super) fn start(day: Date) -> Self {
        let shim = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        let slow = shim.path().join("slow-by");
        std::fs::write(&slow, "0").unwrap();
        let clock = WallClock::right(shim.path());
        clock.show(day, 12, 0);
        let [(preload, wrong), (file, by)] = clock.environment().map(|(name, value)| (name, value.to_owned()));
        let disk = slow_disk(shim.path());
        let environment = [
            (preload, format!("{}:{wrong}", disk.display())),
            (file, by),
            ("DISK_IS_SLOW_BY", slow.display().to_string()),
        ];
        let has_disk = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut host = Command::new(root.join("scripts/with_pg"));
        host.args(["sh", "-c", "echo \"$ISP_TEST_PG $ISP_PG_CONTROL\"; cat"]);
        host.env_remove("ISP_TEST_PG").env("ISP_PG_DURABLE", "1");
        host.envs(environment.iter().map(|(name, value)| (name, value)));
        if has_disk {
            host.env("ISP_PG_DISK", DISK);
        }
        let mut host = host.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(host.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let (url, control) = said.trim().split_once(' ').expect("the server did not start");
        Self { host, url: url.to_owned(), control: control.into(), slow, environment, clock, has_disk, _shim: shim }
    }

    /// The address of a database of it.
    pub(super) fn url_of(&self, database: &str) -> String {
        self.url.replace("/postgres?", &format!("/{database}?"))
    }

    /// Killed at once, as without electricity, and started again.
    pub(super) fn restart(&self) {
        let done = self.control().args(["restart", "-m", "immediate"]).stdout(Stdio::null()).status();
        assert!(done.unwrap().success(), "the server did not come back");
    }

    /// `pg_ctl`, which gives a server that it starts the same disk and clock.
    fn control(&self) -> Command {
        let mut control = Command::new(&self.control);
        control.envs(self.environment.iter().map(|(name, value)| (name, value)));
        control
    }

    /// From now on each write of it takes so long.
    pub(super) fn slow_down(&self, by: Duration) {
        std::fs::write(&self.slow, by.as_micros().to_string()).unwrap();
    }

    /// Takes all the room that is left; gives it back when that is dropped.
    pub(super) fn fill_up(&self) -> Filler {
        let path = self.control.with_file_name("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        let full = std::io::copy(&mut std::io::repeat(0), &mut file).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        Filler(path)
    }

    /// Starts it if it has ended, and waits until it lets somebody in.
    pub(super) async fn bring_back(&self) {
        let begun = Instant::now();
        loop {
            if let Ok(connection) = PgConnection::connect(&self.url).await {
                connection.close().await.unwrap();
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not come back");
            // Refused while it still lives, and is asked again.
            let mut start = self.control();
            start.arg("start").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.host.stdin.take());
        let _ = self.host.wait();
    }
}

/// What fills a disk up.
pub(super) struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A library with which each write takes as long as a file says, in microseconds.
fn slow_disk(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("disk.c"), folder.join("disk.so"));
    let code = "#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
static void wait_for_the_disk(void) {
    const char *path = getenv(\"DISK_IS_SLOW_BY\");
    char text[32] = {0};
    if (!path) return;
    int file = open(path, O_RDONLY);
    if (file < 0) return;
    if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
    close(file);
    long by = atol(text);
    struct timespec pause = {by / 1000000, by % 1000000 * 1000};
    if (by > 0) nanosleep(&pause, 0);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, \"pwrite\");
    wait_for_the_disk();
    return real(file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, \"pwrite64\");
    wait_for_the_disk();
    return real(file, bytes, count, at);
}
";
    std::fs::write(&source, code).unwrap();
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status().unwrap();
    assert!(made.success());
    library
}
