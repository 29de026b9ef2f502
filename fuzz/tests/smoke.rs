//! Each target over its corpus, and over a few thousand changes of it: the same ones each time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::PathBuf;

use isp_fuzz::{TARGETS, Target};

/// Changes of each target's corpus.
const CHANGES: usize = 700;
/// A seed that is larger is not changed so often.
const BYTES: usize = 3_000_000;

fn corpus(target: Target) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Xorshift; no lots are drawn, so what fails once fails again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }

    /// A byte that is changed, a piece that is cut out, doubled or taken from another seed.
    fn change(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        const SIGNS: &[u8] = b"\0\xff\n\r\t,;:\"'{}[]0-9.A&=%/";
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let (from, length) = (self.below(bytes.len() + 1), self.below(17));
            let until = (from + length).min(bytes.len());
            match self.below(5) {
                0 if from < bytes.len() => bytes[from] ^= 1 << self.below(8),
                1 => bytes.insert(from, SIGNS[self.below(SIGNS.len())]),
                2 => _ = bytes.drain(from..until),
                3 => {
                    let piece = bytes[from..until].to_vec();
                    bytes.splice(from..from, piece);
                }
                _ => {
                    let at = self.below(other.len() + 1);
                    let piece = other[at..(at + length).min(other.len())].to_vec();
                    bytes.splice(from..until, piece);
                }
            }
        }
        bytes
    }
}

fn run(target: Target, what: &str, bytes: &[u8]) {
    let caught = std::panic::catch_unwind(|| (target.run)(bytes));
    assert!(caught.is_ok(), "{} {what}: {:?}", target.name, String::from_utf8_lossy(bytes));
}

#[test]
fn no_target_stumbles_over_its_corpus_nor_over_changes_of_it() {
    for target in TARGETS {
        let seeds = corpus(target);
        assert!(!seeds.is_empty(), "{} has no corpus", target.name);
        for (number, seed) in seeds.iter().enumerate() {
            run(target, &format!("seed {number}"), seed);
        }
        run(target, "nothing", b"");
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut spent = 0;
        for number in 0..CHANGES {
            let seed = &seeds[number % seeds.len()];
            let other = &seeds[dice.below(seeds.len())];
            let bytes = dice.change(seed, other);
            spent += bytes.len();
            if spent > BYTES {
                break;
            }
            run(target, &format!("change {number}"), &bytes);
        }
    }
}
