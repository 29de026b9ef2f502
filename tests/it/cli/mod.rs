//! Runs the `isp` binary in a folder of its own.

mod schema;
pub(crate) mod served;

use std::path::Path;
use std::process::{Command, Output};

use isp::mikrotik::simulator::{SimulatedRouter, Simulation};
use isp::whatsapp::simulator::Simulator;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::ready;

/// A small provider's spreadsheets. The router's port is closed.
pub(crate) const SHEETS: &[(&str, &str)] = &[
    ("sites.csv", "kode;nama;zona\nBDG;Bandung;WIB\n"),
    ("routers.csv", "kode;site;alamat;username;password\nR1;BDG;127.0.0.1:1;isp;rahasia-router\n"),
    (
        "packages.csv",
        "kode;nama;harga;ppn;kecepatan;grup\nHOME20;Rumah 20;Rp 165.000;termasuk;20/10;home20\nHOME10;Rumah 10;100000;belum termasuk;10;home10\n",
    ),
    (
        "customers.csv",
        "\u{feff}ID Pelanggan;Nama;NIK;Alamat;Telepon;Bahasa\nP001;Budi Santoso;3273011708450001;Jl. Merdeka 1, Bandung;0812-3456-7890;id\nP002;Siti;;Jl. Asia 2;+62 813 9876 5432;en\nP003;Eko;;Jl. Afrika 3;;\n",
    ),
    (
        "subscriptions.csv",
        "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih,siklus,penagihan\nP001,HOME20,R1,budi@isp,pw-budi-1,01/06/2024,,bulanan,\nP002,HOME10,R1,siti@isp,pw-siti-2,2024-03-05,,bulanan,prabayar\nP003,HOME10,R1,eko@isp,pw-eko-3,2026-01-10,,triwulan,pascabayar\n",
    ),
    (
        "cpes.csv",
        "serial,id_pelanggan,unit_luar,router,ip,username,password,kepemilikan,nilai\nSN-1,P001,LiteBeam M5,TL-WR840N,192.168.1.2,admin,pw-cpe-1,dipinjamkan,650.000\n",
    ),
    ("installations.csv", "id_pelanggan,jenis,biaya,tanggal,cicilan\nP003,FO baru,500000,2026-01-10,3\n"),
    ("expenses.csv", "tanggal,kategori,jumlah,catatan,site\n2026-01-05,listrik,250000,PLN,BDG\n"),
];

/// The binary and its folder.
pub(crate) struct Isp {
    dir: TempDir,
    env: Vec<(&'static str, String)>,
}

impl Isp {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    /// Sets a variable for every command.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.env.push((name, value.into()));
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Founds a provider on SQLite with `isp init`. The first test of a run does it, and others copy the folder (`ready`): it holds nothing of
    /// its place. Two folders of one test that must differ are founded with `ok(&["init"])`.
    pub(crate) fn init(&self) {
        let named = |(name, _): &(&str, _)| name.starts_with("ISP_WHATSAPP") || name.starts_with("ISP_PROVIDER");
        let Some(folder) = ready::folder().filter(|_| self.env.iter().all(named)) else {
            self.ok(&["init"]);
            return;
        };
        let place = folder.join("founded");
        let copy = |from: &Path, to: &Path| {
            for name in ["isp.toml", "isp.key", "isp.db"] {
                std::fs::copy(from.join(name), to.join(name)).unwrap();
            }
        };
        if place.exists() {
            copy(&place, self.dir());
            return;
        }
        self.ok(&["init"]);
        let beside = tempfile::tempdir_in(&folder).unwrap();
        let part = beside.path().join("part");
        std::fs::create_dir(&part).unwrap();
        copy(self.dir(), &part);
        ready::put(&part, &place);
    }

