//! What happens on the provider's bank accounts: files of banks, mutations, and whose each is.
//!
//! | to find | look in |
//! |---|---|
//! | reading the files of banks | [`file`] |
//! | mutations, each kept once | [`mutation`] |
//! | whose a mutation is | [`matching`] |

pub mod file;
pub mod matching;
pub mod mutation;

pub use file::{BankFile, BankFormat, BankRow, account_code};
pub use matching::{Candidate, Clue, Payer, candidates, choose, payer_words, sums_owed};
pub use mutation::{
    Compared, ImportedFile, Incoming, Mutation, MutationMark, MutationRow, MutationState, PayerAlias, compare, file_id,
};
