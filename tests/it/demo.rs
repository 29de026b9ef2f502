//! `isp demo` as its users run it: the whole four months, and what it leaves behind.

use std::path::Path;
use std::process::{Command, Output};

fn isp(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isp"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ISP_")) {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn four_months_end_with_a_proof_and_leave_a_provider_to_look_at() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("isp");
    let demo = isp(&["--lang", "id", "demo", "--keep", path(&kept)]);
    let shown = text(&demo);
    assert!(demo.status.success(), "{shown}");

    // The stories, in their order.
    let stories = [
        "330 pelanggan",
        "Bambang Santoso (PLG-0001) diisolir",
        "Bambang Santoso (PLG-0001) membayar Rp183.150: layanan dibuka",
        "memindai QRIS dari halaman isolirnya",
        "RTR-MLG mati",
        "Dwi Kurniawan (PLG-0008) membayar Rp183.150 saat RTR-MLG mati",
        "RTR-MLG hidup lagi",
        "Eko Prasetyo (PLG-0010) pindah paket",
        "transfer ditolak bank",
        "diisolir manual",
        "dibuka manual",
        "tersambar petir",
        "Gianyar: kabel putus",
        "janji bayar",
        "listrik kantor padam",
        "0 tagihan baru, 0 pengingat baru",
        "Bukti",
        "Semua cocok",
    ];
    let mut rest = shown.as_str();
    for story in stories {
        rest = rest.split_once(story).unwrap_or_else(|| panic!("{story:?} is not in its place:\n{shown}")).1;
    }
    let proof = shown.split_once("\nBukti\n").unwrap().1;
    assert_eq!((proof.matches("✔").count(), proof.matches("✖").count()), (9, 0), "{proof}");

    // What it leaves can be looked at with the other commands.
    let config = kept.join("isp.toml");
    let why = isp(&["--config", path(&config), "explain", "PLG-0001", "--on", "2026-01-20"]);
    assert!(why.status.success() && text(&why).contains("diisolir"), "{}", text(&why));
    let report = ["report", "finance", "--from", "2026-01", "--to", "2026-04"];
    let report = isp(&[&["--config", path(&config)], report.as_slice()].concat());
    assert!(report.status.success(), "{}", text(&report));

    // It never writes over a provider that is there.
    let again = isp(&["demo", "--keep", path(&kept)]);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again));
    assert!(kept.join("isp.db").exists());
}

#[test]
fn a_short_demo_in_english() {
    let demo = isp(&["--lang", "en", "demo", "--until", "2026-01-03"]);
    let shown = text(&demo);
    assert!(demo.status.success(), "{shown}");
    assert!(shown.contains("January 2026") && shown.contains("Everything agrees"), "{shown}");
}