    /// Writes spreadsheets into the folder `sheets`.
    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        let sheets = self.dir.path().join("sheets");
        std::fs::create_dir_all(&sheets).unwrap();
        for (name, text) in files {
            std::fs::write(sheets.join(name), text).unwrap();
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A command that is not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isp"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ISP_")) {
            command.env_remove(name);
        }
        let home = self.dir.path().join("home");
        command.current_dir(self.dir.path()).env("HOME", &home).env("XDG_CONFIG_HOME", home);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.args(arguments);
        command
    }

    /// Runs a command that ends with this exit code; what it said.
    pub(crate) fn exit(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(code), "isp {}\n{out}\n{err}", arguments.join(" "));
        for secret in ["3273011708450001", "rahasia", "pw-budi-1", "pw-cpe-1"] {
            assert!(!out.contains(secret) && !err.contains(secret), "isp {} shows {secret}", arguments.join(" "));
        }
        (out, err)
    }

    /// Runs a command that ends with one of these exit codes.
    pub(crate) fn exit_any(&self, codes: &[i32], arguments: &[&str]) {
        let output = self.run(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let code = output.status.code().unwrap_or(-1);
        assert!(codes.contains(&code), "isp {}: {code}\n{out}\n{err}", arguments.join(" "));
    }

    /// Runs a command that succeeds.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.exit(0, arguments).0
    }

    /// Runs a command that succeeds, with JSON output, which is as documented.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.ok(&[&["--format", "json"], arguments].concat());
        let output = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        schema::check(&output, arguments);
        output
    }

    /// Runs a command that fails with this exit code and error code; what it said, its first line without the advice.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str], error: &str) -> String {
        let (out, err) = self.exit(code, arguments);
        assert_eq!(out, "", "isp {}", arguments.join(" "));
        let line = err.lines().next().unwrap_or("").to_owned();
        assert!(line.starts_with("isp: ") && line.contains(&format!("[{error}")), "isp {}: {err}", arguments.join(" "));
        line
    }
}

/// A provider whose router and messenger are simulated in this process.
pub(crate) struct Stage {
    pub(crate) isp: Isp,
    pub(crate) router: SimulatedRouter,
    pub(crate) whatsapp: Simulator,
    // Last, so that the simulators go before what they run on.
    pub(crate) runtime: Runtime,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::bare().provided()
    }

    /// Founds the provider of the spreadsheets.
    pub(crate) fn provided(self) -> Self {
        let stage = self;
        stage.isp.init();
        let routers = SHEETS[1].1.replace("127.0.0.1:1", &stage.router.address().to_string());
        stage.isp.write(SHEETS);
        stage.isp.write(&[("routers.csv", &routers)]);
        stage.isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
        stage
    }

    /// The simulators, and a folder in which nothing was founded yet.
    pub(crate) fn bare() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let simulation = Simulation { user: "isp".into(), password: "rahasia-router".into(), ..Simulation::default() };
        let (router, whatsapp) = runtime
            .block_on(async { (SimulatedRouter::start(simulation).await.unwrap(), Simulator::start().await.unwrap()) });
        let mut isp = Isp::new();
        isp.set("ISP_WHATSAPP__BASE_URL", whatsapp.base_url());
        isp.set("ISP_WHATSAPP__PHONE_NUMBER_ID", PHONE_NUMBER_ID);
        isp.set("ISP_WHATSAPP__ACCESS_TOKEN", "simulated-access-token");
        isp.set("ISP_PROVIDER__NAME", "Contoh Net");
        Self { isp, router, whatsapp, runtime }
    }

    pub(crate) fn profile(&self, username: &str) -> String {
        self.router.secret(username).map_or_else(|| "(none)".into(), |secret| secret.profile)
    }

    pub(crate) fn router_up(&self) {
        let _inside = self.runtime.enter();
        self.router.up().unwrap();
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.whatsapp.messages().into_iter().map(|m| m.template).collect()
    }
}

/// The sending number that the simulated Cloud API knows.
pub(crate) const PHONE_NUMBER_ID: &str = "106540352242922";
