//! Chance, for the stories that are lived at random.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// A small generator (SplitMix64), so that a year follows from one number.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % sides
    }

    pub fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

/// How often a story is lived: `cases` times, always the same, so that no change fails by chance; or new ones, as often as
/// the variable `PROPTEST_CASES` says.
pub fn at_random(cases: u32) -> ProptestConfig {
    let (cases, rng_seed) = match std::env::var("PROPTEST_CASES").ok().and_then(|wanted| wanted.parse().ok()) {
        Some(wanted) => (wanted, RngSeed::Random),
        None => (cases, RngSeed::Fixed(0)),
    };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

/// Seeds of a [`Dice`], or the one that the variable `SEED` names. A smaller seed is not a simpler story, so none is
/// looked for.
pub fn seeds() -> BoxedStrategy<u64> {
    match std::env::var("SEED").ok().and_then(|seed| seed.parse::<u64>().ok()) {
        Some(seed) => Just(seed).boxed(),
        None => any::<u64>().no_shrink().boxed(),
    }
}
